// Listeners: who wants to hear what, with types.
//
// A handler that throws harms nobody else: the error surfaces as an uncaught one, in a turn of its
// own, as it does for DOM events. A handler may add and remove handlers while it runs.

export class Listeners<Events extends object> {
  readonly #handlers: { [K in keyof Events]?: Set<(value: Events[K]) => void> } = {};

  /** Returns the way to stop hearing it; calling that twice is harmless. */
  on<K extends keyof Events>(name: K, handler: (value: Events[K]) => void): () => void {
    // One function registered twice is two registrations: each has its own way out.
    const own = (value: Events[K]): void => handler(value);
    const handlers = (this.#handlers[name] ??= new Set());
    handlers.add(own);
    return () => {
      handlers.delete(own);
    };
  }

  emit<K extends keyof Events>(name: K, value: Events[K]): void {
    for (const handler of Array.from(this.#handlers[name] ?? [])) {
      try {
        handler(value);
      } catch (error: unknown) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
