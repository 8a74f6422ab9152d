// Faults: how long each fault kept each unit from being served, from the records of the clients
// alone.
//
// A *unit* is a room, or a client of a killed gateway. A unit is back with its first fresh
// acknowledgement: of a message that a client first sent after the begin of the fault (or after its
// heal, when the deadline runs from there). So no message that was stored before counts as
// recovery.
//
//   checker/faults.1. No process needs more memory than its bound.
//   checker/faults.2. Every unit comes back, 99 % of the units of a fault within its deadline, and
//        the archive catches up within its own. F22 shows no client an error, a full log (F10)
//        refuses sends soon, and a bad network (F15) moves no partition.

import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import type { Conns } from "./conns.ts";
import { Latencies } from "./latencies.ts";
import type { Percentiles } from "./latencies.ts";
import { LOST } from "./record.ts";
import type { ClientRecord, FaultRecord, RunRecord } from "./record.ts";
import type { Fail } from "./violation.ts";

type Begin = Extract<FaultRecord, { phase: "invoke" }>;

export interface FaultReport {
  readonly n: number;
  readonly fault: string;
  readonly target: string;
  /** Milliseconds from the run's begin. */
  readonly at: number;
  readonly healedAt: number | undefined;
  readonly backMs: number;
  readonly since: "start" | "heal";
  /** Milliseconds until each unit was back, ascending. */
  readonly tookMs: readonly number[];
  readonly never: readonly string[];
  readonly drainMs?: number;
  readonly backlog?: number;
  /** Milliseconds until the first client got an error; undefined without one. */
  readonly refusalMs: number | undefined;
  /** New tenures during the fault. */
  readonly tenures: number | undefined;
  /** First send to acknowledgement, for acknowledgements before the fault was over. */
  readonly ackMs: Percentiles;
}

/**
 * The lane shows a temporary refusal as `unavailable` when it sent two copies (lane.3), and a room
 * answers `busy` to a send behind a refused one (O4). This long after a refusal by a rate or a slow
 * mode, both count as refusals by the same one.
 */
const PACED_MS = 5_000;

const DECISIONS: ReadonlySet<string> = new Set(["forbidden", "conflict", "rate_limited"]);

interface Watched {
  readonly begin: Begin;
  /** Undefined until the deadline runs. */
  from: number | undefined;
  healedAt: number | undefined;
  readonly waiting: Set<string>;
  readonly took: { readonly unit: string; readonly ms: number }[];
  drained: { readonly drainMs: number; readonly backlog: number } | undefined;
  errors: number;
  refusedAt: number | undefined;
  tenures: number | undefined;
  readonly latencies: Latencies;
}

/**
 * A room or client without a message for this long is no unit: no message would show that it is
 * back. A guest who only enters a room, once in a while, is none either.
 */
export const ACTIVE_MS = 5_000;

export class Faults {
  readonly #conns: Conns;
  readonly #fail: Fail;
  readonly #faults = new Map<number, Watched>();
  /** Faults that are not over or have units that are not back. */
  #watched: Watched[] = [];
  /** The time of the last send to each room, and of each client. */
  readonly #rooms = new Map<RoomId, number>();
  readonly #clients = new Map<UserId, number>();
  /** By client and room: the last refusal by a rate or a slow mode. */
  readonly #paced = new Map<string, number>();
  /** The last time at which a fault was watched: an earlier send may have waited because of it. */
  #watchedAt = 0;
  /** Of messages that were sent and acknowledged while no fault was watched. */
  readonly calm = new Latencies();
  readonly peaks = new Map<string, number>();

  constructor(conns: Conns, fail: Fail) {
    this.#conns = conns;
    this.#fail = fail;
  }

  onFault(record: FaultRecord): void {
    if (record.phase === "invoke") {
      const isSince = record.since === "start";
      const watched: Watched = {
        begin: record,
        from: isSince ? record.t : undefined,
        healedAt: undefined,
        waiting: new Set(this.#units(record)),
        took: [],
        drained: undefined,
        errors: 0,
        refusedAt: undefined,
        tenures: undefined,
        latencies: new Latencies(),
      };
      this.#faults.set(record.n, watched);
      this.#watched.push(watched);
      return;
    }
    const watched = this.#faults.get(record.n);
    if (watched === undefined) return;
    if (record.phase === "ok") {
      watched.healedAt = record.t;
      watched.from ??= record.t;
      watched.tenures = record.tenures;
      this.#dropFinished();
      return;
    }
    const { drainMs, withinMs, backlog } = record;
    watched.drained = { drainMs, backlog };
    if (drainMs <= withinMs) return;
    this.#fail(
      "I13",
      `${nameOf(watched)}: the archive needed ${Math.round(drainMs)} ms to catch up`,
    );
  }

  /**
   * The first acknowledgement of a message that was first sent at `sentAt`. `isTimed`: its time
   * says something about the server.
   */
  onAcked(
    record: ClientRecord & { readonly room: RoomId },
    sentAt: number,
    { isTimed }: { readonly isTimed: boolean },
  ): void {
    const tookMs = record.t - sentAt;
    if (this.#watched.length > 0) this.#watchedAt = record.t;
    else if (isTimed && sentAt > this.#watchedAt) this.calm.add(tookMs);
    for (const watched of this.#watched) {
      const { from, waiting, begin } = watched;
      if (isTimed) watched.latencies.add(tookMs);
      if (from === undefined || sentAt < from) continue;
      const unit = begin.scope.kind === "via" ? record.client : record.room;
      if (!waiting.delete(unit)) continue;
      watched.took.push({ unit, ms: record.t - from });
      if (waiting.size === 0) this.#dropFinished();
    }
  }

  onSent({ client, room, t }: Pick<ClientRecord, "client" | "t"> & { room: RoomId }): void {
    this.#rooms.set(room, t);
    this.#clients.set(client, t);
  }

  /**
   * A client got an error. A lost connection does not count as one, nor does an answer that a room
   * gives without any fault.
   */
  onError(record: ClientRecord & { readonly err: string; readonly room: RoomId }): void {
    const { err, t, client, room } = record;
    const pair = `${client} ${room}`;
    if (err === "rate_limited") this.#paced.set(pair, t);
    if (err === LOST || DECISIONS.has(err)) return;
    const pacedAt = this.#paced.get(pair) ?? -Infinity;
    if ((err === "unavailable" || err === "busy") && t - pacedAt <= PACED_MS) return;
    for (const watched of this.#watched) {
      if (watched.healedAt !== undefined) continue;
      watched.errors++;
      watched.refusedAt ??= t;
    }
  }

  onSample({ process, mib, mibMax }: Extract<RunRecord, { op: "sample" }>): void {
    this.peaks.set(process, Math.max(mib, this.peaks.get(process) ?? 0));
    if (mib > mibMax) this.#fail("I12", `${process} needs ${mib} MiB; its bound is ${mibMax}`);
  }

  finish(beganAt: number): FaultReport[] {
    const reports = [...this.#faults.values()].map((watched): FaultReport => {
      this.#judge(watched);
      const { n, fault, target, t, backMs, since } = watched.begin;
      const { tenures, refusedAt, drained } = watched;
      return {
        n,
        fault,
        target,
        at: t - beganAt,
        healedAt: watched.healedAt === undefined ? undefined : watched.healedAt - beganAt,
        backMs,
        since,
        tookMs: watched.took.map(({ ms }) => ms).sort((a, b) => a - b),
        never: [...watched.waiting],
        refusalMs: refusedAt === undefined ? undefined : refusedAt - t,
        tenures,
        ackMs: watched.latencies.percentiles(),
        ...drained,
      };
    });
    this.#judgeDeadlines(reports);
    return reports;
  }

  #judge(watched: Watched): void {
    const { begin, waiting, errors, refusedAt, tenures = 0 } = watched;
    const fail = (what: string): void => this.#fail("I13", `${nameOf(watched)}: ${what}`);
    if (waiting.size > 0) {
      fail(`${waiting.size} never came back: ${[...waiting].slice(0, 5).join(", ")}`);
    }
    if (begin.isSilent === true && errors > 0) fail(`clients got ${errors} errors`);
    if (begin.isSteady === true && tenures > 0) fail(`${tenures} takeovers of partitions`);
    if (begin.refusalMs === undefined) return;
    const firstMs = refusedAt === undefined ? Infinity : refusedAt - begin.t;
    if (firstMs > begin.refusalMs) fail(`no send was refused within ${begin.refusalMs} ms`);
  }

  #judgeDeadlines(reports: readonly FaultReport[]): void {
    for (const fault of new Set(reports.map((report) => report.fault))) {
      const same = reports.filter((report) => report.fault === fault);
      const backMs = Math.max(...same.map((report) => report.backMs));
      const tookMs = same.flatMap((report) => report.tookMs).sort((a, b) => a - b);
      const p99 = percentile(tookMs, 0.99);
      if (p99 <= backMs) continue;
      const late = tookMs.filter((ms) => ms > backMs).length;
      const count = `${late} of ${tookMs.length} came back late`;
      this.#fail("I13", `${fault}: ${count}: p99 ${Math.round(p99)} ms, allowed ${backMs}`);
    }
  }

  #units({ scope, t }: Begin): Iterable<string> {
    if (scope.kind === "rooms") return scope.rooms;
    if (scope.kind === "all") {
      // A room without recent sends is no unit.
      return [...this.#rooms].flatMap(([room, at]) => (t - at < ACTIVE_MS ? [room] : []));
    }
    const clients = new Set<UserId>();
    for (const { client, via } of this.#conns.all()) {
      const sentAt = this.#clients.get(client) ?? -Infinity;
      // Nor is a client that only reads, or has sent all of its messages.
      if (via === scope.gateway && t - sentAt < ACTIVE_MS) clients.add(client);
    }
    return clients;
  }

  #dropFinished(): void {
    this.#watched = this.#watched.filter(
      ({ waiting, healedAt }) => waiting.size > 0 || healedAt === undefined,
    );
  }
}

function nameOf({ begin: { n, fault, target } }: Watched): string {
  return `${fault} (${target}, no. ${n})`;
}

/** Nearest rank over ascending values; 0 when there are none. */
export function percentile(ascending: readonly number[], share: number): number {
  return ascending[Math.max(0, Math.ceil(ascending.length * share) - 1)] ?? 0;
}
