// Message fold: the present state of the messages to which something happened, as the archive keeps
// it beside the events.
//
// Owns: the effect of each event on the state of its message, and which lines a deletion erases.
// Does not own: the stores, the reactions (a set by message, emoji and user, whose newest line
// counts), what a page shows of it (message-view.ts).
//
//   message-fold.1. A message without a change, without replies and outside of threads has no
//        state.
//   message-fold.2. It folds each event of a room once: the stores pass only events above the head
//        that they have. So a batch that is written twice counts no reply twice (D3).
//   message-fold.3. The newest edit is the body. After the deletion the state has no body.
//   message-fold.4. `replies` counts the replies that are not deleted.
//   message-fold.5. The mentions are those of the newest edit that has some; without one they are
//        those of the line.

import { unreachable } from "./assert.ts";
import { isObject, parseObject } from "./json.ts";
import { mentionsOfEdit } from "./mentions.ts";
import type { MentionsChange } from "./mentions.ts";
import type { ArchiveEvent } from "../ports/archive.ts";
import { isEmoji } from "../protocol/emoji.ts";
import { readEvent } from "../protocol/events.ts";
import type { Body, Deletion, EditedEvent, Mentions } from "../protocol/events.ts";
import type { ReactedEvent, RoomEvent } from "../protocol/events.ts";
import { isUserId } from "../protocol/ids.ts";
import type { Millis, RoomId, Seq } from "../protocol/ids.ts";
import { deletionOf, erasedWith, tombstoneOf } from "../protocol/tombstone.ts";

export interface MessageState {
  /** The root of the thread that the message is in; 0: the main line. */
  readonly thread: Seq;
  readonly edit?: { readonly seq: Seq; readonly at: Millis; readonly body: Body } | undefined;
  /** The lines that hold its edits. */
  readonly edits: readonly Seq[];
  /** Undefined: those of the line (message-fold.5). */
  readonly mentions?: Mentions | undefined;
  readonly deletion?: Deletion | undefined;
  /** Of the thread whose root it is. */
  readonly replies: number;
  readonly lastReply: Seq;
  /** The newest `pinned` line. */
  readonly pin?: { readonly seq: Seq; readonly on: boolean } | undefined;
}

const NOTHING: MessageState = { thread: 0, edits: [], replies: 0, lastReply: 0 };

const KINDS: ReadonlySet<string> = new Set(["edited", "deleted", "reacted", "pinned"]);

/** The events that change a message; undefined when there is none. In order. */
export function changesOfMessages(events: readonly ArchiveEvent[]): RoomEvent[] | undefined {
  let found: RoomEvent[] | undefined;
  for (const { kind, line } of events) {
    // Only a reply in a thread has the key; a body can have it, too, and is then read in vain.
    const isChange = KINDS.has(kind) || (kind === "msg" && line.includes('"thread":'));
    const event = isChange ? readEvent(line) : undefined;
    if (event === undefined || !isReadable(event)) continue;
    (found ??= []).push(event);
  }
  return found;
}

/** A line that this version cannot read changes nothing. The line itself is archived. */
function isReadable(event: RoomEvent): boolean {
  if (event.t === "msg") return isNumber(event.thread);
  if (!("target" in event) || !isNumber(event.target) || !isUserId(event.from)) return false;
  switch (event.t) {
    case "edited":
      return isObject(event.body) && Number.isSafeInteger(event.at);
    case "deleted":
      return Number.isSafeInteger(event.at);
    case "reacted":
      return isEmoji(event.emoji) && typeof event.on === "boolean";
    case "pinned":
      return typeof event.on === "boolean";
    default:
      return unreachable(event);
  }
}

function isNumber(seq: unknown): boolean {
  return Number.isSafeInteger(seq) && (seq as Seq) >= 1;
}

/** The events with the lines that a deletion of the same batch erases as tombstones. */
export function eraseWithin(
  events: readonly ArchiveEvent[],
  changes: readonly RoomEvent[],
): readonly ArchiveEvent[] {
  const deletions = new Map<string, Deletion>();
  for (const event of changes) {
    if (event.t === "deleted") {
      deletions.set(keyOf(event.room, event.target), deletionOf(event));
    }
  }
  if (deletions.size === 0) return events;
  return events.map((archived) => {
    const target = archived.kind === "msg" ? archived.seq : targetIn(archived);
    const deletion = deletions.get(keyOf(archived.room, target));
    const line = deletion && tombstoneOf(archived.line, deletion);
    return line === undefined ? archived : { ...archived, line };
  });
}

function targetIn({ kind, line }: ArchiveEvent): Seq {
  const event = kind === "edited" ? readEvent(line) : undefined;
  return (event && erasedWith(event)) ?? 0;
}

/** The messages whose states a batch needs, as far as its lines name them. */
export function targetsOf(changes: readonly RoomEvent[]): (readonly [RoomId, Seq])[] {
  return changes.flatMap((event): (readonly [RoomId, Seq])[] => {
    if (event.t !== "msg") return "target" in event ? [[event.room, event.target]] : [];
    return [
      [event.room, event.seq],
      [event.room, event.thread ?? 0],
    ];
  });
}

/** A line to rewrite. */
export interface Erased {
  readonly room: RoomId;
  readonly seq: Seq;
  readonly deletion: Deletion;
}

export class MessageFold {
  readonly #states: Map<string, MessageState>;
  readonly #changed = new Map<string, readonly [RoomId, Seq]>();
  readonly #reactions = new Map<string, ReactedEvent>();
  readonly #erased: Erased[] = [];
  readonly #mentions = new Map<string, MentionsChange>();

  /** `states`: by `keyOf`; those of all messages that the events name. */
  constructor(states: Map<string, MessageState>) {
    this.#states = states;
  }

  /** The states that differ from before. */
  get changed(): (readonly [RoomId, Seq, MessageState])[] {
    return [...this.#changed.values()].map(([room, seq]) => [room, seq, this.#of(room, seq)]);
  }

  /** The newest reaction of each user, message and emoji. */
  get reactions(): readonly ReactedEvent[] {
    return [...this.#reactions.values()];
  }

  get erased(): readonly Erased[] {
    return this.#erased;
  }

  /** The messages whose mentions differ from before. */
  get mentions(): readonly MentionsChange[] {
    return [...this.#mentions.values()];
  }

  take(event: RoomEvent): void {
    const { room, seq } = event;
    switch (event.t) {
      case "msg":
        return this.#reply(room, seq, event.thread ?? 0);
      case "edited":
        return this.#edit(event);
      case "deleted":
        return this.#delete(room, event.target, deletionOf(event));
      case "reacted": {
        const { target, from, emoji } = event;
        this.#reactions.set(JSON.stringify([room, target, from, emoji]), event);
        // A message with a reaction has a state, so that a page looks for the reactions.
        this.#put(room, target, this.#of(room, target));
        return;
      }
      case "pinned": {
        const pin = { seq, on: event.on };
        this.#put(room, event.target, { ...this.#of(room, event.target), pin });
        return;
      }
      case "member":
      case "invite":
      case "room": // They change no message.
        return;
      default:
        unreachable(event);
    }
  }

  #reply(room: RoomId, seq: Seq, thread: Seq): void {
    if (thread === 0) return;
    this.#put(room, seq, { ...this.#of(room, seq), thread });
    const root = this.#of(room, thread);
    this.#put(room, thread, { ...root, replies: root.replies + 1, lastReply: seq });
  }

  #edit(event: EditedEvent): void {
    const { room, seq, from: sender, at, body, target } = event;
    const state = this.#of(room, target);
    const edits = [...state.edits, seq];
    if (state.deletion !== undefined) return this.#put(room, target, { ...state, edits });
    const now = mentionsOfEdit(event);
    if (now !== undefined) {
      const key = keyOf(room, target);
      const { before } = this.#mentions.get(key) ?? { before: state.mentions };
      this.#mentions.set(key, { room, seq: target, sender, before, now });
    }
    const mentions = now ?? state.mentions;
    this.#put(room, target, { ...state, edits, mentions, edit: { seq, at, body } });
  }

  #delete(room: RoomId, target: Seq, deletion: Deletion): void {
    const state = this.#of(room, target);
    if (state.deletion !== undefined) return;
    this.#put(room, target, { ...state, edit: undefined, mentions: undefined, deletion });
    for (const seq of [target, ...state.edits]) this.#erased.push({ room, seq, deletion });
    if (state.thread === 0) return;
    const root = this.#of(room, state.thread); // message-fold.4
    this.#put(room, state.thread, { ...root, replies: Math.max(0, root.replies - 1) });
  }

  #of(room: RoomId, seq: Seq): MessageState {
    return this.#states.get(keyOf(room, seq)) ?? NOTHING;
  }

  #put(room: RoomId, seq: Seq, state: MessageState): void {
    const key = keyOf(room, seq);
    this.#states.set(key, state);
    this.#changed.set(key, [room, seq]);
  }
}

export function keyOf(room: RoomId, seq: Seq): string {
  return `${room} ${seq}`;
}

/** A stored body. Text that cannot be read counts as an empty one. */
export function bodyOfText(text: string): Body {
  return parseObject(text) ?? {};
}
