// Hooks: judges what a receiver of webhooks took, against the lines of the archive.
//
//   hooks.1. Each event of the kinds and rooms of the subscription that the archive has was
//        delivered at least once, when the run has ended in order.
//   hooks.2. The first deliveries of a room are in the order of its numbers.
//   hooks.3. A delivery names an event that the archive has at this place.
//
// It knows places, ids and kinds, and not the bodies: an event may have become a tombstone between
// its delivery and the end of the run.

import { parseObject } from "#shared/kit/json.ts";
import type { HookRecord } from "./record.ts";
import type { Fail } from "./violation.ts";

interface Room {
  /** The highest number that was delivered. */
  newest: number;
  /** Number → id, of each delivered event. */
  readonly delivered: Map<number, string>;
}

export class Hooks {
  readonly #fail: Fail;
  /** Undefined: the run has no webhook. */
  #kinds: ReadonlySet<string> | undefined;
  readonly #rooms = new Map<string, Room>();
  #missing = 0;
  #firstMissing = "";
  /** Different events that arrived. */
  delivered = 0;

  constructor(fail: Fail) {
    this.#fail = fail;
  }

  onRecord(record: HookRecord): void {
    if (record.phase === "invoke") {
      this.#kinds = new Set(record.kinds);
      for (const room of record.rooms) {
        this.#rooms.set(room, { newest: 0, delivered: new Map() });
      }
      return;
    }
    const { room: name, seq, id, kind } = record;
    const room = this.#rooms.get(name);
    if (room === undefined || this.#kinds?.has(kind) !== true) {
      this.#fail("I19", `${name} ${seq}: a webhook got a ${kind} of another room or kind`);
      return;
    }
    const known = room.delivered.get(seq);
    if (known !== undefined) {
      if (known !== id) this.#fail("I19", `${name} ${seq}: a webhook got ${known} and ${id}`);
      return;
    }
    if (seq < room.newest) {
      this.#fail("I19", `${name} ${seq} first reached a webhook behind ${room.newest}`); // hooks.2
    }
    room.newest = Math.max(room.newest, seq);
    room.delivered.set(seq, id);
    this.delivered++;
  }

  takeArchived(text: string): void {
    if (this.#kinds === undefined) return;
    const line = parseObject(text);
    const [name, seq, id] = [String(line?.["room"]), Number(line?.["seq"]), String(line?.["id"])];
    const room = this.#rooms.get(name);
    if (room === undefined || !this.#kinds.has(String(line?.["t"]))) return;
    const delivered = room.delivered.get(seq);
    room.delivered.delete(seq);
    if (delivered === undefined) {
      if (this.#missing++ === 0) this.#firstMissing = `${name} ${seq}`;
    } else if (delivered !== id) {
      this.#fail("I19", `${name} ${seq}: a webhook got ${delivered}; the archive has ${id}`);
    }
  }

  finish(isEnded: boolean): void {
    for (const [name, { delivered }] of this.#rooms) {
      for (const [seq, id] of delivered) {
        this.#fail("I19", `${name} ${seq}: a webhook got ${id}, which no archive has`); // hooks.3
      }
    }
    if (!isEnded || this.#missing === 0) return;
    this.#fail(
      "I19",
      `${this.#missing} events never reached a webhook, first ${this.#firstMissing}`,
    );
  }
}
