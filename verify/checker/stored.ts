// Stored: judges archive, log and history against each other, and against what clients sent,
// received and got acknowledged.
//
//   stored.1. An acknowledged message is stored at the acknowledged sequence number, in the log and
//        in the archive.
//   stored.2. A stored message was sent by that client to that room with that body, and was not
//        only refused.
//   stored.3. Log, archive and every observer agree on the event at (room, seq). The archive can
//        have a tombstone where the log has the text.
//   stored.4. The stored sequence numbers are 1…n. A trimmed log may begin later and has no gap
//        either.
//   stored.5. An id is stored once.
//   stored.6. The pages of history agree with the archive and with the observers.

import type { MessageId, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { Column } from "./column.ts";
import type { Messages } from "./messages.ts";
import { sumOf, sumOfText } from "./sum.ts";
import type { Fail, InvariantId } from "./violation.ts";

interface Line {
  readonly room: RoomId;
  readonly seq: Seq;
  readonly id: MessageId;
  readonly from: UserId;
  readonly body: unknown;
  /** The line is a tombstone: its body is erased (changes.ts judges by whom). */
  readonly deleted?: unknown;
}

/** One room in one store. */
class StoredRoom {
  first: Seq = 0;
  last: Seq = 0;
  readonly messages = new Column();
  readonly sums = new Column();
  /** The lines that are tombstones. */
  readonly erased = new Set<Seq>();
}

class Store {
  readonly name: string;
  /** The invariant that a difference from the archive breaks. */
  readonly differs: InvariantId;
  readonly rooms = new Map<RoomId, StoredRoom>();
  /** By message: its sequence number. */
  readonly places = new Column();
  lines = 0;

  constructor(name: string, differs: InvariantId) {
    this.name = name;
    this.differs = differs;
  }
}

export class Stored {
  readonly #messages: Messages;
  readonly #fail: Fail;
  readonly archive = new Store("archive", "I3");
  readonly log = new Store("log", "I3");
  readonly pages = new Store("history", "I15");

  constructor(messages: Messages, fail: Fail) {
    this.#messages = messages;
    this.#fail = fail;
  }

  takeArchived(text: string): void {
    this.#take(this.archive, text, 1);
  }

  takeLogged(text: string, isTrimmed: boolean): void {
    this.#take(this.log, text, isTrimmed ? undefined : 1);
  }

  takePaged(text: string): void {
    this.#take(this.pages, text, 1);
  }

  /** The last sequence number in the archive. */
  head(room: RoomId): Seq {
    return this.archive.rooms.get(room)?.last ?? 0;
  }

  /** Judges the message that a page during the run had at (room, seq). */
  checkPaged(room: RoomId, seq: Seq, m: number): void {
    const held = this.archive.rooms.get(room)?.messages.at(seq) ?? 0;
    if (m === 0 || held !== m) {
      this.#fail(
        "I15",
        `a page had ${this.#messages.id(m)} at ${room} ${seq}; archive: ${this.#messages.id(held)}`,
      );
    }
  }

  finish(options: {
    readonly isTrimmed: boolean;
    readonly hasPages: boolean;
    readonly seen: Iterable<readonly [RoomId, Column]>;
  }): void {
    this.#compare(this.log, options.isTrimmed);
    if (options.hasPages) this.#compare(this.pages, false);
    this.#checkAcked(options.isTrimmed);
    this.#checkSeen(options.seen);
  }

  /** `first`: the first sequence number that a room must have; undefined allows any. */
  #take(store: Store, text: string, first: Seq | undefined): void {
    store.lines++;
    const { room, seq, id, from, body, deleted } = JSON.parse(text) as Line;
    let held = store.rooms.get(room);
    if (held === undefined) {
      store.rooms.set(room, (held = new StoredRoom()));
      held.first = seq;
      held.last = (first ?? seq) - 1;
    }
    if (seq !== held.last + 1) {
      this.#fail("I4", `${store.name}: ${room} has ${seq} where ${held.last + 1} is expected`);
    }
    held.last = Math.max(held.last, seq);
    const m = this.#messages.number(id);
    held.messages.set(seq, m);
    held.sums.set(seq, sumOfText(text));
    if (deleted !== undefined) held.erased.add(seq);
    this.#checkOrigin(store, { room, seq, id, from, body, deleted }, m);
  }

  #checkOrigin(store: Store, { room, seq, id, from, body, deleted }: Line, m: number): void {
    const messages = this.#messages;
    const where = `${store.name}: ${room} ${seq} (${id})`;
    if (m === 0) {
      this.#fail("I2", `${where}: no client sent it`);
      return;
    }
    const client = messages.clients.name(messages.client.at(m));
    const wanted = messages.rooms.name(messages.room.at(m));
    const sum = messages.sum.at(m);
    if (client !== from || wanted !== room) {
      this.#fail("I2", `${where}: ${client} sent it to ${wanted}; stored as from ${from}`);
    } else if (messages.isOnlyRefused(m)) {
      this.#fail("I2", `${where}: the server refused every send of it`);
    } else if (body !== undefined && deleted === undefined && sum !== 0 && sum !== sumOf(body)) {
      this.#fail("I2", `${where}: the stored body differs from the sent one`);
    }
    const place = store.places.at(m);
    if (place === 0) store.places.set(m, seq);
    else this.#fail("I6", `${store.name}: ${id} is stored at ${place} and at ${seq}`);
  }

  /** Compares every sequence number of a store with the archive, which is never trimmed. */
  #compare(store: Store, isTrimmed: boolean): void {
    for (const room of new Set([...this.archive.rooms.keys(), ...store.rooms.keys()])) {
      const archived = this.archive.rooms.get(room);
      const held = store.rooms.get(room);
      if (held === undefined && isTrimmed) continue;
      const from = isTrimmed ? (held?.first ?? 1) : 1;
      const to = Math.max(held?.last ?? 0, archived?.last ?? 0);
      for (let seq = from; seq <= to; seq++) {
        if ((held?.sums.at(seq) ?? 0) === (archived?.sums.at(seq) ?? 0)) continue;
        // The log keeps the text of a line that the archive has erased; the event is the same.
        const isErased = store === this.log && archived?.erased.has(seq) === true;
        if (isErased && held?.messages.at(seq) === archived.messages.at(seq)) continue;
        const [one, other] = [held, archived].map((it) => this.#show(it, seq));
        this.#fail(store.differs, `${room} ${seq}: ${store.name} ${one}, archive ${other}`);
      }
    }
  }

  #checkAcked(isTrimmed: boolean): void {
    const messages = this.#messages;
    for (let m = 1; m <= messages.count; m++) {
      const seq = messages.seq.at(m);
      if (seq === 0) continue;
      const room = messages.rooms.name(messages.room.at(m)) as RoomId;
      this.#expectAt(this.archive, room, seq, m);
      const isGone = isTrimmed && seq < (this.log.rooms.get(room)?.first ?? Infinity);
      if (!isGone) this.#expectAt(this.log, room, seq, m);
    }
  }

  #expectAt(store: Store, room: RoomId, seq: Seq, m: number): void {
    const found = store.rooms.get(room)?.messages.at(seq) ?? 0;
    if (found === m) return;
    const [wanted, is] = [this.#messages.id(m), this.#messages.id(found)];
    this.#fail("I1", `${wanted} was acknowledged at ${room} ${seq}; ${store.name} has ${is}`);
  }

  #checkSeen(seen: Iterable<readonly [RoomId, Column]>): void {
    for (const [room, shown] of seen) {
      const archived = this.archive.rooms.get(room)?.messages;
      for (let seq = 1; seq < shown.length; seq++) {
        const m = shown.at(seq);
        const found = archived?.at(seq) ?? 0;
        if (m === 0 || m === found) continue;
        const [one, other] = [this.#messages.id(m), this.#messages.id(found)];
        this.#fail("I3", `observers received ${one} at ${room} ${seq}; the archive has ${other}`);
      }
    }
  }

  #show(held: StoredRoom | undefined, seq: Seq): string {
    const sum = held?.sums.at(seq) ?? 0;
    if (sum === 0) return "has nothing";
    return `has ${this.#messages.id(held?.messages.at(seq) ?? 0)} (line ${sum.toString(16)})`;
  }
}
