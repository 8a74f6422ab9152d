// Timeline: a contiguous range of one room's messages, then the user's own messages without a
// confirmation.
//
// Owns: which messages the page can show. Does not own: fetching, scrolling, the read position. The
// range can end before the room does ("detached", after a long scroll up). Paging then extends it.
//
//   timeline.1. The range is contiguous: first, first+1, … last, without gaps and repeats.
//   timeline.2. It holds at most `max` messages. A page or an event that does not fit removes
//       messages at the far end, so that the visible messages stay.
//   timeline.3. The user's own message appears once: as pending, then as its event when that is in
//       the range.
//   timeline.4. A message object is never changed, only replaced, so that rows can compare by
//       identity.
//   timeline.5. An edit or a deletion in the range changes its message in the range, and shows on
//       its own as one line without the text.

import { bodyOf } from "#shared/protocol/events.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { SendOutcome } from "./client-port.ts";
import { failureWords } from "./words.ts";

/** A message with its sequence number. */
export interface SentMessage {
  readonly kind: "sent";
  readonly id: string;
  readonly seq: number;
  readonly from: string;
  readonly at: number;
  readonly text: string;
}

/** The user's own message before its event arrives. An `acked` one has its number. */
export interface UnsentMessage {
  readonly kind: "pending" | "acked" | "refused";
  readonly id: string;
  readonly seq?: number;
  readonly from: string;
  readonly at: number;
  readonly text: string;
  /** Why it was refused, in words for the user. */
  readonly reason?: string;
}

export type Message = SentMessage | UnsentMessage;

export class Timeline {
  readonly #me: string;
  readonly #max: number;
  #sent: SentMessage[] = [];
  #unsent: UnsentMessage[] = [];
  #newest = 0;
  /** The newest text of each edited message, for a message that a page adds later. */
  readonly #edits = new Map<number, { readonly seq: number; readonly text: string }>();

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
  /** The first sequence number of the range; 0 when it is empty. */
  get first(): number {
    return this.#sent[0]?.seq ?? 0;
  }
  get last(): number {
    return this.#sent.at(-1)?.seq ?? 0;
  }
  /** The highest known sequence number of the room. */
  get newest(): number {
    return this.#newest;
  }
  /** True when the range ends where the room ends. */
  get isAttached(): boolean {
    return this.last === this.#newest || this.#sent.length === 0;
  }

  find(id: string): Message | undefined {
    return [...this.#sent, ...this.#unsent].find((message) => message.id === id);
  }

  /** Adds a live event. `keepEnd`: the user is at the end, so the oldest message may be removed. */
  receive(event: RoomEvent, keepEnd: boolean): void {
    const wasAttached = this.isAttached;
    this.#newest = Math.max(this.#newest, event.seq);
    if (event.from === this.#me) this.#forget(event.id); // timeline.3
    const isNext = this.#sent.length === 0 || event.seq === this.last + 1;
    if (!wasAttached || !isNext) return; // A repeat, or beyond a detached range: timeline.1.
    if (this.#sent.length >= this.#max && !keepEnd) return; // Detached from now on: timeline.2.
    this.#sent.push(toMessage(event));
    this.#apply(event);
    this.#trimStart();
  }

  /**
   * Adds a page that ends directly before the range. Any other page is outdated and changes
   * nothing.
   */
  prepend(events: readonly RoomEvent[]): void {
    const older = events.filter((event) => event.seq < this.first);
    if (older.length === 0 || older.at(-1)?.seq !== this.first - 1) return; // timeline.1
    this.#sent = [...older.map(toMessage), ...this.#sent].slice(0, this.#max);
    for (const event of older) this.#apply(event);
    for (const [target, { text }] of this.#edits) this.#show(target, text);
  }

  /** Adds a page that begins directly after the range. */
  append(events: readonly RoomEvent[]): void {
    const newer = events.filter((event) => event.seq > this.last);
    if (newer.length === 0 || newer[0]?.seq !== this.last + 1) return; // timeline.1
    this.#sent = [...this.#sent, ...newer.map(toMessage)];
    for (const event of newer) this.#apply(event);
    this.#newest = Math.max(this.#newest, this.last);
    this.#trimStart();
  }

  /** Replaces the range by this page, after a jump to another place of the room. */
  replace(events: readonly RoomEvent[]): void {
    this.#sent = events.slice(-this.#max).map(toMessage);
    for (const event of events) this.#apply(event);
    this.#newest = Math.max(this.#newest, this.last);
  }

  /** The room was recreated: all held numbers are outdated. */
  clear(): void {
    this.#sent = [];
    this.#newest = 0;
    this.#edits.clear();
  }

  /** Adds a message that was passed to the SDK, for the first time or again with the same id. */
  pend(id: string, text: string, at: number): void {
    const message: UnsentMessage = { kind: "pending", id, from: this.#me, at, text };
    const index = this.#unsent.findIndex((item) => item.id === id);
    if (index < 0) this.#unsent = [...this.#unsent, message];
    else this.#unsent = this.#unsent.with(index, message);
  }

  settle(id: string, outcome: SendOutcome): void {
    const index = this.#unsent.findIndex((item) => item.id === id);
    const message = this.#unsent[index];
    if (message === undefined) return; // The event arrived before the ack.
    if (outcome.kind === "refused") {
      const refused: UnsentMessage = {
        ...message,
        kind: "refused",
        reason: failureWords(outcome.error),
      };
      this.#unsent = this.#unsent.with(index, refused);
    } else if (outcome.seq <= this.#newest) {
      this.#forget(id); // In the range, or in a part of the room outside the range.
    } else {
      const { seq, at } = outcome;
      this.#unsent = this.#unsent.with(index, { ...message, kind: "acked", seq, at });
    }
  }

  discard(id: string): void {
    this.#forget(id);
  }

  /** timeline.5. */
  #apply(event: RoomEvent): void {
    if (event.t !== "edited" && event.t !== "deleted") return;
    const { target } = event;
    if (event.t === "deleted") {
      this.#edits.delete(target);
      this.#show(target, DELETED);
    } else if (event.deleted === undefined) {
      const { seq, body } = event;
      if ((this.#edits.get(target)?.seq ?? 0) > seq) return;
      this.#edits.set(target, { seq, text: textOf(body) });
      this.#show(target, textOf(body));
      const [oldest] = this.#edits.keys();
      if (this.#edits.size > this.#max && oldest !== undefined) this.#edits.delete(oldest);
    }
  }

  #show(target: number, text: string): void {
    this.#sent = this.#sent.map((message) =>
      message.seq === target ? { ...message, text } : message,
    );
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

/** The text of an event of a kind that this page does not know. */
const UNKNOWN_KIND = "Reload this page to see what was sent here.";
const DELETED = "This message was deleted.";
const EDITED = "edited a message.";

function toMessage(event: RoomEvent): SentMessage {
  const { id, seq, from, at } = event;
  const body = event.t === "msg" && event.deleted === undefined ? bodyOf(event) : undefined;
  return {
    kind: "sent",
    id,
    seq,
    from,
    at,
    text: body === undefined ? changeOf(event) : textOf(body),
  };
}

/** A sentence for an event that is no message. */
function changeOf(event: RoomEvent): string {
  if (event.t === "room") return "changed the settings of this room.";
  if (event.t === "msg") return DELETED;
  if (event.t === "edited") return EDITED;
  if (event.t === "deleted") return "deleted a message.";
  if (event.t === "reacted") return event.on ? `reacted ${event.emoji}.` : "took a reaction back.";
  if (event.t === "pinned") return event.on ? "pinned a message." : "unpinned a message.";
  if (event.t !== "member") return UNKNOWN_KIND;
  const { user, role, banned, mutedUntil } = event;
  if (banned === true) return `banned ${user} from this room.`;
  if (role === "none") return user === event.from ? "left this room." : `removed ${user}.`;
  const muted = mutedUntil === undefined ? "" : ", muted";
  return `made ${user} ${role === "owner" ? "an" : "a"} ${role} of this room${muted}.`;
}

/** Other clients can send bodies without a text; the page shows their JSON. */
function textOf(body: { readonly [key: string]: unknown }): string {
  const text = body["text"];
  return typeof text === "string" ? text : JSON.stringify(body);
}
