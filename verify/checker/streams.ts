// Streams: what each connection was shown of each room, judged as it happens.
//
//   streams.1. What is shown was sent.
//   streams.2. All observers agree on what stands at (room, seq).
//   streams.3. What one connection is shown of a room begins where it joined and has no hole or
//        repeat.
//   streams.4. Whoever resumes from n begins at n + 1 (or the room was born again), has everything
//        up to the promised head when it is told that it caught up, and at the end has all there
//        is.
//   streams.5. Nothing of a room reaches a connection outside its membership.
//   streams.6. When things were quiet for long enough, everybody sees exactly who is here.

import type { RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { Column } from "./column.ts";
import type { Conns, Stream } from "./conns.ts";
import type { Messages } from "./messages.ts";
import type { ClientRecord } from "./record.ts";
import type { Fail } from "./violation.ts";

type On<Op extends ClientRecord["op"]> = Extract<ClientRecord, { op: Op }>;
type JoinOk = Extract<On<"join">, { phase: "ok" }>;

/** Where somebody stood in a room when the run was drained. */
export interface Place {
  readonly client: UserId;
  readonly room: RoomId;
  readonly next: Seq;
}

export class Streams {
  readonly #messages: Messages;
  readonly #conns: Conns;
  readonly #fail: Fail;
  /** By room: the message that somebody was shown at a number. */
  readonly seen = new Map<RoomId, Column>();
  readonly #born = new Map<RoomId, string>();
  /** At the mark `end`. */
  last: readonly Place[] = [];
  /** Resumes that had something to replay. */
  replayed = 0;
  shown = 0;

  constructor(messages: Messages, conns: Conns, fail: Fail) {
    this.#messages = messages;
    this.#conns = conns;
    this.#fail = fail;
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
    const { from, head = 0 } = record;
    const expected = stream.after === undefined ? from : stream.after + 1;
    const isReborn = this.#isReborn(record);
    if (from !== expected && !isReborn) {
      this.#fail("I8", `${client}/${conn} resumed ${room} at ${from} instead of ${expected}`);
    }
    if (stream.after !== undefined && stream.after > 0 && head > stream.after) this.replayed++;
    stream.phase = "joined";
    stream.view = undefined; // What it knew of the others ended with the last membership.
    stream.here = undefined;
    stream.next = from;
    stream.head = head;
  }

  onCaughtUp(record: On<"caught">): void {
    const { room, seq, client, conn } = record;
    const stream = this.#conns.stream(record);
    if (seq !== stream.next - 1 || seq < stream.head) {
      const has = `has ${stream.next - 1}, was promised ${stream.head}`;
      this.#fail("I8", `${client}/${conn} was told ${room} is complete to ${seq}; it ${has}`);
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
      this.#fail("I9", `${client}/${conn} was shown ${room} ${seq} outside its membership`);
    } else if (stream.next !== seq) {
      this.#fail("I5", `${client}/${conn} was shown ${room} ${seq} instead of ${stream.next}`);
    }
    stream.next = seq + 1;
    const m = this.#messages.number(id);
    if (m === 0) {
      this.#fail("I2", `${client}/${conn} was shown ${id} at ${room} ${seq}; it was never sent`);
      return;
    }
    this.#messages.show(m);
    let seen = this.seen.get(room);
    if (seen === undefined) this.seen.set(room, (seen = new Column()));
    const before = seen.at(seq);
    if (before === 0) seen.set(seq, m);
    else if (before !== m) {
      this.#fail("I3", `${room} ${seq} was shown as ${this.#messages.id(before)} and as ${id}`);
    }
  }

  onPresence(record: On<"here">): void {
    const stream = this.#conns.stream(record);
    if (stream.phase !== "joined") {
      this.#fail("I9", `${record.client}/${record.conn} was told who is in ${record.room}`);
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
      return { client, room, next: stream.next };
    });
  }

  *#joined(): Generator<{ client: UserId; room: RoomId; stream: Stream }> {
    for (const { client, streams } of this.#conns.all()) {
      for (const [room, stream] of streams) {
        if (stream.phase === "joined") yield { client, room, stream };
      }
    }
  }

  #isReborn({ room, born }: JoinOk): boolean {
    const before = this.#born.get(room);
    if (born === undefined || born === "") return false;
    this.#born.set(room, born);
    return before !== undefined && before !== born;
  }
}
