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
//   promotion.3. Where both regions serve, the archive of a region that follows is made from its
//        mirrors. A mirror is usable when the archive can take every entry that it lacks from it.
//   promotion.4. There a region first takes the rows of the other region's archive, and then makes
//        its logs mirrors. After a failure in between it follows nothing, and does both again.

import { randomUUID } from "node:crypto";
import type { NatsConnection } from "@nats-io/transport-node";
import {
  below,
  findRegionLogs,
  makeMirrors,
  promoteMirrors,
  trimMirror,
} from "#shared/adapters/nats-mirror.ts";
import { replaceLogs } from "#shared/adapters/nats-restore.ts";
import { copyArchive } from "#shared/adapters/postgres-copy.ts";
import { RestoreArchive } from "#shared/adapters/postgres-restore.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { ArchiveEnd } from "#shared/ports/restore.ts";
import type { Witness } from "#shared/ports/witness.ts";
import type { LogSeq, Partition } from "#shared/protocol/ids.ts";
import { PartitionMap } from "#shared/protocol/partition-map.ts";
import type { RegionLog, TermRecord } from "#shared/protocol/regions.ts";
import { planPromotion } from "../core/promotion-plan.ts";
import type { PromotionPlan } from "../core/promotion-plan.ts";
import type { PromotionSteps, RegionStores } from "./region-agent.ts";

export interface StoresOptions {
  readonly region: string;
  readonly peer: string;
  /** Of the cluster. */
  readonly partitions: number;
  /** Where both regions serve: the partitions of one home. */
  readonly home?: HomeStores | undefined;
  readonly replicas: number;
  readonly logBytesMax: number;
  readonly database: string;
}

export interface HomeStores {
  readonly partitions: readonly Partition[];
  /** Whether the settings of the cluster move with this home. */
  readonly hasSettings: boolean;
  /** The archive of the other region. */
  readonly peerDatabase: string;
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
  /** The partitions of the term. */
  readonly partitions: readonly Partition[];

  constructor(options: StoresOptions, parts: StoresParts) {
    this.#options = options;
    this.#parts = parts;
    this.partitions = options.home?.partitions ?? below(options.partitions);
  }

  /** In the order of the partitions. */
  async logs(): Promise<readonly (RegionLog | undefined)[]> {
    const found = await findRegionLogs(this.#parts.connection, this.partitions);
    return found.map((log, index) => {
      if (log === undefined) return undefined;
      const { first, last, isMirror, lag } = log;
      const p = this.partitions[index] ?? 0;
      return { p, first, last, isMirror, ...(isMirror && { lag }) };
    });
  }

  /** The last entry of each log that is a usable mirror (promotion.3). */
  async mirrors(): Promise<ReadonlyMap<Partition, LogSeq>> {
    const found = await findRegionLogs(this.#parts.connection, this.partitions);
    const isHome = this.#options.home !== undefined;
    const archived = isHome ? await this.#archived() : new Map<Partition, LogSeq>();
    const ends = new Map<Partition, LogSeq>();
    for (const [index, log] of found.entries()) {
      const p = this.partitions[index] ?? 0;
      if (log?.isMirror !== true) continue;
      if (isHome && (log.hasHole || log.first - 1 > (archived.get(p) ?? 0))) continue;
      ends.set(p, log.last);
    }
    return ends;
  }

  async follow(source: string): Promise<void> {
    const { home, database } = this.#options;
    if (home !== undefined) {
      const { partitions: of } = this.#options;
      const rows = await copyArchive(
        { from: home.peerDatabase, to: database },
        { ps: home.partitions, of },
      );
      this.#parts.report("archive copied", { from: source, ...rows }); // promotion.4
    }
    await makeMirrors(this.#parts.connection, { ...this.#options, ...this.#scope, source });
  }

  /** What of the region belongs to the term. */
  get #scope(): { readonly logs: readonly Partition[]; readonly withSettings: boolean } {
    const { home } = this.#options;
    return { logs: this.partitions, withSettings: home?.hasSettings ?? true };
  }

  /**
   * Removes entries that the region that serves has removed, too, and that this region's archive
   * has.
   */
  async trim(): Promise<void> {
    const { connection } = this.#parts;
    const origins = await findRegionLogs(connection, this.partitions, this.#options.peer);
    const archived = await this.#archived();
    for (const [index, origin] of origins.entries()) {
      const p = this.partitions[index] ?? 0;
      if (origin === undefined) continue;
      await trimMirror(connection, p, Math.min(origin.first - 1, archived.get(p) ?? 0));
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
    await promoteMirrors(connection, this.partitions, this.#scope);
    const plan = await this.#plan(record, ends, { archive, steps });
    check(steps);
    const recreated = await archive.declareLost(plan.lost, {
      map: new PartitionMap(partitions),
      born: randomUUID(),
    });
    if (plan.firstSeqs.size > 0) {
      const { firstSeqs } = plan;
      const only = new Set(this.partitions);
      const logs = partitions; // A cluster of two regions is not split (035).
      await replaceLogs(connection, { ...this.#options, logs, only, firstSeqs });
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
    const before = await witness.history(term);
    if (before !== undefined) return before.ends;
    const found = await findRegionLogs(connection, this.partitions);
    const archived = await this.#endsIn(archive);
    const missing = found.indexOf(undefined);
    if (missing >= 0) {
      throw new Error(`the log of partition ${this.partitions[missing]} is missing`);
    }
    const ends = found.map((log, index) => Math.max(log?.last ?? 0, archived[index]?.seq ?? 0));
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
    const found = await findRegionLogs(connection, this.partitions);
    for (let isFirst = true; ; isFirst = false) {
      const archived = await this.#endsIn(archive);
      const states = archived.map(({ p, seq }, index) => {
        return { p, end: ends[index] ?? 0, archived: seq, last: found[index]?.last ?? 0 };
      });
      const plan = planPromotion(logs, states);
      if (plan.unarchived.length === 0) return plan;
      if (isFirst) report("promotion waits for the archive", { partitions: plan.unarchived });
      steps.archive(true);
      await new Promise<void>((run) => clock.after(POLL_MS, run));
      check(steps);
    }
  }

  /** The ends of the archive, in the order of the partitions. */
  async #endsIn(archive: RestoreArchive): Promise<readonly ArchiveEnd[]> {
    const ends = await archive.endsOrNone(this.#options.partitions);
    return ends.filter(({ p }) => this.partitions.includes(p));
  }

  /** The watermark of each partition. */
  async #archived(): Promise<ReadonlyMap<Partition, LogSeq>> {
    await using archive = await RestoreArchive.open(this.#options.database);
    return new Map((await this.#endsIn(archive)).map(({ p, seq }) => [p, seq]));
  }
}

/** promotion.2. */
function check(steps: PromotionSteps): void {
  if (!steps.holds()) throw new Error("this region has lost the term");
}
