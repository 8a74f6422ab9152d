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
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
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
  const sockets = new WebSocketServer(limits);
  const onError = errorListener(options.logger);
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const refusal = refuseUpgrade(request, options);
    if (refusal === undefined) {
      sockets.handleUpgrade(request, socket, head, (ws) => {
        if (ws.protocol !== SUBPROTOCOL) return refuseProtocol(ws, socket as Socket);
        options.onUpgraded?.(socket as Socket);
        ws.on("error", onError);
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
  ws.on("error", () => undefined); // The socket closes in any case.
  new RealSocket(ws, socket, "").close(code, reason);
}

/** What the listeners of a socket need. A closure for each would take 350 bytes a connection. */
const SERVED = Symbol("served");

type ServedSocket = Socket & { [SERVED]?: RealSocket };
type ServedWebSocket = WebSocket & { [SERVED]?: RealSocket };

function serve(
  ws: ServedWebSocket,
  socket: ServedSocket,
  address: string,
  accept: WebSocketOptions["accept"],
): void {
  const real = new RealSocket(ws, socket, address);
  real.handlers = accept(real);
  ws[SERVED] = socket[SERVED] = real;
  ws.on("message", onMessage);
  ws.on("pong", onPong);
  ws.on("ping", onPing);
  ws.on("close", onClose);
  socket.on("drain", onDrain);
}

/** Undefined after the close frame: `ws` had read this chunk before (websocket.2). */
function handlersOf({ [SERVED]: served }: ServedWebSocket): SocketHandlers | undefined {
  if (served === undefined || served.isClosing) return undefined;
  served.handlers?.onActivity();
  return served.handlers;
}

function onMessage(this: ServedWebSocket, data: Buffer, isBinary: boolean): void {
  const handlers = handlersOf(this);
  if (isBinary) handlers?.onBinary();
  else handlers?.onText(data.toString("utf8"));
}

function onPong(this: ServedWebSocket): void {
  handlersOf(this)?.onPong();
}

function onPing(this: ServedWebSocket, data: Buffer): void {
  if (handlersOf(this)?.onPing() === true) this.pong(data);
}

function onClose(this: ServedWebSocket): void {
  this[SERVED]?.handlers?.onClose();
}

function errorListener(logger: Logger): (this: ServedWebSocket, error: Error) => void {
  return function onError(error) {
    const real = this[SERVED];
    logger.debug({ error, address: real?.address }, "websocket failed");
    // `ws` has sent the close code of the error.
    real?.discard();
    real?.handlers?.onClose();
  };
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
