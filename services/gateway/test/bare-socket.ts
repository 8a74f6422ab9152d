// BareSocket: a TCP connection after the upgrade, for tests that write bytes which `ws` never
// writes.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { within } from "#shared/testing/wait.ts";
import type { SocketFixture } from "./socket-fixture.ts";

/** A masked client frame with the shortest length field (RFC 6455). */
export function clientFrame(first: number, payload: Uint8Array): Buffer {
  const mask = randomBytes(4);
  const masked = payload.map((byte, i) => byte ^ mask[i % 4]!);
  return Buffer.concat([Buffer.of(first), lengthField(payload.length), mask, masked]);
}

function lengthField(length: number): Buffer {
  if (length < 126) return Buffer.of(0x80 | length);
  const isShort = length < 0x1_0000;
  const field = Buffer.alloc(isShort ? 3 : 9);
  field[0] = 0x80 | (isShort ? 126 : 127);
  if (isShort) field.writeUInt16BE(length, 1);
  else field.writeBigUInt64BE(BigInt(length), 1);
  return field;
}

export async function bareSocket(fixture: SocketFixture): Promise<Socket> {
  const socket = connect(fixture.port, "127.0.0.1");
  socket.write(
    "GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: parley.v1\r\n" +
      `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n\r\n`,
  );
  await once(socket, "data");
  return socket;
}

/** The received close code; 1006 when there is none. */
export async function bareClose(socket: Socket): Promise<number> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => {}); // A reset after the close frame counts as an end.
  const closed = new Promise((resolve) => socket.once("close", resolve));
  await within(closed, { withinMs: 8_000, what: "the socket to be closed" });
  const bytes = Buffer.concat(chunks);
  const at = bytes.indexOf(0x88);
  return at < 0 ? 1_006 : bytes.readUInt16BE(at + 2);
}
