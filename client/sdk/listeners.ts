// Listeners: a typed set of event handlers.
//
// A handler that throws does not affect other handlers: its error becomes an uncaught error in a
// microtask, as for DOM events. A handler can add and remove handlers while it runs.

export class Listeners<Events extends object> {
  readonly #handlers: { [K in keyof Events]?: Set<(value: Events[K]) => void> } = {};

  /** Returns a function that removes the handler; a second call of it has no effect. */
  on<K extends keyof Events>(name: K, handler: (value: Events[K]) => void): () => void {
    // A function that is added twice has two registrations, and each is removed on its own.
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
