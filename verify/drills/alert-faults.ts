// Alert faults: for each alert one real fault that makes it fire, with its injection and its heal.
//
//   alert-faults.1. Every alert of rules.yml has exactly one fault here, or is in REGION_ALERTS or
//        WEBHOOK_ALERTS. A test compares the lists.
//   alert-faults.2. `prepare` injects nothing yet: the clock of the alert starts with `strike`.
//   alert-faults.3. `heal` undoes the fault, whatever its effect was. A permanent fault comes last.

import { rename, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { unsetSetting } from "#client/cli/settings.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { encodeSetting } from "#shared/protocol/settings.ts";
import { until } from "#shared/testing/wait.ts";
import type { Shape } from "../chaos/proxy.ts";
import { fillRooms, ResumingReaders, UnsignedClients, Uploader } from "./alert-clients.ts";
import { HEAP_MIB, LOG_BYTES_MAX, PARTITIONS, ROOMS } from "./alert-cluster.ts";
import type { AlertCluster } from "./alert-cluster.ts";
import { stopPostgres } from "./archive-faults.ts";

/** A fault that is in effect until its heal. */
export interface ActiveFault {
  /**
   * When the users of the alert noticed, from `since`; undefined for the users of the steady load.
   */
  readonly noticedAfterMs?: (since: number) => number | undefined;
  heal(): Promise<void>;
}

export interface AlertFault {
  readonly what: string;
  readonly alerts: readonly {
    readonly name: string;
    /**
     * The condition needs a share of a window, so it comes later in proportion without compression.
     */
    readonly fillsWindow: boolean;
    /** The alert is about clients of the fault, not about the users of the steady load. */
    readonly users?: "own";
  }[];
  readonly fireWithinMs: number;
  /** The damage stays: the drill does not wait until the alerts are resolved. */
  readonly isPermanent?: true;
  /** Users may notice after the alert, which warns early. The drill waits this long for them. */
  readonly noticeWithinMs?: number;
  readonly prepare?: (alertCluster: AlertCluster) => Promise<void>;
  strike(alertCluster: AlertCluster, factor: number): Promise<ActiveFault>;
}

const FIRE_WITHIN_MS = 90_000;
const OLD_ROOMS = ROOMS.slice(0, 4);
/** At 15 kB each, more than a gateway's ring of a room holds (1 MB). */
const OLD_MESSAGES = 120;
const READERS = 12;
const LEAK_MIB_S = 4;
/** The heap is then full, and V8 does not end the process yet. */
const LEAK_MAX_MIB = Math.round(0.76 * HEAP_MIB);
/** A twentieth of the rate of the steady load. */
const UNSIGNED_RATE = 2;
const UPLOAD_RATE = 2;
/** Acknowledged messages before the purge: enough for some in each partition. */
const UNARCHIVED = 200;
/** Long enough for Prometheus to scrape the new owners. */
const OWNED_MS = 1_500;
const bothOf = (role: string): readonly [string, string] => [`${role}-1`, `${role}-2`];

/**
 * Pauses processes one after the other, repeatedly, until the returned function is called. It
 * leaves none paused.
 */
function pauseRepeatedly(
  { cluster }: AlertCluster,
  turns: readonly { readonly name: string; readonly pausedMs: number; readonly runsMs: number }[],
): () => Promise<void> {
  const end = new AbortController();
  const run = async (): Promise<void> => {
    while (!end.signal.aborted) {
      for (const { name, pausedMs, runsMs } of turns) {
        cluster.pause(name);
        await sleep(pausedMs);
        cluster.resume(name);
        // The abort ends the sleep.
        await sleep(runsMs, undefined, { signal: end.signal }).catch(() => {});
      }
    }
  };
  const running = run();
  return () => {
    end.abort();
    return running;
  };
}

/** Kills the process a while after it got partitions, repeatedly. */
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

/** Their faults need two regions and a witness, which the drill's cluster does not have. */
export const REGION_ALERTS: readonly string[] = [
  "ParleyRegionWithoutTerm",
  "ParleyRegionWithoutFollower",
  "ParleyRegionAgentDown",
];

/** The drill's cluster sends no webhooks, and their conditions last hours. */
export const WEBHOOK_ALERTS: readonly string[] = ["ParleyWebhooksLag", "ParleyWebhooksDeadLetters"];

/**
 * In the order of the drill: first the faults that do not disturb chat, then the others, the worst
 * last.
 */
export const ALERT_FAULTS: readonly AlertFault[] = [
  {
    what: "a room node is paused for 1.2 s every quarter of an hour",
    alerts: [{ name: "ParleySendsBurnSlow", fillsWindow: true }],
    fireWithinMs: 600_000,
    strike: (alertCluster, factor) => {
      const runsMs = Math.max(2_000, 900_000 / factor);
      return Promise.resolve({
        heal: pauseRepeatedly(alertCluster, [{ name: "room-1", pausedMs: 1_200, runsMs }]),
      });
    },
  },
  {
    what: "an invalid setting is written without the command",
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
    what: "a constraint in PostgreSQL that the messages of one user violate",
    alerts: [{ name: "ParleyQuarantine", fillsWindow: false }],
    fireWithinMs: FIRE_WITHIN_MS,
    strike: async (alertCluster) => {
      await alertCluster.sql(
        "alter table events add constraint drill check (sender <> 'user-0') not valid",
      );
      const undo = "alter table events drop constraint drill";
      return { heal: async () => void (await alertCluster.sql(undo)) };
    },
  },
  {
    what: `${UNSIGNED_RATE} hellos a second with unsigned tokens`,
    alerts: [{ name: "ParleyTokensRefused", fillsWindow: true, users: "own" }],
    fireWithinMs: FIRE_WITHIN_MS,
    strike: async (alertCluster) => {
      const clients = await UnsignedClients.open(alertCluster, UNSIGNED_RATE);
      return {
        noticedAfterMs: (since) => clients.noticedAfterMs(since),
        heal: () => Promise.resolve(clients[Symbol.dispose]()),
      };
    },
  },
  {
    what: `${UPLOAD_RATE} uploads a second, and a file is in the place of the folder of attachments`,
    alerts: [{ name: "ParleyAttachmentStoreFails", fillsWindow: true, users: "own" }],
    fireWithinMs: FIRE_WITHIN_MS,
    strike: async (alertCluster) => {
      const { attachmentsDir: dir } = alertCluster;
      await rename(dir, `${dir}-away`);
      await writeFile(dir, "");
      const uploader = await Uploader.open(alertCluster, UPLOAD_RATE);
      return {
        noticedAfterMs: (since) => uploader.noticedAfterMs(since),
        heal: async () => {
          uploader[Symbol.dispose]();
          await rm(dir);
          await rename(`${dir}-away`, dir);
        },
      };
    },
  },
  {
    what: "all persistence processes killed, and they cannot start",
    alerts: [{ name: "ParleyPartitionNotArchived", fillsWindow: false }],
    fireWithinMs: FIRE_WITHIN_MS,
    strike: async (alertCluster) => {
      await alertCluster.disable(...bothOf("persistence"));
      return { heal: () => alertCluster.enable(...bothOf("persistence")) };
    },
  },
  {
    what: "PostgreSQL is paused, and readers resume from far behind",
    alerts: [
      { name: "ParleyResumeIncomplete", fillsWindow: false, users: "own" },
      { name: "ParleyArchiveLags", fillsWindow: false },
    ],
    fireWithinMs: 300_000,
    prepare: async (alertCluster) => {
      await fillRooms(alertCluster, OLD_ROOMS, OLD_MESSAGES);
      const areArchived = async (): Promise<boolean> =>
        (await alertCluster.archived(OLD_ROOMS)) >= OLD_ROOMS.length * OLD_MESSAGES;
      await until(areArchived, {
        withinMs: FIRE_WITHIN_MS,
        what: "the archive to have the old messages",
      });
    },
    strike: async (alertCluster) => {
      const readers = await ResumingReaders.open(alertCluster, READERS);
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
    what: `a room node leaks ${LEAK_MIB_S} MiB a second and does not replace itself`,
    alerts: [
      { name: "ParleyExhaustionForetold", fillsWindow: false },
      { name: "ParleyHeapFull", fillsWindow: false },
    ],
    fireWithinMs: 600_000,
    strike: async (alertCluster, factor) => {
      await alertCluster.restart("room-2", {
        NODE_ENV: "development",
        SELF_HEALING: "off",
        DEBUG_LEAK_KIB_S: String(LEAK_MIB_S * 1_024),
        DEBUG_LEAK_MAX_MIB: String(LEAK_MAX_MIB),
        DEBUG_FORECAST_SPEED: String(factor),
      });
      return { heal: () => alertCluster.restart("room-2", {}) };
    },
  },
  {
    what: "350 ms latency each way between room nodes and NATS",
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
      await alertCluster.disable("room-2");
      return { heal: () => alertCluster.enable("room-2") };
    },
  },
  {
    what: "a gateway gets a quarter of the processor time",
    alerts: [{ name: "ParleyEventLoopSlow", fillsWindow: false }],
    fireWithinMs: FIRE_WITHIN_MS,
    strike: (alertCluster) =>
      Promise.resolve({
        heal: pauseRepeatedly(alertCluster, [{ name: "gateway-1", pausedMs: 300, runsMs: 100 }]),
      }),
  },
  {
    what: "all room nodes killed, and they cannot start",
    alerts: [{ name: "ParleyPartitionWithoutOwner", fillsWindow: false }],
    fireWithinMs: FIRE_WITHIN_MS,
    strike: async (alertCluster) => {
      await alertCluster.disable(...bothOf("room"));
      return { heal: () => alertCluster.enable(...bothOf("room")) };
    },
  },
  {
    what: "two of three NATS servers are paused",
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
    what: "a room node is killed whenever it owns partitions again",
    alerts: [{ name: "ParleyOwnersFight", fillsWindow: false }],
    fireWithinMs: FIRE_WITHIN_MS,
    strike: (alertCluster) => Promise.resolve({ heal: crashLoop(alertCluster, "room-1") }),
  },
  {
    what: "PostgreSQL is paused, and each log is at 60 % of its bound",
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
    what: "unarchived entries of a log are purged while persistence is down",
    alerts: [{ name: "ParleyEntriesLost", fillsWindow: false }],
    isPermanent: true,
    fireWithinMs: FIRE_WITHIN_MS,
    prepare: async (alertCluster) => {
      await alertCluster.disable(...bothOf("persistence"));
      const { acked } = alertCluster.load;
      await until(() => alertCluster.load.acked > acked + UNARCHIVED, {
        withinMs: FIRE_WITHIN_MS,
        what: "unarchived messages",
      });
    },
    strike: async (alertCluster) => {
      await alertCluster.purge(ROOMS[0] ?? ("" as RoomId), 1);
      await alertCluster.enable(...bothOf("persistence"));
      return { heal: () => Promise.resolve() }; // alert-faults.3
    },
  },
];
