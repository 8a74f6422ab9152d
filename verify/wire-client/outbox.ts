// Outbox: the messages of one client that no acknowledgement has confirmed yet, in the order of
// creation.
//
//   wire-client/outbox.1. A message stays until it is acknowledged. One that is not in flight is
//        due.
//   wire-client/outbox.2. At most `inFlightMax` messages are in flight, and the outbox holds at
//        most `sizeMax`. Beyond that it creates no new message and counts the skipped ones.
//   wire-client/outbox.3. One id in `oldIdEvery` carries a time one hour ago, like that of a phone
//        that was off. The owner's memory may have forgotten it, so the owner looks it up in the
//        archive (P13).
//   wire-client/outbox.4. Messages of a room wait behind a refused one whose retry time has not
//        come: the server would refuse them until then (O4).

import { systemRandom } from "#shared/adapters/clock-system.ts";
import { uuidv7 } from "#shared/kit/uuid.ts";
import type { MessageId, RoomId } from "#shared/protocol/ids.ts";
import { sumOf } from "../checker/sum.ts";

const OLD_MS = 3_600_000;

export interface OutboxOptions {
  readonly inFlightMax: number;
  readonly sizeMax: number;
  /** 0: no id is old. */
  readonly oldIdEvery: number;
  /** Acknowledged messages that the outbox keeps for `repeat`. */
  readonly repeatableMax: number;
}

export interface OutgoingMessage {
  readonly id: MessageId;
  readonly room: RoomId;
  readonly body: object;
  /** The checksum of the body; undefined for a bulk message. */
  readonly sum: number | undefined;
  isInFlight: boolean;
  /** Not due before this time, after a refusal. */
  notBefore: number;
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #messages = new Map<MessageId, OutgoingMessage>();
  readonly #acknowledged: OutgoingMessage[] = [];
  #inFlight = 0;
  #created = 0;
  skipped = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#messages.size;
  }

  holds(room: RoomId): boolean {
    for (const message of this.#messages.values()) if (message.room === room) return true;
    return false;
  }

  /** A bulk message has no checksum, and the outbox does not keep it for `repeat`. */
  add(room: RoomId, body: object, isBulk: boolean): void {
    const { sizeMax, oldIdEvery } = this.#options;
    if (this.#messages.size >= sizeMax) {
      this.skipped++; // wire-client/outbox.2
      return;
    }
    const isOld = ++this.#created % oldIdEvery === 0; // wire-client/outbox.3
    const id = uuidv7(Date.now() - (isOld ? OLD_MS : 0), systemRandom);
    const sum = isBulk ? undefined : sumOf(body);
    this.#messages.set(id, { id, room, body, sum, isInFlight: false, notBefore: 0 });
  }

  /** Makes `count` acknowledged messages due again, evenly spread from the oldest one on. */
  repeat(count: number): void {
    const step = Math.max(1, Math.floor(this.#acknowledged.length / count));
    const chosen = this.#acknowledged.filter((_, i) => i % step === 0).slice(0, count);
    for (const message of chosen) {
      this.#acknowledged.splice(this.#acknowledged.indexOf(message), 1);
      if (this.#messages.has(message.id)) continue;
      this.#messages.set(message.id, { ...message, isInFlight: false, notBefore: 0 });
    }
  }

  /** Yields the messages that are due, oldest first, and marks each as in flight. */
  *due(now: number, isJoined: (room: RoomId) => boolean): Generator<OutgoingMessage> {
    const waiting = new Set<RoomId>();
    for (const message of this.#messages.values()) {
      if (this.#inFlight >= this.#options.inFlightMax) return;
      if (message.isInFlight) continue;
      if (message.notBefore > now) waiting.add(message.room); // wire-client/outbox.4
      if (waiting.has(message.room) || !isJoined(message.room)) continue;
      message.isInFlight = true;
      this.#inFlight++;
      yield message;
    }
  }

  acknowledge(id: MessageId): void {
    const message = this.#land(id);
    this.#messages.delete(id);
    if (message?.sum === undefined) return;
    if (this.#acknowledged.push(message) > this.#options.repeatableMax) this.#acknowledged.shift();
  }

  refuse(id: MessageId, notBefore: number): void {
    const message = this.#land(id);
    if (message !== undefined) message.notBefore = notBefore;
  }

  /** The connection was lost: these messages are due again. */
  lose(ids: readonly MessageId[]): void {
    for (const id of ids) this.#land(id);
  }

  #land(id: MessageId): OutgoingMessage | undefined {
    const message = this.#messages.get(id);
    if (message?.isInFlight === true) {
      message.isInFlight = false;
      this.#inFlight--;
    }
    return message;
  }
}
