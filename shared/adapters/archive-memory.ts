// MemoryArchive: ArchiveStore in memory, for tests and for the simulation. One object is the
// database. It outlives the archive runners that use it, so a test simulates a crash by discarding
// everything else.
//
// Every step (performing a call, delivering its result) is one call of `schedule`, so that a
// scheduler can order other steps between a write and the report of its outcome.
//
// Owns: the watermarks, the quarantine, what a write changes. Does not own: what one room stores
// (memory-room.ts).

import { boundAll, edgeOf, fitsAhead, floorsOf } from "../kit/archived-ids.ts";
import type {
  ArchiveBatch,
  ArchiveEvent,
  ArchiveStore,
  Claim,
  LookedUp,
  Read,
  Watermark,
  WriteOutcome,
} from "../ports/archive.ts";
import type { RoomListStore } from "../ports/room-lists.ts";
import type { NameStore } from "../ports/names.ts";
import type { SearchStore } from "../ports/search.ts";
import { cutMembers } from "../kit/archived-members.ts";
import { targetOf } from "../kit/archived-targets.ts";
import {
  changesOfMessages,
  eraseWithin,
  keyOf as messageKey,
  MessageFold,
} from "../kit/message-fold.ts";
import type { MessageState } from "../kit/message-fold.ts";
import { cutPage, messageText, scanOf } from "../kit/message-view.ts";
import { mentionedBy, mentionsIn } from "../kit/mentions.ts";
import { sinceOf, stateChangesOf } from "../kit/state-changes.ts";
import type { Body, Deletion, Mentions, ReactedEvent, RoomEvent } from "../protocol/events.ts";
import type { ArchivedRange, MembersPage, RoomSnapshot } from "../protocol/history.ts";
import type { MessagesPage, MessagesQuery } from "../protocol/history.ts";
import { isStorable, messageTime, utf8Length } from "../protocol/ids.ts";
import type {
  FindQuery,
  FoundRooms,
  ReadPosition,
  RoomsPage,
  RoomsQuery,
} from "../protocol/room-list.ts";
import type { LogSeq, MessageId, Millis, Partition, RoomId, Seq, UserId } from "../protocol/ids.ts";
import { RANGE_BYTES_MAX, RANGE_EVENTS_MAX } from "../protocol/limits.ts";
import type { NamedUser, SaidName } from "../protocol/names.ts";
import type { FoundMessages, SearchQuery } from "../protocol/search.ts";
import { isSameEvent, tombstoneOf } from "../protocol/tombstone.ts";

import { addMention, findRooms, listRooms, putReads } from "./memory-room-list.ts";
import {
  createRoom,
  findId,
  idsOf,
  keyOf,
  lineAt,
  membersOf,
  reactionsOf,
  sendersOf,
  stateOf,
  tailOf,
} from "./memory-room.ts";
import type { StoredRoom } from "./memory-room.ts";
import { searchRooms } from "./memory-search.ts";

export interface MemoryArchiveOptions {
  /**
   * Returns the reason to refuse an event, as PostgreSQL might (archive.4); undefined accepts it.
   */
  readonly refuse?: (event: ArchiveEvent) => string | undefined;
  /** Runs a step later, not synchronously; default: as a microtask. */
  readonly schedule?: (run: () => void) => void;
}

export interface QuarantinedText {
  readonly p: Partition;
  readonly entry: LogSeq;
  readonly room?: RoomId;
  readonly seq?: Seq;
  readonly line: string;
  readonly reason: string;
}

export class MemoryArchive implements ArchiveStore, RoomListStore, SearchStore, NameStore {
  readonly #names = new Map<UserId, SaidName>();
  readonly #refuse: (event: ArchiveEvent) => string | undefined;
  readonly #schedule: (run: () => void) => void;
  readonly #watermarks = new Map<Partition, Watermark>();
  /** The newest stored release, and the newest claim that asked for the watermark. */
  readonly #released = new Map<Partition, LogSeq>();
  readonly #claimed = new Map<Partition, LogSeq>();
  readonly #rooms = new Map<RoomId, StoredRoom>();
  /** By `keyOf` of message-fold.ts. */
  readonly #messages = new Map<string, MessageState>();
  readonly quarantine: QuarantinedText[] = [];

  constructor(options: MemoryArchiveOptions = {}) {
    this.#refuse = options.refuse ?? (() => undefined);
    this.#schedule = options.schedule ?? queueMicrotask;
  }

  write(batch: ArchiveBatch): Promise<WriteOutcome> {
    return this.#later(() => this.#write(batch));
  }

  watermark(p: Partition, claim: Claim = 0): Promise<Read<Watermark>> {
    return this.#read(() => {
      const { seq, epoch, of } = this.#watermarkOf(p);
      const asking = claim === "unknown" ? seq + 1 : claim;
      const claimed = Math.max(asking, this.#claimed.get(p) ?? 0);
      this.#claimed.set(p, claimed);
      const isSettled = seq > 0 && this.#released.get(p) === seq && claimed <= seq; // archive.5
      return { seq, epoch, ...(isSettled && { isSettled }), ...(of !== undefined && { of }) };
    });
  }

  range(room: RoomId, first: Seq, last: Seq): Promise<Read<ArchivedRange>> {
    return this.#read(() => this.#range(room, first, last));
  }

  snapshot(p: Partition, room: RoomId, since: Millis): Promise<Read<RoomSnapshot>> {
    return this.#read(() => this.#snapshot(p, room, since));
  }

  messages(room: RoomId, query: MessagesQuery): Promise<Read<MessagesPage>> {
    return this.#read(() => this.#page(room, query));
  }

  members(room: RoomId, after: UserId): Promise<Read<MembersPage>> {
    return this.#read(() => cutMembers(membersOf(this.#rooms.get(room), after)));
  }

  lookup(
    p: Partition,
    room: RoomId,
    sender: UserId,
    id: MessageId,
    target?: Seq,
  ): Promise<Read<LookedUp>> {
    return this.#read(() => {
      const stored = this.#rooms.get(room);
      const found = findId(stored, sender, id);
      return {
        watermark: this.#watermarkOf(p).seq,
        ...(found !== undefined && { found }),
        ...(target !== undefined && {
          target: targetOf(target, lineAt(stored, target), this.#mentionsOf(room, target)),
        }),
      };
    });
  }

  rooms(query: RoomsQuery): Promise<Read<RoomsPage>> {
    return this.#read(() => listRooms(this.#rooms, query, (...place) => this.#editOf(...place)));
  }

  findRooms(query: FindQuery): Promise<Read<FoundRooms>> {
    return this.#read(() => findRooms(this.#rooms, query));
  }

  search(query: SearchQuery): Promise<Read<FoundMessages>> {
    return this.#read(() =>
      searchRooms(this.#rooms, query, (room, seq) => ({
        body: this.#editOf(room, seq),
        mentions: this.#mentionsOf(room, seq),
      })),
    );
  }

  names(users: readonly UserId[]): Promise<Read<readonly NamedUser[]>> {
    return this.#read(() =>
      users.flatMap((user) => {
        const name = this.#names.get(user)?.name ?? "";
        return name === "" ? [] : [[user, name] as const];
      }),
    );
  }

  putName(said: SaidName): Promise<Read<undefined>> {
    return this.#read(() => {
      const isNewer = said.at >= (this.#names.get(said.user)?.at ?? 0);
      if (isNewer) this.#names.set(said.user, said);
      return undefined;
    });
  }

  putReads(reads: readonly ReadPosition[]): Promise<Read<readonly ReadPosition[]>> {
    return this.#read(() => putReads(this.#rooms, reads));
  }

  #editOf(room: RoomId, seq: Seq): Body | undefined {
    return this.#messages.get(messageKey(room, seq))?.edit?.body;
  }

  #mentionsOf(room: RoomId, seq: Seq): Mentions | undefined {
    return this.#messages.get(messageKey(room, seq))?.mentions;
  }

  /** The line at its place now, for a check after a run. */
  lineOf(room: RoomId, seq: Seq): string | undefined {
    return lineAt(this.#rooms.get(room), seq);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #write(batch: ArchiveBatch): WriteOutcome {
    const { p, from, to, epoch, events, unread = [], isReleased, splits = [] } = batch;
    const before = this.#watermarkOf(p);
    if (before.seq !== from) return { kind: "moved" };
    const of = splits.at(-1) ?? before.of;
    this.#watermarks.set(p, { seq: to, epoch, ...(of !== undefined && { of }) });
    for (const split of splits) this.#beginUpperHalf(p + split / 2);
    if (isReleased === true) this.#released.set(p, to);
    const known = this.quarantine.length;
    const all = changesOfMessages(events) ?? [];
    const isFresh = ({ room, seq }: { readonly room: RoomId; readonly seq: Seq }): boolean =>
      seq > (this.#rooms.get(room)?.head ?? 0);
    const changes = all.filter(isFresh);
    // Before the heads move, as the changes: an edit may have ended a mention since.
    const mentions = (mentionsIn(events) ?? []).filter(isFresh);
    for (const event of eraseWithin(events, all)) {
      const { room, seq, line } = event;
      const reason = this.#refusalOf(event) ?? this.#store(event);
      if (reason !== undefined) this.#putInQuarantine({ p, entry: to, room, seq, line, reason });
      const stored = this.#room(room);
      stored.head = Math.max(stored.head, seq);
      stored.lastAt = Math.max(stored.lastAt, event.at);
      if (seq === 1 && stored.born === "") stored.born = event.id;
    }
    this.#applyState(events);
    for (const mention of mentions) addMention(this.#room(mention.room), mention);
    this.#fold(changes);
    for (const { entry, place, text: line, reason } of unread) {
      this.#putInQuarantine({ p, entry, ...place, line, reason });
      if (place === undefined) continue;
      const stored = this.#room(place.room);
      stored.head = Math.max(stored.head, place.seq);
    }
    return { kind: "ok", quarantined: this.quarantine.length - known };
  }

  /** archive.6. */
  #beginUpperHalf(p: Partition): void {
    if (this.#watermarkOf(p).seq > 0) return;
    this.#watermarks.set(p, { seq: 1, epoch: 0 });
    this.#released.set(p, 1);
  }

  #applyState(events: readonly ArchiveEvent[]): void {
    const changes = stateChangesOf(events);
    for (const change of changes?.settings ?? []) {
      const room = this.#room(change.room);
      if (change.seq > (room.settings?.seq ?? 0)) room.settings = change;
    }
    for (const change of changes?.invites ?? []) {
      const { invites } = this.#room(change.room);
      const before = invites.get(change.invite);
      invites.set(change.invite, {
        ...change,
        made: before?.made ?? change.made,
        used: Math.max(before?.used ?? 0, change.used),
        isRevoked: before?.isRevoked === true || change.isRevoked,
      });
    }
    for (const change of changes?.members ?? []) {
      const { members } = this.#room(change.room);
      const before = members.get(change.user);
      if (change.seq <= (before?.seq ?? 0)) continue;
      members.set(change.user, { ...change, since: sinceOf(change, before) });
    }
  }

  /** archive.8, archive.9. */
  #fold(changes: readonly RoomEvent[]): void {
    const fold = new MessageFold(this.#messages);
    for (const event of changes) fold.take(event);
    for (const event of fold.reactions) {
      const { target, emoji, from } = event;
      const { reactions } = this.#room(event.room);
      const ofMessage = reactions.get(target) ?? new Map<string, Map<UserId, ReactedEvent>>();
      const users = ofMessage.get(emoji) ?? new Map<UserId, ReactedEvent>();
      reactions.set(target, ofMessage.set(emoji, users.set(from, event)));
    }
    for (const { room, seq, sender, now } of fold.mentions) {
      this.#room(room).mentions.set(seq, new Set(mentionedBy(now, sender)));
    }
    for (const { room, seq, deletion } of fold.erased) this.#erase(this.#room(room), seq, deletion);
  }

  #erase(room: StoredRoom, seq: Seq, deletion: Deletion): void {
    const event = room.events.get(seq);
    const line = event && tombstoneOf(event.line, deletion);
    if (event !== undefined && line !== undefined) room.events.set(seq, { ...event, line });
    const lost = tombstoneOf(room.quarantined.get(seq) ?? "", deletion);
    if (lost !== undefined) room.quarantined.set(seq, lost);
    for (const [i, text] of this.quarantine.entries()) {
      if (text.seq !== seq || this.#rooms.get(text.room as RoomId) !== room) continue;
      this.quarantine[i] = { ...text, line: tombstoneOf(text.line, deletion) ?? text.line };
    }
  }

  #page(id: RoomId, query: MessagesQuery): MessagesPage {
    const room = this.#rooms.get(id);
    const head = room?.head ?? 0;
    const { first, last } = scanOf(query, head);
    const { thread = 0, pinned } = query;
    const isListed = thread > 0 || pinned === true;
    // A list of a thread or of pins needs no scan.
    const from = isListed && query.after === undefined ? 1 : first;
    const to = isListed && query.after !== undefined ? head : last;
    const found: { seq: Seq; text: string }[] = [];
    for (let seq = from; seq <= to; seq++) {
      const event = room?.events.get(seq);
      if (event?.kind !== "msg") continue;
      const state = this.#messages.get(messageKey(id, seq));
      if (pinned === true) {
        if (state?.pin?.on !== true || state.deletion !== undefined) continue;
      } else if ((state?.thread ?? 0) !== thread) continue;
      const text = messageText(event.line, state, reactionsOf(room, seq));
      found.push({ seq, text });
    }
    if (query.after === undefined) found.reverse();
    return cutPage(query, { first: from, last: to, head }, found);
  }

  #refusalOf(event: ArchiveEvent): string | undefined {
    if (!isStorable(event.sender) || !isStorable(event.line)) return "the text cannot be stored";
    return this.#refuse(event);
  }

  /**
   * Stores `event`, or returns the reason why not. An equal event that is already stored is no
   * reason.
   */
  #store(event: ArchiveEvent): string | undefined {
    const room = this.#room(event.room);
    const stored = room.events.get(event.seq);
    if (stored !== undefined) {
      const isSame = isSameEvent(stored.line, event.line);
      return isSame ? undefined : "another event has this sequence number"; // archive.9
    }
    const key = keyOf(event.sender, event.id);
    if (room.byId.has(key)) return "this id has another sequence number";
    room.events.set(event.seq, event);
    room.byId.set(key, event.seq);
    return undefined;
  }

  #putInQuarantine(text: QuarantinedText): void {
    const isKept = this.quarantine.some(
      (other) => other.room === text.room && other.seq === text.seq && other.line === text.line,
    );
    if (isKept) return; // archive.2
    this.quarantine.push(text);
    if (text.room === undefined || text.seq === undefined) return;
    const room = this.#room(text.room);
    const isTaken = room.events.has(text.seq) || room.quarantined.has(text.seq);
    if (!isTaken) room.quarantined.set(text.seq, text.line);
  }

  #range(id: RoomId, first: Seq, last: Seq): ArchivedRange {
    const room = this.#rooms.get(id);
    const lines: string[] = [];
    let bytes = 0;
    for (let seq = first; seq <= last && lines.length < RANGE_EVENTS_MAX; seq++) {
      const line = lineAt(room, seq);
      if (line === undefined) break;
      bytes += utf8Length(line);
      if (lines.length > 0 && bytes > RANGE_BYTES_MAX) break;
      lines.push(line);
    }
    return { first, lines, head: room?.head ?? 0 };
  }

  #snapshot(p: Partition, id: RoomId, since: Millis): RoomSnapshot {
    const watermark = this.#watermarkOf(p).seq;
    const room = this.#rooms.get(id);
    const none = { room: id, watermark, head: 0, born: "", floor: 0, ids: [], tail: [], lastAt: 0 };
    if (room === undefined) return none;
    const { head, born, lastAt } = room;
    const edge = edgeOf(lastAt);
    const all = idsOf(room).sort(([a], [b]) => (a < b ? 1 : -1));
    const ahead = all.filter(([itsId]) => messageTime(itsId) >= edge);
    const newest = all.slice(ahead.length).filter(([itsId]) => messageTime(itsId) >= since);
    const whole = fitsAhead(ahead) ? { ids: ahead } : { floors: floorsOf(ahead) };
    const bounded = boundAll(newest, whole, { since, edge });
    const state = stateOf(room);
    const known = { head, born, lastAt, tail: tailOf(room), ...(state !== undefined && { state }) };
    const senders = sendersOf(room, state);
    return { ...none, ...known, ...(senders !== undefined && { senders }), ...bounded };
  }

  #watermarkOf(p: Partition): Watermark {
    return this.#watermarks.get(p) ?? { seq: 0, epoch: 0 };
  }

  #room(id: RoomId): StoredRoom {
    let room = this.#rooms.get(id);
    if (room === undefined) this.#rooms.set(id, (room = createRoom()));
    return room;
  }

  #read<T>(read: () => T): Promise<Read<T>> {
    return this.#later(() => ({ kind: "ok", value: read() }));
  }

  #later<T>(run: () => T): Promise<T> {
    return new Promise((resolve) => {
      this.#schedule(() => {
        const result = run();
        this.#schedule(() => resolve(result));
      });
    });
  }
}
