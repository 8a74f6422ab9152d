// ClientSocket: the transport of one connection, as the runtime uses it.
//
// Two implementations exist: a real WebSocket (adapters/websocket.ts) and a queue in the
// simulation.

/** The transport of one client. No method throws, and writes after `close` do nothing. */
export interface ClientSocket {
  /** The peer's address, for the limits of an address. */
  readonly address: string;
  /** Written bytes that the kernel has not accepted yet. */
  readonly buffered: number;
  /** Writes one text frame. */
  writeText(text: string): void;
  /** Writes a frame from `FrameMaker.frame`. Many sockets share it, so its bytes never change. */
  writeFrame(frame: Uint8Array): void;
  /** Stops reading until `resume`. Data that is read already may still arrive. */
  pause(): void;
  resume(): void;
  /** Writes between `hold` and `release` leave as one write. */
  hold(): void;
  release(): void;
  /** Sends a ping of the transport. Any answer counts as activity. */
  ping(): void;
  close(code: number, reason: string): void;
  /** Ends the connection at once. The peer sees a lost connection. */
  terminate(): void;
}

/** The events of one socket. */
export interface SocketHandlers {
  onText(text: string): void;
  onBinary(): void;
  /** A ping of the transport. False: send no pong. */
  onPing(): boolean;
  onPong(): void;
  /** Any bytes arrived, pongs included. */
  onActivity(): void;
  /** `buffered` returned to zero after it exceeded the transport's own high-water mark. */
  onDrain(): void;
  onClose(): void;
}

/** Makes one transport frame of texts, joined by "\n". */
export interface FrameMaker {
  frame(parts: readonly Uint8Array[]): Uint8Array;
}
