// WireFrames: client frames with any bits, and a reader of the server's frames.

import { randomBytes } from "node:crypto";

export const OP = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface FrameOptions {
  /** Default: true. */
  readonly fin?: boolean;
  /** The three reserved bits, 0 to 7. */
  readonly rsv?: number;
  /** Undefined: no mask. Default: random. */
  readonly mask?: Uint8Array | undefined;
  /** The size of the length field, instead of the shortest. */
  readonly lengthBytes?: 1 | 2 | 8;
  /** Written instead of the payload's length. */
  readonly length?: bigint;
}

export function frame(
  opcode: number,
  payload: Uint8Array | string = "",
  options: FrameOptions = {},
): Buffer {
  const bytes = Buffer.from(payload);
  const { fin = true, rsv = 0 } = options;
  const mask = "mask" in options ? options.mask : randomBytes(4);
  const length = options.length ?? BigInt(bytes.length);
  const shortest = length < 126n ? 1 : length < 65_536n ? 2 : 8;
  const field = Buffer.alloc({ 1: 1, 2: 3, 8: 9 }[options.lengthBytes ?? shortest]);
  field[0] =
    (mask === undefined ? 0 : 0x80) | ({ 1: Number(length), 3: 126, 9: 127 }[field.length] ?? 0);
  if (field.length === 3) field.writeUInt16BE(Number(length), 1);
  else if (field.length === 9) field.writeBigUInt64BE(length, 1);
  const masked = mask === undefined ? bytes : bytes.map((byte, i) => byte ^ (mask[i % 4] ?? 0));
  return Buffer.concat([
    Buffer.of((fin ? 0x80 : 0) | (rsv << 4) | opcode),
    field,
    mask ?? Buffer.alloc(0),
    masked,
  ]);
}

export function closeFrame(code: number, reason: Uint8Array | string = ""): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return frame(OP.close, Buffer.concat([payload, Buffer.from(reason)]));
}

/** The server's frames in words: "pong 616263", "close 1002", or the `t` of each line of a text. */
export function wordsOf(bytes: Buffer): string[] {
  const words: string[] = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    const opcode = (bytes[at] ?? 0) & 0x0f;
    let length = (bytes[at + 1] ?? 0) & 0x7f;
    at += 2;
    if (length === 126) {
      length = bytes.readUInt16BE(at);
      at += 2;
    } else if (length === 127) {
      length = Number(bytes.readBigUInt64BE(at));
      at += 8;
    }
    const payload = bytes.subarray(at, at + length);
    at += length;
    if (opcode === OP.text) {
      for (const line of payload.toString().split("\n")) {
        words.push((JSON.parse(line) as { t: string }).t);
      }
    } else if (opcode === OP.close) {
      words.push(`close ${length === 0 ? 1005 : payload.readUInt16BE(0)}`);
    } else words.push(`${opcode === OP.pong ? "pong" : opcode} ${payload.toString("hex")}`.trim());
  }
  return words;
}
