// Run: one chaos run, from a plan to a folder that the checker can judge at any time.
//
//   run.1. The run prints its plan before its first fault.
//   run.2. The run records a fault before it injects it.
//   run.3. The generator, the proxies and the cluster are stopped at the end, also after an error.
//   run.4. A run counts only when every send was acknowledged, no client got an answer that it must
//        never get, no service foretold a leak, and the generator was on time.

import { appendFileSync, closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RoomId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import type { Report } from "../checker/check.ts";
import { checkFolder, FILES } from "../checker/folder.ts";
import { encodeRecord } from "../checker/record.ts";
import type { HistoryRecord, HookRecord } from "../checker/record.ts";
import { DEFAULTS } from "#infra/embedded/cluster-options.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { aim } from "./faults.ts";
import { saveDumps } from "./saved-dumps.ts";
import { HOOK_ENV, HookReceiver } from "./hook-receiver.ts";
import { LoadProcess } from "./load-process.ts";
import { Network } from "./network.ts";
import type { ChaosOptions } from "./options.ts";
import { makePlan } from "./plan.ts";
import type { Step } from "./plan.ts";
import { runNow } from "./run-clock.ts";
import { countServices } from "./service-counters.ts";
import type { ServiceCounters } from "./service-counters.ts";
import { ChaosCluster } from "./chaos-cluster.ts";
import type { GatewayCounters } from "./chaos-cluster.ts";
import { REPOSITORY } from "../versions/checkout.ts";
import { TwoVersions } from "./two-versions.ts";

export interface ChaosResult {
  readonly folder: string;
  readonly plan: readonly Step[];
  readonly report: Report;
  readonly services: ServiceCounters & GatewayCounters;
  /** With two versions: what happened between them. */
  readonly versions?: string;
  /** Why the run is void, whatever the checker reports; empty in a good run. */
  readonly complaints: readonly string[];
  readonly slipMs: number;
  readonly skipped: number;
}

/** The name of this checkout beside another version. */
const OURS = { version: "this", folder: REPOSITORY };
const PARTITIONS = 16;
const GATEWAYS = 2;
const NODES = 2;
const WORKERS = 2;
const WEBHOOKS = 2;
/** Rooms of which a receiver gets every event: a delivery costs more than a line to a socket. */
const HOOKED_ROOMS = 5;
const PER_ROOM = 2;
const ROOMS_PER_CLIENT = 4;
const CLOSED_ROOMS = 4;
const WARM_MS = 3_000;
const JOINED_WITHIN_MS = 60_000;
const SAMPLE_EVERY_MS = 2_000;
/** After a heal the run waits until the clients have no backlog, so that faults do not overlap. */
const CALM_WITHIN_MS = 30_000;
const CALM_PENDING_MAX = 200;
/** Added to the time between two messages of a room. */
const CALM_QUIET_MS = 1_000;
/**
 * A node that came back gets its partitions back after 3.5 s (P19) and reports them with its next
 * beat. That change must not count for the next fault. The wait also runs from the heal, because
 * the last change of an owner may be earlier.
 */
const CALM_SETTLED_MS = 5_500;
const DRAIN_WITHIN_MS = 90_000;
const ARCHIVE_WITHIN_MS = 120_000;
const POLL_MS = 50;
/** A later generator has not made the load of the plan. */
const SLIP_MS_MAX = 3_000;
/** Keeps the whole log for the comparison. */
const KEEP_ENTRIES = "10000000";

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { seed, say, dir } = options;
  const plan = makePlan(options);
  const stamp = new Date().toISOString().replaceAll(/[-:]|\..*/g, "");
  const folder = join(dir, `${stamp}-seed-${seed}`);
  mkdirSync(folder, { recursive: true });
  for (const { n, row, restMs } of plan) {
    say(`plan ${n}: ${row.name.padEnd(8)} ${row.what}; ${restMs} ms of rest before it`); // run.1
  }
  await using stack = new AsyncDisposableStack();
  const network = new Network({ isNeeded: plan.some(({ row }) => row.needs === "network"), seed });
  stack.defer(() => network.close());
  const dataDir = join(folder, "data");
  const versions = options.previous && new TwoVersions(OURS, options.previous);
  const cluster = await startCluster({
    dataDir,
    ...(versions !== undefined && { codeOf: (service) => versions.next(service) }),
    port: 0,
    gateways: GATEWAYS,
    rooms: NODES,
    persistence: WORKERS,
    nats: options.nats,
    partitions: PARTITIONS,
    limits: "off",
    webhooks: versions === undefined ? WEBHOOKS : 0,
    env: { LOG_KEEP_ENTRIES: KEEP_ENTRIES, ...HOOK_ENV },
    route: (service, server, urls) => network.through(service, server, urls),
    say: (line) => appendFileSync(join(folder, "cluster.txt"), `${line}\n`),
  });
  stack.use(cluster);
  const load = new LoadProcess();
  stack.defer(() => load.end());
  const run = await Run.open(options, { folder, cluster, load, network, versions });
  stack.defer(() => run.close());
  await run.go(plan);
  await run.drain();
  await run.dump();
  const { slipMsMax: slipMs } = load;
  const { skipped, surprises } = load.state;
  await stack.disposeAsync();
  const services = { ...countServices(join(dataDir, "logs")), ...run.gatewayCounters };
  say("checking …");
  const report = checkFolder(folder);
  rmSync(join(dataDir, "postgres"), { recursive: true, force: true });
  for (const name of ["nats", "nats-1", "nats-2", "nats-3"]) {
    rmSync(join(dataDir, name), { recursive: true, force: true });
  }
  const complaints = [
    ...surprises.map((what) => `an answer that a client must never get: ${what}`),
    ...(slipMs > SLIP_MS_MAX ? [`the generator was ${Math.round(slipMs)} ms late`] : []),
    ...(services.falseAlarms > 0 ? [`${services.falseAlarms} leaks foretold, and none was`] : []),
    ...run.complaints,
    ...(versions?.complaints() ?? []),
    ...(options.mustAllHappen ? neverHappened(report, services, versions !== undefined) : []),
  ];
  const also = versions !== undefined && { versions: versions.describe() };
  return { folder, plan, report, services, ...also, complaints, slipMs, skipped };
}

/** What an older version beside this one does not have. */
const NEW_TRAFFIC: ReadonlySet<string> = new Set([
  "memberRemoved",
  "messagesViewed",
  "roomsListed",
  "positionGrew",
  "guestEntered",
  "writeRefused",
  "senderSlowed",
  "slowModeJudged",
  "textErased",
  "hookDelivered",
]);

/** A full run must see each of these events at least once. */
function neverHappened(
  { sometimes, counts }: Report,
  services: ChaosResult["services"],
  isOfTwoVersions: boolean,
): string[] {
  const { slowDemoted, holesRepaired, linesDropped } = services;
  // NATS refused the append, or the append is in the log and every reader skips it (P15).
  const staleRefused = services.staleRefused + counts.voided;
  return Object.entries({ ...sometimes, staleRefused, slowDemoted, holesRepaired, linesDropped })
    .filter(([, count]) => count === 0)
    .filter(([name]) => !(isOfTwoVersions && NEW_TRAFFIC.has(name)))
    .map(([name]) => `${name} never happened`);
}

interface Parts {
  readonly folder: string;
  readonly cluster: Cluster;
  readonly load: LoadProcess;
  readonly network: Network;
  readonly versions: TwoVersions | undefined;
}

class Run {
  readonly #options: ChaosOptions;
  readonly #parts: Parts;
  readonly #chaos: ChaosCluster;
  readonly #records: number;
  readonly complaints: string[] = [];
  #sampling: NodeJS.Timeout | undefined;

  private constructor(options: ChaosOptions, parts: Parts, chaos: ChaosCluster) {
    this.#options = options;
    this.#parts = parts;
    this.#chaos = chaos;
    this.#records = openSync(join(parts.folder, FILES.records), "a");
  }

  static async open(options: ChaosOptions, parts: Parts): Promise<Run> {
    const { cluster, load, folder } = parts;
    const rooms = Array.from({ length: options.rooms }, (_, i) => `room-${i}` as RoomId);
    let record: (record: HookRecord) => void = () => undefined;
    const hooks =
      parts.versions === undefined ? new HookReceiver((hook) => record(hook)) : undefined;
    const chaos = await ChaosCluster.open({
      ...parts,
      hooks,
      partitions: PARTITIONS,
      rooms,
      logBytesMax: DEFAULTS.logBytesMax,
      sleepers: options.sleepers,
      fakeTimeLibrary: options.fakeTimeLibrary,
    });
    const run = new Run(options, parts, chaos);
    record = (hook) => run.#record(hook);
    await hooks?.subscribe(cluster.url, rooms.slice(0, HOOKED_ROOMS));
    const endpoints = cluster.info().gateways.map(({ name, url }) => ({
      name,
      url: new URL("/v1/ws", url.replace("http", "ws")).href,
    }));
    load.open(
      {
        seed: options.seed,
        endpoints,
        rooms: options.rooms,
        perRoom: PER_ROOM,
        roomsPerClient: ROOMS_PER_CLIENT,
        rate: options.rate,
        // A version without members treats every room as open.
        closedRooms: parts.versions === undefined ? CLOSED_ROOMS : 0,
        file: join(folder, FILES.records),
      },
      cluster.url,
    );
    await until(() => load.state.isJoined, {
      withinMs: JOINED_WITHIN_MS,
      what: "every client to join its rooms",
    });
    return run;
  }

  get gatewayCounters(): GatewayCounters {
    return this.#chaos.gatewayCounters;
  }

  async go(plan: readonly Step[]): Promise<void> {
    const { say, seconds, endsWithPlan } = this.#options;
    const { load } = this.#parts;
    load.start();
    this.#sampling = setInterval(() => {
      for (const sample of this.#chaos.samples()) this.#record(sample);
      void this.#chaos.scrape(); // Resolves whatever happens.
    }, SAMPLE_EVERY_MS);
    const endsAt = endsWithPlan ? Infinity : runNow() + seconds * 1_000;
    await this.#sleep(WARM_MS);
    for (const step of plan) {
      await this.#sleep(step.restMs);
      if (runNow() + step.row.holdMs > endsAt) {
        say(`${step.row.name} and the later faults are left out: the time is over`);
        break;
      }
      await this.#fault(step);
    }
    if (!endsWithPlan) await this.#sleep(Math.max(0, endsAt - runNow()));
  }

  async #fault(step: Step): Promise<void> {
    const { say, patience } = this.#options;
    const { n, row } = step;
    const fault = await aim(this.#chaos, step);
    const { target, scope } = fault;
    const t = runNow();
    say(`fault ${n}: ${row.name} ${target}`);
    const { name, since, isSilent, isSteady, refusalMs } = row;
    const { tenures } = this.#chaos;
    this.#record({
      t,
      op: "fault",
      n,
      phase: "invoke",
      fault: name,
      target,
      scope,
      backMs: row.backMs * patience,
      since,
      ...(isSilent && { isSilent }),
      ...(isSteady && { isSteady }),
      ...(refusalMs !== undefined && { refusalMs: refusalMs * patience }),
    }); // run.2
    try {
      await fault.strike();
      await this.#sleep(row.holdMs);
    } finally {
      await fault.heal(); // Also in an aborted run: a paused process would stay paused.
    }
    const healedAt = runNow();
    const changed = this.#chaos.tenures - tenures;
    this.#record({ t: healedAt, op: "fault", n, phase: "ok", tenures: changed });
    if (row.drainMs !== undefined) await this.#awaitArchive(n, healedAt, row.drainMs * patience);
    await this.#calm(row.name, healedAt);
  }

  /** Waits until the archive has the entries that the logs had at the heal. */
  async #awaitArchive(n: number, healedAt: number, withinMs: number): Promise<void> {
    const lasts = await this.#chaos.lasts();
    const backlog = await this.#chaos.backlog(lasts);
    while ((await this.#chaos.backlog(lasts)) > 0) {
      if (runNow() - healedAt > Math.max(ARCHIVE_WITHIN_MS, withinMs)) break;
      await sleep(POLL_MS);
    }
    const drainMs = runNow() - healedAt;
    const known = Number.isFinite(backlog) ? backlog : -1;
    this.#record({
      t: runNow(),
      op: "fault",
      n,
      phase: "info",
      backlog: known,
      drainMs,
      withinMs,
    });
  }

  /** The checker judges each fault alone, so the next one waits until the backlog is gone. */
  async #calm(after: string, healedAt: number): Promise<void> {
    const { load } = this.#parts;
    const { rooms, rate } = this.#options;
    const quietMs = CALM_QUIET_MS + (2 * 1_000 * rooms) / rate;
    const isCalm = (): boolean =>
      load.state.pending < CALM_PENDING_MAX &&
      load.state.quietMs < quietMs &&
      load.state.isJoined &&
      Math.min(this.#chaos.settledMs, runNow() - healedAt) > CALM_SETTLED_MS;
    const from = load.reports;
    try {
      await until(() => load.reports > from + 1 && isCalm(), {
        withinMs: CALM_WITHIN_MS,
        what: "calm",
      });
    } catch {
      this.#options.say(`the clients still had a backlog ${CALM_WITHIN_MS} ms after ${after}`);
    }
  }

  /**
   * run.4: waits until every send is acknowledged, then until presence must be right, and then for
   * the last room lists.
   */
  async drain(): Promise<void> {
    const { load } = this.#parts;
    load.finish();
    const from = load.reports;
    try {
      await until(
        () => load.reports > from + 2 && load.state.pending === 0 && load.state.isJoined,
        {
          withinMs: DRAIN_WITHIN_MS,
          what: "every send to be acknowledged",
        },
      );
    } catch {
      this.complaints.push(`${load.state.pending} sends were never acknowledged`);
    }
    await this.#sleep(this.#options.quietMs);
    try {
      await this.#chaos.hooks?.caughtUp();
    } catch {
      this.complaints.push("a receiver of webhooks did not get everything in time");
    }
    const { forged = 0 } = this.#chaos.hooks ?? {};
    if (forged > 0) this.complaints.push(`${forged} webhooks had no valid signature`);
    try {
      await load.listLast();
    } catch {
      this.complaints.push(`${load.state.unlisted} clients got no last room list`);
    }
    this.#record({ t: runNow(), op: "mark", what: "end" });
    clearInterval(this.#sampling);
  }

  async dump(): Promise<void> {
    const { folder, cluster } = this.#parts;
    await saveDumps(folder, { cluster, partitions: this.#chaos.logs });
  }

  async close(): Promise<void> {
    clearInterval(this.#sampling);
    await this.#chaos.hooks?.close();
    await this.#chaos.close();
    closeSync(this.#records);
  }

  /** Rejects when the run is aborted. */
  async #sleep(ms: number): Promise<void> {
    const { signal } = this.#options;
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  }

  #record(record: HistoryRecord): void {
    writeSync(this.#records, `${encodeRecord(record)}\n`);
  }
}
