// Conns: the connections that are open at this point of the records, and the rooms that each has
// joined.
//
//   conns.1. Every request ends once, within REQUEST_MS_MAX: with ok, an error or the loss of its
//        connection. Every end belongs to a request.

import type { RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { ClientRecord } from "./record.ts";
import type { Fail } from "./violation.ts";

/** A gateway answers `unavailable` after 10 s. The rest is a margin for a busy machine. */
export const REQUEST_MS_MAX = 30_000;

/** One connection's view of one room. */
export interface Stream {
  phase: "joining" | "joined" | "left";
  after: Seq | undefined;
  /** The next expected sequence number. */
  next: Seq;
  /** The head that `joined` named. */
  head: Seq;
  isCaughtUp: boolean;
  /** The present users as the connection received them; undefined without presence records. */
  view: Set<UserId> | undefined;
  here: number | undefined;
  /** Messages whose order is not judged yet, in the order of their first send (I7). */
  order: number[];
  /** Those with a temporary refusal and no retry yet, with the time of the refusal. */
  readonly refused: Map<number, number>;
  /** The highest sequence number of the judged messages. */
  floor: Seq;
}

export interface Conn {
  readonly number: number;
  readonly client: UserId;
  readonly conn: number;
  via: string;
  readonly streams: Map<RoomId, Stream>;
  /** Requests without an end, and the time of each. */
  readonly open: Map<string, number>;
}

export class Conns {
  readonly #fail: Fail;
  readonly #byClient = new Map<UserId, Map<number, Conn>>();
  #count = 0;

  constructor(fail: Fail) {
    this.#fail = fail;
  }

  of({ client, conn }: ClientRecord): Conn {
    let conns = this.#byClient.get(client);
    if (conns === undefined) this.#byClient.set(client, (conns = new Map<number, Conn>()));
    let found = conns.get(conn);
    if (found === undefined) {
      const number = ++this.#count;
      found = { number, client, conn, via: "", streams: new Map(), open: new Map() };
      conns.set(conn, found);
    }
    return found;
  }

  stream(record: ClientRecord & { readonly room: RoomId }): Stream {
    const { streams } = this.of(record);
    const known = streams.get(record.room);
    if (known !== undefined) return known;
    const stream: Stream = {
      phase: "left",
      after: undefined,
      next: 0,
      head: 0,
      isCaughtUp: false,
      view: undefined,
      here: undefined,
      order: [],
      refused: new Map(),
      floor: 0,
    };
    streams.set(record.room, stream);
    return stream;
  }

  *all(): Generator<Conn> {
    for (const conns of this.#byClient.values()) yield* conns.values();
  }

  begin(record: ClientRecord, request: string): void {
    this.of(record).open.set(request, record.t);
  }

  end(record: ClientRecord, request: string): void {
    const { client, conn, t } = record;
    const { open } = this.of(record);
    const began = open.get(request);
    if (began === undefined) {
      this.#fail("I14", `${client}/${conn}: ${request} ended twice, or was never sent`);
    } else if (t - began > REQUEST_MS_MAX) {
      this.#fail("I14", `${client}/${conn}: ${request} took ${Math.round(t - began)} ms to end`);
    }
    open.delete(request);
  }

  close(record: ClientRecord): void {
    const conn = this.of(record);
    this.#noneOpen(conn);
    this.#byClient.get(record.client)?.delete(record.conn);
  }

  finish(): void {
    for (const conn of this.all()) this.#noneOpen(conn);
  }

  #noneOpen({ client, conn, open }: Conn): void {
    for (const request of open.keys()) {
      this.#fail("I14", `${client}/${conn}: ${request} never ended`);
    }
  }
}
