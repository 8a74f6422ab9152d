// StubBus: a bus without a server. It calls the handlers of one process directly, and passes what
// the process publishes to one function.

import type { Bus, BusMessage } from "#shared/ports/bus.ts";

type Handler = (message: BusMessage) => void;

export class StubBus {
  readonly #handlers = new Map<string, Handler>();
  /** Called for every publish and request. */
  onPublish: (subject: string, data: string | Uint8Array) => void = () => undefined;

  get port(): Bus {
    return {
      publish: (subject, data) => {
        this.onPublish(subject, data);
        return "sent";
      },
      subscribe: (subject, handler) => {
        this.#handlers.set(subject, handler);
        return { unsubscribe: () => undefined, drain: () => Promise.resolve() };
      },
      request: (subject, data) => {
        this.onPublish(subject, data);
        return new Promise(() => undefined); // No answer ever arrives.
      },
      flush: () => Promise.resolve(true),
      status: "connected",
      counts: { dropped: 0, tooLarge: 0 },
      onStatus: () => ({ unsubscribe: () => undefined }),
      close: () => Promise.resolve(),
    };
  }

  /** Delivers a message to the process. Without a subscriber it is lost. */
  deliver(subject: string, data: Uint8Array): void {
    this.#handlers.get(subject)?.({ subject, data });
  }
}
