// Sends: judges sends and their answers, record by record.
//
//   checker/sends.1. Every acknowledged message was sent.
//   checker/sends.2. All answers to one id name the same sequence number.
//   checker/sends.3. The acknowledged sends of one connection to a room have sequence numbers in
//        the order in which the client sent them there for the first time. A temporary refusal
//        (REFUSED_FOR_NOW) leaves a message its place, unless its client gives the order up: it
//        does not send the first refused message again for ORDER_KEPT_MS, it leaves the room, or it
//        has more than PLACES_MAX refused messages. A message that met an error is not judged on
//        another connection: its number may be from before.
//   checker/sends.4. A message that names an event which no client knew of at its first send has no
//        place: the owner refuses it while there is no such event, and the refusal may be lost
//        (decision 010).

import type { RoomId, Seq } from "#shared/protocol/ids.ts";
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
/**
 * The server keeps the order for 30 s after its refusal. The rest is time for the refusal to
 * arrive.
 */
const ORDER_KEPT_MS = 25_000;
/** Of one connection, with those in flight: the server may have refused some of them already. */
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
  /** Retries of messages that an observer had already received, and that were answered. */
  oldAnswers = 0;
  retried = 0;
  /** Messages that had to wait for a rate or a slow mode and were then acknowledged. */
  slowed = 0;
  /** The highest sequence number of each room that a client knew of. */
  readonly #heads = new Map<RoomId, Seq>();
  readonly #slowed = new Set<number>();
  /** Writes that a room decided against. */
  readonly #decided = new Set<number>();

  constructor(messages: Messages, conns: Conns, fail: Fail) {
    this.#messages = messages;
    this.#conns = conns;
    this.#fail = fail;
  }

  /** `at`: the time of the record in milliseconds from the begin of the run. */
  onInvoked(record: Phase<"invoke">, at: number): void {
    const { id, client, room, sum = 0, more = 0, target = 0 } = record;
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
      if (more > 0) messages.addMore(m, more);
      if (target > (this.#heads.get(room) ?? 0)) messages.disorder(m); // sends.4
    } else {
      if (invoked === 1) this.retried++;
      messages.retry(m);
    }
    // A retry of an answered message keeps its number and has no place in the order. A retry of a
    // message with an uncertain outcome has one: no later send may be stored before it.
    if (messages.seq.at(m) > 0) return;
    const stream = this.#conns.stream(record);
    this.#forgetLate(stream, conn, record);
    if (stream.refused.delete(m)) return; // It keeps its place.
    if (messages.isDisorderly(m)) messages.conn.set(m, NONE);
    else this.#place(stream, conn, m);
  }

  #place(stream: Stream, { number }: Conn, m: number): void {
    this.#messages.conn.set(m, number);
    stream.order.push(m);
  }

  onShown(room: RoomId, seq: Seq): void {
    if (seq > (this.#heads.get(room) ?? 0)) this.#heads.set(room, seq);
  }

  /** The client left the room, or its join failed: refused messages lose their places. */
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

  /** Returns the message's number at its first acknowledgement, else 0. */
  onAcked(record: Phase<"ok">, at: number): number {
    const { id, seq, client } = record;
    this.onShown(record.room, seq);
    const messages = this.#messages;
    const m = messages.number(id);
    this.#conns.end(record, id);
    if (m === 0) {
      this.#fail("I2", `${client} got an acknowledgement of ${id}, which no client sent`);
      return 0;
    }
    const before = messages.seq.at(m);
    if (before !== 0) {
      if (before !== seq)
        this.#fail("I6", `${id} was acknowledged at ${before} and then at ${seq}`);
      return 0;
    }
    messages.seq.set(m, seq);
    messages.ackedAt.set(m, at);
    for (const [i, own] of messages.more(m).entries()) messages.seq.set(own, seq + 1 + i);
    if (messages.isRetriedSeen(m)) this.oldAnswers++;
    if (this.isSlowed(m)) this.slowed++;
    else this.latencies.add(at - messages.at.at(m));
    this.#judgeOrder(this.#conns.stream(record), this.#conns.of(record), record.room);
    return m;
  }

  /** Writes that a room decided against, without an acknowledgement. */
  get decided(): number {
    return [...this.#decided].filter((m) => this.#messages.seq.at(m) === 0).length;
  }

  /** A room decided against it, and so against its copies that were lost. */
  isDecided(m: number): boolean {
    return this.#decided.has(m);
  }

  /** It had to wait for a rate or a slow mode: its time says nothing about the server. */
  isSlowed(m: number): boolean {
    return this.#slowed.has(m);
  }

  onUnanswered(record: Phase<"fail" | "info">): void {
    const m = this.#messages.number(record.id);
    this.#conns.end(record, record.id);
    if (m === 0) return;
    if (record.phase === "fail") this.#messages.refused.set(m, this.#messages.refused.at(m) + 1);
    if (record.err === "rate_limited") this.#slowed.add(m);
    if (record.phase === "fail" && !REFUSED_FOR_NOW.has(record.err)) this.#decided.add(m);
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

  /**
   * When the client does not send the first refused message again, the server lets every send pass.
   */
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

  /** Judges the messages before the first one without an answer. */
  #judgeOrder(stream: Stream, conn: Conn, room: RoomId): void {
    const { seq: seqs } = this.#messages;
    let judged = 0;
    for (const m of stream.order) {
      if (this.#messages.conn.at(m) !== conn.number) {
        judged++; // Its retry went over another connection.
        continue;
      }
      const seq = seqs.at(m);
      if (seq === 0) break;
      judged++;
      if (seq <= stream.floor) {
        const id = this.#messages.id(m);
        this.#fail(
          "I7",
          `${id} has number ${seq} in ${room}; the message sent before it has ${stream.floor}`,
        );
      }
      stream.floor = Math.max(stream.floor, seq);
    }
    if (judged > 0) stream.order.splice(0, judged);
  }
}

/** Whether the server keeps the place of one more refused send of this connection. */
function hasRoom({ streams, open }: Conn): boolean {
  let refused = 0;
  for (const stream of streams.values()) refused += stream.refused.size;
  return refused + open.size < PLACES_MAX;
}
