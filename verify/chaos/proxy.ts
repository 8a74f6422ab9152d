// Proxy: one TCP route between a service and a server, which a fault can slow down or cut.
//
// The two ends of a connection see the effects of a bad network:
//   proxy.1. cut: no bytes pass and no connection closes. The proxy accepts a new connection and
//        sends nothing. The connection is half-open: neither end learns of the cut. Bytes under way
//        are delivered when the route opens again.
//   proxy.2. slow: every chunk waits delayMs ± jitterMs, in order. TCP retransmits a lost packet
//        after its retransmission timeout. So with lossPercent a chunk, and all chunks behind it,
//        wait RTO_MS longer, doubled for each further loss.
// This is an approximation. It needs no root and behaves the same on every machine.

import { connect, createServer } from "node:net";
import type { Server, Socket } from "node:net";

export type Shape =
  | { readonly kind: "open" }
  | { readonly kind: "cut" }
  | {
      readonly kind: "slow";
      readonly delayMs: number;
      readonly jitterMs: number;
      readonly lossPercent: number;
    };

/** The lower bound of the retransmission timeout in Linux. */
const RTO_MS = 200;
const RTO_MS_MAX = 3_200;
/** Bytes held in one direction. Beyond it the proxy stops reading, like a full TCP window. */
const HELD_BYTES_MAX = 1024 * 1024;

export class Proxy {
  readonly #server: Server;
  readonly #pipes = new Set<Pipe>();
  readonly #random: () => number;
  #shape: Shape = { kind: "open" };

  constructor(target: { readonly host: string; readonly port: number }, random: () => number) {
    this.#random = random;
    // One direction may end while the other still has bytes to pass.
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
      const server = connect({ ...target, allowHalfOpen: true });
      client.setNoDelay(true);
      server.setNoDelay(true);
      this.#join(client, server);
      this.#join(server, client);
    });
  }

  /** Resolves with the port. */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(0, "127.0.0.1", () => {
        const address = this.#server.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
  }

  set shape(shape: Shape) {
    this.#shape = shape;
    for (const pipe of this.#pipes) pipe.go();
  }

  close(): void {
    this.#server.close();
    for (const pipe of this.#pipes) pipe.end();
  }

  #join(from: Socket, to: Socket): void {
    const pipe = new Pipe(from, to, {
      shape: () => this.#shape,
      random: this.#random,
      onEnd: () => this.#pipes.delete(pipe),
    });
    this.#pipes.add(pipe);
  }
}

interface Chunk {
  readonly bytes: Buffer;
  readonly dueAt: number;
}

/** One direction of one connection. */
class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #options: { shape: () => Shape; random: () => number; onEnd: () => void };
  readonly #held: Chunk[] = [];
  #bytes = 0;
  #lastDueAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(
    from: Socket,
    to: Socket,
    options: { shape: () => Shape; random: () => number; onEnd: () => void },
  ) {
    this.#from = from;
    this.#to = to;
    this.#options = options;
    from.on("data", (bytes: Buffer) => this.#onData(bytes));
    from.on("error", () => undefined); // "close" follows.
    from.on("end", () => this.#onOver());
    from.on("close", () => this.#onOver());
    to.on("drain", () => this.#from.resume());
  }

  /** Passes the due chunks on. */
  go(): void {
    clearTimeout(this.#timer);
    if (this.#options.shape().kind === "cut") return; // proxy.1
    const now = performance.now();
    for (let chunk = this.#held[0]; chunk !== undefined; chunk = this.#held[0]) {
      if (chunk.dueAt > now) {
        this.#timer = setTimeout(() => this.go(), Math.max(1, chunk.dueAt - now));
        return;
      }
      this.#held.shift();
      this.#bytes -= chunk.bytes.length;
      if (!this.#to.write(chunk.bytes)) this.#from.pause();
    }
    if (this.#isOver) this.#pass();
    else if (!this.#to.writableNeedDrain) this.#from.resume();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#from.destroy();
    this.#to.destroy();
    this.#options.onEnd();
  }

  #onOver(): void {
    this.#isOver = true;
    this.go();
  }

  /** The end of the connection follows its last byte to the other end. */
  #pass(): void {
    if (this.#from.errored === null) this.#to.end();
    else this.#to.destroy(); // A reset stays a reset.
    this.#options.onEnd();
  }

  #onData(bytes: Buffer): void {
    const shape = this.#options.shape();
    if (shape.kind === "open" && this.#held.length === 0) {
      if (!this.#to.write(bytes)) this.#from.pause();
      return;
    }
    this.#lastDueAt = Math.max(this.#lastDueAt, performance.now() + this.#delay(shape));
    this.#held.push({ bytes, dueAt: this.#lastDueAt });
    this.#bytes += bytes.length;
    if (this.#bytes > HELD_BYTES_MAX) this.#from.pause();
    this.go();
  }

  /** proxy.2. */
  #delay(shape: Shape): number {
    if (shape.kind !== "slow") return 0;
    const { random } = this.#options;
    let delay = shape.delayMs + (random() * 2 - 1) * shape.jitterMs;
    for (let rto = RTO_MS; random() * 100 < shape.lossPercent && rto <= RTO_MS_MAX; rto *= 2) {
      delay += rto;
    }
    return delay;
  }
}
