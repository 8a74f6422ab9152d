// SaturatingWriter: a client that keeps a fixed number of sends to one room pending, through any
// fault.
//
// Owns: the number of pending sends. Does not own: the wire, the retries, the records
// (wire-client).

import type { RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { ClientRecord } from "../checker/record.ts";
import { ResendingClient } from "../wire-client/resending-client.ts";
import type { Endpoint } from "../wire-client/wire-client-options.ts";

export interface WriterOptions {
  readonly endpoint: (n: number) => Endpoint;
  readonly user: UserId;
  readonly token: string;
  readonly room: RoomId;
  /** Sends without an acknowledgement at any time. */
  readonly pendingMax: number;
  readonly record: (record: ClientRecord) => void;
}

export class SaturatingWriter {
  readonly room: RoomId;
  /** Answers that a client which follows the protocol must never get; empty in a good run. */
  readonly surprises: string[] = [];
  acked = 0;
  readonly #client: ResendingClient;
  readonly #user: UserId;
  readonly #pendingMax: number;
  #created = 0;
  #isFinished = false;

  constructor({ endpoint, user, token, room, pendingMax, record }: WriterOptions) {
    this.room = room;
    this.#user = user;
    this.#pendingMax = pendingMax;
    this.#client = new ResendingClient({
      user,
      token,
      endpoint,
      rooms: [{ room }],
      outbox: {
        inFlightMax: pendingMax,
        sizeMax: Infinity,
        oldIdEvery: 0,
        repeatableMax: Infinity,
      },
      hooks: {
        onRecord: record,
        onJoined: () => this.#topUp(),
        onAck: () => {
          this.acked++;
          this.#topUp();
        },
        onSurprise: (what) => this.surprises.push(what),
      },
    });
  }

  /** Whether every message that the writer sent is acknowledged. */
  get isDrained(): boolean {
    return this.#client.pending === 0;
  }

  /** The last sequence number of the room that the writer received. */
  get seen(): Seq {
    return this.#client.wire.seen(this.room);
  }

  connect(): void {
    this.#client.wire.connect();
  }

  /** Creates no new messages. The client resends the pending ones until they are acknowledged. */
  finish(): void {
    this.#isFinished = true;
  }

  repeat(count: number): void {
    this.#client.repeat(count);
  }

  close(): void {
    this.#client.wire.close();
  }

  #topUp(): void {
    while (!this.#isFinished && this.#client.pending < this.#pendingMax) {
      this.#client.send(this.room, { text: `${this.#user} ${++this.#created}` });
    }
  }
}
