// RoomTimeline: the timeline of one joined room, kept current.
//
// Owns: which page is requested, and what happens to its answer. Does not own: the range
// (timeline.ts), the connection, scrolling.
//
//   room-timeline.1. At most one page is pending in each direction. Its answer counts only if the
//        timeline is still at the same place. A later jump replaces a pending one, also when it
//        needs no page.
//   room-timeline.2. A retry sends the same body with the same id, so that it cannot become a
//        second message.
//   room-timeline.3. "change" follows each change. `snapshot` is a new object after a change, and
//        the same one otherwise.
//   room-timeline.4. Events that arrive while the end is requested follow its page, at most
//        LIVE_MAX of them. Beyond it the range ends before the room does.
//   room-timeline.5. An own message is not unsent when its event is in the range, also when the
//        event came before a restored send or by a page, and the ack did not.

import type { UploadedFile } from "#shared/protocol/attachments.ts";
import type { Body, RoomEvent } from "#shared/protocol/events.ts";
import type { PageRange, RoomStatus } from "../core/effects.ts";
import { Listeners } from "../listeners.ts";
import { Timeline } from "./timeline.ts";
import type {
  SendOutcome,
  TimelineEntry,
  TimelineOptions,
  TimelinePage,
  UnsentMessage,
} from "./timeline.ts";

/** A body with a text, for `send`. */
export interface TextBody {
  readonly text: string;
  readonly [key: string]: unknown;
}

/**
 * The part of a RoomHandle that a timeline uses.
 *
 * @internal
 */
export interface TimelineSource {
  readonly status: RoomStatus;
  readonly head: number;
  history(range: PageRange): Promise<TimelinePage>;
  send(body: TextBody, options?: SendPlace): Sending;
  on(name: "event", handler: (event: RoomEvent) => void): () => void;
  on(name: "status" | "reset", handler: () => void): () => void;
  on(name: "resumed", handler: (sending: ResumedSend) => void): () => void;
  /** The messages of an earlier run that are sent again. */
  readonly resumed?: readonly ResumedSend[];
}

/** Where a message belongs. */
export interface SendPlace {
  /** A UUIDv7; default: a new one. */
  readonly id?: string | undefined;
  readonly replyTo?: number | undefined;
  readonly thread?: number | undefined;
  /** The mentioned users, or everyone in the room. */
  readonly mentions?: readonly string[] | "@room" | undefined;
  /** The files, each as its upload was answered. */
  readonly attachments?: readonly UploadedFile[] | undefined;
}

/** A message on its way. */
export interface Sending {
  readonly id: string;
  readonly done: Promise<SendOutcome>;
}

/** @internal */
export interface ResumedSend extends SendPlace, Sending {
  readonly id: string;
  readonly at: number;
  readonly body: Body;
}

/** @internal */
export interface RoomTimelineOptions extends Partial<TimelineOptions> {
  /** The messages of one page; default: 50. */
  readonly pageSize?: number;
  /** True while the user is at the end, so that the oldest entry may go; default: always. */
  readonly keepEnd?: () => boolean;
  /** The user id of this client. */
  readonly me: () => string | undefined;
  /** In ms since 1970. */
  readonly now: () => number;
}

/** `failed`: the last request failed; another call tries again. */
export type Paging = "idle" | "loading" | "failed";

/** What a view shows. */
export interface TimelineSnapshot {
  readonly entries: readonly TimelineEntry[];
  readonly unsent: readonly UnsentMessage[];
  readonly older: Paging;
  readonly newer: Paging;
  /** The room has nothing before the first entry. */
  readonly isFromBeginning: boolean;
  /** The last entry is the newest of the room. */
  readonly isAttached: boolean;
}

const MAX = 600;
const PAGE = 50;
/** Events during one request. */
const LIVE_MAX = 1_000;

/** The messages of a room as they are now. `RoomHandle.timeline` creates it. */
export class RoomTimeline {
  /** What it shows; read it after "change". */
  readonly range: Timeline;
  readonly #source: TimelineSource;
  readonly #options: RoomTimelineOptions;
  readonly #listeners = new Listeners<{ readonly change: undefined }>();
  readonly #subscriptions: readonly (() => void)[];
  #older: Paging = "idle";
  #newer: Paging = "idle";
  /** A new object after each jump; it invalidates pending pages (room-timeline.1). */
  #place = {};
  /** The place of the last jump: that of a pending one, or undefined. */
  #jumping: object | undefined;
  /** The events since the end was requested (room-timeline.4). */
  #live: RoomEvent[] | undefined;
  #snapshot: TimelineSnapshot | undefined;

  /** @internal `RoomHandle.timeline` creates it. */
  constructor(source: TimelineSource, options: RoomTimelineOptions) {
    const { max = MAX, view = "messages", thread } = options;
    this.#source = source;
    this.#options = options;
    this.range = new Timeline({ max, view, thread });
    this.#subscriptions = [
      source.on("event", (event) => this.#onEvent(event)),
      source.on("status", () => this.#fill()),
      source.on("reset", () => this.#onReset()),
      source.on("resumed", (sending) => this.#follow(sending)),
    ];
    for (const sending of source.resumed ?? []) this.#follow(sending);
    this.#fill();
  }

  get older(): Paging {
    return this.#older;
  }
  get newer(): Paging {
    return this.#newer;
  }

  /** True when the first message of the room is covered, or when the room is empty. */
  get isFromBeginning(): boolean {
    if (this.range.first > 0) return this.range.first === 1;
    return this.#source.status === "live" && this.#source.head === 0;
  }

  get snapshot(): TimelineSnapshot {
    return (this.#snapshot ??= {
      entries: this.range.entries,
      unsent: this.range.unsent,
      older: this.#older,
      newer: this.#newer,
      isFromBeginning: this.isFromBeginning,
      isAttached: this.range.isAttached,
    });
  }

  /** Adds a handler. Returns a function that removes it. */
  on(name: "change", handler: () => void): () => void {
    return this.#listeners.on(name, handler);
  }

  /** Sends a message, which is shown at once. */
  send(body: TextBody, options: Omit<SendPlace, "thread"> = {}): Sending {
    return this.#send(body, { ...options, thread: this.#options.thread });
  }

  /** Sends a refused message again (room-timeline.2). */
  retry(id: string): void {
    const message = this.range.unsent.find((item) => item.id === id);
    if (message?.kind !== "refused") return;
    const { body, replyTo, thread, mentions, attachments } = message;
    this.#send(body as TextBody, { id, replyTo, thread, mentions, attachments });
  }

  /** Removes a refused message. */
  discard(id: string): void {
    this.range.discard(id);
    this.#changed();
  }

  /** Adds the page before the first entry. Resolves when it is there, or when it failed. */
  async loadOlder(): Promise<void> {
    const { first } = this.range;
    if (this.#older === "loading" || first <= 1) return;
    const place = this.#place;
    this.#older = "loading";
    this.#changed();
    const page = await this.#page({ before: first });
    if (place !== this.#place) return;
    if (page !== undefined) this.range.prepend(page);
    this.#older = page === undefined ? "failed" : "idle";
    this.#changed();
  }

  /** Adds the page behind the last entry, after a jump or a long scroll. */
  async loadNewer(): Promise<void> {
    if (this.#newer === "loading" || this.range.isAttached) return;
    const place = this.#place;
    this.#newer = "loading";
    this.#changed();
    const page = await this.#page({ after: this.range.last });
    if (place !== this.#place) return;
    if (page !== undefined) this.range.append(page);
    this.#newer = page === undefined ? "failed" : "idle";
    this.#changed();
  }

  /** Shows the end of the room. Resolves with true when it is there. */
  jumpToEnd(): Promise<boolean> {
    if (this.range.isAttached && this.range.last > 0) return this.#stay();
    const before = Math.max(this.#source.head, this.range.newest) + 1;
    return this.#jump({ before }, []);
  }

  /** Shows a page that begins with the number. Resolves with true when it is there. */
  jumpTo(seq: number): Promise<boolean> {
    if (seq >= this.range.first && seq <= this.range.last) return this.#stay();
    return this.#jump({ after: Math.max(0, seq - 1) });
  }

  /** Ends the updates. The room stays joined. */
  close(): void {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    this.#place = {};
  }

  /** The range has the place already. A pending jump must not lead away from it. */
  #stay(): Promise<true> {
    if (this.#jumping === this.#place) {
      this.#place = {};
      this.#newer = "idle";
      this.#changed();
    }
    return Promise.resolve(true);
  }

  /** `live`: where events are kept meanwhile. */
  async #jump(from: { before: number } | { after: number }, live?: RoomEvent[]): Promise<boolean> {
    const place = {};
    this.#place = this.#jumping = place;
    this.#live = live;
    this.#older = "idle";
    this.#newer = "loading";
    this.#changed();
    const page = await this.#page(from);
    if (place !== this.#place) return false;
    this.#jumping = this.#live = undefined;
    this.#newer = page === undefined ? "failed" : "idle";
    if (page !== undefined) {
      this.range.replace(page);
      if (live !== undefined && live.length <= LIVE_MAX) this.range.append({ events: live });
    }
    this.#changed();
    return page !== undefined;
  }

  #send(body: TextBody, options: SendPlace): Sending {
    const sending = this.#source.send(body, options);
    this.#follow({ ...options, ...sending, body, at: this.#options.now() });
    return sending;
  }

  #follow({ done, ...message }: ResumedSend): void {
    const { view = "messages", thread: shown } = this.#options;
    const { id, at, body, replyTo, thread, mentions, attachments } = message;
    if (view === "messages" && thread !== shown) return; // Another timeline shows it.
    this.range.pend({ id, at, body, replyTo, thread, mentions, attachments });
    this.#changed();
    void done.then((result) => {
      this.range.settle(id, result);
      this.#changed();
    });
  }

  #onEvent(event: RoomEvent): void {
    const { me, keepEnd = () => true } = this.#options;
    this.range.receive(event, { me: me(), keepEnd: keepEnd() });
    if (this.#live !== undefined && this.#live.length <= LIVE_MAX) this.#live.push(event);
    this.#changed();
  }

  /** A room whose tail holds few messages, or that was joined from a cursor, gets a page. */
  #fill(): void {
    const { status, head } = this.#source;
    const { pageSize = PAGE, view = "messages" } = this.#options;
    if (status === "live" && this.#newer === "idle" && this.#older === "idle") {
      if (this.range.last === 0 && head > 0) void this.jumpToEnd();
      else if (view === "messages" && this.range.entries.length < pageSize) void this.loadOlder();
    }
    this.#changed();
  }

  #onReset(): void {
    this.range.clear();
    this.#place = {};
    this.#older = "idle";
    this.#newer = "idle";
    this.#changed();
  }

  /** Undefined when the request failed: the view then offers a retry. */
  async #page(from: { before: number } | { after: number }): Promise<TimelinePage | undefined> {
    const { pageSize = PAGE, view = "messages", thread } = this.#options;
    const of = view === "messages" && { view, ...(thread !== undefined && { thread }) };
    try {
      return await this.#source.history({ ...from, limit: pageSize, ...of });
    } catch {
      return undefined; // No connection, or the server is busy; `older` or `newer` says so.
    }
  }

  #changed(): void {
    for (const { id, from } of this.range.entries) {
      if (from === this.#options.me()) this.range.discard(id); // room-timeline.5
    }
    this.#snapshot = undefined;
    this.#listeners.emit("change", undefined);
  }
}
