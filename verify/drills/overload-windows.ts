// Windows: what became of the messages of an open loop, by the half second in which each was due.
//
// Owns: counts and latencies of one phase, when it was back to normal. Does not own: the messages.
//
//   overload-windows.1. A message counts in the window in which it was due, whenever it is answered; its latency runs from
//        that time. One without an acknowledgement counts as infinitely late.
//   overload-windows.2. A phase is back at the end of its last window whose 99th percentile is above the bound.

export const WINDOW_MS = 500;

/** Of one phase. */
export interface Figures {
  readonly offered: number;
  /** Made and not written: their users had too many messages without an outcome. */
  readonly unsaid: number;
  /** Frames of messages, repeats included. */
  readonly written: number;
  /** Acknowledged while the phase lasted, whenever they were due. */
  readonly acked: number;
  readonly p50: number;
  readonly p99: number;
  /** How late the generator wrote. */
  readonly slipP99: number;
  readonly slipMax: number;
  /** overload-windows.2, of a phase that had a bound; from its begin. */
  readonly backMs: number;
  readonly refusals: Readonly<Record<string, number>>;
  readonly seconds: number;
}

export class Windows {
  readonly #beganAt: number;
  readonly #endsAt: number;
  readonly #latencies: number[][] = [];
  readonly #due: number[] = [];
  readonly #slips: number[] = [];
  readonly #refusals = new Map<string, number>();
  #unsaid = 0;
  #written = 0;
  #acked = 0;

  constructor(beganAt: number, endsAt: number) {
    this.#beganAt = beganAt;
    this.#endsAt = endsAt;
  }

  /** A message was due at `dueAt`, and is looked at now. */
  made(dueAt: number, now: number): void {
    const n = this.#windowOf(dueAt);
    this.#due[n] = (this.#due[n] ?? 0) + 1;
    this.#slips.push(now - dueAt);
  }

  unsaid(dueAt: number): void {
    const n = this.#windowOf(dueAt);
    this.#due[n] = (this.#due[n] ?? 0) - 1;
    this.#unsaid++;
  }

  wrote(): void {
    this.#written++;
  }

  refused(name: string): void {
    this.#refusals.set(name, (this.#refusals.get(name) ?? 0) + 1);
  }

  /** Also for messages of earlier phases. */
  acked(dueAt: number, now: number): void {
    if (now <= this.#endsAt) this.#acked++;
    if (dueAt < this.#beganAt || dueAt >= this.#endsAt) return;
    (this.#latencies[this.#windowOf(dueAt)] ??= []).push(now - dueAt);
  }

  /** `boundMs`: what a 99th percentile may be at most to be normal. */
  figures(boundMs: number): Figures {
    const all = this.#due.flatMap((_, n) => this.#latenciesOf(n));
    let last = -1;
    for (const n of this.#due.keys()) {
      if (percentile(this.#latenciesOf(n), 0.99) > boundMs) last = n;
    }
    return {
      offered: this.#slips.length,
      unsaid: this.#unsaid,
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

  /** Latencies of one window; Infinity for each message without an acknowledgement (overload-windows.1). */
  #latenciesOf(n: number): number[] {
    const known = this.#latencies[n] ?? [];
    const missing = Math.max(0, (this.#due[n] ?? 0) - known.length);
    return [...known, ...Array.from({ length: missing }, () => Infinity)];
  }

  #windowOf(at: number): number {
    return Math.floor((at - this.#beganAt) / WINDOW_MS);
  }
}

/** Nearest rank; 0 of nothing. */
function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
