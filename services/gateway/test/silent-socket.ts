// SilentSocket: a client's socket that accepts every write and records the close codes.

import type { ClientSocket } from "../runtime/client-socket.ts";

export function silentSocket(closes: number[]): ClientSocket {
  return {
    address: "127.0.0.1",
    buffered: 0,
    writeText: () => undefined,
    writeFrame: () => undefined,
    pause: () => undefined,
    resume: () => undefined,
    hold: () => undefined,
    release: () => undefined,
    ping: () => undefined,
    close: (code) => void closes.push(code),
    terminate: () => undefined,
  };
}
