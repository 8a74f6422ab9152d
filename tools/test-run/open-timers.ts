// OpenTimers: where the timers that keep this process alive were set.
//
// Owns: the recording. Node lists open timers by type only, which names no test.
//
//   open-timers.1. Only timers that still keep the process alive are listed, at most PLACES_MAX.

import { createHook } from "node:async_hooks";
import type { HookCallbacks } from "node:async_hooks";

const PLACES_MAX = 5;
/** Lines of a stack that help; the innermost ones are the hook's and Node's own. */
const STACK_LINES = 8;

const timers = new Map<number, { readonly timer: NodeJS.Timeout; readonly stack: string }>();

const callbacks: HookCallbacks & { readonly trackPromises: false } = {
  init(id, type, _trigger, resource) {
    if (type !== "Timeout") return;
    timers.set(id, { timer: resource as NodeJS.Timeout, stack: new Error("set").stack ?? "" });
  },
  destroy: (id) => void timers.delete(id),
  trackPromises: false, // Tracked promises would slow every test.
};
const hook = createHook(callbacks);

export function recordTimers(): void {
  hook.enable();
}

/** Their stacks, the newest first. */
export function openTimers(): readonly string[] {
  return [...timers.values()]
    .filter(({ timer }) => timer.hasRef())
    .toReversed()
    .slice(0, PLACES_MAX)
    .map(({ stack }) => inner(stack));
}

function inner(stack: string): string {
  const lines = stack.split("\n").slice(1);
  const useful = lines.filter((line) => !/node:internal|open-timers\.ts/u.test(line));
  return (useful.length > 0 ? useful : lines).slice(0, STACK_LINES).join("\n");
}
