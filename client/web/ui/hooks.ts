// Hooks: the few ways in which views follow what is not theirs.

import { useEffect, useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";

/** Draws again whenever the source says that it changed. */
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

/** The time now, told anew every second while `isOn`. */
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
 * A listener on the window for as long as the view is there. It is the newest handler that runs:
 * an effect after the paint would leave the last one in place for a frame, and a key that comes
 * within that frame would be judged by what is not shown any more.
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
