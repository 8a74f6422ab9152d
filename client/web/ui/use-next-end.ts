// UseNextEnd: renders a view again when the next of some times is reached, such as the end of a
// mute. The panels that show such times load it.

import { useEffect, useReducer } from "preact/hooks";
import { browserClock } from "./browser-clock.ts";

/** A longer timer ends at once. A view that is shown for so long renders once more. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** `times`: in ms since 1970. */
export function useNextEnd(times: readonly number[]): void {
  const [count, redraw] = useReducer((before: number) => before + 1, 0);
  const now = browserClock.now();
  const next = times.reduce((least, at) => (at > now && at < least ? at : least), Infinity);
  useEffect(() => {
    if (next === Infinity) return undefined;
    const left = Math.min(next - browserClock.now(), TIMER_MS_MAX);
    const timer = browserClock.after(left, () => redraw(undefined));
    return () => timer.cancel();
  }, [next, count]);
}
