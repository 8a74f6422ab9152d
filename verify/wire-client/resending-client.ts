// ResendingClient: a WireClient that sends each message, under one id, until it is acknowledged.
//
// Owns: the outbox. Does not own: which messages to send and when.
//
//   resending-client.1. The client sends a message with the same id until the acknowledgement
//        arrives.
//   resending-client.2. On a new connection it first sends the messages without an acknowledgement
//        again, in the order of their creation, then new ones.

import type { RoomId } from "#shared/protocol/ids.ts";
import { Outbox } from "./outbox.ts";
import type { OutboxOptions } from "./outbox.ts";
import { WireClient } from "./wire-client.ts";
import type { WireClientOptions } from "./wire-client-options.ts";

export interface ResendingClientOptions extends WireClientOptions {
  readonly outbox: OutboxOptions;
}

export class ResendingClient {
  readonly wire: WireClient;
  readonly #outbox: Outbox;
  readonly #now: () => number;

  constructor({ outbox, ...options }: ResendingClientOptions) {
    const { hooks = {}, now = () => performance.now() } = options;
    this.#now = now;
    this.#outbox = new Outbox(outbox);
    this.wire = new WireClient({
      ...options,
      hooks: {
        ...hooks,
        onJoined: (room) => {
          hooks.onJoined?.(room);
          this.#pump();
        },
        onAck: (room, id, seq) => {
          this.#outbox.acknowledge(id);
          hooks.onAck?.(room, id, seq);
          this.#pump();
        },
        onRefused: (refusal) => {
          this.#outbox.refuse(refusal.id, now() + refusal.afterMs);
          hooks.onRefused?.(refusal);
          setTimeout(() => this.#pump(), refusal.afterMs + 1);
        },
        onLost: (ids) => {
          this.#outbox.lose(ids);
          hooks.onLost?.(ids);
        },
      },
    });
  }

  /** Messages without an acknowledgement. */
  get pending(): number {
    return this.#outbox.size;
  }

  /** Messages that a full outbox did not create. */
  get skipped(): number {
    return this.#outbox.skipped;
  }

  /** `isBulk`: the client records no checksum of the body and never repeats the message. */
  send(room: RoomId, body: object, { isBulk = false } = {}): void {
    this.#outbox.add(room, body, isBulk);
    this.#pump();
  }

  /** Sends `count` acknowledged messages again. Each answer must be the first one (I6). */
  repeat(count: number): void {
    this.#outbox.repeat(count);
    this.#pump();
  }

  /** Leaves the room, unless messages to it are pending. */
  leave(room: RoomId): void {
    if (!this.#outbox.holds(room)) this.wire.leave(room);
  }

  /** resending-client.1, resending-client.2 */
  #pump(): void {
    if (!this.wire.isWelcome || this.wire.isPaused) return;
    const due = this.#outbox.due(this.#now(), (room) => this.wire.has(room));
    for (const { room, id, body, sum } of due) this.wire.send(room, id, body, sum);
  }
}
