// Promotion: prepares the logs and the archive of a region for a new term, and makes its logs
// mirrors again after it has lost one.
//
// Owns: the order of the steps. Does not own: the decision for each log (core/promotion-plan.ts),
// PostgreSQL and NATS (shared/adapters), the term.
//
//   promotion.1. Every step can be repeated. A promotion that was interrupted begins again and
//        finds what is done. The ends of the mirrors are in the witness before the first mirror
//        changes.
//   promotion.2. Before each step that changes data the region must still hold the term.

import { randomUUID } from "node:crypto";
import type { NatsConnection } from "@nats-io/transport-node";
import {
  findRegionLogs,
  makeMirrors,
  promoteMirrors,
  trimMirror,
} from "#shared/adapters/nats-mirror.ts";
import { replaceLogs } from "#shared/adapters/nats-restore.ts";
import { RestoreArchive } from "#shared/adapters/postgres-restore.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { Witness } from "#shared/ports/witness.ts";
import type { LogSeq } from "#shared/protocol/ids.ts";
import { PartitionMap } from "#shared/protocol/partition-map.ts";
import type { RegionLog, TermRecord } from "#shared/protocol/regions.ts";
import { planPromotion } from "../core/promotion-plan.ts";
import type { PromotionPlan } from "../core/promotion-plan.ts";
import type { PromotionSteps, RegionStores } from "./region-agent.ts";

export interface StoresOptions {
  readonly region: string;
  readonly peer: string;
  readonly partitions: number;
  readonly replicas: number;
  readonly logBytesMax: number;
  readonly database: string;
}

export interface StoresParts {
  readonly connection: NatsConnection;
  readonly witness: Witness;
  readonly clock: Clock;
  readonly report: (event: string, detail: object) => void;
}

const POLL_MS = 100;

export class Stores implements RegionStores {
  readonly #options: StoresOptions;
  readonly #parts: StoresParts;

  constructor(options: StoresOptions, parts: StoresParts) {
    this.#options = options;
    this.#parts = parts;
  }

  async logs(): Promise<readonly (RegionLog | undefined)[]> {
    const found = await findRegionLogs(this.#parts.connection, this.#options.partitions);
    return found.map((log, p) => {
      if (log === undefined) return undefined;
      const { first, last, isMirror, lag } = log;
      return { p, first, last, isMirror, ...(isMirror && { lag }) };
    });
  }

  /** The last entry of each mirror; undefined for a stream that is missing or no mirror. */
  async mirrors(): Promise<readonly (LogSeq | undefined)[]> {
    const found = await findRegionLogs(this.#parts.connection, this.#options.partitions);
    return found.map((log) => (log?.isMirror === true ? log.last : undefined));
  }

  follow(source: string): Promise<void> {
    return makeMirrors(this.#parts.connection, { ...this.#options, source });
  }

  /**
   * Removes entries that the region that serves has removed, too, and that this region's archive
   * has.
   */
  async trim(): Promise<void> {
    const { connection } = this.#parts;
    const { partitions, peer } = this.#options;
    const origins = await findRegionLogs(connection, partitions, peer);
    const archived = await this.#archived();
    for (const [p, origin] of origins.entries()) {
      if (origin === undefined) continue;
      await trimMirror(connection, p, Math.min(origin.first - 1, archived[p] ?? 0));
    }
  }

  async promote(record: TermRecord, steps: PromotionSteps): Promise<void> {
    const { connection } = this.#parts;
    const { partitions, database } = this.#options;
    await using archive = await RestoreArchive.open(database);
    const ends = await this.#endsOf(record, archive);
    check(steps);
    await archive.promote();
    check(steps);
    await promoteMirrors(connection, partitions);
    const plan = await this.#plan(record, ends, { archive, steps });
    check(steps);
    const recreated = await archive.declareLost(plan.lost, {
      map: new PartitionMap(partitions),
      born: randomUUID(),
    });
    if (plan.firstSeqs.size > 0) {
      const logs = this.#options.partitions; // A cluster of two regions is not split (035).
      await replaceLogs(connection, { ...this.#options, logs, firstSeqs: plan.firstSeqs });
    }
    this.#parts.report("logs prepared", {
      term: record.term,
      logs: record.logs,
      replaced: [...plan.firstSeqs.keys()],
      recreatedRooms: [...recreated.values()].reduce((sum, count) => sum + count, 0),
    });
  }

  /**
   * promotion.1: what this region had when the term began: the end of the log, or of the archive
   * where that is ahead.
   */
  async #endsOf({ term, region }: TermRecord, archive: RestoreArchive): Promise<readonly LogSeq[]> {
    const { connection, witness } = this.#parts;
    const { partitions } = this.#options;
    const before = await witness.history(term);
    if (before !== undefined) return before.ends;
    const found = await findRegionLogs(connection, partitions);
    const archived = await archive.endsOrNone(partitions);
    const missing = found.findIndex((log) => log === undefined);
    if (missing >= 0) throw new Error(`the log of partition ${missing} is missing`);
    const ends = found.map((log, p) => Math.max(log?.last ?? 0, archived[p]?.seq ?? 0));
    await witness.record({ v: 1, term, region, ends });
    const written = await witness.history(term);
    if (written === undefined) throw new Error("the witness does not answer");
    return written.ends;
  }

  /** Waits until persistence has archived the rest of the mirrors, where the plan needs it. */
  async #plan(
    { logs }: TermRecord,
    ends: readonly LogSeq[],
    { archive, steps }: { readonly archive: RestoreArchive; readonly steps: PromotionSteps },
  ): Promise<PromotionPlan> {
    const { connection, clock, report } = this.#parts;
    const { partitions } = this.#options;
    const found = await findRegionLogs(connection, partitions);
    for (let isFirst = true; ; isFirst = false) {
      const archived = await archive.endsOrNone(partitions);
      const states = archived.map(({ p, seq }) => {
        return { p, end: ends[p] ?? 0, archived: seq, last: found[p]?.last ?? 0 };
      });
      const plan = planPromotion(logs, states);
      if (plan.unarchived.length === 0) return plan;
      if (isFirst) report("promotion waits for the archive", { partitions: plan.unarchived });
      steps.archive(true);
      await new Promise<void>((run) => clock.after(POLL_MS, run));
      check(steps);
    }
  }

  /** The watermark of each partition. */
  async #archived(): Promise<readonly LogSeq[]> {
    await using archive = await RestoreArchive.open(this.#options.database);
    const ends = await archive.ends(this.#options.partitions);
    return ends.map(({ seq }) => seq);
  }
}

/** promotion.2. */
function check(steps: PromotionSteps): void {
  if (!steps.holds()) throw new Error("this region has lost the term");
}
