// Socket: one WebSocket between a client and a gateway, with everything that can happen to it.
//
// Owns: delay, order, what waits for a slow reader, how each side learns of the end. Does not own:
// frames' meaning. The client's side looks like a browser's WebSocket, the gateway's side is the
// ClientSocket port.
//
//   socket.1. Each direction keeps its order. Nothing is delivered after its receiver saw the end.
//   socket.2. A reader that does not read leaves bytes with the gateway (`buffered`); they come when it
//        reads again. A byte here counts as BYTE_WEIGHT, so that a few hundred messages fill a
//        socket and a run stays short.
//   socket.3. Half-open: both directions swallow everything and nobody is told.

import type { ClientSocket, SocketHandlers } from "../../services/gateway/runtime/client-socket.ts";
import type { Dice } from "./seeded-rng.ts";
import type { Pipe } from "./pipe.ts";
import type { SimProcess } from "./process.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Trace } from "./trace.ts";

/** socket.2. 256 KiB, where a socket stops being live, are 4 KiB of frames here. */
export const BYTE_WEIGHT = 64;
/** What the kernels on both sides take before anything waits. */
const KERNEL_BYTES = 1_024 * BYTE_WEIGHT;

/** What the world wants to know of a socket. */
export interface SocketWatch {
  onSent(text: string): void;
  onReceived(text: string): void;
  onEnded(code: number): void;
  onBuffered(bytes: number): void;
}

export interface SocketOptions {
  readonly number: number;
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly trace: Trace;
  readonly up: Pipe;
  readonly down: Pipe;
  readonly client: SimProcess;
  /** Undefined: nobody accepts. */
  readonly gateway: SimProcess | undefined;
  readonly accept: (socket: ClientSocket) => SocketHandlers;
  readonly watch: SocketWatch;
}

type Listener = (event: { readonly data?: string; readonly code?: number }) => void;

const decoder = new TextDecoder();
/** A flush is one frame for many sockets: it is decoded once. */
const texts = new WeakMap<Uint8Array, string>();
const LOST = 1006;
/** No status: the client ended it. */
const OWN_WISH = 1005;

export class Socket {
  readonly address = "10.0.0.1";
  readonly #options: SocketOptions;
  readonly #listeners = new Map<string, Listener[]>();
  #handlers: SocketHandlers | undefined;
  /** As the client sees it: 0 connecting, 1 open, 2 closing, 3 closed. */
  readyState = 0;
  #isGatewayDone = false;
  #isClosing = false;
  #isSevered = false;
  #isReading = true;
  /** The gateway does not read; what the client says waits. */
  #isPaused = false;
  #unheard: string[] = [];
  /** Frames that the reader has not taken yet. */
  #unread: { readonly text: string; readonly bytes: number }[] = [];
  #unreadBytes = 0;
  #closeCode: number | undefined;

  constructor(options: SocketOptions) {
    this.#options = options;
    const { gateway } = options;
    if (gateway === undefined) {
      options.down.put("frame", () => this.#endClient(LOST));
      return;
    }
    options.up.put("frame", () => {
      if (!gateway.isAlive) this.#endClient(LOST);
      else gateway.run(() => this.#accept());
    });
    gateway.onDeath(() => {
      this.#isGatewayDone = true;
      if (!this.#isSevered) options.down.put("frame", () => this.#endClient(LOST));
    });
    options.client.onDeath(() => this.#onClientDeath());
  }

  // The client's side.

  addEventListener(type: string, listener: Listener): void {
    const listeners = this.#listeners.get(type);
    if (listeners === undefined) this.#listeners.set(type, [listener]);
    else listeners.push(listener);
  }

  send(text: string): void {
    if (this.readyState !== 1) return;
    this.#options.trace.add(`says ${this.#options.number}`, text);
    this.#options.watch.onSent(text);
    this.#toGateway((handlers) => {
      if (this.#isPaused || this.#unheard.length > 0) this.#unheard.push(text);
      else this.#hear(handlers, text);
    });
  }

  #hear(handlers: SocketHandlers, text: string): void {
    handlers.onActivity();
    handlers.onText(text);
  }

  /** The gateway reads on: what came meanwhile is read in order. */
  #resume(): void {
    this.#isPaused = false;
    this.#options.scheduler.after(0, () =>
      this.#options.gateway?.run(() => {
        while (!this.#isPaused && !this.#isGatewayDone && this.#handlers !== undefined) {
          const text = this.#unheard.shift();
          if (text === undefined) return;
          this.#hear(this.#handlers, text);
        }
      }),
    );
  }

  /** The client wants no more. */
  leave(): void {
    if (this.readyState >= 2) return;
    this.readyState = 2;
    this.#options.watch.onEnded(OWN_WISH);
    this.#toGateway(() => this.#endGateway());
  }

  #onClientDeath(): void {
    if (this.readyState < 2) this.#options.watch.onEnded(OWN_WISH);
    this.readyState = 3;
    this.drop();
  }

  // What happens to it.

  /** The connection breaks and both sides are told. */
  drop(): void {
    if (this.#isSevered) return;
    this.#isSevered = true;
    const { down, up, gateway } = this.#options;
    down.put("frame", () => this.#endClient(LOST));
    up.put("frame", () => gateway?.run(() => this.#endGateway()));
  }

  /** socket.3. */
  sever(): void {
    this.#isSevered = true;
  }

  pauseReading(): void {
    this.#isReading = false;
  }

  resumeReading(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    if (this.#isSevered) return;
    for (const { text } of this.#unread) this.#toClient(text);
    const hadWaiting = this.#unreadBytes > KERNEL_BYTES;
    this.#unread = [];
    this.#unreadBytes = 0;
    if (hadWaiting) this.#toGateway((handlers) => handlers.onDrain());
    if (this.#closeCode !== undefined) this.#finishClose(this.#closeCode);
  }

  get isOver(): boolean {
    return this.readyState >= 2;
  }

  // The gateway's side.

  #accept(): void {
    const { accept, down } = this.#options;
    this.#handlers = accept(this.#port());
    down.put("frame", () => {
      if (this.readyState !== 0) return;
      this.readyState = 1;
      this.#tell("open", {});
    });
  }

  #port(): ClientSocket {
    const buffered = (): number => Math.max(0, this.#unreadBytes - KERNEL_BYTES);
    return {
      address: this.address,
      get buffered(): number {
        return buffered();
      },
      writeText: (text) => this.#write(text),
      writeFrame: (frame) => this.#write(textOf(frame)),
      pause: () => (this.#isPaused = true),
      resume: () => this.#resume(),
      hold: () => undefined,
      release: () => undefined,
      ping: () => this.#ping(),
      close: (code) => this.#close(code),
      terminate: () => this.#terminate(),
    };
  }

  #write(text: string): void {
    if (this.#isGatewayDone || this.#isClosing) return;
    if (this.#isReading && !this.#isSevered) {
      this.#toClient(text);
      return;
    }
    const bytes = text.length * BYTE_WEIGHT;
    this.#unread.push({ text, bytes });
    this.#unreadBytes += bytes;
    this.#options.watch.onBuffered(this.#unreadBytes);
  }

  #toClient(text: string): void {
    this.#options.down.put("frame", () => {
      if (this.readyState !== 1 || this.#isSevered) return; // socket.1
      const { trace, number, watch, client } = this.#options;
      trace.add(`frame ${number}`, text);
      if (!client.isAlive) return;
      watch.onReceived(text);
      this.#tell("message", { data: text });
    });
  }

  #toGateway(run: (handlers: SocketHandlers) => void): void {
    this.#options.up.put("frame", () => {
      if (this.#isSevered) return;
      this.#options.gateway?.run(() => {
        if (!this.#isGatewayDone && this.#handlers !== undefined) run(this.#handlers);
      });
    });
  }

  /** Whoever does not read does not answer a ping either. */
  #ping(): void {
    if (!this.#isReading || this.#isSevered) return;
    this.#options.down.put("frame", () => {
      if (this.readyState === 1) this.#toGateway((handlers) => handlers.onActivity());
    });
  }

  #close(code: number): void {
    if (this.#isClosing || this.#isGatewayDone) return;
    this.#isClosing = true;
    if (this.#isSevered) return;
    if (this.#isReading) this.#finishClose(code);
    else this.#closeCode = code;
  }

  #finishClose(code: number): void {
    this.#options.down.put("frame", () => {
      if (this.#isSevered) return;
      this.#endClient(code);
      this.#options.up.put("frame", () => this.#options.gateway?.run(() => this.#endGateway()));
    });
  }

  #terminate(): void {
    if (this.#isGatewayDone) return;
    const { down, scheduler, gateway } = this.#options;
    if (!this.#isSevered) down.put("frame", () => this.#endClient(LOST));
    scheduler.after(0, () => gateway?.run(() => this.#endGateway()));
  }

  #endClient(code: number): void {
    if (this.readyState === 3) return;
    const wasOver = this.readyState === 2;
    this.readyState = 3;
    this.#options.trace.add(
      `closed ${this.#options.number} by ${this.#options.gateway?.id} with ${code}`,
    );
    if (!wasOver) this.#options.watch.onEnded(code);
    this.#tell("close", { code });
  }

  #endGateway(): void {
    if (this.#isGatewayDone) return;
    this.#isGatewayDone = true;
    this.#handlers?.onClose();
  }

  #tell(type: string, event: { data?: string; code?: number }): void {
    this.#options.client.run(() => {
      for (const listener of this.#listeners.get(type) ?? []) listener(event);
    });
  }
}

function textOf(frame: Uint8Array): string {
  const known = texts.get(frame);
  if (known !== undefined) return known;
  const text = decoder.decode(frame);
  texts.set(frame, text);
  return text;
}

/** What Parley constructs; `open` makes the socket behind it. */
export function webSocketClass(open: () => Socket): typeof WebSocket {
  class SimWebSocket {
    readonly #socket: Socket;

    constructor() {
      this.#socket = open();
    }

    get readyState(): number {
      return this.#socket.readyState;
    }

    addEventListener(type: string, listener: Listener): void {
      this.#socket.addEventListener(type, listener);
    }

    send(text: string): void {
      this.#socket.send(text);
    }

    close(): void {
      this.#socket.leave();
    }
  }
  return SimWebSocket as unknown as typeof WebSocket;
}
