// ChatStore: the state of one signed-in window. The views read it and call its methods.
//
// Owns: the rooms of the sidebar, the open rooms, the shown room, the state of the connection. Does
// not own: the DOM, the address bar, animation timers.
//
//   chat-store.1. Every open room is joined, and the newest FOLLOWED_MAX listed ones, also when
//       they are not shown, so that their unread counts are right at once.
//   chat-store.2. Listeners run once per `schedule` after any number of changes (in a browser: once
//       a frame).
//   chat-store.3. A room with an invalid name (N1) is never opened.
//   chat-store.4. With ROOMS_MAX open rooms, a listed one without a draft makes place for the next.

import type { CLOSE } from "#shared/protocol/close-codes.ts";
import { directRoomId } from "#shared/protocol/direct-room.ts";
import { isRoomId, isUserId } from "#shared/protocol/ids.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import { decodeInvite } from "#shared/protocol/invites.ts";
import type { Note } from "#shared/protocol/note.ts";
import type { ListedRoom } from "#shared/protocol/room-list.ts";
import type { Clock, Timer } from "#shared/ports/clock.ts";
import type { ChatApi } from "./chat-api.ts";
import type { ChatClient, Fault, NewRoom, Outgoing, Unsubscribe } from "./client-port.ts";
import type { Problem } from "./room-admin.ts";
import { byActivity, RoomEntry } from "./room-entry.ts";
import { ListedRooms } from "./listed-rooms.ts";
import { ROOMS_MAX, SavedRooms } from "./saved-rooms.ts";
import type { KeyValue } from "./saved-rooms.ts";
import { NameBook } from "./name-book.ts";
import { RoomStore } from "./room-store.ts";
import { textOf } from "./timeline-rows.ts";
import { t } from "../texts/texts.ts";
import { createFailureWords, failureWords } from "./words.ts";
import type { Connection } from "./words.ts";

/** Listed rooms that are joined before they are opened. With ROOMS_MAX below the server's limit. */
const FOLLOWED_MAX = 100;
const TAIL_MESSAGES = 100;
/** The table itself is not in the page. */
const SIGNED_OUT: (typeof CLOSE)["sessionEnded"]["code"] = 4501;
/** While the window has the focus. */
const REFRESH_MS = 60_000;

export interface WaitingSend {
  readonly id: string;
  readonly room: string;
  readonly at: number;
  readonly text: string;
}

export interface ChatStoreOptions {
  readonly client: ChatClient;
  readonly api: ChatApi;
  readonly me: string;
  readonly clock: Clock;
  readonly storage: KeyValue;
  /** Runs the function after the next frame in a browser; at once in a test. */
  readonly schedule: (run: () => void) => void;
}

export class ChatStore {
  readonly me: string;
  readonly api: ChatApi;
  readonly names: NameBook;
  readonly #options: ChatStoreOptions;
  readonly #saved: SavedRooms;
  /** In the order of opening. */
  readonly #entries = new Map<string, RoomEntry>();
  readonly #list: ListedRooms;
  readonly #listeners = new Set<() => void>();
  readonly #noteListeners = new Set<(note: Note) => void>();
  readonly #subscriptions: readonly Unsubscribe[];
  readonly #refresh: Timer;
  #active: RoomEntry | undefined;
  #hasFocus = true;
  #isScheduled = false;
  #problem: string | undefined;
  #notice: string | undefined;

  constructor(options: ChatStoreOptions) {
    const { client, api, me, storage, clock } = options;
    this.me = me;
    this.api = api;
    this.names = new NameBook({ api, clock });
    this.#options = options;
    this.#saved = new SavedRooms(storage, me, clock);
    this.#list = new ListedRooms({ client, clock, loaded: (rooms) => this.#onList(rooms) });
    this.#subscriptions = [
      client.on("state", () => this.#onState()),
      client.on("unsent", () => this.#changed()),
      client.on("error", (fault) => this.#onFault(fault)),
      client.on("note", (note) => this.#onNote(note)),
    ];
    this.#refresh = clock.every(REFRESH_MS, () => this.#hasFocus && this.#list.refresh());
    for (const room of this.#saved.rooms) this.#enter(room);
  }

  get connection(): Connection {
    const { state, retryAt } = this.#options.client;
    return { state, retryAt, problem: this.#problem };
  }
  get sessionId(): string | undefined {
    return this.#options.client.sessionId;
  }
  /** The server ended the session: from another device of the user, or by an administrator. */
  get isSignedOut(): boolean {
    const { state, closeCode } = this.#options.client;
    return state === "closed" && closeCode === SIGNED_OUT;
  }
  /** The messages that wait for the connection; none while it serves. */
  get waiting(): readonly WaitingSend[] {
    const { state, unsent } = this.#options.client;
    if (state === "online") return [];
    return unsent
      .filter(({ id, room }) => this.#entries.get(room)?.store?.timeline.has(id) !== true)
      .map((send) => ({ id: send.id, room: send.room, at: send.at, text: textOf(send) }));
  }
  /** The rooms of the sidebar, newest activity first. */
  get entries(): readonly RoomEntry[] {
    return [...this.#entries.values()].sort(byActivity);
  }
  /** `none`: the list of rooms was not received yet. */
  get listState(): ListedRooms["state"] {
    return this.#list.state;
  }
  /** The open rooms, in the order of opening. */
  get rooms(): readonly RoomStore[] {
    return [...this.#entries.values()].flatMap(({ store }) => store ?? []);
  }
  get active(): RoomStore | undefined {
    return this.#active?.store;
  }
  get activeEntry(): RoomEntry | undefined {
    return this.#active;
  }
  /** Unread messages of all rooms, for the title of the window. */
  get unread(): number {
    return this.entries.reduce((sum, entry) => sum + entry.unread, 0);
  }

  entry(name: string): RoomEntry | undefined {
    return this.#entries.get(name);
  }

  subscribe(listener: () => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Joins the room if necessary and shows it. False for an invalid name (chat-store.3) or too many
   * rooms.
   */
  open(name: string): boolean {
    if (!isRoomId(name)) return false;
    if (this.#entries.get(name)?.store === undefined) {
      if (!this.#makePlace()) return false;
      this.#enter(name);
      this.#saveRooms();
    }
    this.#show(this.#entries.get(name));
    return true;
  }

  /** Closes the room in this window. It stays in the list of a member. */
  closeRoom(name: string): void {
    const entry = this.#entries.get(name);
    if (entry?.store === undefined) return;
    const { entries } = this;
    const index = entries.indexOf(entry);
    this.#closeStore(entry);
    this.#saveRooms();
    if (this.#active === entry) {
      const next = entries[index + 1] ?? entries[index - 1];
      this.#active = undefined;
      if (next !== undefined) this.open(next.name);
    }
    this.#changed();
  }

  /** Shows the next or the previous room of the sidebar, cyclically. */
  step(by: 1 | -1): void {
    const { entries } = this;
    const index = this.#active === undefined ? 0 : entries.indexOf(this.#active) + by;
    const next = entries.at(index % entries.length);
    if (next !== undefined) this.open(next.name);
  }

  /** Becomes a member of an open room, so that it is listed on every device. */
  join(name: string): Promise<Problem> {
    return this.#setOwn(name, "member");
  }

  /** Ends the membership, and closes the room. */
  async leave(name: string): Promise<Problem> {
    const problem = await this.#setOwn(name, "none");
    if (problem === undefined) this.closeRoom(name);
    return problem;
  }

  async create(name: string, options: NewRoom): Promise<Problem> {
    return this.#openAfter(name, this.#options.client.createRoom(name, options));
  }

  /** Opens the room of the two users, and creates it if necessary. */
  async openDirect(user: string): Promise<Problem> {
    if (!isUserId(user)) return createFailureWords("bad_frame");
    const name = directRoomId(this.me as UserId, user);
    const sent = this.#options.client.createDirectRoom(this.me, user);
    const problem = await this.#openAfter(name, sent, "conflict");
    this.#entries.get(name)?.setPeer(user);
    return problem;
  }

  /** Enters a closed room with the token of an invite. */
  async enterInvite(token: string): Promise<Problem> {
    const room = decodeInvite(token)?.room;
    if (room === undefined) return t("failure.invite");
    const problem = await this.#openAfter(room, this.#options.client.enter(token), "conflict");
    return problem === undefined ? undefined : t("failure.invite");
  }

  /** The browser window gained or lost the focus. */
  setFocus(hasFocus: boolean): void {
    if (this.#hasFocus === hasFocus) return;
    this.#hasFocus = hasFocus;
    this.active?.setInFront(hasFocus);
    if (hasFocus) this.#list.refresh();
    this.#changed();
  }

  /** Stores the read positions now, before the window closes. */
  flush(): void {
    this.#saved.flush();
  }

  /** Connects now instead of after the wait. */
  reconnect(): void {
    this.#options.client.connect();
  }

  close(): void {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    this.#refresh.cancel();
    this.#list.close();
    this.names.close();
    this.#listeners.clear();
    this.#saved.flush();
    for (const entry of this.#entries.values()) this.#abandon(entry);
    this.#options.client.close();
  }

  #entry(name: string): RoomEntry {
    const known = this.#entries.get(name);
    if (known !== undefined) return known;
    const entry = new RoomEntry({
      name,
      me: this.me,
      read: this.#saved.readThrough(name),
      changed: () => this.#changed(),
      listChanged: () => this.#list.changed(),
    });
    this.#entries.set(name, entry);
    return entry;
  }

  #enter(name: string): RoomStore {
    const { client, api, clock } = this.#options;
    const entry = this.#entry(name);
    const handle = client.join(name, { tail: TAIL_MESSAGES });
    const store = new RoomStore({
      handle,
      api,
      me: this.me,
      clock,
      readThrough: entry.count.read,
      changed: () => this.#changed(),
      onRead: (seq) => {
        this.#saved.setRead(name, seq);
        entry.count.markRead(seq);
      },
      draftOf: (thread) => this.#saved.draft(name, thread),
      onDraft: (text, thread) => this.#saved.setDraft(text, name, thread),
    });
    entry.store = store;
    if (!entry.isFollowed) entry.follow(handle);
    return store;
  }

  /** chat-store.4. */
  #makePlace(): boolean {
    const { rooms } = this;
    if (rooms.length < ROOMS_MAX) return true;
    const unused = rooms.find((room) => {
      const isListed = this.#entries.get(room.name)?.listed !== undefined;
      return isListed && room !== this.active && room.draft.unsent === "";
    });
    if (unused !== undefined) this.closeRoom(unused.name);
    return unused !== undefined;
  }

  #closeStore(entry: RoomEntry): void {
    this.#abandon(entry);
    if (entry.listed === undefined) this.#entries.delete(entry.name);
    else this.#follow(entry);
  }

  #abandon(entry: RoomEntry): void {
    entry.store?.close();
    entry.store = undefined;
    entry.unfollow();
  }

  #follow(entry: RoomEntry): void {
    entry.follow(this.#options.client.join(entry.name, { tail: 0 }));
  }

  #saveRooms(): void {
    this.#saved.setRooms(this.rooms.map(({ name }) => name));
  }

  #show(entry: RoomEntry | undefined): void {
    if (entry === this.#active) return;
    this.active?.setInFront(false);
    this.#active = entry;
    entry?.store?.enter();
    entry?.store?.setInFront(this.#hasFocus);
    this.#changed();
  }

  async #setOwn(name: string, role: "member" | "none"): Promise<Problem> {
    const store = this.#entries.get(name)?.store;
    if (store === undefined) return undefined;
    const problem = await store.admin.setMember(this.me, { role });
    this.#list.changed();
    return problem;
  }

  /** `isDone`: a refusal that means that it was done before. */
  async #openAfter(name: string, outgoing: Outgoing, isDone?: "conflict"): Promise<Problem> {
    const outcome = await outgoing.done;
    const isRefused = outcome.kind === "refused" && outcome.error !== isDone;
    if (isRefused) return createFailureWords(outcome.error);
    this.#list.changed();
    const entry = this.#entries.get(name);
    if (entry?.store?.status === "left") this.#closeStore(entry); // It was refused before.
    return this.open(name) ? undefined : createFailureWords("busy");
  }

  #onList(rooms: readonly ListedRoom[]): void {
    const listed = new Map(rooms.map((room) => [room.room as string, room]));
    for (const room of rooms) this.#entry(room.room).setListed(room);
    for (const entry of this.#entries.values()) {
      if (listed.has(entry.name)) continue;
      entry.setListed(undefined);
      if (entry.store === undefined) this.#drop(entry);
    }
    // The newest ones: the list is in this order.
    for (const { room } of rooms.slice(0, FOLLOWED_MAX)) {
      const entry = this.#entries.get(room);
      // A list that is older than a removal still has the room: its store says what happened.
      if (entry?.store === undefined && entry?.isFollowed === false) this.#follow(entry);
    }
    void this.#findPeers();
    this.#changed();
  }

  #drop(entry: RoomEntry): void {
    entry.unfollow();
    this.#entries.delete(entry.name);
  }

  /** A direct room in which only this user wrote does not name the other one. */
  async #findPeers(): Promise<void> {
    for (const entry of this.#entries.values()) {
      if (entry.kind !== "direct" || entry.peer !== undefined) continue;
      const page = await this.api.members(entry.name).catch(() => undefined);
      const peer = page?.members.find(({ user }) => user !== this.me);
      if (peer !== undefined) entry.setPeer(peer.user);
      this.#changed();
    }
  }

  /** A sentence about something that the user did, until it is closed. */
  get notice(): string | undefined {
    return this.#notice;
  }

  setNotice(notice: string | undefined): void {
    this.#notice = notice;
    this.#changed();
  }

  /** Runs for each hint that something concerns the user. */
  onNote(listener: (note: Note) => void): Unsubscribe {
    this.#noteListeners.add(listener);
    return () => void this.#noteListeners.delete(listener);
  }

  #onNote(note: Note): void {
    const { room, why } = note;
    for (const listener of this.#noteListeners) listener(note);
    const entry = this.#entries.get(room);
    if (why === "added" && entry?.store?.status === "left") this.#reopen(entry);
    if (why === "added" || why === "removed" || entry?.isFollowed !== true) this.#list.changed();
  }

  /** The user may read the room again. */
  #reopen(entry: RoomEntry): void {
    const isShown = entry === this.#active;
    this.#abandon(entry);
    this.#enter(entry.name);
    if (isShown) {
      this.#active = undefined;
      this.#show(entry);
    }
  }

  #onState(): void {
    if (this.#options.client.state === "online") {
      this.#problem = undefined;
      this.#list.load();
    }
    this.#changed();
  }

  #onFault({ name, room }: Fault): void {
    const problem = failureWords(name);
    if (room === undefined) this.#problem = problem;
    else this.#entries.get(room)?.store?.fail(problem);
    this.#changed();
  }

  #changed(): void {
    if (this.#isScheduled) return; // chat-store.2
    this.#isScheduled = true;
    this.#options.schedule(() => {
      this.#isScheduled = false;
      for (const listener of this.#listeners) listener();
    });
  }
}
