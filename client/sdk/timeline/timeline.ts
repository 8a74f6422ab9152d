// Timeline: a range of one room as the application shows it, with the state of each message, then
// the user's own messages without a confirmation.
//
// Owns: which entries a view can show, and the fold of later events into them. Does not own:
// fetching (room-timeline.ts), words, the read position. The range can end before the room does
// ("detached", after a long scroll up). Paging then extends it.
//
//   timeline.1. The range covers every number from `first` to `last`. With the view "events" each
//        number has an entry; with "messages" only the messages of the main line, or of one thread.
//   timeline.2. It holds at most `max` entries. A page or an event that does not fit removes
//        entries at the far end, so that the visible entries stay.
//   timeline.3. The user's own message appears once: as unsent, then as its event when that is in
//        the range.
//   timeline.4. An entry is never changed, only replaced, so that rows can compare by identity.
//   timeline.5. An edit, deletion, reaction, pin or reply changes its message in the range. One
//        whose message is not in the range is kept for a page that adds the message, at most
//        CHANGES_MAX of them.

import type { UploadedFile } from "#shared/protocol/attachments.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { Body, RoomEvent } from "#shared/protocol/events.ts";
import { applyChange, targetOf, withoutReply } from "./shown-message.ts";
import type { ShownMessage } from "./shown-message.ts";

/** Changes for messages outside of the range. Beyond it the oldest is forgotten. */
const CHANGES_MAX = 1_000;

/** What became of a sent message. */
export type SendOutcome =
  | { readonly kind: "acked"; readonly seq: number; readonly at: number }
  | { readonly kind: "refused"; readonly error: ErrorName };

/** One line of a timeline. */
export interface TimelineEntry {
  readonly seq: number;
  readonly id: string;
  readonly from: string;
  readonly at: number;
  /** As it was delivered. */
  readonly event: RoomEvent;
  /** For a message: as it is now. */
  readonly message?: ShownMessage;
}

/** The user's own message before its event arrives. An `acked` one has its number. */
export interface UnsentMessage {
  readonly kind: "pending" | "acked" | "refused";
  readonly id: string;
  readonly seq?: number;
  readonly at: number;
  readonly body: Body;
  readonly replyTo?: number | undefined;
  readonly thread?: number | undefined;
  readonly mentions?: readonly string[] | "@room" | undefined;
  readonly attachments?: readonly UploadedFile[] | undefined;
  /** Why it was refused. */
  readonly error?: ErrorName;
}

/** A page of `RoomHandle.history`; or one of `messages`, with the numbers that it covers. */
export interface TimelinePage {
  readonly events: readonly RoomEvent[];
  readonly first?: number;
  readonly last?: number;
  /** The messages are as they were after this event. */
  readonly asOf?: number;
}

export interface TimelineOptions {
  /** The most entries. */
  readonly max: number;
  /** `events`: one entry for each event. `messages`: only messages; default. */
  readonly view?: "events" | "messages";
  /** With the view `messages`: the replies to this message, instead of the main line. */
  readonly thread?: number | undefined;
}

type Span = { readonly first: number; readonly last: number };

/** A range of one room. `RoomTimeline` fills it. */
export class Timeline {
  readonly #max: number;
  readonly #isOfMessages: boolean;
  readonly #thread: number | undefined;
  #entries: TimelineEntry[] = [];
  #unsent: readonly UnsentMessage[] = [];
  /** The covered numbers; 0 and 0: none. */
  #span: Span = { first: 0, last: 0 };
  #newest = 0;
  /** With the view "messages": the event up to which each message has the changes. */
  readonly #asOf = new Map<number, number>();
  /** In the order of arrival (timeline.5). */
  #changes: RoomEvent[] = [];

  constructor({ max, view = "messages", thread }: TimelineOptions) {
    this.#max = max;
    this.#isOfMessages = view === "messages";
    this.#thread = thread;
  }

  get entries(): readonly TimelineEntry[] {
    return this.#entries;
  }
  get unsent(): readonly UnsentMessage[] {
    return this.#unsent;
  }
  /** The first covered number; 0 when the range is empty. */
  get first(): number {
    return this.#span.first;
  }
  get last(): number {
    return this.#span.last;
  }
  /** The highest known sequence number of the room. */
  get newest(): number {
    return this.#newest;
  }
  /** True when the range ends where the room ends. */
  get isAttached(): boolean {
    return this.last === this.#newest || this.last === 0;
  }

  /** The entry of a number; undefined when the range has none. */
  at(seq: number): TimelineEntry | undefined {
    return this.#entries[this.#indexOf(seq)];
  }

  /** Adds a live event. `keepEnd`: the user is at the end, so the oldest entry may be removed. */
  receive(event: RoomEvent, { me, keepEnd }: { me?: string | undefined; keepEnd: boolean }): void {
    const wasAttached = this.isAttached;
    const isRepeat = event.seq <= this.#newest;
    this.#newest = Math.max(this.#newest, event.seq);
    if (event.from === me) this.discard(event.id); // timeline.3
    const isNext = this.last === 0 || event.seq === this.last + 1;
    // A repeat, or beyond a detached range (timeline.1).
    if (!wasAttached || !isNext || (this.#entries.length >= this.#max && !keepEnd)) {
      // A page of messages has no later event, so its messages follow the live ones.
      if (this.#isOfMessages && !isRepeat) this.#change(event);
      return;
    }
    this.#span = { first: this.first || event.seq, last: event.seq };
    if (this.#isShown(event)) this.#entries = [...this.#entries, this.#entryOf(event, event.seq)];
    this.#change(event);
    this.#trimStart();
  }

  /** Adds a page that ends directly before the range. Any other page changes nothing. */
  prepend(page: TimelinePage): void {
    const older = page.events.filter((event) => event.seq < this.first);
    const span = this.#spanOf(page, older);
    if (this.first === 0 || span === undefined || span.last < this.first - 1) return;
    // The changes of the page precede those that are kept, and both follow the page's messages.
    if (!this.#isOfMessages) this.#changes = [...older.filter(isChange), ...this.#changes];
    this.#entries = [...this.#entriesOf(older, page.asOf), ...this.#entries];
    this.#span = { first: span.first, last: this.last };
    if (!this.#isOfMessages) {
      this.#changes = this.#changes.filter((event) => (targetOf(event) ?? 0) < span.first);
      this.#changes = this.#changes.slice(-CHANGES_MAX);
    }
    this.#trimEnd();
  }

  /** Adds a page that begins directly after the range. */
  append(page: TimelinePage): void {
    const newer = page.events.filter((event) => event.seq > this.last);
    const span = this.#spanOf(page, newer);
    if (span === undefined || span.first > this.last + 1 || span.last <= this.last) return;
    this.#span = { first: this.first || span.first, last: span.last };
    this.#entries = [...this.#entries, ...this.#entriesOf(newer, page.asOf)];
    if (!this.#isOfMessages) for (const event of newer) this.#change(event);
    this.#newest = Math.max(this.#newest, this.last);
    this.#trimStart();
  }

  /** Replaces the range by this page, after a jump to another place of the room. */
  replace(page: TimelinePage): void {
    const span = this.#spanOf(page, page.events) ?? { first: 0, last: 0 };
    this.#asOf.clear();
    if (!this.#isOfMessages) this.#changes = [];
    this.#span = span;
    this.#entries = this.#entriesOf(page.events, page.asOf);
    if (!this.#isOfMessages) for (const event of page.events) this.#change(event);
    this.#newest = Math.max(this.#newest, this.last);
    this.#trimStart();
  }

  /** The room was recreated: all held numbers are outdated. */
  clear(): void {
    this.#entries = [];
    this.#span = { first: 0, last: 0 };
    this.#newest = 0;
    this.#asOf.clear();
    this.#changes = [];
  }

  /** Adds a message that was passed to the SDK, for the first time or again with the same id. */
  pend(message: Omit<UnsentMessage, "kind" | "seq" | "error">): void {
    const pending: UnsentMessage = { ...message, kind: "pending" };
    const index = this.#unsent.findIndex(({ id }) => id === message.id);
    this.#unsent = index < 0 ? [...this.#unsent, pending] : this.#unsent.with(index, pending);
  }

  settle(id: string, result: SendOutcome): void {
    const index = this.#unsent.findIndex((item) => item.id === id);
    const message = this.#unsent[index];
    if (message === undefined) return; // The event arrived before the ack.
    if (result.kind === "refused") {
      const refused = { ...message, kind: "refused", error: result.error } as const;
      this.#unsent = this.#unsent.with(index, refused);
    } else if (result.seq <= this.#newest) {
      this.discard(id); // In the range, or in a part of the room outside the range.
    } else {
      const { seq, at } = result;
      this.#unsent = this.#unsent.with(index, { ...message, kind: "acked", seq, at });
    }
  }

  /** Removes an unsent message. */
  discard(id: string): void {
    if (!this.#unsent.some((item) => item.id === id)) return;
    this.#unsent = this.#unsent.filter((item) => item.id !== id);
  }

  /** timeline.5. */
  #change(event: RoomEvent): void {
    const target = targetOf(event);
    if (target === undefined) return;
    if (this.at(target) === undefined || this.#isOfMessages) this.#changes.push(event);
    if (this.#changes.length > CHANGES_MAX) this.#changes.shift();
    let reply: ShownMessage | undefined;
    if (event.t === "deleted") {
      reply = this.#messageAt(target);
      this.#changes = this.#changes.filter((one) => one.t !== "msg" || one.seq !== target);
    }
    this.#update(target, event.seq, (message) => applyChange(message, event));
    if (reply?.thread !== undefined && reply.deleted === undefined) {
      this.#update(reply.thread, event.seq, withoutReply);
    }
  }

  /** Also a reply in a thread, which the main line has no entry for. */
  #messageAt(seq: number): ShownMessage | undefined {
    const { message } = this.at(seq) ?? {};
    if (message !== undefined) return message;
    const kept = this.#changes.find((event) => event.t === "msg" && event.seq === seq);
    return kept?.t === "msg" ? kept : undefined;
  }

  #update(seq: number, by: number, change: (message: ShownMessage) => ShownMessage): void {
    const index = this.#indexOf(seq);
    const entry = this.#entries[index];
    if (entry?.message === undefined || by <= (this.#asOf.get(seq) ?? 0)) return;
    if (this.#isOfMessages) this.#asOf.set(seq, by);
    const message = change(entry.message);
    if (message !== entry.message) this.#entries = this.#entries.with(index, { ...entry, message });
  }

  #entriesOf(events: readonly RoomEvent[], asOf?: number): TimelineEntry[] {
    return events
      .filter((event) => this.#isShown(event))
      .map((event) => this.#entryOf(event, asOf ?? event.seq));
  }

  #entryOf(event: RoomEvent, asOf: number): TimelineEntry {
    const { seq, id, from, at } = event;
    if (event.t !== "msg") return { seq, id, from, at, event };
    const later = this.#changes.filter((one) => one.seq > asOf && targetOf(one) === seq);
    if (this.#isOfMessages) this.#asOf.set(seq, Math.max(asOf, later.at(-1)?.seq ?? 0));
    const message = later.reduce(applyChange, event as ShownMessage);
    return { seq, id, from, at, event, message };
  }

  #isShown(event: RoomEvent): boolean {
    if (!this.#isOfMessages) return true;
    return event.t === "msg" && event.thread === this.#thread;
  }

  /** A page of messages names its numbers; one of events has an event for each. */
  #spanOf({ first, last }: TimelinePage, events: readonly RoomEvent[]): Span | undefined {
    if (first !== undefined && last !== undefined) return { first, last };
    const [begin, end] = [events[0], events.at(-1)];
    return begin === undefined || end === undefined
      ? undefined
      : { first: begin.seq, last: end.seq };
  }

  /** −1: the number has no entry. Changes are mostly of new messages. */
  #indexOf(seq: number): number {
    return this.#entries.findLastIndex((entry) => entry.seq === seq);
  }

  #trimStart(): void {
    const excess = this.#entries.length - this.#max;
    if (excess <= 0) return;
    this.#forget(this.#entries.slice(0, excess));
    this.#entries = this.#entries.slice(excess);
    this.#span = { first: this.#entries[0]?.seq ?? 0, last: this.last };
  }

  #trimEnd(): void {
    if (this.#entries.length <= this.#max) return;
    this.#forget(this.#entries.slice(this.#max));
    this.#entries = this.#entries.slice(0, this.#max);
    this.#span = { first: this.first, last: this.#entries.at(-1)?.seq ?? 0 };
  }

  #forget(entries: readonly TimelineEntry[]): void {
    for (const { seq } of entries) this.#asOf.delete(seq);
  }
}

function isChange(event: RoomEvent): boolean {
  return targetOf(event) !== undefined;
}
