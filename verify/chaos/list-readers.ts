// ListReaders: the clients of a chaos run that say what they have read and ask for their room list.
//
// Owns: when a client reads and asks. Does not own: the clients (load.ts), the judgement
// (verify/checker/lists.ts).
//
//   list-readers.1. After `askLast` each client says once more what it has read, and asks until a
//        list is answered: the checker compares this list with the archive.

import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import type { ClientRecord } from "../checker/record.ts";
import type { WireClient } from "../wire-client/wire-client.ts";

const READ_EVERY_MS = 400;
const LIST_EVERY_MS = 1_000;
const LIST_ROOMS = 50;

interface Reader {
  readonly client: WireClient;
  readonly room: RoomId;
}

type ListRecord = Extract<ClientRecord, { op: "list" }>;

export class ListReaders {
  readonly #readers = new Map<UserId, Reader>();
  /** Clients whose last list was not answered yet, with its request. */
  readonly #last = new Map<UserId, number | undefined>();
  #timers: NodeJS.Timeout[] = [];

  /** Clients without their last list. */
  get pending(): number {
    return this.#last.size;
  }

  add(client: WireClient, room: RoomId): void {
    this.#readers.set(client.user, { client, room });
  }

  start(): void {
    const all = (run: (reader: Reader) => void): (() => void) => {
      return () => this.#readers.forEach(run);
    };
    this.#timers = [
      setInterval(
        all((reader) => read(reader)),
        READ_EVERY_MS,
      ),
      setInterval(
        all(({ client }) => void client.list(LIST_ROOMS)),
        LIST_EVERY_MS,
      ),
    ];
  }

  /** Neither reads nor asks from now on. */
  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
  }

  /** list-readers.1. */
  askLast(): void {
    for (const user of this.#readers.keys()) this.#last.set(user, undefined);
    this.#askDue();
    this.#timers.push(setInterval(() => this.#askDue(), READ_EVERY_MS));
  }

  onList({ client, phase, ref }: ListRecord): void {
    if (phase === "invoke" || this.#last.get(client) !== ref) return;
    if (phase === "ok") this.#last.delete(client);
    else this.#last.set(client, undefined);
  }

  #askDue(): void {
    for (const [user, asked] of this.#last) {
      const reader = this.#readers.get(user);
      if (reader === undefined || asked !== undefined) continue;
      read(reader);
      this.#last.set(user, reader.client.list(LIST_ROOMS));
    }
  }
}

function read({ client, room }: Reader): void {
  const seen = client.seen(room);
  if (seen > 0) client.read(room, seen);
}
