// Region: `parley region`, with which an operator inspects and changes the term of two regions. It
// asks the agent of the region whose NATS servers it reaches.
//
// Owns: the flags, the texts, the file of `rejoin`. Does not own: decisions
// (services/region/runtime/region-agent.ts).
//
//   region.1. `rejoin` first writes every entry that only this region has to a file, and reports
//        their number. The agent deletes the logs only when they end where the file ends.

import { open } from "node:fs/promises";
import { Argument } from "commander";
import type { Command } from "commander";
import type { NatsBus } from "#shared/adapters/bus-nats.ts";
import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import type { PartitionLog } from "#shared/ports/log.ts";
import type { LogSeq, Partition } from "#shared/protocol/ids.ts";
import { decodeRegionAnswer, encodeRegionRequest } from "#shared/protocol/regions.ts";
import type { RegionMode, RegionRequest, RegionStatus } from "#shared/protocol/regions.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import type { Caller } from "./change.ts";
import { CliError } from "./cli-error.ts";

/** A hand-over waits for a lease, and then for the follower. */
const ANSWER_WITHIN_MS = 120_000;
const STATUS_WITHIN_MS = 10_000;

export function addRegionCommands(program: Command, { target, out }: Caller): void {
  const region = program.command("region").description("two regions that share terms");
  const print = (status: RegionStatus): void => out.print(status, ...statusLines(status));
  const change = async (request: Request): Promise<void> =>
    print(await withBus(target().nats, (bus) => ask(bus, request)));
  const command = (name: string, description: string): Command =>
    region
      .command(name)
      .description(description)
      .option("--home <region>", "the home that it is about, where both regions serve");
  command("status", "which region serves, the mode, and the mirrors of this region").action(
    async ({ home }: HomeOption) => {
      await withBus(target().nats, async (bus) => {
        const status = await ask(bus, { verb: "status", ...homeOf(home) });
        print(status);
        const { homes = [] } = status;
        for (const name of home === undefined ? homes.slice(1) : []) {
          print(await ask(bus, { verb: "status", home: name }));
        }
      });
    },
  );
  command("promote", "let this region take the term over; refused while the other one holds it")
    .option("--accept-loss", "also when this region is not the follower: messages are lost")
    .action(({ acceptLoss, home }: HomeOption & { acceptLoss?: boolean }) =>
      change({ verb: "promote", ...homeOf(home), acceptLoss: acceptLoss === true }),
    );
  command("demote", "hand the term over to the other region; nothing is lost").action(
    ({ home }: HomeOption) => change({ verb: "demote", ...homeOf(home) }),
  );
  command("mode", "choose whether an ack waits for the mirror of the other region")
    .addArgument(new Argument("<mode>").choices(["synchronous", "asynchronous"]))
    .action((mode: RegionMode, { home }: HomeOption) =>
      change({ verb: "mode", ...homeOf(home), mode }),
    );
  command("rejoin", "save the entries that only this region has, and follow the other region")
    .requiredOption("--save <file>", "the new file for these entries, one JSON object per line")
    .option("--all", "save every entry of the logs, for a region that took over with --accept-loss")
    .action(async ({ save, all, home }: HomeOption & { save: string; all?: boolean }) => {
      await withBus(target().nats, async (bus) => {
        const { saved, ends } = await saveLogs(bus, { path: save, isAll: all === true, home });
        out.note(`saved ${saved} entries to ${save}`);
        print(await ask(bus, { verb: "rejoin", ...homeOf(home), saved: ends }));
      });
    });
}

type Request = Omit<RegionRequest, "v" | "by">;

interface HomeOption {
  readonly home?: string | undefined;
}

function homeOf(home: string | undefined): { readonly home?: string } {
  return home === undefined ? {} : { home };
}

/** One line for the term, and one for each log that a reader should know about. */
export function statusLines(status: RegionStatus): string[] {
  const { region, peer, home, state, record, leftMs, lag, logs } = status;
  const lines = [`region ${region}: ${state}${home === undefined ? "" : `, home ${home}`}`];
  const which = home === undefined ? "" : ` --home ${home}`;
  if (record === null) lines.push(`term: none; begin with parley region promote${which}`);
  else {
    const { term, mode, phase, follower } = record;
    const left = record.region === region ? `, lease ${(leftMs / 1_000).toFixed(1)} s` : "";
    lines.push(`term ${term}: ${record.region}, ${phase}, ${mode}${left}`);
    lines.push(`follower: ${follower ?? "none"}`);
    if (record.region === region) {
      lines.push(`mirror of ${peer}: ${lag === null ? "no report" : `${lag} entries behind`}`);
    }
  }
  for (const { p, first, last, isMirror, lag: behind, common } of logs) {
    const mirror = isMirror ? `, mirror, ${behind ?? 0} behind` : "";
    const own = !isMirror && common !== undefined ? Math.max(0, last - common) : 0;
    const alone = own > 0 ? `, ${own} entries that ${peer} may not have` : "";
    lines.push(`log ${p}: ${first} to ${last}${mirror}${alone}`);
  }
  return lines;
}

async function ask(bus: NatsBus, request: Request): Promise<RegionStatus> {
  const timeoutMs = request.verb === "status" ? STATUS_WITHIN_MS : ANSWER_WITHIN_MS;
  const { operatorName } = await import("./control.ts");
  const text = encodeRegionRequest({ by: operatorName(), ...request });
  const outcome = await bus.request(subjects.regionControl, text, { timeoutMs });
  if (outcome.kind === "no-responders") {
    throw new CliError("no region agent answers here: start services/region, or use --nats <url>");
  }
  if (outcome.kind !== "ok") {
    throw new CliError("the region agent did not answer in time: see parley region status");
  }
  const answer = decodeRegionAnswer(new TextDecoder().decode(outcome.data));
  if (answer === undefined) throw new CliError("the answer of the region agent cannot be decoded");
  if ("error" in answer) {
    throw new CliError(`${answer.error}: ${answer.message}`, { code: answer.error });
  }
  return answer.ok;
}

/** region.1. Rejects before anything is written when the file exists. */
async function saveLogs(
  bus: NatsBus,
  { path, isAll, home }: { readonly path: string; readonly isAll: boolean } & HomeOption,
): Promise<{ readonly saved: number; readonly ends: readonly (LogSeq | null)[] }> {
  const { logs } = await ask(bus, { verb: "status", ...homeOf(home) });
  const own = logs.filter(({ isMirror }) => !isMirror);
  const file = await open(path, "wx").catch((error: unknown) => {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new CliError(`cannot create ${path} (${reason}): choose a new file with --save`);
  });
  try {
    const { openNatsLog } = await import("#shared/adapters/log-nats.ts");
    const log = openNatsLog(bus);
    let saved = 0;
    for (const { p, first, last, common = 0 } of own) {
      const from = isAll ? first : Math.max(first, common + 1);
      await readLog(log, { p, from, last }, async (seq, entry) => {
        await file.write(`${JSON.stringify({ p, seq, entry })}\n`);
        saved++;
      });
    }
    await file.sync();
    const partitions = Math.max(0, ...logs.map(({ p }) => p + 1));
    const ends = Array.from({ length: partitions }, (_, p) => {
      return own.find((one) => one.p === p)?.last ?? null;
    });
    return { saved, ends };
  } finally {
    await file.close();
  }
}

async function readLog(
  log: PartitionLog,
  { p, from, last }: { readonly p: Partition; readonly from: LogSeq; readonly last: LogSeq },
  take: (seq: LogSeq, entry: string) => Promise<void>,
): Promise<void> {
  for (let seq = from; seq <= last; seq++) {
    const outcome = await log.get(p, seq);
    if (outcome.kind === "gone") continue; // Trimmed: it is in the archive of this region.
    if (outcome.kind !== "ok") {
      throw new CliError(`entry ${seq} of log ${p} cannot be read: ${outcome.reason}`);
    }
    await take(seq, new TextDecoder().decode(outcome.data));
  }
}

async function withBus<T>(nats: NatsAccess, action: (bus: NatsBus) => Promise<T>): Promise<T> {
  const { openNatsBus } = await import("#shared/adapters/bus-nats.ts");
  const { createLogger } = await import("#shared/process/logger.ts");
  const logger = createLogger({ name: "parley-cli", level: "silent" });
  const inboxPrefix = "_INBOX_ctl";
  const bus = await openNatsBus({ ...nats, name: "parley-region", inboxPrefix, logger });
  try {
    return await action(bus);
  } finally {
    await bus.close();
  }
}
