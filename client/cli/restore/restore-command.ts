// RestoreCommand: `parley restore logs`, which an operator uses after NATS lost its data.
//
// Owns: the flags and the exit code. Does not own: the steps of a restore
// (services/persistence/runtime/restore-logs.ts), the text of the report (restore-report.ts), when
// to use it (docs/operating).

import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import { isRoomId } from "#shared/protocol/ids.ts";
import type { Partition } from "#shared/protocol/ids.ts";
import type { RestoreChoice } from "../../../services/persistence/core/restore-plan.ts";
import { amountOf, partitionsOf } from "../arguments.ts";
import type { Caller } from "../change.ts";
import { CliError } from "../cli-error.ts";
import { reportLines } from "./restore-report.ts";

interface Flags {
  readonly yes?: boolean;
  readonly archiveIntact?: boolean;
  readonly lost: RestoreChoice["lost"];
  readonly discard: readonly Partition[];
  readonly partitions?: number;
  readonly replicas?: number;
}

export function addRestoreCommands(program: Command, { target, out }: Caller): void {
  program
    .command("restore")
    .description("restore lost data")
    .command("logs")
    .description("create lost partition logs again, behind the archive; prints its plan first")
    .option("--yes", "apply the plan; without this flag it is only printed")
    .option("--archive-intact", "this PostgreSQL was never restored from a backup: trust its proof")
    .option(
      "--lost <what>",
      "rooms that lost messages: none, all, or room ids separated by commas",
      lostOf,
      "auto",
    )
    .option(
      "--discard <partitions>",
      "discard the remaining entries of these logs",
      partitionsOf,
      [],
    )
    .option("--partitions <n>", "the number, if PostgreSQL and NATS have lost it", amountOf)
    .option("--replicas <n>", "of the streams, if no stream is left", amountOf)
    .action(async (flags: Flags) => {
      const { nats, database } = target();
      if (database === undefined) {
        throw new CliError(
          "no address of PostgreSQL is known: use --database <url> or DATABASE_URL",
        );
      }
      const { lost, discard, partitions, replicas } = flags;
      const isConfirmed = flags.yes === true;
      const { restoreLogs } = await import("../../../services/persistence/runtime/restore-logs.ts");
      const report = await restoreLogs({
        nats,
        database,
        isConfirmed,
        lost,
        discard,
        isArchiveIntact: flags.archiveIntact === true,
        ...(partitions !== undefined && { partitions }),
        ...(replicas !== undefined && { replicas }),
      });
      for (const line of reportLines(report, isConfirmed)) out.note(line);
      const { partitions: count, plans, recreated } = report;
      const isApplied = isConfirmed && plans.every(({ kind }) => kind !== "refused");
      const rooms = Object.fromEntries(recreated);
      out.print({ partitions: count, isApplied, plans, recreated: rooms });
      if (report.plans.some(({ kind }) => kind === "refused")) process.exitCode = 1;
    });
}

function lostOf(text: string): RestoreChoice["lost"] {
  if (text === "none" || text === "all") return text;
  const rooms = text.split(",");
  if (rooms.every(isRoomId)) return rooms;
  throw new InvalidArgumentError("Expected none, all, or room ids separated by commas.");
}
