// Hooks: connect views to stores, media queries, time and window events.

import { useEffect, useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";

/** Renders the view again after each change of the source. */
export function useChanges(source: { subscribe(listener: () => void): () => void }): void {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => source.subscribe(() => redraw(undefined)), [source]);
}

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const follow = (): void => setMatches(list.matches);
    follow();
    list.addEventListener("change", follow);
    return () => list.removeEventListener("change", follow);
  }, [query]);
  return matches;
}

/** The present time; the view renders again twice a second while `isOn`. */
export function useSeconds(isOn: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    setNow(Date.now());
    if (!isOn) return undefined;
    const handle = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(handle);
  }, [isOn]);
  return isOn ? Math.max(now, 0) : Date.now();
}

/**
 * A listener on the window while the view is mounted. The newest handler runs. An effect after the
 * paint would keep the previous handler for one frame, and a key in that frame would act on a view
 * that is no longer shown.
 */
export function useWindowEvent<K extends keyof WindowEventMap>(
  name: K,
  handler: (event: WindowEventMap[K]) => void,
): void {
  const newest = useRef(handler);
  newest.current = handler;
  useLayoutEffect(() => {
    const listen = (event: WindowEventMap[K]): void => newest.current(event);
    window.addEventListener(name, listen);
    return () => window.removeEventListener(name, listen);
  }, [name]);
}
