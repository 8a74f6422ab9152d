// Recorded run: clients that send and read through a Service during all steps of a test, their
// records, and the judgement of the checker.
//
// Owns: the folder of the run, the load, a record for each step. Does not own: what a step does.
//
//   recorded-run.1. Each step is a fault of the records: the checker measures the longest wait of a
//        sender during it, and fails when a room is not served again within BACK_MS.
//   recorded-run.2. A step ends when the clients have no backlog, so that no step has the waits of
//        the one before.
//   recorded-run.3. Guests that come and go are new connections: `count` of them join, send for
//        GUESTS_STAY_MS and leave, then the next come. A new weight of a route reaches new
//        connections only.

import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "#shared/testing/wait.ts";
import { REPOSITORY } from "#infra/embedded/service-process.ts";
import { LoadProcess } from "../chaos/load-process.ts";
import { runNow } from "../chaos/run-clock.ts";
import type { Report } from "../checker/check.ts";
import { checkFolder, FILES } from "../checker/folder.ts";
import { encodeRecord } from "../checker/record.ts";
import type { RunRecord } from "../checker/record.ts";
import { dumpCluster } from "../dumps/dump-cluster.ts";
import type { DumpSource } from "../dumps/dump-cluster.ts";
import { socketUrlOf } from "../wire-client/dev-token.ts";

const FOLDER = join(REPOSITORY, ".parley/kubernetes-run");
const BACK_MS = 60_000;
const CALM_WITHIN_MS = 120_000;
const CALM_PENDING_MAX = 20;
const GUESTS_STAY_MS = 6_000;
/** Presence must be right this long after the last change. */
const QUIET_MS = 10_000;
const SHAPE = { rooms: 6, perRoom: 3, roomsPerClient: 3, rate: 24 } as const;
/** Clients that are connected the whole time. */
export const CLIENTS = (SHAPE.rooms * SHAPE.perRoom) / SHAPE.roomsPerClient;

export class RecordedRun implements AsyncDisposable {
  readonly folder = FOLDER;
  readonly load = new LoadProcess();
  readonly #records: number;
  #steps = 0;

  private constructor() {
    rmSync(FOLDER, { recursive: true, force: true });
    mkdirSync(FOLDER, { recursive: true });
    this.#records = openSync(join(FOLDER, FILES.records), "a");
  }

  /** `gateway`: the `http://…` URL of a Service. Resolves when the clients send. */
  static async begin(gateway: string): Promise<RecordedRun> {
    const run = new RecordedRun();
    const file = join(FOLDER, FILES.records);
    const endpoints = [{ name: "service", url: socketUrlOf(gateway) }];
    run.load.open({ seed: 1, endpoints, ...SHAPE, file }, gateway);
    await until(() => run.load.state.isJoined && run.load.state.clients === CLIENTS, {
      withinMs: CALM_WITHIN_MS,
      what: "the clients to join",
    });
    run.load.start();
    return run;
  }

  /** recorded-run.1. Resolves with the result of `work`. */
  async step<T>(name: string, work: () => Promise<T>): Promise<T> {
    const n = ++this.#steps;
    const fault = { op: "fault", n } as const;
    this.#record({
      ...fault,
      t: runNow(),
      phase: "invoke",
      fault: name,
      target: "",
      scope: { kind: "all" },
      backMs: BACK_MS,
      since: "start",
    });
    const result = await work();
    this.#record({ ...fault, t: runNow(), phase: "ok" });
    await this.#calm(name);
    return result;
  }

  /** recorded-run.3. `end` resolves when all guests have left. */
  guestsComeAndGo(count: number): { end(): Promise<void> } {
    const leaving = new AbortController();
    const coming = async (): Promise<void> => {
      while (!leaving.signal.aborted) {
        await this.load.addGuests(count);
        await sleep(GUESTS_STAY_MS, undefined, { signal: leaving.signal }).catch(() => undefined);
        await this.load.removeGuests();
      }
    };
    const all = coming();
    all.catch(() => undefined); // `end` gives the error.
    return {
      end: () => {
        leaving.abort();
        return all;
      },
    };
  }

  /** Ends the load, reads the stores, and judges all of it. */
  async judge(source: DumpSource): Promise<Report> {
    const { load } = this;
    load.finish();
    await this.#settled(() => load.state.pending === 0, "every send to be acknowledged");
    await sleep(QUIET_MS);
    this.#record({ t: runNow(), op: "mark", what: "end" });
    await load.end();
    const files = [FILES.log, FILES.archive, FILES.pages] as const;
    const [log, archive, pages] = files.map((name) => openSync(join(FOLDER, name), "w"));
    const add = (file: number | undefined, line: string): void => {
      if (file !== undefined) writeSync(file, `${line}\n`);
    };
    await dumpCluster(source, {
      onEntry: (entry) => add(log, JSON.stringify(entry)),
      onArchived: (line) => add(archive, line),
      onPaged: (line) => add(pages, line),
    });
    for (const file of [log, archive, pages]) if (file !== undefined) closeSync(file);
    return checkFolder(FOLDER);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.load.end();
    closeSync(this.#records);
  }

  /** recorded-run.2. */
  async #calm(after: string): Promise<void> {
    const isCalm = (): boolean => this.load.state.pending < CALM_PENDING_MAX;
    await this.#settled(isCalm, `the clients to have no backlog after ${after}`);
  }

  async #settled(condition: () => boolean, what: string): Promise<void> {
    const from = this.load.reports;
    const isSettled = (): boolean =>
      this.load.reports > from + 2 && condition() && this.load.state.isJoined;
    await until(isSettled, { withinMs: CALM_WITHIN_MS, what });
  }

  #record(record: RunRecord): void {
    writeSync(this.#records, `${encodeRecord(record)}\n`);
  }
}
