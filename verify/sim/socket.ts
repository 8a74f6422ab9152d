// SimulatedSocket: one WebSocket between a client and a gateway, and its faults.
//
// Owns: delay, order, the bytes that wait for a slow reader, the way in which each side detects the
// end. Does not own: the content of frames. The client's side is a browser's WebSocket; the
// gateway's side is the ClientSocket port.
//
//   socket.1. Each direction keeps its order. A side receives nothing after its close event.
//   socket.2. A client that does not read leaves bytes in the gateway's buffer (`buffered`). They
//             arrive when it reads again. One byte counts as BYTE_WEIGHT bytes, so that a few
//             hundred messages fill a socket and a run stays short.
//   socket.3. A half-open socket drops everything in both directions, and neither side receives an
//             event.

import type { ClientSocket, SocketHandlers } from "../../services/gateway/runtime/client-socket.ts";
import type { SeededRng } from "./seeded-rng.ts";
import type { Pipe } from "./pipe.ts";
import type { SimulatedProcess } from "./process.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Trace } from "./trace.ts";

/** socket.2. The gateway's limit of 256 KiB for a live socket corresponds to 4 KiB of frames. */
export const BYTE_WEIGHT = 64;
/** The capacity of the kernel buffers on both sides. */
const KERNEL_BYTES = 1_024 * BYTE_WEIGHT;

/** Receives the events of one socket. */
export interface SocketObserver {
  onSent(text: string): void;
  onReceived(text: string): void;
  onEnded(code: number): void;
  onBuffered(bytes: number): void;
}

export interface SimulatedSocketOptions {
  readonly number: number;
  readonly scheduler: Scheduler;
  readonly rng: SeededRng;
  readonly trace: Trace;
  readonly up: Pipe;
  readonly down: Pipe;
  readonly client: SimulatedProcess;
  /** Undefined: no gateway accepts connections. */
  readonly gateway: SimulatedProcess | undefined;
  readonly accept: (socket: ClientSocket) => SocketHandlers;
  readonly observer: SocketObserver;
}

type Listener = (event: { readonly data?: string; readonly code?: number }) => void;

const decoder = new TextDecoder();
/** One flush writes the same frame to many sockets; it is decoded once. */
const texts = new WeakMap<Uint8Array, string>();
const ABNORMAL_CLOSE = 1006;
/** No status code: the client ended the connection. */
const CLIENT_CLOSE = 1005;

export class SimulatedSocket {
  readonly address = "10.0.0.1";
  readonly #options: SimulatedSocketOptions;
  readonly #listeners = new Map<string, Listener[]>();
  #handlers: SocketHandlers | undefined;
  /** The client's view: 0 connecting, 1 open, 2 closing, 3 closed. */
  readyState = 0;
  #hasGatewayEnded = false;
  #isClosing = false;
  #isSevered = false;
  #isReading = true;
  /** The gateway has paused reading; the client's frames wait. */
  #isPaused = false;
  #unreadByGateway: string[] = [];
  /** Frames that the client has not read. */
  #unreadByClient: { readonly text: string; readonly bytes: number }[] = [];
  #unreadBytes = 0;
  #closeCode: number | undefined;

  constructor(options: SimulatedSocketOptions) {
    this.#options = options;
    const { gateway } = options;
    if (gateway === undefined) {
      options.down.put("frame", () => this.#endClient(ABNORMAL_CLOSE));
      return;
    }
    options.up.put("frame", () => {
      if (!gateway.isRunning) this.#endClient(ABNORMAL_CLOSE);
      else gateway.run(() => this.#accept());
    });
    gateway.onExit(() => {
      this.#hasGatewayEnded = true;
      if (!this.#isSevered) options.down.put("frame", () => this.#endClient(ABNORMAL_CLOSE));
    });
    options.client.onExit(() => this.#onClientExit());
  }

  // The client's side.

  addEventListener(type: string, listener: Listener): void {
    const listeners = this.#listeners.get(type);
    if (listeners === undefined) this.#listeners.set(type, [listener]);
    else listeners.push(listener);
  }

  send(text: string): void {
    if (this.readyState !== 1) return;
    this.#options.trace.add(`client-frame ${this.#options.number}`, text);
    this.#options.observer.onSent(text);
    this.#toGateway((handlers) => {
      if (this.#isPaused || this.#unreadByGateway.length > 0) this.#unreadByGateway.push(text);
      else this.#read(handlers, text);
    });
  }

  #read(handlers: SocketHandlers, text: string): void {
    handlers.onActivity();
    handlers.onText(text);
  }

  /** The gateway reads again: it receives the waiting frames in order. */
  #resume(): void {
    this.#isPaused = false;
    this.#options.scheduler.after(0, () =>
      this.#options.gateway?.run(() => {
        while (!this.#isPaused && !this.#hasGatewayEnded && this.#handlers !== undefined) {
          const text = this.#unreadByGateway.shift();
          if (text === undefined) return;
          this.#read(this.#handlers, text);
        }
      }),
    );
  }

  /** The client closes the connection. */
  close(): void {
    if (this.readyState >= 2) return;
    this.readyState = 2;
    this.#options.observer.onEnded(CLIENT_CLOSE);
    this.#toGateway(() => this.#endGateway());
  }

  #onClientExit(): void {
    if (this.readyState < 2) this.#options.observer.onEnded(CLIENT_CLOSE);
    this.readyState = 3;
    this.drop();
  }

  // Faults.

  /** The connection breaks, and both sides receive a close event. */
  drop(): void {
    if (this.#isSevered) return;
    this.#isSevered = true;
    const { down, up, gateway } = this.#options;
    down.put("frame", () => this.#endClient(ABNORMAL_CLOSE));
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
    for (const { text } of this.#unreadByClient) this.#toClient(text);
    const hadWaiting = this.#unreadBytes > KERNEL_BYTES;
    this.#unreadByClient = [];
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
      this.#dispatch("open", {});
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
      close: (code) => this.#closeFromGateway(code),
      terminate: () => this.#terminate(),
    };
  }

  #write(text: string): void {
    if (this.#hasGatewayEnded || this.#isClosing) return;
    if (this.#isReading && !this.#isSevered) {
      this.#toClient(text);
      return;
    }
    const bytes = text.length * BYTE_WEIGHT;
    this.#unreadByClient.push({ text, bytes });
    this.#unreadBytes += bytes;
    this.#options.observer.onBuffered(this.#unreadBytes);
  }

  #toClient(text: string): void {
    this.#options.down.put("frame", () => {
      if (this.readyState !== 1 || this.#isSevered) return; // socket.1
      const { trace, number, observer, client } = this.#options;
      trace.add(`gateway-frame ${number}`, text);
      if (!client.isRunning) return;
      observer.onReceived(text);
      this.#dispatch("message", { data: text });
    });
  }

  #toGateway(run: (handlers: SocketHandlers) => void): void {
    this.#options.up.put("frame", () => {
      if (this.#isSevered) return;
      this.#options.gateway?.run(() => {
        if (!this.#hasGatewayEnded && this.#handlers !== undefined) run(this.#handlers);
      });
    });
  }

  /** A client that does not read does not answer a ping either. */
  #ping(): void {
    if (!this.#isReading || this.#isSevered) return;
    this.#options.down.put("frame", () => {
      if (this.readyState === 1) this.#toGateway((handlers) => handlers.onActivity());
    });
  }

  #closeFromGateway(code: number): void {
    if (this.#isClosing || this.#hasGatewayEnded) return;
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
    if (this.#hasGatewayEnded) return;
    const { down, scheduler, gateway } = this.#options;
    if (!this.#isSevered) down.put("frame", () => this.#endClient(ABNORMAL_CLOSE));
    scheduler.after(0, () => gateway?.run(() => this.#endGateway()));
  }

  #endClient(code: number): void {
    if (this.readyState === 3) return;
    const wasOver = this.readyState === 2;
    this.readyState = 3;
    this.#options.trace.add(
      `closed ${this.#options.number} by ${this.#options.gateway?.id} with ${code}`,
    );
    if (!wasOver) this.#options.observer.onEnded(code);
    this.#dispatch("close", { code });
  }

  #endGateway(): void {
    if (this.#hasGatewayEnded) return;
    this.#hasGatewayEnded = true;
    this.#handlers?.onClose();
  }

  #dispatch(type: string, event: { data?: string; code?: number }): void {
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

/** A WebSocket class for the SDK. `open` creates the socket behind each instance. */
export function webSocketClass(open: () => SimulatedSocket): typeof WebSocket {
  class SimulatedWebSocket {
    readonly #socket: SimulatedSocket;

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
      this.#socket.close();
    }
  }
  return SimulatedWebSocket as unknown as typeof WebSocket;
}
