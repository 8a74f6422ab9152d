// RoomStore: one room as this window shows it.
//
// Owns: the timeline and its paging, the read position, the draft, the names of typing users. Does
// not own: the connection (SDK), the DOM, the choice of the shown room (ChatStore).
//
//   room-store.1. At most one page is pending in each direction. The store uses its answer only if
//        the timeline is still at the same place.
//   room-store.2. A message counts as read when it is in the timeline while the end is visible and
//        the window has the focus.
//   room-store.3. A retry sends the same text with the same id, so that it cannot become a second
//       message.

import { BODY_BYTES_MAX, PAGE_EVENTS_MAX } from "#shared/protocol/limits.ts";
import { utf8Length } from "#shared/protocol/ids.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { ChatRoom, Unsubscribe } from "./client-port.ts";
import { Timeline } from "./timeline.ts";
import { TypingNames, TypingSignal } from "./typing.ts";

/**
 * Messages in the timeline, and so in the DOM. Beyond it the far end is dropped; paging loads it
 * again.
 */
export const WINDOW_MESSAGES_MAX = 600;
/** One page of history. */
const PAGE_MESSAGES = Math.min(100, PAGE_EVENTS_MAX);

export type Paging = "idle" | "loading" | "failed";

export interface RoomStoreOptions {
  readonly handle: ChatRoom;
  readonly me: string;
  readonly clock: Clock;
  /** The last sequence number that the user read in an earlier visit. */
  readonly readThrough: number | undefined;
  readonly changed: () => void;
  readonly onRead: (seq: number) => void;
}

export class RoomStore {
  readonly name: string;
  readonly me: string;
  readonly timeline: Timeline;
  draft = "";
  /** Grows by one when the list must scroll to the end. */
  jumps = 0;

  readonly #handle: ChatRoom;
  readonly #clock: Clock;
  readonly #changed: () => void;
  readonly #onRead: (seq: number) => void;
  readonly #typingNames: TypingNames;
  readonly #typingSignal: TypingSignal;
  readonly #subscriptions: readonly Unsubscribe[];
  #older: Paging = "idle";
  #newer: Paging = "idle";
  /** A new object after each jump of the timeline; it invalidates pending pages (room-store.1). */
  #place = {};
  #readThrough: number | undefined;
  #readMark: number | undefined;
  #isInFront = false;
  #isAtEnd = true;
  #wasReset = false;
  #problem: string | undefined;

  constructor(options: RoomStoreOptions) {
    const { handle, me, clock, readThrough, changed, onRead } = options;
    this.name = handle.room;
    this.me = me;
    this.timeline = new Timeline(me, WINDOW_MESSAGES_MAX);
    this.#handle = handle;
    this.#clock = clock;
    this.#changed = changed;
    this.#onRead = onRead;
    this.#readThrough = readThrough;
    this.#typingNames = new TypingNames(clock, changed);
    this.#typingSignal = new TypingSignal(clock, (on) => handle.typing(on));
    this.#subscriptions = [
      handle.on("event", (event) => this.#onEvent(event)),
      handle.on("typing", ({ user, on }) => user !== me && this.#typingNames.update(user, on)),
      handle.on("presence", changed),
      handle.on("status", () => this.#onStatus()),
      handle.on("reset", () => this.#onReset()),
    ];
  }

  get status(): ChatRoom["status"] {
    return this.#handle.status;
  }
  get head(): number {
    return Math.max(this.#handle.head, this.timeline.newest);
  }
  get completeThrough(): number {
    return this.#handle.completeThrough;
  }
  get here(): number {
    return Math.max(this.#handle.here, this.#handle.users.size);
  }
  get users(): ReadonlySet<string> {
    return this.#handle.users;
  }
  get typing(): readonly string[] {
    return this.#typingNames.names;
  }
  get older(): Paging {
    return this.#older;
  }
  get newer(): Paging {
    return this.#newer;
  }
  /** True when message #1 is in the timeline, or when the room is empty. */
  get isFromBeginning(): boolean {
    if (this.timeline.first > 0) return this.timeline.first === 1;
    return this.status === "live" && this.head === 0;
  }
  get unread(): number {
    if (this.#readThrough === undefined) return 0;
    return Math.max(0, this.timeline.newest - this.#readThrough);
  }
  /** The read position when the room was opened: the "New" line is behind it. */
  get readMark(): number | undefined {
    return this.#readMark;
  }
  /** The room was recreated while this window was joined. */
  get wasReset(): boolean {
    return this.#wasReset;
  }

  /** Why this window is not a member of the room; undefined when it is. */
  get problem(): string | undefined {
    return this.status === "left" ? (this.#problem ?? "You are not in this room.") : undefined;
  }

  /** `problem`: a sentence for the user. */
  fail(problem: string): void {
    this.#problem = problem;
    this.#changed();
  }

  /** Why the text cannot be sent; checked before it is sent. */
  problemWith(text: string): string | undefined {
    const bytes = utf8Length(JSON.stringify({ text: clean(text) }));
    if (bytes <= BODY_BYTES_MAX) return undefined;
    return `This message is ${bytes - BODY_BYTES_MAX} bytes too long.`;
  }

  setDraft(text: string): void {
    this.draft = text;
    this.#typingSignal.onDraft(text);
    this.#changed();
  }

  /** False when the draft is empty or too long; it then stays. */
  sendDraft(): boolean {
    const text = clean(this.draft).trim();
    if (text === "" || this.problemWith(text) !== undefined) return false;
    this.draft = "";
    this.#typingSignal.stop();
    this.#send(text, undefined);
    this.jumpToEnd();
    return true;
  }

  retry(id: string): void {
    const message = this.timeline.unsent.find((item) => item.id === id);
    if (message?.kind === "refused") this.#send(message.text, id); // room-store.3
  }

  discard(id: string): void {
    this.timeline.discard(id);
    this.#changed();
  }

  async loadOlder(): Promise<void> {
    const { first } = this.timeline;
    if (this.#older === "loading" || first <= 1) return;
    const place = this.#place;
    this.#older = "loading";
    this.#changed();
    const page = await this.#page({ before: first });
    if (place !== this.#place) return;
    if (page !== undefined) this.timeline.prepend(page);
    this.#older = page === undefined ? "failed" : "idle";
    this.#changed();
  }

  async loadNewer(): Promise<void> {
    if (this.#newer === "loading" || this.timeline.isAttached) return;
    const place = this.#place;
    this.#newer = "loading";
    this.#changed();
    const page = await this.#page({ after: this.timeline.last });
    if (place !== this.#place) return;
    if (page !== undefined) this.timeline.append(page);
    this.#newer = page === undefined ? "failed" : "idle";
    this.#changed();
  }

  /** Loads the end of the room if necessary, and scrolls there. */
  jumpToEnd(): void {
    this.jumps += 1;
    this.#isAtEnd = true;
    if (this.timeline.isAttached) {
      this.#markRead();
      this.#changed();
    } else {
      void this.#replaceByEnd();
    }
  }

  /** The view calls it when the end of the list becomes visible or hidden. */
  setAtEnd(isAtEnd: boolean): void {
    if (this.#isAtEnd === isAtEnd) return;
    this.#isAtEnd = isAtEnd;
    this.#markRead();
    this.#changed();
  }

  /** In front: this room is shown and the window has the focus. */
  setInFront(isInFront: boolean): void {
    if (this.#isInFront === isInFront) return;
    this.#isInFront = isInFront;
    if (isInFront) this.#readMark = this.unread > 0 ? this.#readThrough : undefined;
    else this.#typingSignal.stop();
    this.#markRead();
  }

  /** Shows an opened room from its end. */
  enter(): void {
    this.#isAtEnd = true;
    if (!this.timeline.isAttached) this.jumpToEnd();
  }

  close(): void {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    this.#place = {};
    this.#typingNames.clear();
    this.#handle.leave();
  }

  #send(text: string, id: string | undefined): void {
    const sending = this.#handle.send({ text }, id === undefined ? {} : { id });
    this.timeline.pend(sending.id, text, this.#clock.now());
    this.#changed();
    void sending.done.then((outcome) => {
      this.timeline.settle(sending.id, outcome);
      this.#changed();
    });
  }

  #onEvent(event: RoomEvent): void {
    this.#typingNames.update(event.from, false); // A message ends its sender's typing.
    this.timeline.receive(event, this.#isAtEnd || !this.#isInFront);
    if (event.from === this.me && this.#readThrough === event.seq - 1) this.#setRead(event.seq);
    this.#markRead();
    this.#changed();
  }

  #onStatus(): void {
    // On a first visit nothing is unread: earlier messages count as read.
    if (this.status === "live" && this.#readThrough === undefined) {
      this.#setRead(this.timeline.newest);
    }
    this.#changed();
  }

  #onReset(): void {
    this.timeline.clear();
    this.#place = {};
    this.#older = "idle";
    this.#newer = "idle";
    this.#wasReset = true;
    this.#readMark = undefined;
    this.#setRead(0);
    this.#changed();
  }

  #markRead(): void {
    if (!this.#isInFront || !this.#isAtEnd || !this.timeline.isAttached) return; // room-store.2
    const { newest } = this.timeline;
    if (newest > (this.#readThrough ?? 0)) this.#setRead(newest);
  }

  #setRead(seq: number): void {
    this.#readThrough = seq;
    this.#onRead(seq);
  }

  async #replaceByEnd(): Promise<void> {
    const place = {};
    this.#place = place;
    this.#older = "idle";
    this.#newer = "loading";
    this.#changed();
    const page = await this.#page({ before: this.head + 1 });
    if (place !== this.#place) return;
    this.#newer = page === undefined ? "failed" : "idle";
    if (page !== undefined) {
      this.timeline.replace(page);
      this.jumps += 1;
      this.#markRead();
    }
    this.#changed();
  }

  /** Undefined when the request failed: the view then offers a retry. */
  async #page(
    from: { before: number } | { after: number },
  ): Promise<readonly RoomEvent[] | undefined> {
    try {
      return (await this.#handle.history({ ...from, limit: PAGE_MESSAGES })).events;
    } catch {
      // client-port.3: no connection, or the server is busy. The view shows it with a button.
      return undefined;
    }
  }
}

/** Removes characters that the cluster refuses (F2). */
function clean(text: string): string {
  return text.toWellFormed().replaceAll("\u0000", "");
}
