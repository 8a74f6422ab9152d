// WebSocket: accepts upgrades on /v1/ws and ties each socket to the gateway's shell, with `ws`.
//
// What `ws` guarantees: masking, UTF-8 (1007), frame and fragment limits (1009, 1008), close and
// ping handshakes. What it does not: Origin, the subprotocol being ours, backpressure. Text is
// written to the upgrade's own socket by frame-writer.ts; `ws` writes control frames only.
//
//   websocket.1. A socket that fails is closed; nothing of it reaches another connection (S10).
//   websocket.2. From the close on, frames are not decoded: bytes are read and dropped, so that the peer can
//        finish its closing handshake, at most CLOSING_BYTES_MAX and CLOSE_TIMEOUT_MS of them (F9).

import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import type { Logger } from "#shared/process/logger.ts";
import { CLOSE } from "#shared/protocol/close-codes.ts";
import { FRAME_BYTES_MAX } from "#shared/protocol/limits.ts";
import { CLOSING_BYTES_MAX } from "../core/bounds.ts";
import type { ClientSocket, FrameMaker, SocketHandlers } from "../runtime/client-socket.ts";
import { stringFrame, textFrame } from "./frame-writer.ts";
import { endWithProblem } from "./raw-answer.ts";
import { refuseUpgrade, SUBPROTOCOL } from "./upgrade.ts";

/** Fragments of one message; browsers send whole frames. Beyond it: close 1008. */
const FRAGMENTS_MAX = 64;
/** Pieces in which the bytes of one message may arrive. Beyond it: close 1008. */
const CHUNKS_MAX = 1_024;
/** How long a closing handshake may take before the socket is destroyed. */
const CLOSE_TIMEOUT_MS = 5_000;

export interface WebSocketOptions {
  readonly server: Server;
  /** Exact Origins that a browser may come from. */
  readonly origins: readonly string[];
  readonly accept: (socket: ClientSocket) => SocketHandlers;
  readonly isDraining: () => boolean;
  /** The address that a client counts for. */
  readonly addressOf: (request: IncomingMessage) => string;
  /** The HTTP server no longer counts this connection. */
  readonly onUpgraded?: (socket: Socket) => void;
  readonly logger: Logger;
}

export const frameMaker: FrameMaker = { frame: textFrame };

export function attachWebSockets(options: WebSocketOptions): { close(): void } {
  // `ws` 8.23 knows some of these, its types do not yet.
  const limits = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: FRAME_BYTES_MAX,
    maxFragments: FRAGMENTS_MAX,
    maxBufferedChunks: CHUNKS_MAX,
    autoPong: false, // The gateway says which pings are answered.
    closeTimeout: CLOSE_TIMEOUT_MS,
    handleProtocols: () => SUBPROTOCOL,
  };
  const sockets = new WebSocketServer(limits);
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const refusal = refuseUpgrade(request, options);
    if (refusal === undefined) {
      sockets.handleUpgrade(request, socket, head, (ws) => {
        if (ws.protocol !== SUBPROTOCOL) return refuseProtocol(ws, socket as Socket);
        options.onUpgraded?.(socket as Socket);
        serve(ws, socket as Socket, options.addressOf(request), options);
      });
    } else endWithProblem(socket, refusal.name, refusal.more, refusal.headers);
  };
  // Broken handshakes that upgrade.ts lets through; `ws` would answer them with a page of HTML.
  sockets.on("wsClientError", (_error, socket) =>
    endWithProblem(socket, "bad_frame", { detail: "The WebSocket handshake is not valid." }),
  );
  options.server.on("upgrade", onUpgrade);
  return { close: () => void options.server.off("upgrade", onUpgrade) };
}

/** upgrade.4. The connection still counts as one of HTTP, so that its address bounds it. */
function refuseProtocol(ws: WebSocket, socket: Socket): void {
  const { code, reason } = CLOSE.noSubprotocol;
  ws.on("error", () => undefined); // The socket closes in any case.
  new RealSocket(ws, socket, "").close(code, reason);
}

function serve(ws: WebSocket, socket: Socket, address: string, options: WebSocketOptions): void {
  const { logger } = options;
  const real = new RealSocket(ws, socket, address);
  const handlers = options.accept(real);
  ws.on("message", (data: Buffer, isBinary) => {
    if (real.isClosing) return; // The rest of a chunk that `ws` had read before the close (websocket.2).
    handlers.onActivity();
    if (isBinary) handlers.onBinary();
    else handlers.onText(data.toString("utf8"));
  });
  ws.on("pong", () => {
    if (real.isClosing) return;
    handlers.onActivity();
    handlers.onPong();
  });
  ws.on("ping", (data: Buffer) => {
    if (real.isClosing) return;
    handlers.onActivity();
    if (handlers.onPing()) ws.pong(data);
  });
  ws.on("close", () => handlers.onClose());
  ws.on("error", (error) => {
    logger.debug({ error, address }, "socket failed");
    // `ws` has sent the close code that fits the error already.
    real.discard();
    handlers.onClose();
  });
  socket.on("drain", () => handlers.onDrain());
}

class RealSocket implements ClientSocket {
  readonly address: string;
  readonly #ws: WebSocket;
  readonly #socket: Socket;
  /** The close was sent: what still arrives is dropped. */
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

  /** websocket.2. `ws` no longer sees the bytes; its timer of the close ends the wait for the peer. */
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
