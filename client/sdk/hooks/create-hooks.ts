// CreateHooks: the hooks of the SDK, for a framework with the hooks of React.
//
// Owns: what a component reads, and when it is rendered again. Does not own: the framework
// (react.ts, preact.ts), any state; that is in the SDK.
//
//   create-hooks.1. A room is joined while at least one component uses it. It is left in a
//        microtask after the last one, because a strict mode mounts each component twice.
//   create-hooks.2. A hook returns the same object until something changes.

import type { ConnectionState, RoomStatus } from "../core/effects.ts";
import type { JoinOptions } from "../parley-options.ts";
import type { Parley } from "../parley.ts";
import type { RoomHandle, TimelineView } from "../room-handle.ts";
import type { RoomTimeline, TimelineSnapshot } from "../timeline/room-timeline.ts";

type Stop = () => void;

/** The functions of the framework that the hooks use. */
export interface Framework {
  readonly useEffect: (effect: () => Stop, inputs: readonly unknown[]) => void;
  readonly useMemo: <T>(create: () => T, inputs: readonly unknown[]) => T;
  readonly useSyncExternalStore: <T>(subscribe: (changed: () => void) => Stop, read: () => T) => T;
}

/** The users in a room. */
export interface Presence {
  /** Their number; can be more than `users` has. */
  readonly here: number;
  /** Empty above 200 users. */
  readonly users: ReadonlySet<string>;
}

/** A timeline with the functions that change what it shows. */
export interface ShownTimeline extends TimelineSnapshot {
  /** Undefined before the component is mounted. */
  readonly timeline: RoomTimeline | undefined;
}

export interface Hooks {
  /** The state of the connection. */
  readonly useConnection: (parley: Parley) => ConnectionState;
  /** Joins a room while the component is mounted. */
  readonly useRoom: (parley: Parley, room: string, options?: JoinOptions) => RoomHandle;
  /** Whether all events up to the head were delivered. */
  readonly useRoomStatus: (room: RoomHandle) => RoomStatus;
  /** The messages of a room as they are now. A change of `view` needs another `key`. */
  readonly useTimeline: (room: RoomHandle, view?: TimelineView) => ShownTimeline;
  readonly usePresence: (room: RoomHandle) => Presence;
  /** The other users who type now. */
  readonly useTyping: (room: RoomHandle) => ReadonlySet<string>;
}

const NO_USERS: ReadonlySet<string> = new Set();
const EMPTY: ShownTimeline = {
  timeline: undefined,
  entries: [],
  unsent: [],
  older: "idle",
  newer: "idle",
  isFromBeginning: false,
  isAttached: true,
};

export function createHooks({ useEffect, useMemo, useSyncExternalStore }: Framework): Hooks {
  /** A store that stays while its inputs are the same. */
  const useStore = <T>(create: () => Store<T>, inputs: readonly unknown[]): T => {
    const store = useMemo(create, inputs);
    return useSyncExternalStore(store.subscribe, store.read);
  };
  return {
    useConnection: (parley) =>
      useStore(
        () => ({ subscribe: (changed) => parley.on("state", changed), read: () => parley.state }),
        [parley],
      ),
    useRoom: (parley, room, options) => {
      const handle = useMemo(() => parley.join(room, options), [parley, room]);
      useEffect(() => retain(handle), [handle]);
      return handle;
    },
    useRoomStatus: (room) =>
      useStore(
        () => ({ subscribe: (changed) => room.on("status", changed), read: () => room.status }),
        [room],
      ),
    useTimeline: (room, view) => useStore(() => timelineStore(room, view), [room]),
    usePresence: (room) => useStore(() => presenceStore(room), [room]),
    useTyping: (room) => useStore(() => typingStore(room), [room]),
  };
}

interface Store<T> {
  readonly subscribe: (changed: () => void) => Stop;
  readonly read: () => T;
}

/** The components that use a room. */
const users = new WeakMap<RoomHandle, number>();

/** create-hooks.1. */
function retain(room: RoomHandle): Stop {
  users.set(room, (users.get(room) ?? 0) + 1);
  return () => {
    users.set(room, (users.get(room) ?? 1) - 1);
    queueMicrotask(() => {
      if (users.get(room) === 0) room.leave();
    });
  };
}

function timelineStore(room: RoomHandle, view: TimelineView | undefined): Store<ShownTimeline> {
  let timeline: RoomTimeline | undefined;
  let shown = EMPTY;
  let from: TimelineSnapshot | undefined;
  return {
    subscribe: (changed) => {
      const own = room.timeline(view);
      timeline = own;
      const stop = own.on("change", changed);
      changed();
      return () => {
        stop();
        own.close();
        if (timeline === own) timeline = undefined;
      };
    },
    read: () => {
      const snapshot = timeline?.snapshot;
      if (timeline !== undefined && snapshot !== undefined && snapshot !== from) {
        shown = { ...snapshot, timeline };
        from = snapshot;
      }
      return shown;
    },
  };
}

function presenceStore(room: RoomHandle): Store<Presence> {
  let presence: Presence = { here: room.here, users: room.users };
  const read = (): Presence => {
    const { here, users } = room;
    // create-hooks.2: the set of the SDK can be one object that changes.
    const isSame = here === presence.here && sameUsers(users, presence.users);
    if (!isSame) presence = { here, users: new Set(users) };
    return presence;
  };
  return {
    subscribe: (changed) => {
      const stops = [room.on("presence", changed), room.on("status", changed)];
      return () => {
        for (const stop of stops) stop();
      };
    },
    read,
  };
}

function typingStore(room: RoomHandle): Store<ReadonlySet<string>> {
  let typing = NO_USERS;
  return {
    subscribe: (changed) =>
      room.on("typing", (change) => {
        typing = new Set(change.users);
        changed();
      }),
    read: () => typing,
  };
}

function sameUsers(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((user) => other.has(user));
}
