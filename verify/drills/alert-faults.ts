// Alert faults: for each alert a real fault that it is for, how it is done, and how it is healed.
//
//   alert-faults.1. Every alert of rules.yml has exactly one fault here; a test compares the two.
//   alert-faults.2. `prepare` is no fault yet: the clock of the alert starts with `strike`.
//   alert-faults.3. A fault is undone by `heal`, whatever came of it; only what cannot be undone
//        comes last.

import { setTimeout as sleep } from "node:timers/promises";
import { unsetSetting } from "#client/cli/settings.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { encodeSetting } from "#shared/protocol/settings.ts";
import { until } from "#shared/testing/wait.ts";
import type { Shape } from "../chaos/proxy.ts";
import { fillRooms, Readers, Strangers, Talkers } from "./alert-clients.ts";
import { LOG_BYTES_MAX, PARTITIONS, ROOMS } from "./alert-cluster.ts";
import type { AlertCluster } from "./alert-cluster.ts";
import { stopPostgres } from "./archive-faults.ts";

/** What a fault has under way; ended by its heal. */
export interface Struck {
  /**
   * Those of whom the alert speaks, where they are not the crowd: when they noticed, from `since`.
   */
  readonly noticedAfterMs?: (since: number) => number | undefined;
  heal(): Promise<void>;
}

export interface AlertFault {
  readonly what: string;
  readonly alerts: readonly {
    readonly name: string;
    /**
     * Its condition waits for a share of a window to fill, so real time makes it later in
     * proportion.
     */
    readonly fillsWindow: boolean;
    /** Whom it is about; else the crowd. */
    readonly users?: "struck";
  }[];
  readonly fireWithinMs: number;
  /** What is gone is gone: its alerts are not waited for to fall silent. */
  readonly isForGood?: true;
  /**
   * Users may notice later than the alert, which is what it is for: so long they are waited for.
   */
  readonly noticeWithinMs?: number;
  readonly prepare?: (alertCluster: AlertCluster) => Promise<void>;
  strike(alertCluster: AlertCluster, factor: number): Promise<Struck>;
}

const FIRE_WITHIN_MS = 90_000;
const OLD_ROOMS = ROOMS.slice(0, 4);
/** At 15 kB each more than the megabyte that a gateway's ring of a room holds. */
const OLD_MESSAGES = 120;
const READERS = 12;
/** Large messages a second: a heap of 300 MB within three minutes. */
const TALK_RATE = 80;
/** A twentieth of what the crowd says. */
const STRANGERS_RATE = 2;
/** Messages that are acknowledged before a stretch is purged: some of them of each partition. */
const BEHIND = 200;
/** Long enough for Prometheus to see who owns what. */
const OWNED_MS = 1_500;
const bothOf = (role: string): readonly [string, string] => [`${role}-1`, `${role}-2`];

/**
 * They stand still one after the other, again and again, until it is told to stop; nothing is left
 * standing.
 */
function again(
  { cluster }: AlertCluster,
  turns: readonly { readonly stop: string; readonly stopMs: number; readonly goMs: number }[],
): () => Promise<void> {
  const end = new AbortController();
  const run = async (): Promise<void> => {
    while (!end.signal.aborted) {
      for (const { stop, stopMs, goMs } of turns) {
        cluster.pause(stop);
        await sleep(stopMs);
        cluster.resume(stop);
        await sleep(goMs, undefined, { signal: end.signal }).catch(() => {}); // It ends sooner.
      }
    }
  };
  const running = run();
  return () => {
    end.abort();
    return running;
  };
}

/** It dies of what it does: a while after it was given something to do. */
function crashLoop({ cluster, owners }: AlertCluster, name: string): () => Promise<void> {
  const end = new AbortController();
  const run = async (): Promise<void> => {
    while (!end.signal.aborted) {
      const owned = owners.roomsOf(cluster.idOf(name) ?? "", ROOMS, PARTITIONS);
      await sleep(OWNED_MS);
      if (owned.length > 0) await cluster.kill(name);
    }
  };
  const running = run();
  return () => {
    end.abort();
    return running;
  };
}

/**
 * In the order of the drill: what disturbs chat comes after what does not, and the worst comes
 * last.
 */
export const ALERT_FAULTS: readonly AlertFault[] = [
  {
    what: "a room node stands still for 1.2 s, again every quarter of an hour",
    alerts: [{ name: "ParleySendsBurnSlow", fillsWindow: true }],
    fireWithinMs: 600_000,
    strike: (alertCluster, factor) => {
      const goMs = Math.max(2_000, 900_000 / factor);
      return Promise.resolve({
        heal: again(alertCluster, [{ stop: "room-1", stopMs: 1_200, goMs }]),
      });
    },
  },
  {
    what: "a setting that is not valid is written past the command",
    alerts: [{ name: "ParleySettingRefused", fillsWindow: false }],
    fireWithinMs: FIRE_WITHIN_MS,
    strike: async (alertCluster) => {
      await alertCluster.putSetting("room.log.level", encodeSetting("loud", "drill"));
      const access = alertCluster.cluster.natsAccess;
      return {
        heal: async () => void (await unsetSetting(access, { name: "log.level", service: "room" })),
      };
    },
  },
  {
    what: "a constraint in PostgreSQL that one user's messages do not satisfy",
    alerts: [{ name: "ParleyQuarantine", fillsWindow: false }],
    fireWithinMs: FIRE_WITHIN_MS,
    strike: async (alertCluster) => {
      await alertCluster.sql(
        "alter table events add constraint drill check (sender <> 'person-0') not valid",
      );
      const mend = "alter table events drop constraint drill";
      return { heal: async () => void (await alertCluster.sql(mend)) };
    },
  },
  {
    what: `${STRANGERS_RATE} hellos a second with tokens that nobody signed`,
    alerts: [{ name: "ParleyTokensRefused", fillsWindow: true, users: "struck" }],
    fireWithinMs: FIRE_WITHIN_MS,
    strike: async (alertCluster) => {
      const strangers = await Strangers.open(alertCluster, STRANGERS_RATE);
      return {
        noticedAfterMs: (since) => strangers.noticedAfterMs(since),
        heal: () => Promise.resolve(strangers[Symbol.dispose]()),
      };
    },
  },
  {
    what: "all persistence processes killed, and they cannot start",
    alerts: [{ name: "ParleyPartitionNotArchived", fillsWindow: false }],
    fireWithinMs: FIRE_WITHIN_MS,
    strike: async (alertCluster) => {
      await alertCluster.breakDown(...bothOf("persistence"));
      return { heal: () => alertCluster.mend(...bothOf("persistence")) };
    },
  },
  {
    what: "PostgreSQL stands still, and readers come back from far behind",
    alerts: [
      { name: "ParleyResumeIncomplete", fillsWindow: false, users: "struck" },
      { name: "ParleyArchiveLags", fillsWindow: false },
    ],
    fireWithinMs: 300_000,
    prepare: async (alertCluster) => {
      await fillRooms(alertCluster, OLD_ROOMS, OLD_MESSAGES);
      const areArchived = async (): Promise<boolean> =>
        (await alertCluster.archived(OLD_ROOMS)) >= OLD_ROOMS.length * OLD_MESSAGES;
      await until(areArchived, { withinMs: FIRE_WITHIN_MS, what: "the old messages' archiving" });
    },
    strike: async (alertCluster) => {
      const readers = await Readers.open(alertCluster, READERS);
      const goOn = stopPostgres(alertCluster.cluster);
      readers.begin(OLD_ROOMS);
      return {
        noticedAfterMs: (since) => readers.noticedAfterMs(since),
        heal: () => {
          readers[Symbol.dispose]();
          return Promise.resolve(goOn());
        },
      };
    },
  },
  {
    what: `the same, and one room node gets ${TALK_RATE} messages of 15 kB a second`,
    alerts: [{ name: "ParleyHeapGrows", fillsWindow: true }],
    fireWithinMs: 600_000,
    strike: async (alertCluster) => {
      const { cluster, owners } = alertCluster;
      const theirs = owners.roomsOf(cluster.idOf("room-1") ?? "", ROOMS, PARTITIONS);
      const talkers = await Talkers.open(alertCluster, theirs, TALK_RATE);
      const goOn = stopPostgres(cluster);
      return {
        heal: () => {
          talkers[Symbol.dispose]();
          return Promise.resolve(goOn());
        },
      };
    },
  },
  {
    what: "the road between room nodes and NATS takes 350 ms each way",
    alerts: [{ name: "ParleySendsBurnFast", fillsWindow: true }],
    fireWithinMs: FIRE_WITHIN_MS,
    strike: ({ network }) => {
      const slow = { kind: "slow", delayMs: 350, jitterMs: 0, lossPercent: 0 } as const;
      const shape = (now: Shape): void => {
        for (const name of bothOf("room")) network.shape(`${name}>nats`, now);
      };
      shape(slow);
      return Promise.resolve({ heal: () => Promise.resolve(shape({ kind: "open" })) });
    },
  },
  {
    what: "a room node is killed, and it cannot start",
    alerts: [{ name: "ParleyProcessDown", fillsWindow: false }],
    fireWithinMs: FIRE_WITHIN_MS,
    strike: async (alertCluster) => {
      await alertCluster.breakDown("room-2");
      return { heal: () => alertCluster.mend("room-2") };
    },
  },
  {
    what: "a gateway gets the processor for a quarter of the time",
    alerts: [{ name: "ParleyEventLoopSlow", fillsWindow: false }],
    fireWithinMs: FIRE_WITHIN_MS,
    strike: (alertCluster) =>
      Promise.resolve({
        heal: again(alertCluster, [{ stop: "gateway-1", stopMs: 300, goMs: 100 }]),
      }),
  },
  {
    what: "all room nodes killed, and they cannot start",
    alerts: [{ name: "ParleyPartitionWithoutOwner", fillsWindow: false }],
    fireWithinMs: FIRE_WITHIN_MS,
    strike: async (alertCluster) => {
      await alertCluster.breakDown(...bothOf("room"));
      return { heal: () => alertCluster.mend(...bothOf("room")) };
    },
  },
  {
    what: "two of three NATS servers stand still",
    alerts: [{ name: "ParleyLogWithoutLeader", fillsWindow: false }],
    fireWithinMs: FIRE_WITHIN_MS,
    strike: ({ cluster }) => {
      const two = ["nats-2", "nats-3"];
      for (const name of two) cluster.pause(name);
      return Promise.resolve({
        heal: () => Promise.resolve(two.forEach((name) => cluster.resume(name))),
      });
    },
  },
  {
    what: "a room node is killed whenever it has its partitions again",
    alerts: [{ name: "ParleyOwnersFight", fillsWindow: false }],
    fireWithinMs: FIRE_WITHIN_MS,
    strike: (alertCluster) => Promise.resolve({ heal: crashLoop(alertCluster, "room-1") }),
  },
  {
    what: "PostgreSQL stands still, and each log is at 60 % of what it may hold",
    alerts: [{ name: "ParleyLogFills", fillsWindow: false }],
    fireWithinMs: 2 * FIRE_WITHIN_MS,
    noticeWithinMs: 2 * FIRE_WITHIN_MS,
    strike: async (alertCluster) => {
      const goOn = stopPostgres(alertCluster.cluster);
      await alertCluster.boundLogs((held) => Math.ceil(held / 0.6));
      return {
        heal: async () => {
          goOn();
          await alertCluster.boundLogs(() => LOG_BYTES_MAX);
        },
      };
    },
  },
  {
    what: "a stretch of a log that was not archived is purged while persistence is down",
    alerts: [{ name: "ParleyEntriesLost", fillsWindow: false }],
    isForGood: true,
    fireWithinMs: FIRE_WITHIN_MS,
    prepare: async (alertCluster) => {
      await alertCluster.breakDown(...bothOf("persistence"));
      const { acked } = alertCluster.load;
      await until(() => alertCluster.load.acked > acked + BEHIND, {
        withinMs: FIRE_WITHIN_MS,
        what: "messages that are not archived",
      });
    },
    strike: async (alertCluster) => {
      await alertCluster.purge(ROOMS[0] ?? ("" as RoomId), 1);
      await alertCluster.mend(...bothOf("persistence"));
      return { heal: () => Promise.resolve() }; // alert-faults.3
    },
  },
];
