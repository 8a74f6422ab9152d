// React: the entry `./react` of the package `@parley/client`.

/**
 * Hooks for React: `import { useRoom, useTimeline } from "@parley/client/react"`.
 *
 * @module react
 */
import { useEffect, useMemo, useSyncExternalStore } from "react";
import { createHooks } from "./create-hooks.ts";
import type { Hooks } from "./create-hooks.ts";

export type { Hooks, Presence, ShownTimeline } from "./create-hooks.ts";

const hooks: Hooks = createHooks({
  useEffect: (effect, inputs) => useEffect(effect, [...inputs]),
  useMemo: (create, inputs) => useMemo(create, [...inputs]),
  useSyncExternalStore: (subscribe, read) => useSyncExternalStore(subscribe, read, read),
});

export const useConnection: Hooks["useConnection"] = hooks.useConnection;
export const useRoom: Hooks["useRoom"] = hooks.useRoom;
export const useRoomStatus: Hooks["useRoomStatus"] = hooks.useRoomStatus;
export const useTimeline: Hooks["useTimeline"] = hooks.useTimeline;
export const usePresence: Hooks["usePresence"] = hooks.usePresence;
export const useTyping: Hooks["useTyping"] = hooks.useTyping;
