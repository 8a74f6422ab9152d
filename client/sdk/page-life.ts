// PageLife: notices that the network, the page or the machine is back, and that a browser puts the
// page aside.
//
// Owns: the events of the browser, and the detection of a sleep. Does not own: what follows
// (core/connection.ts).
//
//   page-life.1. A wake is reported for: the event "online"; a page that becomes visible; a page
//        that comes back from the back-forward cache; a machine that slept for SLEEP_MS.
//   page-life.2. A page that goes into the back-forward cache is reported as suspended.

/** Longer than a timer of a hidden page is late. */
const SLEEP_MS = 90_000;
const CHECK_MS = 5_000;

/** The parts of a browser's window that are used; Node has none of them. */
export interface PageEvents extends Partial<Pick<EventTarget, "addEventListener">> {
  readonly document?: Pick<EventTarget, "addEventListener"> & {
    readonly visibilityState: string;
  };
}

export interface PageLifeOptions {
  readonly onWake: () => void;
  readonly onSuspend: () => void;
  readonly events?: PageEvents;
  /** The wall clock. */
  readonly now?: () => number;
}

/** Returns a function that ends the watch. */
export function watchPage(options: PageLifeOptions): () => void {
  const { onWake, onSuspend, events = globalThis, now = Date.now } = options;
  const { document } = events;
  const onVisible = (): void => {
    if (document?.visibilityState === "visible") onWake();
  };
  const onShow = (event: Event): void => {
    if ((event as PageTransitionEvent).persisted) onWake();
  };
  const onHide = (event: Event): void => {
    if ((event as PageTransitionEvent).persisted) onSuspend();
  };
  let checkedAt = now();
  const timer: unknown = setInterval(() => {
    const before = checkedAt;
    checkedAt = now();
    if (checkedAt - before > SLEEP_MS) onWake();
  }, CHECK_MS);
  (timer as { unref?(): void }).unref?.(); // In Node it does not hold the process.
  const ending = new AbortController();
  const { signal } = ending;
  events.addEventListener?.("online", onWake, { signal });
  events.addEventListener?.("pageshow", onShow, { signal });
  events.addEventListener?.("pagehide", onHide, { signal });
  document?.addEventListener("visibilitychange", onVisible, { signal });
  return () => {
    clearInterval(timer as ReturnType<typeof setInterval>);
    ending.abort();
  };
}
