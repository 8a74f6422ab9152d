// Wait: for a condition with a deadline, never for a time.
//
//   wait.1. The wait ends as soon as what it waits for is there; at the deadline it names that.
//   wait.2. A run of tests may set a least deadline for all waits, since a busy machine proves nothing.

export interface Within {
  readonly withinMs: number;
  /** What is waited for, for the failure's text: "the reader to see entry 5". */
  readonly what: string;
}

const POLL_MS = 5;
/** What waits for less is a test of waiting. */
const TELLING_MS = 1_000;
let leastMs = 0;

/** wait.2. */
export function waitAtLeast(ms: number): void {
  leastMs = ms;
}

function inForce(withinMs: number): number {
  return withinMs < TELLING_MS ? withinMs : Math.max(withinMs, leastMs);
}

/** Resolves as soon as `condition` holds; throws naming `what` when it does not within the time. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  { withinMs: asked, what }: Within,
): Promise<void> {
  const withinMs = inForce(asked);
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${withinMs} ms in vain for ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
}

/** The value of `promise`; throws naming `what` when it does not come within the time. */
export async function within<T>(
  promise: Promise<T>,
  { withinMs: asked, what }: Within,
): Promise<T> {
  const withinMs = inForce(asked);
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
