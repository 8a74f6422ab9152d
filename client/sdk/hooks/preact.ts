// Preact: the entry `./preact` of the package `@parley/client`.

/**
 * Hooks for Preact: `import { useRoom, useTimeline } from "@parley/client/preact"`.
 *
 * @module preact
 */
import { useSyncExternalStore } from "preact/compat";
import { useEffect, useMemo } from "preact/hooks";
import { createHooks } from "./create-hooks.ts";
import type { Hooks } from "./create-hooks.ts";

export type { Hooks, Presence, ShownTimeline } from "./create-hooks.ts";

const hooks: Hooks = createHooks({
  useEffect: (effect, inputs) => useEffect(effect, [...inputs]),
  useMemo: (create, inputs) => useMemo(create, [...inputs]),
  useSyncExternalStore: (subscribe, read) => useSyncExternalStore(subscribe, read),
});

export const useConnection: Hooks["useConnection"] = hooks.useConnection;
export const useRoom: Hooks["useRoom"] = hooks.useRoom;
export const useRoomStatus: Hooks["useRoomStatus"] = hooks.useRoomStatus;
export const useTimeline: Hooks["useTimeline"] = hooks.useTimeline;
export const usePresence: Hooks["usePresence"] = hooks.usePresence;
export const useTyping: Hooks["useTyping"] = hooks.useTyping;
