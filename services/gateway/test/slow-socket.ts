// SlowSocket: a client's socket that takes nothing while its client does not read.

import type { ClientSocket, SocketHandlers } from "../runtime/client-socket.ts";

export class SlowSocket implements ClientSocket {
  readonly address = "127.0.0.1";
  readonly closes: number[] = [];
  readonly texts: string[] = [];
  handlers: SocketHandlers | undefined;
  isTerminated = false;
  isReading = true;
  /** Nothing is read from the client. */
  isPaused = false;
  buffered = 0;
  /** The most that was ever buffered. */
  mostBuffered = 0;
  /** Bytes that were written in all. */
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

  /** The client reads what waits, and nothing after it unless `isReading` says so. */
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

/** The frames of a kind that came as text. */
export function framesOf(socket: SlowSocket, t: string): Record<string, unknown>[] {
  const lines = socket.texts.flatMap((text) => text.split("\n"));
  return lines.map((line) => JSON.parse(line)).filter((frame) => frame.t === t);
}
