// Windows: what happened to the messages of an open loop, by the half second in which each was due.
//
// Owns: the counts and latencies of one phase, and when it was back to normal. Does not own: the
// messages.
//
//   overload-windows.1. A message counts in the window in which it was due, whenever its answer
//        comes. Its latency runs from that time. Without an acknowledgement its latency is
//        infinite.
//   overload-windows.2. A phase is back at the end of its last window whose 99th percentile is
//        above the bound.

export const WINDOW_MS = 500;

/** The results of one phase. */
export interface Figures {
  readonly offered: number;
  /** Due and not created: their users had too many pending messages. */
  readonly skipped: number;
  /** Message frames, retries included. */
  readonly written: number;
  /** Acknowledged during the phase, whenever they were due. */
  readonly acked: number;
  readonly p50: number;
  readonly p99: number;
  /** The lateness of the generator. */
  readonly slipP99: number;
  readonly slipMax: number;
  /** From the begin of the phase to the time when it was back (overload-windows.2). */
  readonly backMs: number;
  readonly refusals: Readonly<Record<string, number>>;
  readonly seconds: number;
}

export class Windows {
  readonly #beganAt: number;
  readonly #endsAt: number;
  readonly #latencies: number[][] = [];
  readonly #dueCounts: number[] = [];
  readonly #slips: number[] = [];
  readonly #refusals = new Map<string, number>();
  #skipped = 0;
  #written = 0;
  #acked = 0;

  constructor(beganAt: number, endsAt: number) {
    this.#beganAt = beganAt;
    this.#endsAt = endsAt;
  }

  /** The generator handles a message at `now` that was due at `dueAt`. */
  due(dueAt: number, now: number): void {
    const n = this.#windowOf(dueAt);
    this.#dueCounts[n] = (this.#dueCounts[n] ?? 0) + 1;
    this.#slips.push(now - dueAt);
  }

  skipped(dueAt: number): void {
    const n = this.#windowOf(dueAt);
    this.#dueCounts[n] = (this.#dueCounts[n] ?? 0) - 1;
    this.#skipped++;
  }

  wrote(): void {
    this.#written++;
  }

  refused(name: string): void {
    this.#refusals.set(name, (this.#refusals.get(name) ?? 0) + 1);
  }

  /** Also called for messages of earlier phases. */
  acked(dueAt: number, now: number): void {
    if (now <= this.#endsAt) this.#acked++;
    if (dueAt < this.#beganAt || dueAt >= this.#endsAt) return;
    (this.#latencies[this.#windowOf(dueAt)] ??= []).push(now - dueAt);
  }

  /** `boundMs`: the largest 99th percentile that counts as normal. */
  figures(boundMs: number): Figures {
    const all = this.#dueCounts.flatMap((_, n) => this.#latenciesOf(n));
    let last = -1;
    for (const n of this.#dueCounts.keys()) {
      if (percentile(this.#latenciesOf(n), 0.99) > boundMs) last = n;
    }
    return {
      offered: this.#slips.length,
      skipped: this.#skipped,
      written: this.#written,
      acked: this.#acked,
      p50: percentile(all, 0.5),
      p99: percentile(all, 0.99),
      slipP99: percentile(this.#slips, 0.99),
      slipMax: percentile(this.#slips, 1),
      backMs: (last + 1) * WINDOW_MS,
      refusals: Object.fromEntries(this.#refusals),
      seconds: (this.#endsAt - this.#beganAt) / 1_000,
    };
  }

  /** The latencies of one window; Infinity without an acknowledgement (overload-windows.1). */
  #latenciesOf(n: number): number[] {
    const known = this.#latencies[n] ?? [];
    const missing = Math.max(0, (this.#dueCounts[n] ?? 0) - known.length);
    return [...known, ...Array.from({ length: missing }, () => Infinity)];
  }

  #windowOf(at: number): number {
    return Math.floor((at - this.#beganAt) / WINDOW_MS);
  }
}

/** Nearest rank; 0 for an empty list. */
function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
