// Log recording: helpers of the log contract: fill a log, record a reader, read contents.

import { expect } from "chai";
import type { LogReader, PartitionLog } from "../ports/log.ts";
import type { LogSeq, Partition } from "../protocol/ids.ts";
import { until } from "./wait.ts";

/** Far longer than any step here takes, so that a slow machine fails no test. */
export const SOON = 15_000;

/** One log with the connections of two processes. */
export interface LogBench extends AsyncDisposable {
  readonly log: PartitionLog;
  /** The same log through another connection. */
  readonly rival: PartitionLog;
  /** Kills the store without warning and starts it again; resolves when `log` can be used. */
  crash(): Promise<void>;
  /** Keeps the process of `log` busy for `ms`; default: blocks the thread. */
  readonly stall?: (ms: number) => void;
}

export interface LogBenchOptions {
  /** A partition accepts at least half and at most twice this many entries of 1 KiB. */
  readonly roomFor?: number;
}

export type OpenLogBench = (options?: LogBenchOptions) => Promise<LogBench>;

/** Appends "entry <seq>" until the log's last sequence is `last`. */
export async function fill(log: PartitionLog, p: Partition, last: LogSeq): Promise<void> {
  const state = await log.last(p);
  const from = state.kind === "ok" ? state.last + 1 : 1;
  for (let first = from; first <= last; first += 500) {
    const window = range(first, Math.min(last, first + 499));
    const outcomes = await Promise.all(window.map((seq) => log.append(p, `entry ${seq}`, seq - 1)));
    expect(outcomes.at(-1)).to.deep.equal({ kind: "ok", seq: window.at(-1) });
  }
}

export interface Recording extends LogReader {
  readonly seqs: LogSeq[];
  readonly texts: string[];
  readonly errors: string[];
}

export function read(
  log: PartitionLog,
  p: Partition,
  from: LogSeq,
  onEntry: (seq: LogSeq) => void = () => {},
): Recording {
  const [seqs, texts, errors]: [LogSeq[], string[], string[]] = [[], [], []];
  const reader = log.read(p, from, {
    onEntry(seq, data) {
      seqs.push(seq);
      texts.push(decode(data));
      onEntry(seq);
    },
    onError: (reason) => errors.push(reason),
  });
  return { seqs, texts, errors, close: () => reader.close() };
}

/** The entries 1…last as text. */
export async function contents(log: PartitionLog, p: Partition, last: LogSeq): Promise<string[]> {
  if (last === 0) return [];
  const reader = read(log, p, 1);
  await until(() => reader.seqs.length >= last, { withinMs: SOON, what: `${last} entries` });
  reader.close();
  return reader.texts;
}

export function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
}

export function decode(data: Uint8Array): string {
  return new TextDecoder().decode(data);
}
