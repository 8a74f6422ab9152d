// Sink: a WebSocket client that reads as cheaply as the kernel lets it, and counts messages.
//
// The generator must not be what is measured: sinks share one read buffer, parse nothing after the
// handshake, and count the marker that every message body carries once. A marker may be cut in two
// by a read; the half is remembered.

import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import type { Socket } from "node:net";

/** Two bytes that appear once in every message of the bench and nowhere else in a frame. */
export const MARKER = "^^";
const HALF = MARKER.charCodeAt(0);
const MARKER_BYTES = Buffer.from(MARKER);
const READ_BYTES = 256 * 1024;
const shared = Buffer.allocUnsafe(READ_BYTES);

export interface SinkOptions {
  readonly port: number;
  readonly path: string;
  readonly protocol?: string;
  readonly localAddress?: string;
  /** Text frames sent after the upgrade. */
  readonly say: readonly string[];
  /** The sink is ready when the server's answer holds this text. "" = with the upgrade. */
  readonly until: string;
}

export class Sink {
  received = 0;
  readonly ready: Promise<void>;
  readonly #socket: Socket;
  #endsWithHalf = false;

  constructor(options: SinkOptions) {
    let head: string | undefined = "";
    let settle: () => void = () => undefined;
    let fail: (error: Error) => void = () => undefined;
    this.ready = new Promise((resolve, reject) => {
      settle = resolve;
      fail = reject;
    });
    let hasSaid = false;
    const greet = (bytes: Buffer): void => {
      if (head === undefined) return;
      head += bytes.toString("latin1");
      if (!hasSaid && head.includes("\r\n\r\n")) {
        hasSaid = true;
        if (!head.startsWith("HTTP/1.1 101")) fail(new Error(head.split("\r\n")[0]));
        for (const text of options.say) this.#socket.write(clientFrame(text));
      }
      if (hasSaid && head.includes(options.until)) {
        head = undefined;
        settle();
      }
    };
    this.#socket = connect({
      host: "127.0.0.1",
      port: options.port,
      ...(options.localAddress !== undefined && { localAddress: options.localAddress }),
      onread: {
        buffer: shared,
        callback: (size, buffer) => {
          const bytes = Buffer.from(buffer.buffer, buffer.byteOffset, size);
          greet(bytes);
          this.#count(bytes);
          return true;
        },
      },
    });
    this.#socket.setNoDelay(true);
    this.#socket.on("error", fail);
    this.#socket.on("close", () => fail(new Error("closed before it was ready")));
    const protocol = options.protocol ? `Sec-WebSocket-Protocol: ${options.protocol}\r\n` : "";
    this.#socket.write(
      `GET ${options.path} HTTP/1.1\r\nHost: 127.0.0.1:${options.port}\r\nUpgrade: websocket\r\n` +
        `Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n${protocol}` +
        `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n\r\n`,
    );
  }

  close(): void {
    this.#socket.destroy();
  }

  #count(bytes: Buffer): void {
    if (this.#endsWithHalf && bytes[0] === HALF) this.received++;
    for (let at = bytes.indexOf(MARKER_BYTES); at >= 0; at = bytes.indexOf(MARKER_BYTES, at + 2)) {
      this.received++;
    }
    this.#endsWithHalf = bytes.at(-1) === HALF && bytes.at(-2) !== HALF;
  }
}

/** A masked text frame; the mask is zero, which the protocol allows and costs nothing. */
function clientFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  const head =
    length < 126
      ? Buffer.from([0x81, 0x80 | length])
      : Buffer.from([0x81, 0x80 | 126, length >> 8, length & 255]);
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}
