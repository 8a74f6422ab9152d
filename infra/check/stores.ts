// Stores: what log, archive and history hold of every room, and whether they agree (I3, I4).

import type { MessageId, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { decodeEvent } from "#shared/protocol/events.ts";
import type { InvariantId, Violation } from "./violation.ts";

export interface StoredEvent {
  readonly room: RoomId;
  readonly seq: Seq;
  readonly id: MessageId;
  readonly from: UserId;
  readonly body: unknown;
  /** The line itself: stores must agree on it byte by byte. */
  readonly line: string;
}

/** One room as one store has it, in the store's own order. */
export class HeldRoom {
  readonly events: readonly StoredEvent[];
  readonly #bySeq: ReadonlyMap<Seq, StoredEvent>;

  constructor(events: readonly StoredEvent[]) {
    this.events = events;
    this.#bySeq = new Map(events.map((event) => [event.seq, event]));
  }

  get first(): Seq {
    return this.events[0]?.seq ?? 1;
  }

  get last(): Seq {
    return this.events.at(-1)?.seq ?? 0;
  }

  at(seq: Seq): StoredEvent | undefined {
    return this.#bySeq.get(seq);
  }
}

export type Store = ReadonlyMap<RoomId, HeldRoom>;

export interface Stores {
  readonly log: Store;
  /** Whether the log's beginning is gone: then a room may begin later there, or be absent. */
  readonly isTrimmed: boolean;
  readonly archive: Store;
  /** What the product's own pages say, from number 1 on. */
  readonly history: Store;
}

/** A store from lines in the order in which it holds them. */
export function storeOf(lines: Iterable<string>): Store {
  const rooms = new Map<RoomId, StoredEvent[]>();
  for (const line of lines) {
    const { room, seq, id, from, body } = decodeEvent(line);
    const events = rooms.get(room) ?? [];
    events.push({ room, seq, id, from, body, line });
    rooms.set(room, events);
  }
  return new Map([...rooms].map(([room, events]) => [room, new HeldRoom(events)]));
}

export function* compareStores(stores: Stores): Generator<Violation> {
  const { log, archive, history, isTrimmed } = stores;
  for (const [room, held] of log) yield* dense("log", room, held, isTrimmed ? held.first : 1);
  for (const [room, held] of archive) yield* dense("archive", room, held, 1);
  for (const [room, held] of history) yield* dense("history", room, held, 1);
  for (const room of new Set([...log.keys(), ...archive.keys(), ...history.keys()])) {
    const archived = archive.get(room);
    const logged = log.get(room);
    if (logged !== undefined || !isTrimmed) {
      yield* agree({ room, name: "log", from: isTrimmed ? logged?.first : 1 }, logged, archived);
    }
    yield* agree({ room, name: "history", from: 1 }, history.get(room), archived);
  }
}

function* dense(name: string, room: RoomId, held: HeldRoom, first: Seq): Generator<Violation> {
  let expected = first;
  for (const { seq } of held.events) {
    if (seq !== expected) yield violation("I4", `${name}: ${room} has ${seq}, not ${expected}`);
    expected = seq + 1;
  }
}

/** Every number that a store has or should have, against the archive, which is never trimmed. */
function* agree(
  { room, name, from = 1 }: { room: RoomId; name: string; from?: Seq | undefined },
  held: HeldRoom | undefined,
  archived: HeldRoom | undefined,
): Generator<Violation> {
  const to = Math.max(held?.last ?? 0, archived?.last ?? 0);
  for (let seq = from; seq <= to; seq++) {
    const [a = "nothing", b = "nothing"] = [held?.at(seq)?.line, archived?.at(seq)?.line];
    if (a !== b) yield violation("I3", `${room} ${seq}: ${name} has ${a}, the archive has ${b}`);
  }
}

function violation(invariant: InvariantId, detail: string): Violation {
  return { invariant, detail };
}
