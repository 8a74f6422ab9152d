// Waiting: a caller that waits for a state, and may stop to wait.

/** For calls that wait. */
export interface WaitOptions {
  /** Its abort rejects the call with its reason. What was asked for may still happen. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Resolves when `check` returns true, and rejects with what it throws. `subscribe` calls its
 * function after each change, and returns a function that ends this.
 */
export function waitUntil(
  check: () => boolean,
  subscribe: (changed: () => void) => () => void,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let stop = (): void => undefined;
    const settle = (act: () => void): void => {
      stop();
      signal?.removeEventListener("abort", onAbort);
      act();
    };
    const onAbort = (): void => settle(() => reject(signal?.reason as Error));
    const look = (): void => {
      try {
        if (check()) settle(resolve);
      } catch (error: unknown) {
        settle(() => reject(error));
      }
    };
    if (signal?.aborted === true) return onAbort();
    signal?.addEventListener("abort", onAbort);
    stop = subscribe(look);
    look();
  });
}
