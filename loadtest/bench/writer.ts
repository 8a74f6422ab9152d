// Writer: one sending client, with the limits of an SDK.
//
//   bench/writer.1. With acks, a writer has at most UNANSWERED_SENDS_MAX open sends. Further due
//        messages wait here until acks arrive. Their latency counts from the planned time.
//   bench/writer.2. A refused send is not resent: a run with a refusal has lost that message.

import { UNANSWERED_SENDS_MAX } from "#shared/protocol/limits.ts";
import type { Peer } from "./peer.ts";
import { bodyText, newId, Probe } from "./probe.ts";
import type { Sink } from "./sink.ts";

/** Messages that share one frame when the peer allows it; bounded by its 64 KiB. */
const LINES_PER_FRAME = 100;

interface Due {
  readonly id: string;
  readonly line: string;
  readonly plannedAt: number;
}

export class Writer {
  readonly #client: Probe | Sink;
  readonly #peer: Peer;
  readonly #index: number;
  readonly #openMax: number;
  #n = 0;
  #open = 0;
  #due: Due[] = [];

  constructor(client: Probe | Sink, peer: Peer, index: number) {
    this.#client = client;
    this.#peer = peer;
    this.#index = index;
    this.#openMax = peer.ackMark === undefined ? Infinity : UNANSWERED_SENDS_MAX;
    if (peer.ackMark !== undefined) client.onAcks(peer.ackMark, (count) => this.#onAcks(count));
  }

  get room(): string {
    return this.#client.room;
  }

  send(plannedAt: number, textBytes: number | undefined): void {
    const id = newId();
    const text = bodyText({ writer: this.#index, n: this.#n++ }, plannedAt, textBytes);
    this.#due.push({ id, line: this.#peer.message(this.room, id, text), plannedAt });
  }

  /** Sends the due messages, as far as the limit permits. */
  flush(): void {
    const most = this.#peer.joinsLines ? LINES_PER_FRAME : 1;
    while (this.#due.length > 0 && this.#open < this.#openMax) {
      const now = this.#due.splice(0, Math.min(most, this.#openMax - this.#open)); // bench/writer.1
      this.#open += now.length;
      if (this.#client instanceof Probe && this.#peer.ackMark !== undefined) {
        this.#client.expectAcks(now);
      }
      this.#client.say(now.map(({ line }) => line).join("\n"));
    }
  }

  #onAcks(count: number): void {
    this.#open -= count;
    this.flush();
  }
}
