// Wait: for a condition with a deadline, never for a time.
//
//   W1. The wait ends as soon as what it waits for is there; at the deadline it names that.

export interface Within {
  readonly withinMs: number;
  /** What is waited for, for the failure's text: "the reader to see entry 5". */
  readonly what: string;
}

const POLL_MS = 5;

/** Resolves as soon as `condition` holds; throws naming `what` when it does not within the time. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  { withinMs, what }: Within,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${withinMs} ms in vain for ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
}

/** The value of `promise`; throws naming `what` when it does not come within the time. */
export async function within<T>(promise: Promise<T>, { withinMs, what }: Within): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`waited ${withinMs} ms in vain for ${what}`)),
      withinMs,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
