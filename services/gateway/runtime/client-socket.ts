// ClientSocket: the transport of one connection, as the runtime uses it.
//
// Two implementations exist: a real WebSocket (adapters/websocket.ts) and a queue in the simulation.

/**
 * One client's socket, as the gateway's shell needs it. The WebSocket adapter implements it over a
 * real socket, the simulation over a queue. Nothing here throws; writes after `close` do nothing.
 */
export interface ClientSocket {
  /** The peer's address, for limits per address. */
  readonly address: string;
  /** Bytes that were written and that the kernel has not taken yet. */
  readonly buffered: number;
  /** One text frame. */
  writeText(text: string): void;
  /** A frame made by `FrameMaker.frame`, shared by many sockets; it is never changed after. */
  writeFrame(frame: Uint8Array): void;
  /** Nothing more is read until `resume`; what was read already may still come. */
  pause(): void;
  resume(): void;
  /** Between `hold` and `release`, writes are gathered and leave as one. */
  hold(): void;
  release(): void;
  /** A ping of the transport; any answer counts as activity. */
  ping(): void;
  close(code: number, reason: string): void;
  /** Ends it at once: the peer will see a lost connection. */
  terminate(): void;
}

/** What the shell wants to hear of one socket. */
export interface SocketHandlers {
  onText(text: string): void;
  onBinary(): void;
  /** A ping of the transport; false when it is not to be answered. */
  onPing(): boolean;
  onPong(): void;
  /** Anything was received, pongs included. */
  onActivity(): void;
  /** `buffered` went back to zero after it had been above the transport's own mark. */
  onDrain(): void;
  onClose(): void;
}

/** Makes one transport frame of pieces of text, joined by "\n". */
export interface FrameMaker {
  frame(parts: readonly Uint8Array[]): Uint8Array;
}
