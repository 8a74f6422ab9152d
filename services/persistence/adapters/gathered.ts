// Gathered: collects single reads and passes them to a store in batches.
//
// After a failover a room node needs the snapshots of all its rooms at once. As single reads they
// queue for connections, and on a slow PostgreSQL the last ones are answered after their timeout.
//
//   gathered.1. At most `atOnce` batches of at most `most` keys are being read. While one is free,
//        keys wait only until the end of this turn of the event loop, in which a burst arrives.
//   gathered.2. Each key gets its own value, or the failure of its batch.
// The caller bounds the queue (history-server.1).

export interface GatheredOptions<K, V> {
  readonly atOnce: number;
  readonly most: number;
  /** Returns as many values as keys, in their order. May reject. */
  readonly read: (keys: readonly K[]) => Promise<readonly V[]>;
}

interface PendingRead<K, V> {
  readonly key: K;
  readonly resolve: (value: V) => void;
  readonly reject: (error: unknown) => void;
}

export class Gathered<K, V> {
  readonly #options: GatheredOptions<K, V>;
  readonly #queue: PendingRead<K, V>[] = [];
  #reading = 0;
  #isDue = false;

  constructor(options: GatheredOptions<K, V>) {
    this.#options = options;
  }

  get(key: K): Promise<V> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ key, resolve, reject });
      if (this.#isDue || this.#reading >= this.#options.atOnce) return;
      this.#isDue = true;
      setImmediate(() => {
        this.#isDue = false;
        this.#start();
      });
    });
  }

  #start(): void {
    const { atOnce, most } = this.#options;
    const batches = Math.ceil(this.#queue.length / most);
    for (let n = Math.min(atOnce - this.#reading, batches); n > 0; n--) void this.#read();
  }

  /** Resolves, never rejects: a failure goes to the callers of this batch. */
  async #read(): Promise<void> {
    const { most, read } = this.#options;
    this.#reading++;
    for (;;) {
      const batch = this.#queue.splice(0, most);
      if (batch.length === 0) break;
      try {
        const values = await read(batch.map(({ key }) => key));
        if (values.length !== batch.length)
          throw new Error("the store returned fewer values than keys");
        for (const [i, value] of values.entries()) batch[i]?.resolve(value);
      } catch (error: unknown) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#reading--;
  }
}
