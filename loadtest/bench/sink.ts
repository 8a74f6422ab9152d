// Sink: a WebSocket client that reads at minimum cost and counts messages.
//
// The generator must not limit the measurement. Sinks share one read buffer and parse nothing after
// they are members. They count the marker that every message body contains once; a sink that sends
// also counts the marks of its acks.
//
//   sink.1. The length of a frame is no marker.

import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { nextLocalEnd } from "./local-end.ts";
import { MarkCounter } from "./mark-counter.ts";
import type { Peer, Step } from "./peer.ts";

/**
 * Bytes that every message of the bench contains once and no other part of a frame contains. With
 * two of them, the length of a frame of 24,158 bytes was a message.
 */
export const MARKER = "^^^";
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);
const READ_BYTES = 256 * 1024;
const shared = Buffer.allocUnsafe(READ_BYTES);

export class Sink {
  readonly room: string;
  received = 0;
  /** Total bytes that the server sent. */
  bytes = 0;
  readonly ready: Promise<void>;
  readonly #socket: Socket;
  readonly #messages = new MarkCounter(MARKER);
  #acks: { readonly marks: MarkCounter; onCount(count: number): void } | undefined;
  #isClosed = false;
  #greeting: Greeting | undefined;

  constructor(
    peer: Pick<Peer, "port" | "protocol" | "path">,
    options: {
      readonly room: string;
      readonly steps: readonly Step[];
      readonly onClose?: () => void;
    },
  ) {
    this.room = options.room;
    this.#socket = connect({
      host: "127.0.0.1",
      port: peer.port,
      ...nextLocalEnd(),
      onread: {
        buffer: shared,
        callback: (size, buffer) => {
          this.#onBytes(buffer.subarray(0, size) as Buffer);
          return true;
        },
      },
    });
    this.ready = new Promise((resolve, reject) => {
      const steps = [...options.steps];
      this.#greeting = { steps, head: "", isUpgraded: false, resolve, reject };
    });
    this.#socket.setNoDelay(true);
    this.#socket.on("error", (error) => this.#greeting?.reject(error));
    this.#socket.on("close", () => {
      this.#greeting?.reject(new Error("closed before it was ready"));
      if (!this.#isClosed) options.onClose?.();
    });
    const protocol = peer.protocol ? `Sec-WebSocket-Protocol: ${peer.protocol}\r\n` : "";
    this.#socket.write(
      `GET ${peer.path(options.room)} HTTP/1.1\r\nHost: 127.0.0.1:${peer.port}\r\n` +
        `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n${protocol}` +
        `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n\r\n`,
    );
  }

  say(text: string): void {
    this.#socket.write(clientFrame(text));
  }

  /** Calls `onCount` with the number of new acks; each contains `mark` once. */
  onAcks(mark: string, onCount: (count: number) => void): void {
    this.#acks = { marks: new MarkCounter(mark), onCount };
  }

  /** Sends an unsolicited pong, which keeps the connection open. */
  sayAlive(): void {
    this.#socket.write(PONG);
  }

  /** Stops reading, so that the buffers of the kernel fill. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#greeting = undefined;
    this.#isClosed = true;
    this.#socket.destroy();
  }

  #onBytes(bytes: Buffer): void {
    this.bytes += bytes.length;
    if (this.#greeting !== undefined) this.#greet(this.#greeting, bytes);
    this.received += this.#messages.count(bytes);
    if (this.#acks === undefined) return;
    const acked = this.#acks.marks.count(bytes);
    if (acked > 0) this.#acks.onCount(acked);
  }

  #greet(greeting: Greeting, bytes: Buffer): void {
    greeting.head += bytes.toString("latin1");
    if (!greeting.isUpgraded) {
      const end = greeting.head.indexOf("\r\n\r\n");
      if (end < 0) return;
      if (!greeting.head.startsWith("HTTP/1.1 101")) {
        greeting.reject(new Error(greeting.head.split("\r\n")[0]));
        return;
      }
      greeting.isUpgraded = true;
      greeting.head = greeting.head.slice(end + 4);
      this.#sayNext(greeting);
    }
    for (let step = greeting.steps[0]; step !== undefined; step = greeting.steps[0]) {
      const at = greeting.head.indexOf(step.until);
      if (at < 0) return;
      greeting.head = greeting.head.slice(at + step.until.length);
      greeting.steps.shift();
      this.#sayNext(greeting);
    }
    this.#greeting = undefined;
    greeting.resolve();
  }

  #sayNext({ steps }: Greeting): void {
    const say = steps[0]?.say ?? "";
    if (say !== "") this.say(say);
  }
}

interface Greeting {
  readonly steps: Step[];
  head: string;
  isUpgraded: boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A masked text frame. The mask is zero, which the protocol allows and which costs nothing. */
function clientFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  const head =
    length < 126
      ? Buffer.from([0x81, 0x80 | length])
      : Buffer.from([0x81, 0x80 | 126, length >> 8, length & 255]);
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}
