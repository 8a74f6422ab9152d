// WebSocket: accepts upgrades on /v1/ws with `ws` and connects each socket to the gateway.
//
// `ws` guarantees masking, UTF-8 (1007), the limits on frame size and fragments (1009, 1008), and
// the close and ping handshakes. This file adds the Origin check, the subprotocol and backpressure.
// frame-writer.ts writes text to the TCP socket; `ws` writes control frames only.
//
//   websocket.1. A failed socket is closed. Other connections are not affected (S10).
//   websocket.2. After the close frame was sent, received bytes are dropped without decoding, so
//        that the peer can finish its closing handshake: at most CLOSING_BYTES_MAX, for at most
//        CLOSE_TIMEOUT_MS (F9).

import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import type { Logger } from "#shared/process/logger.ts";
import { CLOSE } from "#shared/protocol/close-codes.ts";
import type { Millis } from "#shared/protocol/ids.ts";
import { FRAME_BYTES_MAX } from "#shared/protocol/limits.ts";
import { CLOSING_BYTES_MAX } from "../core/bounds.ts";
import type { ClientSocket, FrameMaker, SocketHandlers } from "../runtime/client-socket.ts";
import { stringFrame, textFrame } from "./frame-writer.ts";
import { endWithProblem } from "./raw-answer.ts";
import { refuseUpgrade, SUBPROTOCOL } from "./upgrade.ts";

/** Fragments of one message. Browsers send unfragmented messages. Beyond it: close 1008. */
const FRAGMENTS_MAX = 64;
/** TCP chunks of one message. Beyond it: close 1008. */
const CHUNKS_MAX = 1_024;
/** The timeout of a closing handshake. Then the socket is destroyed. */
const CLOSE_TIMEOUT_MS = 5_000;

export interface WebSocketOptions {
  readonly server: Server;
  /** The exact Origins that browsers may use. */
  readonly origins: readonly string[];
  readonly accept: (socket: ClientSocket) => SocketHandlers;
  readonly isDraining: () => boolean;
  /** The wait before a retry while new connections are refused (L12). Default: they are not. */
  readonly shed?: () => Millis | undefined;
  /** The address that a client counts for. */
  readonly addressOf: (request: IncomingMessage) => string;
  /** The HTTP server no longer counts this connection. */
  readonly onUpgraded?: (socket: Socket) => void;
  readonly logger: Logger;
}

export const frameMaker: FrameMaker = { frame: textFrame };

export function attachWebSockets(options: WebSocketOptions): { close(): void } {
  // Some of these options are missing in the types of `ws`.
  const limits = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: FRAME_BYTES_MAX,
    maxFragments: FRAGMENTS_MAX,
    maxBufferedChunks: CHUNKS_MAX,
    autoPong: false, // The gateway decides which pings get a pong.
    closeTimeout: CLOSE_TIMEOUT_MS,
    handleProtocols: () => SUBPROTOCOL,
  };
  const sockets = new WebSocketServer({ ...limits, WebSocket: servedBy(options.logger) });
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const refusal = refuseUpgrade(request, options);
    if (refusal === undefined) {
      sockets.handleUpgrade(request, socket, head, (ws) => {
        if (ws.protocol !== SUBPROTOCOL) return refuseProtocol(ws, socket as Socket);
        options.onUpgraded?.(socket as Socket);
        serve(ws, socket as Socket, options.addressOf(request), options.accept);
      });
    } else endWithProblem(socket, refusal.name, refusal.more, refusal.headers);
  };
  // Handshakes that only `ws` refuses. It would answer them with a page of HTML.
  sockets.on("wsClientError", (_error, socket) =>
    endWithProblem(socket, "bad_frame", { detail: "The WebSocket handshake is not valid." }),
  );
  options.server.on("upgrade", onUpgrade);
  return { close: () => void options.server.off("upgrade", onUpgrade) };
}

/** upgrade.4. The connection still counts as an HTTP connection of its address. */
function refuseProtocol(ws: WebSocket, socket: Socket): void {
  const { code, reason } = CLOSE.noSubprotocol;
  new RealSocket(ws, socket, "").close(code, reason);
}

/** What the listener of a TCP socket needs. A closure for each would take 100 bytes. */
const SERVED = Symbol("served");

type ServedSocket = Socket & { [SERVED]?: RealSocket };

/** An attempt to add a listener throws. */
const NO_LISTENERS = Object.freeze(Object.create(null) as object);

const NO_EXTENSIONS = Object.freeze({});

/**
 * Handles its events itself: a table of five listeners would take 100 bytes more. It has
 * no listeners, so none of its events may need one.
 */
export class ServedWebSocket extends WebSocket {
  /** Node makes a table of 160 bytes for each emitter, also for one without a listener. */
  readonly _events = NO_LISTENERS;
  /** `ws` makes 56 bytes for the extensions of each socket. Compression is off, so it has none. */
  readonly _extensions = NO_EXTENSIONS;
  /** Undefined for a client without the subprotocol, which closes in any case. */
  served: RealSocket | undefined;

  override emit(event: string | symbol, ...values: readonly unknown[]): boolean {
    const [value] = values;
    switch (event) {
      case "message": {
        const [, isBinary] = values;
        if (isBinary === true) this.#active()?.onBinary();
        else this.#active()?.onText((value as Buffer).toString("utf8"));
        return true;
      }
      case "pong":
        this.#active()?.onPong();
        return true;
      case "ping":
        if (this.#active()?.onPing() === true) this.pong(value);
        return true;
      case "close":
        this.served?.handlers?.onClose();
        return true;
      case "error":
        this.failed(value);
        return true;
      default:
        return false;
    }
  }

  protected failed(_error: unknown): void {
    // `ws` has sent the close code of the error.
    this.served?.discard();
    this.served?.handlers?.onClose();
  }

  /** Undefined after the close frame: `ws` had read this chunk before (websocket.2). */
  #active(): SocketHandlers | undefined {
    const { served } = this;
    if (served === undefined || served.isClosing) return undefined;
    served.handlers?.onActivity();
    return served.handlers;
  }
}

function servedBy(logger: Logger): typeof ServedWebSocket {
  return class extends ServedWebSocket {
    protected override failed(error: unknown): void {
      logger.debug({ error, address: this.served?.address }, "websocket failed");
      super.failed(error);
    }
  };
}

function serve(
  ws: ServedWebSocket,
  socket: ServedSocket,
  address: string,
  accept: WebSocketOptions["accept"],
): void {
  const real = new RealSocket(ws, socket, address);
  real.handlers = accept(real);
  ws.served = socket[SERVED] = real;
  socket.on("drain", onDrain);
}

function onDrain(this: ServedSocket): void {
  this[SERVED]?.handlers?.onDrain();
}

class RealSocket implements ClientSocket {
  readonly address: string;
  readonly #ws: WebSocket;
  readonly #socket: Socket;
  /** Undefined for a client without the subprotocol. */
  handlers: SocketHandlers | undefined;
  /** The close frame was sent. Received bytes are dropped. */
  isClosing = false;

  constructor(ws: WebSocket, socket: Socket, address: string) {
    this.#ws = ws;
    this.#socket = socket;
    this.address = address;
  }

  get buffered(): number {
    return this.#socket.writableLength;
  }

  writeText(text: string): void {
    if (this.#isOpen()) this.#socket.write(stringFrame(text));
  }

  writeFrame(frame: Uint8Array): void {
    if (this.#isOpen()) this.#socket.write(frame);
  }

  hold(): void {
    this.#socket.cork();
  }

  release(): void {
    this.#socket.uncork();
  }

  pause(): void {
    if (!this.isClosing) this.#ws.pause();
  }

  resume(): void {
    if (!this.isClosing) this.#ws.resume();
  }

  ping(): void {
    if (this.#isOpen()) this.#ws.ping();
  }

  close(code: number, reason: string): void {
    if (this.isClosing) return;
    this.#ws.close(code, reason);
    this.discard();
    this.#socket.end(); // RFC 6455, 7.1.1: the server ends the TCP connection first.
  }

  /** websocket.2. `ws` no longer receives the bytes; its close timer ends the wait for the peer. */
  discard(): void {
    if (this.isClosing) return;
    this.isClosing = true;
    const socket = this.#socket;
    let bytes = 0;
    socket.removeAllListeners("data");
    socket.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > CLOSING_BYTES_MAX) socket.destroy();
    });
    socket.resume();
  }

  terminate(): void {
    this.#ws.terminate();
  }

  #isOpen(): boolean {
    return this.#ws.readyState === this.#ws.OPEN;
  }
}
