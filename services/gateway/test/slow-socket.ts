// SlowSocket: a client's socket that accepts nothing while its client does not read.

import type { ClientSocket, SocketHandlers } from "../runtime/client-socket.ts";

export class SlowSocket implements ClientSocket {
  readonly address = "127.0.0.1";
  readonly closes: number[] = [];
  readonly texts: string[] = [];
  handlers: SocketHandlers | undefined;
  isTerminated = false;
  isReading = true;
  /** The gateway does not read from the client. */
  isPaused = false;
  buffered = 0;
  /** The largest number of buffered bytes. */
  mostBuffered = 0;
  /** All written bytes. */
  written = 0;
  frames = 0;

  writeText(text: string): void {
    this.texts.push(text);
    this.#take(Buffer.byteLength(text));
  }

  writeFrame(frame: Uint8Array): void {
    this.frames++;
    this.#take(frame.length);
  }

  /** The client reads the waiting bytes, and further ones only if `isReading`. */
  drain(): void {
    this.buffered = 0;
    this.handlers?.onDrain();
  }

  hold(): void {}
  release(): void {}
  ping(): void {}

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  close(code: number): void {
    this.closes.push(code);
  }

  terminate(): void {
    this.isTerminated = true;
  }

  #take(bytes: number): void {
    this.written += bytes;
    if (!this.isReading) this.buffered += bytes;
    this.mostBuffered = Math.max(this.mostBuffered, this.buffered);
  }
}

/** The text frames of one type. */
export function framesOf(socket: SlowSocket, t: string): Record<string, unknown>[] {
  const lines = socket.texts.flatMap((text) => text.split("\n"));
  return lines.map((line) => JSON.parse(line)).filter((frame) => frame.t === t);
}
