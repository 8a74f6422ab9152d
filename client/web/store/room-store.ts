// RoomStore: one room as this window shows it.
//
// Owns: the timeline, the read position, the draft, the open thread, the names of typing users.
// Does not own: what the room takes from the user (RoomRules), the connection (SDK), the DOM, the
// choice of the shown room (ChatStore).
//
//   room-store.1. A message counts as read when it is in the timeline while the end is visible and
//        the window has the focus.
//   room-store.2. Only messages of the main line count as unread: no change of a message, and no
//        reply in a thread.

import { PAGE_EVENTS_MAX } from "#shared/protocol/limits.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { ChatApi } from "./chat-api.ts";
import type { ChatRoom, Unsubscribe } from "./client-port.ts";
import { RoomTimeline } from "#client/sdk/timeline/room-timeline.ts";
import type { Paging } from "#client/sdk/timeline/room-timeline.ts";
import { MessageChanges } from "./message-changes.ts";
import { Draft } from "./draft.ts";
import { MemberList } from "./member-list.ts";
import { mentionsIn, ROOM_MENTION } from "./mention-text.ts";
import { mayDo } from "./room-rights.ts";
import type { RoomBar } from "./room-rights.ts";
import type { FileLink } from "./files/file-port.ts";
import { filesOf } from "./load-files.ts";
import type { JumpTarget, MessageSource } from "./message-source.ts";
import type { PinList, PinListOptions } from "./pin-list.ts";
import { RoomAdmin } from "./room-admin.ts";
import type { RoomInfo } from "./room-info.ts";
import { RoomRules } from "./room-rules.ts";
import { ThreadStore } from "./thread-store.ts";
import { TimelineRows } from "./timeline-rows.ts";
import { TypingNames, TypingSignal } from "./typing.ts";
import { removalWords } from "./words.ts";
import { t } from "../texts/texts.ts";

/**
 * Messages in the timeline, and so in the DOM. Beyond it the far end is dropped; paging loads it
 * again. Each frame of a scroll costs time for every element, so it is a few screens, not more
 * (make bench-scroll).
 */
export const WINDOW_MESSAGES_MAX = 200;
/** One page of history. */
const PAGE_MESSAGES = Math.min(50, PAGE_EVENTS_MAX);

export interface RoomStoreOptions {
  readonly handle: ChatRoom;
  readonly api: ChatApi;
  readonly me: string;
  readonly clock: Clock;
  /** The last sequence number that the user read in an earlier visit. */
  readonly readThrough: number | undefined;
  readonly changed: () => void;
  readonly onRead: (seq: number) => void;
  /** The unsent texts of earlier visits. `thread`: of the composer of this thread. */
  readonly draftOf: (thread?: number) => string;
  readonly onDraft: (text: string, thread?: number) => void;
}

export class RoomStore implements MessageSource {
  readonly name: string;
  readonly me: string;
  readonly api: ChatApi;
  readonly timeline: TimelineRows;
  readonly changes: MessageChanges;
  readonly draft: Draft;
  readonly info: RoomInfo;
  readonly members: MemberList;
  readonly admin: RoomAdmin;
  readonly #options: RoomStoreOptions;
  readonly #rules: RoomRules;
  readonly #timeline: RoomTimeline;
  jumps = 0;

  readonly #handle: ChatRoom;
  readonly #changed: () => void;
  readonly #onRead: (seq: number) => void;
  readonly #typingNames: TypingNames;
  readonly #typingSignal: TypingSignal;
  readonly #subscriptions: readonly Unsubscribe[];
  #readThrough: number | undefined;
  #readMark: number | undefined;
  /** The events above the read position that are not unread messages (room-store.2). */
  #quiet = 0;
  #thread: ThreadStore | undefined;
  #pins: PinList | undefined;
  readonly #waiting: (() => void)[] = [];
  #target: JumpTarget | undefined;
  #isInFront = false;
  #isAtEnd = true;
  #wasReset = false;
  #isRemoved = false;
  #problem: string | undefined;

  constructor(options: RoomStoreOptions) {
    const { handle, api, me, clock, readThrough, changed, onRead } = options;
    this.#options = options;
    this.name = handle.room;
    this.me = me;
    this.api = api;
    this.#rules = new RoomRules({ handle, me, api, clock, changed });
    this.info = this.#rules.info;
    this.members = new MemberList({ room: handle.room, api, changed });
    this.admin = new RoomAdmin(handle, changed);
    // Before the subscriptions below: the timeline has an event first.
    this.#timeline = new RoomTimeline(handle, {
      max: WINDOW_MESSAGES_MAX,
      pageSize: PAGE_MESSAGES,
      keepEnd: () => this.#isAtEnd || !this.#isInFront,
      me: () => me,
      now: () => clock.now(),
    });
    this.timeline = new TimelineRows(this.#timeline, me);
    this.#handle = handle;
    this.#changed = changed;
    this.#onRead = onRead;
    this.#readThrough = readThrough;
    this.#typingNames = new TypingNames(clock, changed);
    this.#typingSignal = new TypingSignal(clock, (on) => handle.typing(on));
    this.changes = new MessageChanges(handle, this.#rules, changed);
    this.draft = new Draft({
      saved: options.draftOf(),
      typed: (text) => {
        this.#typingSignal.onDraft(text);
        options.onDraft(text);
      },
      changed,
      loadFiles: filesOf(api, handle.room, changed),
      send: (text, attachments) => {
        this.#timeline.send({ text }, { mentions: this.mentionsIn(text), attachments });
        this.jumpToEnd();
      },
      edit: ({ seq, mentions }, text) => {
        this.changes.edit(seq, text, this.mentionsIn(text, mentions));
      },
    });
    this.#subscriptions = [
      this.#timeline.on("change", () => {
        this.#markRead(); // A page can bring the newest message.
        changed();
      }),
      handle.on("event", (event) => this.#onEvent(event)),
      handle.on("typing", ({ user, on }) => user !== me && this.#typingNames.update(user, on)),
      handle.on("read", ({ user, seq }) => user === me && this.#onReadElsewhere(seq)),
      handle.on("presence", changed),
      handle.on("status", () => this.#onStatus()),
      handle.on("reset", () => this.#onReset()),
      handle.on("removed", ({ reason }) => {
        this.fail(removalWords(reason, this.info.membership, me));
        this.#isRemoved = true;
      }),
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
    return this.#timeline.older;
  }
  get newer(): Paging {
    return this.#timeline.newer;
  }
  get isFromBeginning(): boolean {
    return this.#timeline.isFromBeginning;
  }
  get unread(): number {
    if (this.#readThrough === undefined) return 0;
    return Math.max(0, this.timeline.newest - this.#readThrough - this.#quiet);
  }
  get readMark(): number | undefined {
    return this.#readMark;
  }
  /** Why the user cannot write here now. */
  get bar(): RoomBar | undefined {
    return this.#rules.bar;
  }

  /** The room was recreated while this window was joined. */
  get wasReset(): boolean {
    return this.#wasReset;
  }

  /** Why this window is not a member of the room; undefined when it is. */
  get problem(): string | undefined {
    return this.status === "left" ? (this.#problem ?? t("room.notMember")) : undefined;
  }

  /** Resolves when the room is live, or when it is left. */
  live(): Promise<void> {
    if (this.status === "live" || this.status === "left") return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** `problem`: a sentence for the user. */
  fail(problem: string): void {
    // A frame that crossed the removal is refused, too: the removal is the reason.
    if (!this.#isRemoved) this.#problem = problem;
    this.#changed();
  }

  /** The thread that the panel shows. */
  get thread(): ThreadStore | undefined {
    return this.#thread;
  }

  openThread(root: number): void {
    if (this.#thread?.root === root) return;
    const { api, me, clock, changed, draftOf, onDraft } = this.#options;
    this.#thread?.close();
    this.#thread = new ThreadStore({
      handle: this.#handle,
      api,
      root,
      me,
      clock,
      changes: this.changes,
      mentions: this,
      max: WINDOW_MESSAGES_MAX,
      savedDraft: draftOf(root),
      changed,
      onDraft: (text) => onDraft(text, root),
    });
    changed();
  }

  closeThread(): void {
    this.#thread?.close();
    this.#thread = undefined;
    this.#changed();
  }

  retry(id: string): void {
    this.#timeline.retry(id);
  }

  discard(id: string): void {
    this.#timeline.discard(id);
  }

  loadOlder(): Promise<void> {
    return this.#timeline.loadOlder();
  }

  loadNewer(): Promise<void> {
    return this.#timeline.loadNewer();
  }

  /** The names that a message can mention: users, and everyone if the user may. */
  get mentionable(): readonly string[] {
    const { settings, role } = this.info;
    const names = new Set([
      ...this.users,
      ...this.members.all.filter((member) => member.role !== "none").map(({ user }) => user),
      ...this.timeline.sent.map(({ from }) => from),
    ]);
    names.delete(this.me);
    const mayCall = mayDo("call", { settings, role }) && settings?.kind !== "direct";
    return mayCall ? [...names, ROOM_MENTION] : [...names];
  }

  /** Resolves with the sentence for a refusal. */
  loadInvites(): Promise<string | undefined> {
    return this.admin.loadInvites(this.#options.api, this.name);
  }

  /** Where the bytes of an attachment are. Rejects with FileFailed. */
  async linkOf(id: string, isFresh?: boolean): Promise<FileLink> {
    const files = await this.#options.api.files();
    return files.link(this.name, id, isFresh);
  }

  /** The pinned messages. Their code comes with the panel that shows them. */
  openPins(create: (options: PinListOptions) => PinList): PinList {
    const { api, changed } = this.#options;
    return (this.#pins ??= create({ room: this.name, api, changed }));
  }

  loadMembers(): void {
    if (this.members.state === "none") void this.members.load();
  }

  /**
   * Whom the text mentions. `known`: whom its message mentions before an edit; such a user can be
   * unknown to the page.
   */
  mentionsIn(text: string, known: readonly string[] = []): readonly string[] | "@room" | undefined {
    const users = known.filter((name) => name !== ROOM_MENTION);
    const names = mentionsIn(text, [...users, ...this.mentionable]);
    if (names.includes(ROOM_MENTION)) return "@room";
    return names.length === 0 ? undefined : names;
  }

  /** The message that the list must show. */
  get target(): JumpTarget | undefined {
    return this.#target;
  }

  /**
   * Shows the message with this number, or the next one. A reply in a thread is shown at its root,
   * and the number of the root is returned. False when it could not be loaded.
   */
  async jumpTo(seq: number): Promise<{ readonly thread?: number } | false> {
    const event = this.timeline.at(seq) === undefined ? await this.#read(seq) : undefined;
    const root = event?.t === "msg" ? event.thread : undefined;
    if (!(await this.#timeline.jumpTo(root ?? seq))) return false;
    const { sent } = this.timeline;
    const shown = sent.find((one) => one.seq >= (root ?? seq)) ?? sent.at(-1);
    if (shown === undefined) return false;
    this.#isAtEnd = false;
    this.#target = { seq: shown.seq };
    this.#changed();
    return root === undefined ? {} : { thread: root };
  }

  /** The first number of a day that begins at this time; undefined: no connection. */
  async findDay(at: number): Promise<number | undefined> {
    const { findDay } = await import("./find-day.ts");
    return findDay(at, this.head, async (seq) => (await this.#read(seq))?.at);
  }

  async #read(seq: number): Promise<RoomEvent | undefined> {
    const range = { after: seq - 1, limit: 1 };
    const page = await this.#handle.history(range).catch(() => undefined);
    return page?.events[0];
  }

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
    const { head } = this;
    if (isInFront)
      this.#readMark = head > (this.#readThrough ?? head) ? this.#readThrough : undefined;
    else this.#typingSignal.stop();
    this.#markRead();
  }

  /** Shows an opened room from its end. */
  enter(): void {
    this.#isAtEnd = true;
    if (this.info.role === undefined) this.info.load();
    if (!this.timeline.isAttached) this.jumpToEnd();
  }

  close(): void {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    this.#thread?.close();
    this.draft.close();
    this.#timeline.close();
    this.#typingNames.clear();
    this.#rules.close();
    this.#handle.leave();
  }

  #onEvent(event: RoomEvent): void {
    this.timeline.receive(event);
    if (event.t === "msg") this.#typingNames.update(event.from, false); // It ends the typing.
    for (const part of [this.#rules, this.members, this.admin, this.#pins]) part?.receive(event);
    if (!isUnreadKind(event) && event.seq > (this.#readThrough ?? 0)) this.#quiet += 1;
    if (event.from === this.me && this.#readThrough === event.seq - 1) this.#setRead(event.seq);
    this.#markRead();
    this.#changed();
  }

  #onStatus(): void {
    // On a first visit nothing is unread: earlier messages count as read.
    if (this.status === "live" && this.#readThrough === undefined) {
      this.#setRead(this.timeline.newest);
    }
    if (this.status === "live" || this.status === "left") {
      for (const resolve of this.#waiting.splice(0)) resolve();
    }
    this.#changed();
  }

  #onReset(): void {
    this.#wasReset = true;
    this.timeline.clear();
    this.info.reset();
    this.members.reset();
    this.#pins?.reset();
    this.closeThread();
    this.#readMark = undefined;
    this.#setRead(0);
    this.#changed();
  }

  #markRead(): void {
    if (!this.#isInFront || !this.#isAtEnd || !this.timeline.isAttached) return; // room-store.1
    const { newest } = this.timeline;
    if (newest > (this.#readThrough ?? 0)) this.#setRead(newest);
  }

  #setRead(seq: number): void {
    this.#readThrough = seq;
    if (seq >= this.timeline.newest) this.#quiet = 0;
    this.#onRead(seq);
    this.#handle.markRead(seq);
  }

  /** The user has read the room on another device; own positions come back, too. */
  #onReadElsewhere(seq: number): void {
    if (seq <= (this.#readThrough ?? 0)) return;
    this.#readThrough = seq;
    this.#onRead(seq);
    this.#changed();
  }

  async #replaceByEnd(): Promise<void> {
    if (!(await this.#timeline.jumpToEnd())) return;
    this.jumps += 1;
    this.#markRead();
    this.#changed();
  }
}

/** room-store.2. */
function isUnreadKind(event: RoomEvent): boolean {
  return event.t === "msg" && event.thread === undefined;
}
