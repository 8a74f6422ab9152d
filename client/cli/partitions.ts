// Partitions: `parley partitions split` doubles the partitions of a running cluster.
//
// Owns: the refusals before a split, the logs of the upper halves, the request, and waiting until
// it is fulfilled. Does not own: the split of a partition, which its owner performs
// (services/room/core/partition.ts).
//
//   partitions.1. Each step can be repeated. A command that was interrupted is run again, and then
//        continues the doubling that it finds.
//        It waits for the owners also while NATS does not answer.
//   partitions.2. A cluster that cannot serve the new number is refused before anything changes.

import type { Command } from "commander";
import { setTimeout as sleep } from "node:timers/promises";
import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import { NatsUnreachable } from "#shared/adapters/nats-unreachable.ts";
import type { ProcessStatus } from "#shared/protocol/control.ts";
import { isDoubling, PERMITTED_PARTITIONS } from "#shared/protocol/partition-map.ts";
import { amountOf } from "./arguments.ts";
import type { Caller } from "./change.ts";
import { CliError } from "./cli-error.ts";

/** Why a cluster cannot be split now. */
export type SplitRefusal =
  | "no_processes"
  | "two_regions"
  | "older_version"
  | "no_doubling"
  | "too_many"
  | "no_rights";

export class SplitError extends CliError {
  declare readonly code: SplitRefusal;

  constructor(code: SplitRefusal, message: string) {
    super(`${code}: ${message}`, { code });
  }
}

interface Flags {
  readonly to?: number;
  readonly permitted?: number;
}

/** Without progress for this long the command ends; the split itself goes on. */
const STALL_MS = 60_000;
const UNREACHABLE_RETRY_MS = 500;

export function addPartitionCommands(program: Command, { target, out }: Caller): void {
  program
    .command("partitions")
    .description("the partitions of the cluster")
    .command("split")
    .description("double them while the cluster serves; see docs/operating/partitions.md")
    .option("--to <n>", "double them until there are so many", amountOf)
    .option("--permitted <n>", "how many logs the NATS servers' configuration permits", amountOf)
    .action(async (flags: Flags) => {
      const partitions = await splitPartitions(target().nats, flags, (line) => out.note(line));
      out.print({ partitions });
    });
}

/**
 * Resolves with their number when every partition is served. Rejects with SplitError before
 * anything changes.
 */
export async function splitPartitions(
  nats: NatsAccess,
  { to, permitted = 0 }: Flags,
  say: (line: string) => void,
): Promise<number> {
  const { connectNats } = await import("#shared/adapters/nats-connect.ts");
  const { logCount, provision, wantPartitions } =
    await import("#shared/adapters/nats-provision.ts");
  const { findLogs, partitionsOf } = await import("#shared/adapters/nats-restore.ts");
  const { askStatus, operatorName } = await import("./control.ts");
  const connection = await connectNats({ ...nats, name: "parley-cli", inboxPrefix: "_INBOX_cli" });
  try {
    const first = await partitionsOf(connection);
    if (first === undefined) throw new CliError("this NATS has no cluster: see parley doctor");
    const statuses = await askStatus(nats);
    const now = await logCount(connection, first);
    const isWhole = missingOwners(statuses, now).length === 0;
    const goal = to ?? (isWhole ? now * 2 : now);
    const limit = Math.max(permitted, first, PERMITTED_PARTITIONS);
    checkSplit(statuses, { first, now, goal, limit });
    const [log] = await findLogs(connection, 1);
    if (log === undefined) throw new CliError("the log of partition 0 is lost: see parley doctor");
    const { replicas, bytesMax: logBytesMax } = log;
    for (let count = isWhole ? now * 2 : now; count <= goal; count *= 2) {
      await provision(connection, { partitions: first, logs: count, replicas, logBytesMax });
      await wantPartitions(connection, { count, by: operatorName() });
      say(`splitting into ${count} partitions`);
      await waitForOwners(() => askStatus(nats), count, say);
    }
    return goal;
  } finally {
    await connection.close();
  }
}

/** partitions.2. */
export function checkSplit(
  statuses: readonly ProcessStatus[],
  numbers: {
    readonly first: number;
    readonly now: number;
    readonly goal: number;
    readonly limit: number;
  },
): void {
  const { first, now, goal, limit } = numbers;
  if (statuses.length === 0) throw new SplitError("no_processes", "no process answers");
  if (statuses.some(({ kind }) => kind === "region")) {
    throw new SplitError("two_regions", "a cluster of two regions cannot be split yet");
  }
  if (!isDoubling(goal, first) || goal < now) {
    const text = `${goal} is not reached from ${now} by doubling, up to 1024`;
    throw new SplitError("no_doubling", text);
  }
  const old = statuses.filter(({ partitionsMax }) => partitionsMax === undefined);
  if (old.length > 0) {
    const ids = old.map(({ id }) => id).join(", ");
    throw new SplitError("older_version", `upgrade these processes first: ${ids}`);
  }
  if (statuses.some(({ partitionsMax = 0 }) => partitionsMax < goal)) {
    throw new SplitError("too_many", `a process serves fewer than ${goal} partitions`);
  }
  if (goal > limit) {
    const text = `the NATS users have rights on ${limit} logs: give the servers a configuration for ${goal}, then pass --permitted ${goal}`;
    throw new SplitError("no_rights", text);
  }
}

/** The partitions below `count` that no room node serves. */
export function missingOwners(statuses: readonly ProcessStatus[], count: number): number[] {
  const owned = new Set(statuses.flatMap(({ owns = {} }) => Object.keys(owns).map(Number)));
  return Array.from({ length: count }, (_, p) => p).filter((p) => !owned.has(p));
}

/** Resolves when every partition below `count` is served; rejects after STALL_MS of no progress. */
export async function waitForOwners(
  ask: () => Promise<readonly ProcessStatus[]>,
  count: number,
  say: (line: string) => void,
): Promise<void> {
  let best = Infinity;
  for (let since = Date.now(); Date.now() - since < STALL_MS;) {
    const statuses = await orUnreachable(ask());
    if (statuses === undefined) {
      await sleep(UNREACHABLE_RETRY_MS); // NATS may restart while the partitions split.
      continue;
    }
    const missing = missingOwners(statuses, count);
    if (missing.length === 0) {
      say(`${count} partitions are served`);
      return;
    }
    if (missing.length >= best) continue;
    best = missing.length;
    since = Date.now();
    say(`${count - missing.length} of ${count} partitions are served`);
  }
  const state =
    best === Infinity ? "no process answers" : `${best} of ${count} partitions have no owner yet`;
  throw new CliError(`${state}; the split goes on without this command: see parley status`);
}

async function orUnreachable<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error: unknown) {
    if (error instanceof NatsUnreachable) return undefined;
    throw error;
  }
}
