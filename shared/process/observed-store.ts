// ObservedStore: the store of attachments, with the time of each operation and its failures.
//
// Owns: these numbers, and their names for Prometheus. Does not own: the bytes (the store below).
//
//   observed-store.1. The time of a `put` is without the waits for its content: a slow client is no
//        slow store. That of a `get` ends when the content begins.
//   observed-store.2. A failure counts only when the store failed. Content that rejects or has
//        another length is the fault of its client, and a reading that was closed needs no content.

import { Counts } from "../kit/counts.ts";
import { Histogram, LATENCY_SECONDS } from "../kit/histogram.ts";
import type {
  AttachmentStore,
  BytePart,
  ObjectName,
  StoredObject,
} from "../ports/attachment-store.ts";
import type { Clock } from "../ports/clock.ts";
import type { Metrics } from "./metrics.ts";

/** `read`: the content of a `get`. */
const STORE_OPERATIONS = ["put", "get", "read", "remove"] as const;

export class ObservedStore implements AttachmentStore {
  readonly errors = new Counts(STORE_OPERATIONS);
  readonly seconds = {
    put: new Histogram(LATENCY_SECONDS),
    get: new Histogram(LATENCY_SECONDS),
    remove: new Histogram(LATENCY_SECONDS),
  };
  readonly #store: AttachmentStore;
  readonly #clock: Pick<Clock, "monotonic">;

  constructor(store: AttachmentStore, clock: Pick<Clock, "monotonic">) {
    this.#store = store;
    this.#clock = clock;
  }

  async put(
    name: ObjectName,
    content: AsyncIterable<Uint8Array>,
    bytes: number,
  ): Promise<"stored" | "exists"> {
    const source = new Source(content, bytes, this.#clock);
    const began = this.#clock.monotonic();
    try {
      return await this.#store.put(name, source.read(), bytes);
    } catch (error: unknown) {
      if (!source.isAtFault) this.errors.add("put"); // observed-store.2
      throw error;
    } finally {
      const ms = this.#clock.monotonic() - began - source.waitedMs; // observed-store.1
      this.seconds.put.observe(Math.max(0, ms) / 1_000);
    }
  }

  async get(name: ObjectName, part?: BytePart): Promise<StoredObject | undefined> {
    const object = await this.#timed("get", () => this.#store.get(name, part));
    if (object === undefined) return undefined;
    const { errors } = this;
    let isClosed = false;
    const content = (async function* () {
      try {
        yield* object.content;
      } catch (error: unknown) {
        if (!isClosed) errors.add("read"); // observed-store.2
        throw error;
      }
    })();
    const close = (): Promise<void> => {
      isClosed = true;
      return object.close();
    };
    return { bytes: object.bytes, content, close };
  }

  remove(names: readonly ObjectName[]): Promise<void> {
    return this.#timed("remove", () => this.#store.remove(names));
  }

  async #timed<T>(operation: "get" | "remove", run: () => Promise<T>): Promise<T> {
    const began = this.#clock.monotonic();
    try {
      return await run();
    } catch (error: unknown) {
      this.errors.add(operation);
      throw error;
    } finally {
      this.seconds[operation].observe((this.#clock.monotonic() - began) / 1_000);
    }
  }
}

/** The content of a `put`: how long the store waited for it, and whether it was as announced. */
class Source {
  waitedMs = 0;
  /** It rejected, or has another number of bytes. */
  isAtFault = false;
  readonly #content: AsyncIterable<Uint8Array>;
  readonly #clock: Pick<Clock, "monotonic">;
  #left: number;

  constructor(content: AsyncIterable<Uint8Array>, bytes: number, clock: Pick<Clock, "monotonic">) {
    this.#content = content;
    this.#left = bytes;
    this.#clock = clock;
  }

  async *read(): AsyncGenerator<Uint8Array> {
    const parts = this.#content[Symbol.asyncIterator]();
    let isOver = false;
    try {
      for (;;) {
        const next = await this.#next(parts);
        isOver = next.done === true;
        if (isOver) break;
        const part = next.value as Uint8Array;
        this.#left -= part.byteLength;
        if (this.#left < 0) this.isAtFault = true;
        yield part;
      }
      if (this.#left !== 0) this.isAtFault = true;
    } finally {
      if (!isOver) await parts.return?.();
    }
  }

  async #next(parts: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
    const began = this.#clock.monotonic();
    try {
      return await parts.next();
    } catch (error: unknown) {
      this.isAtFault = true;
      throw error;
    } finally {
      this.waitedMs += this.#clock.monotonic() - began;
    }
  }
}

export function registerStore(metrics: Metrics, store: ObservedStore): void {
  metrics.histogram(
    "parley_attachment_store_seconds",
    "Seconds of an operation of the store of attachments, without the waits for a client",
    () => Object.entries(store.seconds).map(([op, seconds]) => [{ op }, seconds] as const),
  );
  metrics.counter(
    "parley_attachment_store_errors_total",
    "Failures of the store of attachments, by operation",
    () => Array.from(store.errors, ([op, count]) => [{ op }, count] as const),
  );
}
