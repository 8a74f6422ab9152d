// SplitPauses: how long rooms wait, on virtual time, while the partitions of a cluster are doubled
// and a room node and a persistence process are killed.
//
// `make drill-split` measures the same on real processes, with the speed of the machine. Here a
// message takes milliseconds and no process has to wait for a processor, so the pauses
// show only the waits that the product itself has: timeouts, intervals, retries. Owns: the plan of
// one run, its result. Does not own: the simulation.
//
//   split-pauses.1. The moments of the kills depend on the seed: before, during and after the
//        splits.

import type { Millis } from "#shared/protocol/ids.ts";
import { pausesOf } from "../drills/pauses.ts";
import type { ServiceKind, SimulatedCluster } from "./cluster.ts";
import type { Finding } from "./findings.ts";
import { optionsOf } from "./options.ts";
import type { Scheduler } from "./scheduler.ts";
import { SeededRng } from "./seeded-rng.ts";
import { runSimulation } from "./simulation.ts";
import type { Stage } from "./simulation.ts";

export interface SplitPauses {
  /** The longest wait of a message of each room. */
  readonly pauses: readonly Millis[];
  readonly findings: readonly Finding[];
  /** Partitions that were split. */
  readonly splits: number;
}

const SIZE = { gateways: 2, roomNodes: 3, persistence: 2, partitions: 4, rooms: 12, users: 2 };
/** The interval of the messages to one room. */
const SEND_MS = 100;
const SPLIT_AT_MS = 1_500;
/** A supervisor starts a killed process again after this time. */
const RESTART_MS = 700;
/** The owners split within this time after the command. */
const KILLS_WITHIN_MS = 2_500;
const SENDS_MS = 9_000;

export async function splitPauses(
  seed: number,
  kills: readonly ServiceKind[],
  { sink }: { readonly sink?: (line: string) => void } = {},
): Promise<SplitPauses> {
  const rng = new SeededRng(seed, "kills");
  const span = { from: 0, to: 0 };
  const script = ({ scheduler, cluster, users, rooms }: Stage): void => {
    span.from = scheduler.now + SPLIT_AT_MS;
    span.to = scheduler.now + SENDS_MS;
    for (const [index, room] of rooms.entries()) {
      const first = (index * SEND_MS) / rooms.length;
      for (let at = first; at < SENDS_MS; at += SEND_MS) {
        const user = users[Math.floor(at / SEND_MS) % users.length];
        scheduler.after(at, () => user?.send(room));
      }
    }
    scheduler.after(SPLIT_AT_MS, () => cluster.split());
    for (const kind of kills) {
      const at = SPLIT_AT_MS + rng.between(0, KILLS_WITHIN_MS); // split-pauses.1
      scheduler.after(at, () => kill(kind, { cluster, scheduler, rng }));
    }
  };
  const options = { ...optionsOf(seed), ...SIZE, faults: [], keepEntries: 1_000, slowModes: false };
  const run = await runSimulation({ ...options, safetyMs: SENDS_MS }, { script, sink });
  const pauses = pausesOf(run.records, [span]).get(span) ?? [];
  return { pauses, findings: run.findings, splits: run.counts["partition split"] };
}

function kill(
  kind: ServiceKind,
  on: {
    readonly cluster: SimulatedCluster;
    readonly scheduler: Scheduler;
    readonly rng: SeededRng;
  },
): void {
  const victim = on.rng.pick(on.cluster.of(kind));
  if (victim === undefined) return;
  on.cluster.kill(victim, false);
  on.scheduler.after(RESTART_MS, () => on.cluster.start(kind));
}
