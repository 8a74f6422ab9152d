// IndexedDb: an OutboxStore in the browser, shared by the tabs of one user.
//
// Owns: the database, and which tab has which sends. Does not own: when a send is stored
// (kept-sends.ts).
//
//   indexed-db.1. Each client is the only writer of its own sends: it holds a Web Lock of its name
//       while it runs. The browser releases the lock when the tab ends, also in a crash.
//   indexed-db.2. A client that opens takes the sends of every name whose lock is free, in one
//       transaction under that lock. So two tabs never take the same send. It waits for the other
//       locks: a page that was just left may still have its own.
//   indexed-db.3. The sends keep the order of their submission.

import { keepIn } from "../kept-sends.ts";
import type { Outbox, OutboxStore, StoredSend } from "../kept-sends.ts";

interface Row extends StoredSend {
  readonly n?: number;
  readonly owner: string;
}

const SENDS = "sends";

/**
 * Keeps the sends of `user` in IndexedDB. Another user never gets them: `user` must be the one of
 * the token. Needs Web Locks, which a browser has on https and on localhost.
 */
export function indexedDbOutbox(user: string): Outbox {
  return keepIn(new IndexedDbOutbox(`parley-outbox:${user}`));
}

class IndexedDbOutbox implements OutboxStore {
  readonly #name: string;
  readonly #owner = crypto.randomUUID();
  #database: IDBDatabase | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  async open(onMore: (sends: readonly StoredSend[]) => void): Promise<readonly StoredSend[]> {
    await this.#lock();
    this.#database = await openDatabase(this.#name);
    const owners = new Set((await this.#rows()).map(({ owner }) => owner));
    for (const owner of owners) {
      const options = { ifAvailable: true };
      await navigator.locks.request(this.#lockOf(owner), options, async (lock) => {
        if (lock !== null) await this.#adopt(owner); // indexed-db.2
        else void this.#adoptLater(owner, onMore);
      });
    }
    const rows = await this.#rows();
    return rows.filter(({ owner }) => owner === this.#owner);
  }

  async #adoptLater(owner: string, onMore: (sends: readonly StoredSend[]) => void): Promise<void> {
    await navigator.locks.request(this.#lockOf(owner), async () => {
      const left = (await this.#rows()).filter((row) => row.owner === owner);
      if (left.length === 0) return;
      await this.#adopt(owner);
      onMore(left);
    });
  }

  async put({ id, room, text, at }: StoredSend): Promise<void> {
    const row: Row = { id, room, text, at, owner: this.#owner };
    await this.#write((sends) => sends.add(row));
  }

  async delete(id: string): Promise<void> {
    await this.#write((sends) => {
      const found = sends.index("id").getKey(id);
      found.addEventListener("success", () => {
        if (found.result !== undefined) sends.delete(found.result);
      });
    });
  }

  #lockOf(owner: string): string {
    return `${this.#name}:${owner}`;
  }

  /** indexed-db.1: held until the tab ends. */
  #lock(): Promise<void> {
    return new Promise((resolve, reject) => {
      const hold = (): Promise<never> => {
        resolve();
        return new Promise(() => undefined);
      };
      navigator.locks.request(this.#lockOf(this.#owner), hold).catch(reject);
    });
  }

  #adopt(from: string): Promise<void> {
    return this.#write((sends) => {
      const cursor = sends.openCursor();
      cursor.addEventListener("success", () => {
        const found = cursor.result;
        if (found === null) return;
        const row = found.value as Row;
        if (row.owner === from) found.update({ ...row, owner: this.#owner });
        found.continue();
      });
    });
  }

  async #rows(): Promise<readonly Row[]> {
    const sends = this.#open.transaction(SENDS).objectStore(SENDS);
    return (await done(sends.getAll())) as readonly Row[]; // In the order of `n` (indexed-db.3).
  }

  #write(change: (sends: IDBObjectStore) => void): Promise<void> {
    const transaction = this.#open.transaction(SENDS, "readwrite");
    change(transaction.objectStore(SENDS));
    return new Promise((resolve, reject) => {
      transaction.addEventListener("complete", () => resolve());
      transaction.addEventListener("abort", () => reject(transaction.error as Error));
    });
  }

  get #open(): IDBDatabase {
    if (this.#database === undefined) throw new Error("the outbox is not open");
    return this.#database;
  }
}

async function openDatabase(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.addEventListener("upgradeneeded", () => {
    const sends = request.result.createObjectStore(SENDS, { keyPath: "n", autoIncrement: true });
    sends.createIndex("id", "id");
  });
  return done(request);
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error as Error));
  });
}
