// Forecast: `parley forecast` shows which resource of which process will be exhausted, and when.
//
// Pure. The forecasts come from the processes themselves, or from the `memory` lines of their logs,
// which this file runs through the same core.
//
//   cli/forecast.1. A process is its name and pid: a restarted process begins again. The state at
//        its last line counts.
//   cli/forecast.2. A line that is not a `memory` line of this version is skipped.

import { Foresight, RESOURCES, unexplained } from "#shared/kit/foresight.ts";
import type { Resource, Usage } from "#shared/kit/foresight.ts";
import { isObject, parseObject } from "#shared/kit/json.ts";
import type { ForecastStatus, ProcessStatus } from "#shared/protocol/control.ts";
import { neutral } from "./print.ts";

export interface ForecastRow extends Omit<ForecastStatus, "resource"> {
  readonly process: string;
  readonly resource: string;
}

export function rowsOf(processes: readonly ProcessStatus[]): readonly ForecastRow[] {
  return sorted(
    processes.flatMap(({ id, forecasts = [] }) =>
      forecasts.map((forecast) => ({ process: id, ...forecast })),
    ),
  );
}

/** One process of a folder of logs. */
export interface ReplayedProcess {
  readonly process: string;
  readonly lines: number;
  /** Each forecast that began, with the time of its line. */
  readonly foretold: readonly { readonly resource: Resource; readonly at: string }[];
  readonly rows: readonly ForecastRow[];
}

/** Replays the lines of log files, in any order of processes. */
export class LogReplay {
  readonly #processes = new Map<string, Replayed>();

  add(text: string): void {
    const line = memoryLine(text);
    if (line === undefined) return; // cli/forecast.2
    const key = `${line.name}/${line.pid}`;
    let process = this.#processes.get(key);
    if (process === undefined) this.#processes.set(key, (process = new Replayed()));
    process.add(line);
  }

  result(): readonly ReplayedProcess[] {
    return Array.from(this.#processes, ([process, replayed]) => replayed.result(process));
  }
}

class Replayed {
  readonly #foresight = new Foresight();
  readonly #present = new Set<Resource>();
  readonly #foretold: { readonly resource: Resource; readonly at: string }[] = [];
  #lines = 0;
  #at = 0;

  add({ time, heap, others }: MemoryLine): void {
    this.#lines++;
    this.#at = Date.parse(time);
    this.#foresight.add("heap", heap, this.#at);
    for (const [resource, usage] of others) this.#foresight.add(resource, usage, this.#at);
    const now = new Set(Array.from(this.#foresight.forecasts(this.#at), ([resource]) => resource));
    for (const resource of now) {
      if (!this.#present.has(resource)) this.#foretold.push({ resource, at: time });
    }
    this.#present.clear();
    for (const resource of now) this.#present.add(resource);
  }

  result(process: string): ReplayedProcess {
    const rows = Array.from(this.#foresight.forecasts(this.#at), ([resource, forecast]) => ({
      process,
      resource,
      earliestSeconds: Math.round(forecast.earliestMs / 1_000),
      medianSeconds: Math.round(forecast.medianMs / 1_000),
      latestSeconds: Math.round(forecast.latestMs / 1_000),
    }));
    return { process, lines: this.#lines, foretold: this.#foretold, rows: sorted(rows) };
  }
}

/** For a terminal, the nearest end first. */
export function forecastLines(rows: readonly ForecastRow[]): readonly string[] {
  if (rows.length === 0) return ["no resource of any process is growing towards its limit"];
  return [
    "process                   resource    time left  80 % of such processes        grows with",
    ...sorted(rows).map((row) => {
      const range = `${duration(row.earliestSeconds)} to ${duration(row.latestSeconds)}`;
      const left = duration(row.medianSeconds).padStart(9);
      const where = `${row.process.padEnd(25)} ${row.resource.padEnd(11)} ${left}`;
      return neutral(`${where}  ${range.padEnd(28)}  ${row.blamed ?? "no operation stands out"}`);
    }),
  ];
}

/** What a replay found, for a terminal. */
export function replayLines(processes: readonly ReplayedProcess[]): readonly string[] {
  const lines = processes.reduce((sum, one) => sum + one.lines, 0);
  const foretold = processes.flatMap(({ process, foretold: all }) =>
    all.map(({ resource, at }) => neutral(`${at} ${process}: exhaustion of ${resource} foretold`)),
  );
  return [
    `${processes.length} processes, ${lines} memory lines, ${foretold.length} forecasts`,
    ...foretold,
    "at the last line of each process:",
    ...forecastLines(processes.flatMap(({ rows }) => rows)),
  ];
}

interface MemoryLine {
  readonly name: string;
  readonly pid: number;
  readonly time: string;
  readonly heap: Usage;
  readonly others: readonly (readonly [Resource, Usage])[];
}

function memoryLine(text: string): MemoryLine | undefined {
  const value = parseObject(text);
  if (value?.["msg"] !== "memory") return undefined;
  const { name, pid, time, live, limit, accounted, accountedMax, others } = value;
  if (typeof name !== "string" || typeof pid !== "number" || typeof time !== "string") {
    return undefined;
  }
  if (!isNumber(live) || !isNumber(limit) || !isNumber(accounted) || !isDate(time))
    return undefined;
  // The bound is missing in lines of older versions: what is held now is the least of it.
  const bytesMax = isNumber(accountedMax) ? accountedMax : accounted;
  return {
    name,
    pid,
    time,
    heap: unexplained(live, limit, { bytes: accounted, bytesMax }),
    others: isObject(others) ? RESOURCES.flatMap((one) => usageOf(one, others[one])) : [],
  };
}

function usageOf(resource: Resource, item: unknown): readonly (readonly [Resource, Usage])[] {
  if (!isObject(item)) return [];
  const { value, limit } = item;
  return isNumber(value) && isNumber(limit) ? [[resource, { value, limit }]] : [];
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function isDate(text: string): boolean {
  return Number.isFinite(Date.parse(text));
}

function sorted(rows: readonly ForecastRow[]): readonly ForecastRow[] {
  return rows.toSorted((a, b) => a.medianSeconds - b.medianSeconds);
}

/** 40 s, 12 min, 5 h, 3 d */
function duration(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}
