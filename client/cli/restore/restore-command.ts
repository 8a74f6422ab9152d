// `parley restore`: what whoever operates a cluster does after its NATS lost all data. What it does and
// why stands in services/persistence/runtime/restore-logs.ts; when to use it, in docs/operating/restore.md.
// Standard output is this command's result, hence console.log; what goes wrong is a thrown error.

import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import { isRoomId } from "#shared/protocol/ids.ts";
import type { Partition } from "#shared/protocol/ids.ts";
import { restoreLogs } from "../../../services/persistence/runtime/restore-logs.ts";
import type { RestoreReport } from "../../../services/persistence/runtime/restore-logs.ts";
import type { RestoreChoice } from "../../../services/persistence/core/restore-plan.ts";
import type { Target } from "../target.ts";

interface Flags {
  readonly yes?: boolean;
  readonly archiveIntact?: boolean;
  readonly lost: RestoreChoice["lost"];
  readonly discard: readonly Partition[];
  readonly partitions?: number;
  readonly replicas?: number;
}

export function addRestoreCommands(program: Command, target: () => Target): void {
  program
    .command("restore")
    .description("bring back what was lost")
    .command("logs")
    .description("make lost partition logs anew, behind what PostgreSQL has; shows its plan first")
    .option("--yes", "do it; without this it is only shown")
    .option(
      "--archive-intact",
      "this PostgreSQL was never restored from a backup: believe its proof",
    )
    .option("--lost <what>", "none, all, or rooms separated by commas; else by proof", lost, "auto")
    .option("--discard <partitions>", "give up what these logs still hold", numbers, [])
    .option("--partitions <n>", "where neither PostgreSQL nor NATS knows it", one)
    .option("--replicas <n>", "of streams, where none is left to tell", one)
    .action(async (flags: Flags) => {
      const { nats, database } = target();
      if (database === undefined) throw new Error("no PostgreSQL is known: --database <url>");
      const { lost: itsLost, discard, partitions, replicas } = flags;
      const isMeant = flags.yes === true;
      const report = await restoreLogs({
        nats,
        database,
        isMeant,
        lost: itsLost,
        discard,
        isArchiveIntact: flags.archiveIntact === true,
        ...(partitions !== undefined && { partitions }),
        ...(replicas !== undefined && { replicas }),
      });
      for (const line of reportLines(report, isMeant)) console.log(line);
      if (report.plans.some(({ kind }) => kind === "refused")) process.exitCode = 1;
    });
}

/** One line a partition that is not whole, and what to do next. */
export function reportLines({ plans, reborn }: RestoreReport, isMeant: boolean): string[] {
  const lines: string[] = [];
  for (const plan of plans) {
    const name = `partition ${plan.p}`;
    if (plan.kind === "refused") lines.push(`REFUSED ${name}: ${plan.why}`);
    if (plan.kind !== "restore") continue;
    const { firstSeq, givenUp, why } = plan;
    const rooms = reborn.get(plan.p) ?? 0;
    const changed = isMeant ? `rooms born again: ${rooms}` : "rooms are to be born again";
    const births = givenUp === undefined ? "births are kept" : changed;
    lines.push(`${name}: goes on at ${firstSeq}, ${births} (${why})`);
  }
  const count = (kind: string): number => plans.filter((plan) => plan.kind === kind).length;
  const isRefused = count("refused") > 0;
  if (isRefused) {
    lines.push("nothing was changed: look with parley log <partition>, give up with --discard");
  } else if (count("restore") === 0) lines.push("all logs reach the archive: nothing to restore");
  else if (isMeant)
    lines.push(`${count("restore")} logs were made anew; parley status looks again`);
  else lines.push("nothing was changed; --yes does it");
  return lines;
}

function lost(text: string): RestoreChoice["lost"] {
  if (text === "none" || text === "all") return text;
  const rooms = text.split(",");
  if (!rooms.every(isRoomId)) throw new InvalidArgumentError("none, all, or rooms");
  return rooms;
}

function one(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("a whole number");
  return value;
}

function numbers(text: string): Partition[] {
  return text.split(",").map((item) => {
    const value = Number(item);
    if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError("numbers");
    return value;
  });
}
