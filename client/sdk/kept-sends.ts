// KeptSends: the sends of a client in a store, so that they survive its end.
//
// Owns: what is stored when, and which sends of an earlier run are sent again. Does not own: the
// store (outbox/), the order on the wire and the deadline (core/outbox.ts).
//
//   kept-sends.1. A send goes into the store and to the wire together, and is deleted with its
//       outcome. A close of the client is no outcome. So a crash loses no send that the store has,
//       and some are sent twice: their ids are recognised.
//   kept-sends.2. Nothing is written before the store is open, and only noted. Then the sends of an
//       earlier run come first, in their order, each when its room is joined.
//   kept-sends.3. A store that fails delays nothing: the sends stay in memory, and the application
//       gets a fault.
//   kept-sends.4. A store keeps what was put and not deleted, in the order of `put`, also after a
//       crash. Its calls take effect in their order, also when several are pending.

/** A send without an outcome. */
export interface StoredSend {
  /** The message id. */
  readonly id: string;
  readonly room: string;
  /** The frame. */
  readonly text: string;
  /** When it was submitted, in ms since 1970. */
  readonly at: number;
}

/** Where sends are kept. `keepIn` makes an outbox of it. */
export interface OutboxStore {
  /**
   * Resolves with the stored sends that no running client has, the oldest first. They belong to
   * this client from now on. Called once, before every other call but `note`. `onMore`: a client
   * that ran then has ended, and these are its sends.
   */
  open(onMore: (sends: readonly StoredSend[]) => void): Promise<readonly StoredSend[]>;
  /**
   * Called once for each send, before its `put` and also before the store is open: a store that
   * can keep a send without waiting does it here.
   */
  note?(send: StoredSend): void;
  /** kept-sends.4. */
  put(send: StoredSend): Promise<void>;
  /** An unknown id has no effect. */
  delete(id: string): Promise<void>;
}

/** An outbox for the option `outbox` of one `Parley`. */
export interface Outbox {
  /**
   * @internal `onOpen` precedes all held writes, and follows each later take-over. A second call
   * has no effect.
   */
  open(onOpen: () => void, onFault: () => void): void;
  /** @internal Stores the send and calls `run`, now or when the store is open. */
  write(send: StoredSend, run: () => void): void;
  /** @internal The send has its outcome; `isKept`: only its client was closed. */
  settle(id: string, isKept: boolean): void;
  /** @internal At most `count` sends of joined rooms, which the caller submits. */
  take(count: number, isJoined: (room: string) => boolean): readonly StoredSend[];
  /** @internal Resolves when the store has everything. */
  flush(): Promise<void>;
}

export function keepIn(store: OutboxStore): Outbox {
  return new KeptSends(store);
}

class KeptSends implements Outbox {
  readonly #store: OutboxStore;
  /** Stored, and not submitted since the client was opened or closed, in order. */
  #waiting: StoredSend[] = [];
  /** Stored and submitted. */
  readonly #submitted = new Map<string, StoredSend>();
  /** Writes that wait for the store (kept-sends.2); undefined when it is open. */
  #held: (() => void)[] | undefined = [];
  #onFault: () => void = () => undefined;
  #isUsable = false;
  #work: Promise<unknown> | undefined;

  constructor(store: OutboxStore) {
    this.#store = store;
  }

  open(onOpen: () => void, onFault: () => void): void {
    if (this.#work !== undefined) return;
    this.#onFault = onFault;
    const onMore = (sends: readonly StoredSend[]): void => {
      this.#waiting.push(...sends);
      onOpen();
    };
    const opening = this.#store.open(onMore).then((sends) => {
      this.#waiting.push(...sends);
      this.#isUsable = true;
    });
    this.#work = opening.catch(onFault).then(() => {
      const held = this.#held ?? [];
      this.#held = undefined;
      onOpen();
      for (const write of held) write();
    });
  }

  write(send: StoredSend, run: () => void): void {
    this.#store.note?.(send);
    const begin = (): void => {
      this.#submitted.set(send.id, send);
      this.#do(() => this.#store.put(send));
      run();
    };
    if (this.#held === undefined) begin();
    else this.#held.push(begin);
  }

  settle(id: string, isKept: boolean): void {
    const send = this.#submitted.get(id);
    if (send === undefined) return;
    this.#submitted.delete(id);
    if (isKept) this.#waiting.push(send); // kept-sends.1
    else this.#do(() => this.#store.delete(id));
  }

  take(count: number, isJoined: (room: string) => boolean): readonly StoredSend[] {
    const taken = this.#waiting.filter(({ room }) => isJoined(room)).slice(0, Math.max(0, count));
    this.#waiting = this.#waiting.filter((send) => !taken.includes(send));
    for (const send of taken) this.#submitted.set(send.id, send);
    return taken;
  }

  async flush(): Promise<void> {
    for (let work; work !== this.#work;) {
      work = this.#work;
      await work;
    }
  }

  #do(work: () => Promise<void>): void {
    if (!this.#isUsable) return; // kept-sends.3
    this.#work = Promise.all([this.#work, work().catch(this.#onFault)]);
  }
}
