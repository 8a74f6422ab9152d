// Sends: what was sent and answered, judged as it happens.
//
//   I2. What is acknowledged was sent.
//   I6. All answers to one id name the same number.
//   I7. Acknowledged sends of one connection are numbered in the order in which they were sent. A
//       message that met an error is judged no more: its client may send it again later.

import type { RoomId } from "#shared/protocol/ids.ts";
import type { Conns, Stream } from "./conns.ts";
import { Latencies } from "./latencies.ts";
import type { Messages } from "./messages.ts";
import { LOST } from "./record.ts";
import type { ClientRecord } from "./record.ts";
import type { Fail } from "./violation.ts";

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
    if (messages.seq.at(m) > 0 || messages.isDisorderly(m)) return;
    messages.conn.set(m, conn.number);
    this.#conns.stream(record).order.push(m);
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
    this.#judgeOrder(this.#conns.stream(record), record.room);
    return m;
  }

  onUnanswered(record: Phase<"fail" | "info">): void {
    const m = this.#messages.number(record.id);
    this.#conns.end(record, record.id);
    if (m === 0) return;
    if (record.phase === "fail") this.#messages.refused.set(m, this.#messages.refused.at(m) + 1);
    if (record.err !== LOST) this.#messages.disorder(m);
    const stream = this.#conns.stream(record);
    stream.order = stream.order.filter((other) => other !== m);
    this.#judgeOrder(stream, record.room);
  }

  /** Judges what stands before the first one that is still without an answer. */
  #judgeOrder(stream: Stream, room: RoomId): void {
    const { seq: seqs } = this.#messages;
    let judged = 0;
    for (const m of stream.order) {
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
