// Check: whether a run kept its promises, from what clients recorded and what the stores hold.
//
// Pure, and apart from the system under test: it knows records and event lines, nothing else, and
// the system never grades itself. The invariants are those of every fault row; D6 is all of them
// after a kill of everything.
//
//   I1. What was acknowledged is stored at the acknowledged number, in the log and in the archive.
//   I2. What is stored was sent by that client with that body, and not only refused.
//   I3. Log, archive, history and every observer agree on what stands at (room, seq).
//   I4. Stored numbers are 1…n. A trimmed log may begin later, and has no hole either.
//   I5. What one connection is shown of a room begins where it joined and has no hole or repeat.
//   I6. All answers to one id name the same number, and an id is stored once.
//   I7. Acknowledged sends of one connection are numbered in the order in which they were sent.

import type { MessageId, RoomId, Seq } from "#shared/protocol/ids.ts";
import type { ClientRecord } from "./record.ts";
import { compareStores } from "./stores.ts";
import type { Store, StoredEvent, Stores } from "./stores.ts";
import type { InvariantId, Violation } from "./violation.ts";

export interface Report {
  /** At most VIOLATIONS_MAX; `counts.violations` has them all. */
  readonly violations: readonly Violation[];
  readonly counts: {
    violations: number;
    /** Different ids. */
    sent: number;
    acked: number;
    /** Ids invoked more than once. */
    retried: number;
    /** Ids that never got an answer, or only one that says nobody knows. */
    unknown: number;
    refused: number;
    stored: number;
    seen: number;
  };
}

export const VIOLATIONS_MAX = 200;

interface Send {
  readonly client: string;
  readonly room: RoomId;
  readonly body: unknown;
  invoked: number;
  seq: Seq | undefined;
  refused: number;
  /** The last invocation that I7 may judge: connection and place in it. */
  orderly: string | undefined;
}

export function check(records: Iterable<ClientRecord>, stores: Stores): Report {
  const checker = new Checker();
  for (const record of records) checker.take(record);
  return checker.finish(stores);
}

class Checker {
  readonly #sends: Map<MessageId, Send> = new Map();
  /** connection and room → the number that must be shown next. */
  readonly #next: Map<string, Seq> = new Map();
  /** connection and room → ids that count for order, as they were sent. */
  readonly #order: Map<string, MessageId[]> = new Map();
  /** room and number → the id that somebody was shown there. */
  readonly #seen: Map<string, MessageId> = new Map();
  readonly #violations: Violation[] = [];
  readonly #counts: Report["counts"] = {
    violations: 0,
    sent: 0,
    acked: 0,
    retried: 0,
    unknown: 0,
    refused: 0,
    stored: 0,
    seen: 0,
  };

  take(record: ClientRecord): void {
    switch (record.op) {
      case "join":
        this.#next.set(streamOf(record), record.from);
        break;
      case "see":
        this.#onSeen(record);
        break;
      case "send":
        if (record.phase === "invoke") this.#onInvoked(record);
        else if (record.phase === "ok") this.#onAcked(record);
        else this.#onUnanswered(record);
        break;
    }
  }

  finish(stores: Stores): Report {
    for (const { invariant, detail } of compareStores(stores)) this.#fail(invariant, detail);
    this.#checkAcked(stores);
    this.#checkStored(stores);
    this.#checkSeen(stores);
    this.#checkOrder();
    for (const send of this.#sends.values()) {
      this.#counts.sent++;
      if (send.invoked > 1) this.#counts.retried++;
      if (send.seq !== undefined) this.#counts.acked++;
      else if (send.refused >= send.invoked) this.#counts.refused++;
      else this.#counts.unknown++;
    }
    return { violations: this.#violations, counts: this.#counts };
  }

  #onInvoked(record: ClientRecord & { op: "send"; phase: "invoke" }): void {
    const { id, client, room } = record;
    const known = this.#sends.get(id);
    const send: Send = known ?? {
      client,
      room,
      body: record.body,
      invoked: 0,
      seq: undefined,
      refused: 0,
      orderly: undefined,
    };
    this.#sends.set(id, send);
    send.invoked++;
    // A retry of what was answered keeps its old number, so it says nothing about order. A retry of
    // what nobody knows does: nothing sent after it may stand before it.
    if (send.seq !== undefined || send.refused > 0) return;
    send.orderly = streamOf(record);
    const order = this.#order.get(streamOf(record)) ?? [];
    order.push(id);
    this.#order.set(streamOf(record), order);
  }

  #onAcked(record: ClientRecord & { op: "send"; phase: "ok" }): void {
    const { id, seq, client } = record;
    const send = this.#sends.get(id);
    if (send === undefined) {
      this.#fail("I2", `${id} was acknowledged to ${client} and never sent`);
    } else if (send.seq === undefined) {
      send.seq = seq;
    } else if (send.seq !== seq) {
      this.#fail("I6", `${id} was answered ${send.seq} and then ${seq}`);
    }
  }

  #onUnanswered(record: ClientRecord & { op: "send"; phase: "fail" | "info" }): void {
    const send = this.#sends.get(record.id);
    if (send === undefined || record.phase === "info") return;
    send.refused++;
    send.orderly = undefined;
  }

  #onSeen(record: ClientRecord & { op: "see" }): void {
    const { room, seq, id, client, conn } = record;
    this.#counts.seen++;
    const stream = streamOf(record);
    const next = this.#next.get(stream);
    if (next === undefined) {
      this.#fail("I5", `${client}/${conn} was shown ${room} ${seq} without having joined`);
    } else if (next !== seq) {
      this.#fail("I5", `${client}/${conn} was shown ${room} ${seq} instead of ${next}`);
    }
    this.#next.set(stream, seq + 1);
    const place = placeOf(room, seq);
    const before = this.#seen.get(place);
    if (before === undefined) this.#seen.set(place, id);
    else if (before !== id) this.#fail("I3", `${room} ${seq} was shown as ${before} and as ${id}`);
  }

  #checkAcked({ log, archive, isTrimmed }: Stores): void {
    for (const [id, { room, seq }] of this.#sends) {
      if (seq === undefined) continue;
      const isGone = isTrimmed && seq < (log.get(room)?.first ?? Infinity);
      if (!isGone) this.#expectAt("log", log, room, seq, id);
      this.#expectAt("archive", archive, room, seq, id);
    }
  }

  #expectAt(name: string, store: Store, room: RoomId, seq: Seq, id: MessageId): void {
    const found = store.get(room)?.at(seq)?.id;
    if (found === id) return;
    this.#fail("I1", `${id} was acknowledged as ${room} ${seq}; ${name}: ${found ?? "nothing"}`);
  }

  #checkStored({ log, archive }: Stores): void {
    for (const [name, store] of [
      ["log", log],
      ["archive", archive],
    ] as const) {
      const places = new Map<string, Seq>();
      for (const held of store.values()) {
        for (const event of held.events) {
          if (name === "archive") this.#counts.stored++;
          this.#checkOrigin(name, event);
          const first = places.get(event.id);
          if (first === undefined) places.set(event.id, event.seq);
          else this.#fail("I6", `${name}: ${event.id} stands at ${first} and at ${event.seq}`);
        }
      }
    }
  }

  #checkOrigin(name: string, event: StoredEvent): void {
    const where = `${name}: ${event.room} ${event.seq} (${event.id})`;
    const send = this.#sends.get(event.id);
    if (send === undefined) {
      this.#fail("I2", `${where} was never sent`);
    } else if (send.client !== event.from || send.room !== event.room) {
      this.#fail("I2", `${where} was sent by ${send.client} to ${send.room}, not ${event.from}`);
    } else if (send.seq === undefined && send.refused >= send.invoked) {
      this.#fail("I2", `${where} was refused`);
    } else if (
      send.body !== undefined &&
      JSON.stringify(send.body) !== JSON.stringify(event.body)
    ) {
      this.#fail("I2", `${where} has another body than was sent`);
    }
  }

  #checkSeen({ archive }: Stores): void {
    for (const [place, id] of this.#seen) {
      const [room = "", seq = ""] = place.split(" ");
      const found = archive.get(room as RoomId)?.at(Number(seq));
      if (found?.id !== id) {
        this.#fail("I3", `${place} was shown as ${id}; archive: ${found?.id ?? "nothing"}`);
      }
    }
  }

  #checkOrder(): void {
    for (const [stream, ids] of this.#order) {
      let last: Seq = 0;
      for (const id of ids) {
        const send = this.#sends.get(id);
        if (send?.seq === undefined || send.orderly !== stream) continue;
        if (send.seq <= last) {
          this.#fail("I7", `${id} got ${send.seq}, although ${last} was sent before it`);
        }
        last = Math.max(last, send.seq);
      }
    }
  }

  #fail(invariant: InvariantId, detail: string): void {
    this.#counts.violations++;
    if (this.#violations.length < VIOLATIONS_MAX) this.#violations.push({ invariant, detail });
  }
}

function streamOf({ client, conn, room }: ClientRecord): string {
  return `${client} ${conn} ${room}`;
}

function placeOf(room: RoomId, seq: Seq): string {
  return `${room} ${seq}`;
}
