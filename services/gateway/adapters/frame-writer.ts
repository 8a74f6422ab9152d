// FrameWriter: WebSocket frames as plain bytes, made once and written to many sockets.
//
// RFC 6455: a server's frames are not masked, so the bytes are the same for every client as long as
// no extension is negotiated. `ws` writes its own frames to the same socket in one synchronous step
// each, hence prepared frames and those of `ws` never mix inside. That holds only while
// permessage-deflate is off (with it, `ws` queues) and for text that is sent whole: both are so here.

const FIN_TEXT = 0x81;
const NEWLINE = 10;

/** One unmasked, final text frame of `parts` joined by "\n". */
export function textFrame(parts: readonly Uint8Array[]): Buffer {
  let length = Math.max(0, parts.length - 1);
  for (const part of parts) length += part.length;
  const header = headerLength(length);
  const frame = Buffer.allocUnsafeSlow(header + length);
  writeHeader(frame, length);
  let at = header;
  for (const [index, part] of parts.entries()) {
    if (index > 0) frame[at++] = NEWLINE;
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}

/** The same for a string that goes to one socket. */
export function stringFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const header = headerLength(length);
  const frame = Buffer.allocUnsafe(header + length);
  writeHeader(frame, length);
  frame.write(text, header, "utf8");
  return frame;
}

function headerLength(length: number): number {
  if (length < 126) return 2;
  return length < 0x1_0000 ? 4 : 10;
}

function writeHeader(frame: Buffer, length: number): void {
  frame[0] = FIN_TEXT;
  if (length < 126) frame[1] = length;
  else if (length < 0x1_0000) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
}
