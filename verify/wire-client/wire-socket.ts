// WireSocket: one connection of a WireClient: a WebSocket that says hello, and the times after
// which it counts as half-open.
//
// Owns: the socket, its two timers, lines and frames. Does not own: rooms, requests and records,
// and when to connect again (wire-client.ts).
//
//   wire-socket.1. A connection without a `welcome` in time ends.
//   wire-socket.2. With `silenceMs`, a connection that delivers nothing for so long after a write
//        ends.

import { WebSocket } from "ws";
import { parseObject } from "#shared/kit/json.ts";
import type { JsonObject } from "#shared/kit/json.ts";
import type { WireClientOptions } from "./wire-client-options.ts";

const SUBPROTOCOL = "parley.v1";
/** For a gateway that accepts the connection and then sends nothing. */
const WELCOME_WITHIN_MS = 6_000;

export interface WireSocketHooks {
  readonly onFrame: (frame: JsonObject) => void;
  /** `reason`: the socket's error, if it had one. */
  readonly onClosed: (code: number, reason: string | undefined) => void;
}

export class WireSocket {
  readonly #socket: WebSocket;
  readonly #silenceMs: number | undefined;
  /** Runs from a write until the next byte arrives. */
  #silence: NodeJS.Timeout | undefined;

  constructor(url: string, options: WireClientOptions, { onFrame, onClosed }: WireSocketHooks) {
    const { token, localAddress, silenceMs, welcomeWithinMs = WELCOME_WITHIN_MS } = options;
    this.#silenceMs = silenceMs;
    const socket = new WebSocket(url, SUBPROTOCOL, {
      perMessageDeflate: false,
      ...(localAddress !== undefined && { localAddress }),
    });
    this.#socket = socket;
    let reason: string | undefined;
    const timer = setTimeout(() => socket.terminate(), welcomeWithinMs); // wire-socket.1
    socket.on("open", () => socket.send(JSON.stringify({ t: "hello", token })));
    socket.on("message", (data: Buffer) => {
      this.#resetSilence();
      for (const line of data.toString().split("\n")) {
        const frame = parseObject(line);
        if (frame === undefined) continue;
        if (frame["t"] === "welcome") clearTimeout(timer);
        onFrame(frame);
      }
    });
    socket.on("error", (error) => (reason = error.message)); // "close" follows.
    socket.on("close", (code) => {
      clearTimeout(timer);
      this.#resetSilence();
      onClosed(code, reason);
    });
  }

  /** Writes a frame as it is, well-formed or not. A closing socket drops it. */
  write(data: string | Buffer, options: { readonly binary?: boolean } = {}): void {
    const socket = this.#socket;
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.send(data, options);
    if (this.#silenceMs === undefined) return;
    this.#silence ??= setTimeout(() => socket.terminate(), this.#silenceMs); // wire-socket.2
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.close();
  }

  /** Closes without a closing handshake. */
  terminate(): void {
    this.#socket.terminate();
  }

  #resetSilence(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
  }
}
