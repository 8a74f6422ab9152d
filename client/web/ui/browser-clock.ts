// BrowserClock: the Clock port on the browser's clock and timers.

import type { Clock, Timer } from "#shared/ports/clock.ts";

export const browserClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, run) => timer(setTimeout(run, delayMs)),
  every: (periodMs, run) => {
    const handle = setInterval(run, periodMs);
    return { cancel: () => clearInterval(handle) };
  },
  soon: (run) => queueMicrotask(run),
};

function timer(handle: ReturnType<typeof setTimeout>): Timer {
  return { cancel: () => clearTimeout(handle) };
}

/** Runs after the next frame. A hidden window has no frames: there it runs after 100 ms. */
export function afterFrame(run: () => void): void {
  if (document.visibilityState === "visible") requestAnimationFrame(() => run());
  else setTimeout(run, 100);
}
