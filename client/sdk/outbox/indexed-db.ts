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
//   indexed-db.4. A transaction ends with its page. So a send is noted in localStorage at once, and
//       the note is removed when IndexedDB has the send. The next client takes the notes with the
//       sends. At most NOTES_MAX notes of one client; a further send has none.

import { keepIn } from "../kept-sends.ts";
import type { Outbox, OutboxStore, StoredSend } from "../kept-sends.ts";

interface Row extends StoredSend {
  readonly n?: number;
  readonly owner: string;
}

interface Note extends StoredSend {
  /** The database. */
  readonly name: string;
  readonly owner: string;
  /** The order of the notes of one owner. */
  readonly n: number;
}

const SENDS = "sends";
/** The key of a note: this, the owner and a number. */
const NOTE = "parley-outbox-note:";
/** With the longest messages less than half of what a browser grants to a site. */
const NOTES_MAX = 100;

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
  /** The key of the note of each send that IndexedDB does not have yet; undefined: it failed. */
  #notes: Map<string, string> | undefined = new Map();
  #noted = 0;

  constructor(name: string) {
    this.#name = name;
  }

  async open(onMore: (sends: readonly StoredSend[]) => void): Promise<readonly StoredSend[]> {
    try {
      return await this.#open(onMore);
    } catch (error) {
      for (const id of this.#notes?.keys() ?? []) this.#unnote(id);
      this.#notes = undefined; // Nothing would remove them.
      throw error;
    }
  }

  async #open(onMore: (sends: readonly StoredSend[]) => void): Promise<readonly StoredSend[]> {
    await this.#lock();
    this.#database = await openDatabase(this.#name);
    const kept = [...(await this.#rows()), ...readNotes(this.#name)];
    const owners = new Set(kept.map(({ owner }) => owner));
    owners.delete(this.#owner);
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
      const left = await this.#adopt(owner);
      if (left.length > 0) onMore(left);
    });
  }

  note(send: StoredSend): void {
    if (this.#notes === undefined || this.#notes.size >= NOTES_MAX) return;
    const note: Note = { ...send, name: this.#name, owner: this.#owner, n: this.#noted };
    const key = `${NOTE}${this.#owner}:${this.#noted++}`;
    try {
      localStorage.setItem(key, JSON.stringify(note));
      this.#notes.set(send.id, key);
    } catch {
      // Full or forbidden: IndexedDB gets the send all the same.
    }
  }

  async put({ id, room, text, at }: StoredSend): Promise<void> {
    const row: Row = { id, room, text, at, owner: this.#owner };
    await this.#write((sends) => sends.add(row)).finally(() => this.#unnote(id));
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

  #unnote(id: string): void {
    const key = this.#notes?.get(id);
    if (key === undefined) return;
    localStorage.removeItem(key);
    this.#notes?.delete(id);
  }

  /** Resolves with the taken sends, in their order: a noted one is later than a stored one. */
  async #adopt(from: string): Promise<readonly StoredSend[]> {
    const notes = readNotes(this.#name).filter(({ owner }) => owner === from);
    const taken = new Map<string, StoredSend>();
    await this.#write((sends) => {
      const cursor = sends.openCursor();
      cursor.addEventListener("success", () => {
        const found = cursor.result;
        if (found === null) {
          for (const { id, room, text, at } of notes) {
            const row: Row = { id, room, text, at, owner: this.#owner };
            if (taken.has(id)) continue;
            sends.add(row);
            taken.set(id, row);
          }
          return;
        }
        const row = found.value as Row;
        if (row.owner === from) {
          found.update({ ...row, owner: this.#owner });
          taken.set(row.id, row);
        }
        found.continue();
      });
    });
    for (const { owner, n } of notes) localStorage.removeItem(`${NOTE}${owner}:${n}`);
    return [...taken.values()];
  }

  async #rows(): Promise<readonly Row[]> {
    const sends = this.#opened.transaction(SENDS).objectStore(SENDS);
    return (await done(sends.getAll())) as readonly Row[]; // In the order of `n` (indexed-db.3).
  }

  #write(change: (sends: IDBObjectStore) => void): Promise<void> {
    const transaction = this.#opened.transaction(SENDS, "readwrite");
    change(transaction.objectStore(SENDS));
    return new Promise((resolve, reject) => {
      transaction.addEventListener("complete", () => resolve());
      transaction.addEventListener("abort", () => reject(transaction.error as Error));
    });
  }

  get #opened(): IDBDatabase {
    if (this.#database === undefined) throw new Error("the outbox is not open");
    return this.#database;
  }
}

/** All notes for this database, those of one owner in their order. */
function readNotes(name: string): readonly Note[] {
  try {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(NOTE));
    const notes = keys.map((key) => JSON.parse(localStorage.getItem(key) ?? "{}") as Note);
    return notes.filter((note) => note.name === name).sort((a, b) => a.n - b.n);
  } catch {
    return []; // Forbidden.
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
