// Timeline: a window on one room's log, and behind its end what we said but nobody confirmed yet.
//
// Owns: which messages can be on the screen.   Does not own: fetching, scrolling, what is unread.
// It is the client's version of the cluster's own idea: a view is a cursor on a numbered log. The
// window may end before the room does ("detached", after a long scroll up); going on is then
// reading further, never guessing.
//
//   timeline.1. The window is contiguous: its numbers are first, first+1, … last, without hole or repeat.
//   timeline.2. It holds at most `max` messages. A page or an event that does not fit pushes out the far
//       end, so what the reader looks at stays.
//   timeline.3. A message of ours is shown once: as pending until its event is in the window, then as that.
//   timeline.4. A message object is never changed, only replaced; rows may compare by identity.

import type { RoomEvent } from "#shared/protocol/events.ts";
import type { SendOutcome } from "./client-port.ts";

/** In the log, at its number. */
export interface SentMessage {
  readonly kind: "sent";
  readonly id: string;
  readonly seq: number;
  readonly from: string;
  readonly at: number;
  readonly text: string;
}

/** Said here, not yet seen in the log. `acked` has its number already. */
export interface UnsentMessage {
  readonly kind: "pending" | "acked" | "refused";
  readonly id: string;
  readonly seq?: number;
  readonly from: string;
  readonly at: number;
  readonly text: string;
  /** Why, when refused. */
  readonly reason?: string;
}

export type Message = SentMessage | UnsentMessage;

export class Timeline {
  readonly #me: string;
  readonly #max: number;
  #sent: SentMessage[] = [];
  #unsent: UnsentMessage[] = [];
  #newest = 0;

  constructor(me: string, max: number) {
    this.#me = me;
    this.#max = max;
  }

  get sent(): readonly SentMessage[] {
    return this.#sent;
  }
  get unsent(): readonly UnsentMessage[] {
    return this.#unsent;
  }
  /** The first number of the window; 0 when it is empty. */
  get first(): number {
    return this.#sent[0]?.seq ?? 0;
  }
  get last(): number {
    return this.#sent.at(-1)?.seq ?? 0;
  }
  /** The highest number we know to exist. */
  get newest(): number {
    return this.#newest;
  }
  /** True when the window ends where the room ends. */
  get isAttached(): boolean {
    return this.last === this.#newest || this.#sent.length === 0;
  }

  find(id: string): Message | undefined {
    return [...this.#sent, ...this.#unsent].find((message) => message.id === id);
  }

  /** A live event. `keepEnd`: the reader is at the end, so the oldest may go to make place. */
  receive(event: RoomEvent, keepEnd: boolean): void {
    const wasAttached = this.isAttached;
    this.#newest = Math.max(this.#newest, event.seq);
    if (event.from === this.#me) this.#forget(event.id); // timeline.3
    const isNext = this.#sent.length === 0 || event.seq === this.last + 1;
    if (!wasAttached || !isNext) return; // Seen already, or beyond a window that ends earlier: timeline.1.
    if (this.#sent.length >= this.#max && !keepEnd) return; // Detached from now on: timeline.2.
    this.#sent.push(toMessage(event));
    this.#trimStart();
  }

  /** A page that ends just before the window; anything else is out of date and changes nothing. */
  prepend(events: readonly RoomEvent[]): void {
    const older = events.filter((event) => event.seq < this.first);
    if (older.length === 0 || older.at(-1)?.seq !== this.first - 1) return; // timeline.1
    this.#sent = [...older.map(toMessage), ...this.#sent].slice(0, this.#max);
  }

  /** A page that begins just behind the window. */
  append(events: readonly RoomEvent[]): void {
    const newer = events.filter((event) => event.seq > this.last);
    if (newer.length === 0 || newer[0]?.seq !== this.last + 1) return; // timeline.1
    this.#sent = [...this.#sent, ...newer.map(toMessage)];
    this.#newest = Math.max(this.#newest, this.last);
    this.#trimStart();
  }

  /** The window begins anew with this page: a jump to another place of the room. */
  replace(events: readonly RoomEvent[]): void {
    this.#sent = events.slice(-this.#max).map(toMessage);
    this.#newest = Math.max(this.#newest, this.last);
  }

  /** The room's log was lost and restarted: what we have is of another age. */
  clear(): void {
    this.#sent = [];
    this.#newest = 0;
  }

  /** A message that was handed to the SDK, for the first time or again under the same id. */
  pend(id: string, text: string, at: number): void {
    const message: UnsentMessage = { kind: "pending", id, from: this.#me, at, text };
    const index = this.#unsent.findIndex((item) => item.id === id);
    if (index < 0) this.#unsent = [...this.#unsent, message];
    else this.#unsent = this.#unsent.with(index, message);
  }

  settle(id: string, outcome: SendOutcome): void {
    const index = this.#unsent.findIndex((item) => item.id === id);
    const message = this.#unsent[index];
    if (message === undefined) return; // The event was faster than the ack.
    if (outcome.kind === "refused") {
      const refused: UnsentMessage = { ...message, kind: "refused", reason: outcome.message };
      this.#unsent = this.#unsent.with(index, refused);
    } else if (outcome.seq <= this.#newest) {
      this.#forget(id); // In the window, or in a part of the room that the window does not show.
    } else {
      const { seq, at } = outcome;
      this.#unsent = this.#unsent.with(index, { ...message, kind: "acked", seq, at });
    }
  }

  discard(id: string): void {
    this.#forget(id);
  }

  #forget(id: string): void {
    if (!this.#unsent.some((item) => item.id === id)) return;
    this.#unsent = this.#unsent.filter((item) => item.id !== id);
  }

  #trimStart(): void {
    const excess = this.#sent.length - this.#max;
    if (excess > 0) this.#sent.splice(0, excess);
  }
}

function toMessage(event: RoomEvent): SentMessage {
  const { id, seq, from, at, body } = event;
  return { kind: "sent", id, seq, from, at, text: textOf(body) };
}

/** Other clients may say things that are not text; they are shown as what they are. */
function textOf(body: { readonly [key: string]: unknown }): string {
  const text = body["text"];
  return typeof text === "string" ? text : JSON.stringify(body);
}
