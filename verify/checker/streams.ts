// Streams: judges the events that each connection received of each room, record by record.
//
//   streams.1. Every received event was sent.
//   streams.2. All observers agree on the event at (room, seq), while the room keeps its birth.
//   streams.3. The events that a connection receives of a room begin where it joined and have no
//        gap or repeat.
//   streams.4. A client that resumes from n begins at n + 1 (unless the room was recreated), has
//        every event up to the promised head at `caught-up`, and has the whole room at the end,
//        without an event of a birth that was lost (births.3).
//   streams.5. A connection receives no event of a room outside its membership.
//   streams.6. When membership did not change for long enough, every client sees exactly the
//        present users.

import type { RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { Births } from "./births.ts";
import { Column } from "./column.ts";
import type { Conns, Stream } from "./conns.ts";
import type { Messages } from "./messages.ts";
import type { ClientRecord } from "./record.ts";
import type { Fail } from "./violation.ts";

type On<Op extends ClientRecord["op"]> = Extract<ClientRecord, { op: Op }>;

/** The position of a client in a room when the run was drained. */
export interface ReaderPosition {
  readonly client: UserId;
  readonly room: RoomId;
  readonly next: Seq;
}

export class Streams {
  readonly #messages: Messages;
  readonly #conns: Conns;
  readonly #fail: Fail;
  readonly births: Births;
  /** By room and birth: the message that the first observer received at each sequence number. */
  readonly #seen = new Map<RoomId, Map<string, Column>>();
  /** At the mark `end`. */
  last: readonly ReaderPosition[] = [];
  /** Resumes with at least one event to replay. */
  replayed = 0;
  shown = 0;

  constructor(messages: Messages, conns: Conns, fail: Fail) {
    this.#messages = messages;
    this.#conns = conns;
    this.#fail = fail;
    this.births = new Births(fail);
  }

  /** What observers received and the stores must have, by room. */
  *seen(): Generator<readonly [RoomId, Column]> {
    for (const [room, byBirth] of this.#seen) {
      for (const [born, column] of byBirth) {
        if (this.births.mustBeStored(room, born)) yield [room, column];
      }
    }
  }

  onJoin(record: On<"join">): void {
    const { room, client, conn } = record;
    const stream = this.#conns.stream(record);
    if (record.phase === "invoke") {
      this.#conns.begin(record, `join ${room}`);
      stream.after = record.after;
      stream.phase = "joining";
      stream.isCaughtUp = false;
      return;
    }
    this.#conns.end(record, `join ${room}`);
    if (record.phase !== "ok") {
      stream.phase = "left";
      return;
    }
    const { from, head = 0, born } = record;
    const { after = 0 } = stream;
    const expected = stream.after === undefined ? from : after + 1;
    const isRecreated = born !== undefined && this.births.onJoined({ client, room, born, after });
    if (from !== expected && !isRecreated) {
      this.#fail("I8", `${client}/${conn} resumed ${room} at ${from} instead of ${expected}`);
    }
    if (after > 0 && head > after) this.replayed++;
    stream.phase = "joined";
    stream.view = undefined; // What it knew of the other users ended with the previous membership.
    stream.here = undefined;
    stream.next = from;
    stream.head = head;
  }

  onCaughtUp(record: On<"caught">): void {
    const { room, seq, client, conn } = record;
    const stream = this.#conns.stream(record);
    if (seq !== stream.next - 1 || seq < stream.head) {
      const has = `has ${stream.next - 1}; the promised head is ${stream.head}`;
      this.#fail("I8", `${client}/${conn} got caught-up at ${seq} in ${room}; it ${has}`);
    }
    stream.isCaughtUp = true;
  }

  onLeave(record: On<"leave">): void {
    if (record.phase === "invoke") this.#conns.begin(record, `leave ${record.room}`);
    else this.#conns.end(record, `leave ${record.room}`);
    if (record.phase === "ok") this.#conns.stream(record).phase = "left";
  }

  onSeen(record: On<"see">): void {
    const { room, seq, id, client, conn } = record;
    this.shown++;
    const stream = this.#conns.stream(record);
    if (stream.phase !== "joined") {
      this.#fail("I9", `${client}/${conn} received ${room} ${seq} outside its membership`);
    } else if (stream.next !== seq) {
      this.#fail("I5", `${client}/${conn} received ${room} ${seq} instead of ${stream.next}`);
    }
    stream.next = seq + 1;
    const m = this.#messages.number(id);
    if (m === 0) {
      this.#fail("I2", `${client}/${conn} received ${id} at ${room} ${seq}; no client sent it`);
      return;
    }
    this.#messages.markSeen(m);
    const seen = this.#column(room, this.births.onSeen(client, room, seq, id));
    const before = seen.at(seq);
    if (before === 0) seen.set(seq, m);
    else if (before !== m) {
      this.#fail(
        "I3",
        `observers received ${this.#messages.id(before)} and ${id} at ${room} ${seq}`,
      );
    }
  }

  onPresence(record: On<"here">): void {
    const stream = this.#conns.stream(record);
    if (stream.phase !== "joined") {
      this.#fail(
        "I9",
        `${record.client}/${record.conn} received presence of ${record.room} outside its membership`,
      );
      return;
    }
    const view = (stream.view ??= new Set());
    if (record.all === true) view.clear();
    for (const user of record.join ?? []) view.add(user);
    for (const user of record.leave ?? []) view.delete(user);
    stream.here = record.here ?? stream.here;
  }

  onQuiet(): void {
    const here = new Map<RoomId, Set<UserId>>();
    for (const { client, room } of this.#joined()) {
      const users = here.get(room) ?? new Set();
      here.set(room, users.add(client));
    }
    for (const { client, room, stream } of this.#joined()) {
      if (stream.view === undefined) continue;
      const users = here.get(room) ?? new Set();
      const missing = [...users].filter((user) => stream.view?.has(user) !== true);
      const gone = [...stream.view].filter((user) => !users.has(user));
      const count = stream.here ?? users.size;
      if (missing.length === 0 && gone.length === 0 && count === users.size) continue;
      const view = `missing [${missing.join()}], gone [${gone.join()}], ${count} of ${users.size}`;
      this.#fail("I11", `${client} sees in ${room}: ${view}`);
    }
  }

  onEnd(): void {
    this.last = [...this.#joined()].map(({ client, room, stream }) => {
      if (this.births.isStale(client, room)) {
        this.#fail("I8", `${client} continues ${room} from a cursor of a lost birth`);
      }
      return { client, room, next: stream.next };
    });
  }

  #column(room: RoomId, born: string): Column {
    let byBirth = this.#seen.get(room);
    if (byBirth === undefined) this.#seen.set(room, (byBirth = new Map<string, Column>()));
    let column = byBirth.get(born);
    if (column === undefined) byBirth.set(born, (column = new Column()));
    return column;
  }

  *#joined(): Generator<{ client: UserId; room: RoomId; stream: Stream }> {
    for (const { client, streams } of this.#conns.all()) {
      for (const [room, stream] of streams) {
        if (stream.phase === "joined") yield { client, room, stream };
      }
    }
  }
}
