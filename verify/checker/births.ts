// Births: the birth of each room that each client knows, and which births a loss ended.
//
// A birth names one sequence of events of a room. A room that was lost and recreated has another
// one, and assigns sequence numbers again. Does not own: the sequence of one connection
// (streams.ts).
//
//   births.1. A client knows the birth from `joined`. In a room that was empty at the join it is
//        the id of event 1, so a client with an event always knows a birth.
//   births.2. A `joined` with another birth shows a recreation. It is a violation before the mark
//        `loss`, because nothing else recreates a room.
//   births.3. A client that resumed with a cursor of another birth is stale: its cursor names an
//        event that the room does not have. It is stale until a join that begins without a cursor.
//   births.4. After the mark `loss` the events of a birth must be stored only if a later join named
//        that birth. A room that no client joined since then may be lost.

import type { MessageId, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { Fail } from "./violation.ts";

export interface JoinAnswer {
  readonly client: UserId;
  readonly room: RoomId;
  readonly born: string;
  /** The cursor of the request; 0 without one. */
  readonly after: Seq;
}

/** A room without an event, or a run that recorded no births. */
const NONE = "";

export class Births {
  readonly #fail: Fail;
  /** By client and room. */
  readonly #known = new Map<string, string>();
  readonly #stale = new Set<string>();
  /** By room: the birth of the last `joined`, or of event 1 after a `joined` without one. */
  readonly #newest = new Map<RoomId, string>();
  #hasLoss = false;

  constructor(fail: Fail) {
    this.#fail = fail;
  }

  onLoss(): void {
    this.#hasLoss = true;
    this.#newest.clear(); // births.4
  }

  /** True: the room was recreated since the client last joined it. */
  onJoined({ client, room, born, after }: JoinAnswer): boolean {
    const key = keyOf(client, room);
    const known = this.#known.get(key) ?? NONE;
    const isRecreated = known !== NONE && born !== known;
    if (isRecreated && !this.#hasLoss) {
      // births.2
      this.#fail("I8", `${client} got the birth ${born} of ${room} instead of ${known}`);
    }
    this.#known.set(key, born);
    if (born === NONE) this.#newest.delete(room);
    else this.#newest.set(room, born);
    if (after === 0) this.#stale.delete(key);
    else if (isRecreated) this.#stale.add(key); // births.3
    return isRecreated;
  }

  /** Returns the birth of the room that the event belongs to. */
  onSeen(client: UserId, room: RoomId, seq: Seq, id: MessageId): string {
    const key = keyOf(client, room);
    const known = this.#known.get(key);
    if (known !== NONE || seq !== 1) return known ?? NONE;
    this.#known.set(key, id); // births.1
    if (!this.#newest.has(room)) this.#newest.set(room, id);
    return id;
  }

  isStale(client: UserId, room: RoomId): boolean {
    return this.#stale.has(keyOf(client, room));
  }

  /** Whether the stores must have the events that clients received of this birth. */
  mustBeStored(room: RoomId, born: string): boolean {
    return !this.#hasLoss || this.#newest.get(room) === born;
  }
}

function keyOf(client: UserId, room: RoomId): string {
  return `${client} ${room}`;
}
