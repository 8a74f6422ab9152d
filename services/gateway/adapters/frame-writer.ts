// FrameWriter: WebSocket frames as bytes, made once and written to many sockets.
//
// The frames of a server are not masked (RFC 6455), so all clients receive the same bytes while no
// extension is negotiated. `ws` writes its control frames to the same socket, each in one
// synchronous step, so they never interleave with these frames. Two conditions hold here:
// permessage-deflate is off (with it, `ws` queues), and each text is sent as one frame.

const FIN_TEXT = 0x81;
const NEWLINE = 10;

/** One unmasked, final text frame of `parts`, joined by "\n". */
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

/** The same for a text that goes to one socket. */
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
