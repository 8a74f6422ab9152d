// Sends: what was sent and answered, judged as it happens.
//
//   checker/sends.1. What is acknowledged was sent.
//   checker/sends.2. All answers to one id name the same number.
//   checker/sends.3. Acknowledged sends of one connection to a room are numbered in the order in
//        which they were sent there for the first time. A refusal that may pass (REFUSED_FOR_NOW)
//        leaves a message its place, unless its client gives the order up: by not sending the first
//        refused one again for ORDER_KEPT_MS, by leaving, or by having more refused ones than
//        PLACES_MAX. On another connection a message that met an error is judged no more: its
//        number may be from before.

import type { RoomId } from "#shared/protocol/ids.ts";
import type { Conn, Conns, Stream } from "./conns.ts";
import { Latencies } from "./latencies.ts";
import type { Messages } from "./messages.ts";
import { LOST } from "./record.ts";
import type { ClientRecord } from "./record.ts";
import type { Fail } from "./violation.ts";

const REFUSED_FOR_NOW: ReadonlySet<string> = new Set([
  "busy",
  "rate_limited",
  "unavailable",
  "internal",
]);
/** The promise is 30 s from when the server refused; a refusal may be under way for the rest. */
const ORDER_KEPT_MS = 25_000;
/** Of one connection, those in flight included: some of them may be refused already. */
const PLACES_MAX = 256;

/** No message, no connection. */
const NONE = 0;

type SendRecord = Extract<ClientRecord, { op: "send" }>;
type Phase<P extends SendRecord["phase"]> = Extract<SendRecord, { phase: P }>;

export class Sends {
  readonly #messages: Messages;
  readonly #conns: Conns;
  readonly #fail: Fail;
  /** From the first send to the acknowledgement. */
  readonly latencies = new Latencies();
  /** Sent again while somebody had already been shown them, and answered. */
  oldAnswers = 0;
  retried = 0;

  constructor(messages: Messages, conns: Conns, fail: Fail) {
    this.#messages = messages;
    this.#conns = conns;
    this.#fail = fail;
  }

  /** `at`: of the record, in milliseconds from the run's begin. */
  onInvoked(record: Phase<"invoke">, at: number): void {
    const { id, client, room, sum = 0 } = record;
    const messages = this.#messages;
    const known = messages.number(id);
    const m = known === 0 ? messages.add(id, client, room) : known;
    const conn = this.#conns.of(record);
    this.#conns.begin(record, id);
    const invoked = messages.invoked.at(m);
    messages.invoked.set(m, invoked + 1);
    if (invoked === 0) {
      messages.sum.set(m, sum);
      messages.at.set(m, at);
    } else {
      if (invoked === 1) this.retried++;
      messages.retry(m);
    }
    // A retry of what was answered keeps its old number, so it says nothing about order. A retry of
    // what nobody knows does: nothing sent after it may stand before it.
    if (messages.seq.at(m) > 0) return;
    const stream = this.#conns.stream(record);
    this.#forgetLate(stream, conn, record);
    if (stream.refused.delete(m)) return; // It has its place.
    if (messages.isDisorderly(m)) messages.conn.set(m, NONE);
    else this.#place(stream, conn, m);
  }

  #place(stream: Stream, { number }: Conn, m: number): void {
    this.#messages.conn.set(m, number);
    stream.order.push(m);
  }

  /** It leaves the room, or was not let in: what was refused has no place there any more. */
  onAway(record: ClientRecord & { readonly room: RoomId }): void {
    this.#forgetRefused(this.#conns.stream(record), this.#conns.of(record), record.room);
  }

  onClosed(record: ClientRecord): void {
    this.#judgeAll(this.#conns.of(record));
  }

  finish(): void {
    for (const conn of this.#conns.all()) this.#judgeAll(conn);
  }

  #judgeAll(conn: Conn): void {
    for (const [room, stream] of conn.streams) this.#forgetRefused(stream, conn, room);
  }

  /** The message's number when this is its first acknowledgement, else 0. */
  onAcked(record: Phase<"ok">, at: number): number {
    const { id, seq, client } = record;
    const messages = this.#messages;
    const m = messages.number(id);
    this.#conns.end(record, id);
    if (m === 0) {
      this.#fail("I2", `${id} was acknowledged to ${client} and never sent`);
      return 0;
    }
    const before = messages.seq.at(m);
    if (before !== 0) {
      if (before !== seq) this.#fail("I6", `${id} was answered ${before} and then ${seq}`);
      return 0;
    }
    messages.seq.set(m, seq);
    if (messages.isRetriedSeen(m)) this.oldAnswers++;
    this.latencies.add(at - messages.at.at(m));
    this.#judgeOrder(this.#conns.stream(record), this.#conns.of(record), record.room);
    return m;
  }

  onUnanswered(record: Phase<"fail" | "info">): void {
    const m = this.#messages.number(record.id);
    this.#conns.end(record, record.id);
    if (m === 0) return;
    if (record.phase === "fail") this.#messages.refused.set(m, this.#messages.refused.at(m) + 1);
    if (record.err !== LOST) this.#messages.disorder(m);
    const stream = this.#conns.stream(record);
    const conn = this.#conns.of(record);
    if (REFUSED_FOR_NOW.has(record.err) && hasRoom(conn)) {
      if (stream.order.includes(m)) stream.refused.set(m, record.t);
      return;
    }
    stream.order = stream.order.filter((other) => other !== m);
    this.#judgeOrder(stream, conn, record.room);
  }

  /** When the first that was refused stays away, the server lets every send pass. */
  #forgetLate(stream: Stream, conn: Conn, { room, t }: SendRecord): void {
    if (stream.refused.size === 0) return;
    const first = stream.order.find((m) => stream.refused.has(m)) ?? NONE;
    if (t - (stream.refused.get(first) ?? t) > ORDER_KEPT_MS) {
      this.#forgetRefused(stream, conn, room);
    }
  }

  #forgetRefused(stream: Stream, conn: Conn, room: RoomId): void {
    if (stream.refused.size === 0) return;
    stream.order = stream.order.filter((m) => !stream.refused.has(m));
    stream.refused.clear();
    this.#judgeOrder(stream, conn, room);
  }

  /** Judges what stands before the first one that is still without an answer. */
  #judgeOrder(stream: Stream, conn: Conn, room: RoomId): void {
    const { seq: seqs } = this.#messages;
    let judged = 0;
    for (const m of stream.order) {
      if (this.#messages.conn.at(m) !== conn.number) {
        judged++; // It went on elsewhere.
        continue;
      }
      const seq = seqs.at(m);
      if (seq === 0) break;
      judged++;
      if (seq <= stream.floor) {
        const id = this.#messages.id(m);
        this.#fail("I7", `${id} got ${room} ${seq}, although ${stream.floor} was sent before it`);
      }
      stream.floor = Math.max(stream.floor, seq);
    }
    if (judged > 0) stream.order.splice(0, judged);
  }
}

/** Whether the server remembers the place of one more refused send of this connection. */
function hasRoom({ streams, open }: Conn): boolean {
  let refused = 0;
  for (const stream of streams.values()) refused += stream.refused.size;
  return refused + open.size < PLACES_MAX;
}
