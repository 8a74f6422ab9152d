// Writer: one client that sends, as an SDK does it.
//
//   bench/writer.1. Where sends are acknowledged, at most UNANSWERED_SENDS_MAX of a writer are open; what is due
//        beyond that waits here and leaves as acks come. Its time counts from when it was planned.
//   bench/writer.2. A refused send is not sent again: a run in which something was refused has lost it.

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

  /** Says what is due, as far as it may. */
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
