// Histogram: how many values fell below each of a few fixed edges.
//
// The buckets are those that Prometheus expects, as plain numbers. An observation compares a dozen
// edges and makes two additions, so it may run for every message. A scrape reads the numbers.
//
//   kit/histogram.1. `counts` are not cumulative. The last one counts the values above every edge.
//   kit/histogram.2. A bucket keeps the trace id of the last sampled value that fell into it, as
//        its exemplar, so that a dashboard links a slow bucket to one slow message.

export interface Exemplar {
  readonly traceId: string;
  readonly value: number;
  /** Wall clock, seconds. */
  readonly atSeconds: number;
}

/** From a local round trip to the ten seconds after which a command times out (L2). */
export const LATENCY_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;
/** Work on the event loop: one flush, or one turn. */
export const WORK_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05] as const;

export class Histogram {
  readonly edges: readonly number[];
  readonly #counts: number[];
  readonly #exemplars = new Map<number, Exemplar>();
  #sum = 0;

  constructor(edges: readonly number[]) {
    this.edges = edges;
    this.#counts = Array.from({ length: edges.length + 1 }, () => 0);
  }

  observe(value: number): void {
    const bucket = this.#bucketOf(value);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += value;
  }

  /** Attaches a trace to the value that was observed last. */
  exemplify(exemplar: Exemplar): void {
    this.#exemplars.set(this.#bucketOf(exemplar.value), exemplar);
  }

  get counts(): readonly number[] {
    return this.#counts;
  }

  get sum(): number {
    return this.#sum;
  }

  exemplarOf(bucket: number): Exemplar | undefined {
    return this.#exemplars.get(bucket);
  }

  #bucketOf(value: number): number {
    const { edges } = this;
    let bucket = 0;
    while (bucket < edges.length && value > (edges[bucket] ?? Infinity)) bucket++;
    return bucket;
  }
}
