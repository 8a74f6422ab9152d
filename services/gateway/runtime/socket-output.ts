// Socket output: what one connection writes to its socket.
//
// Owns: the control frames of this iteration of the event loop, and whether the socket keeps its
// writes. Does not own: when the iteration ends (flush-scheduler.ts), what follows from a client
// that reads slowly (connection.ts).
//
//   socket-output.1. Frames leave in the order of their writes. Control frames of one iteration of
//        the event loop leave as one write, together with the room's lines of the same iteration.

import type { ClientSocket } from "./client-socket.ts";

/** Nearly every connection has nothing to write, so all of them share its list. */
const NONE: string[] = [];

export class SocketOutput {
  readonly #socket: ClientSocket;
  #texts = NONE;
  #textBytes = 0;
  #isHeld = false;

  constructor(socket: ClientSocket) {
    this.#socket = socket;
  }

  /** The bytes that the client has not taken. */
  get buffered(): number {
    return this.#socket.buffered + this.#textBytes;
  }

  /** The socket keeps its writes until `flush`. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Something waits for `flush`. */
  get isPending(): boolean {
    return this.#isHeld || this.#texts.length > 0;
  }

  /** Returns true for the first text: the caller schedules `flush`. */
  addText(text: string): boolean {
    if (this.#texts === NONE) this.#texts = [text];
    else this.#texts.push(text);
    this.#textBytes += text.length;
    return this.#texts.length === 1;
  }

  writeFrame(frame: Uint8Array): void {
    if (this.#texts.length > 0) {
      // `flush` releases the socket at the end of this iteration.
      if (!this.#isHeld) this.#socket.hold();
      this.#isHeld = true;
      this.writeTexts(); // socket-output.1
    }
    this.#socket.writeFrame(frame);
  }

  flush(): void {
    this.writeTexts();
    this.release();
  }

  writeTexts(): void {
    if (this.#texts.length === 0) return;
    const text = this.#texts.join("\n");
    this.discardTexts();
    this.#socket.writeText(text);
  }

  discardTexts(): void {
    this.#texts = NONE;
    this.#textBytes = 0;
  }

  /** The socket writes what it kept. */
  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#socket.release();
  }
}
