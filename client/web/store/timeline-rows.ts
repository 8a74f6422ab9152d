// TimelineRows: the timeline of a room (client/sdk/timeline) in the words of this page.
//
// Owns: the text of each row, and the notices between the messages. Does not own: the range, the
// fold, paging (SDK).
//
//   timeline-rows.1. The row of an entry stays the same object while its entry does, so that views
//        can compare by identity.
//   timeline-rows.2. A notice (a change of the members or the settings) is shown at its number
//        while the range covers that number. Pages of history have none, so only the newest
//        NOTICES_MAX that this window received are kept.
//   timeline-rows.3. An own message whose event is in the range is sent, also before its ack.

import type { Attachment } from "#shared/protocol/attachments.ts";
import type { Body, RoomEvent } from "#shared/protocol/events.ts";
import type { RoomTimeline } from "#client/sdk/timeline/room-timeline.ts";
import type { ShownMessage } from "#client/sdk/timeline/shown-message.ts";
import type { TimelineEntry, UnsentMessage as Unsent } from "#client/sdk/timeline/timeline.ts";
import { ROOM_MENTION } from "./mention-text.ts";
import { isBlank } from "./rich-text.ts";
import { mentionsUser } from "./unread-count.ts";
import { failureWords, fileWords, namingOf, noticeWords } from "./words.ts";
import type { Naming } from "./words.ts";
import { t } from "../texts/texts.ts";

export interface Reaction {
  readonly emoji: string;
  readonly count: number;
  /** At most as many as the server names. */
  readonly users: readonly string[];
  readonly isMine: boolean;
}

/** A message with its sequence number, or a notice. */
export interface SentMessage {
  readonly kind: "sent" | "notice";
  readonly id: string;
  readonly seq: number;
  readonly from: string;
  readonly at: number;
  readonly text: string;
  readonly isDeleted?: boolean;
  /** When it was edited last. */
  readonly editedAt?: number;
  readonly isPinned?: boolean;
  readonly reactions?: readonly Reaction[];
  /** The replies in its thread. */
  readonly replies?: number;
  /** The mentioned users; `room`: everyone. */
  readonly mentions?: readonly string[];
  readonly isMention?: boolean;
  readonly attachments?: readonly Attachment[];
  /** Of a notice, whose `text` has the id of the user. */
  readonly naming?: Naming | undefined;
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
  readonly attachments?: readonly Attachment[];
}

export type Message = SentMessage | UnsentMessage;

const NOTICES_MAX = 100;

export class TimelineRows {
  readonly #timeline: RoomTimeline;
  readonly #me: string;
  readonly #sent = new WeakMap<TimelineEntry, SentMessage>();
  readonly #unsent = new WeakMap<Unsent, UnsentMessage>();
  #notices: readonly SentMessage[] = [];

  constructor(timeline: RoomTimeline, me: string) {
    this.#timeline = timeline;
    this.#me = me;
  }

  get sent(): readonly SentMessage[] {
    const messages = this.#timeline.range.entries.map((entry) =>
      cached(this.#sent, entry, () => sentOf(entry, this.#me)),
    );
    const notices = this.#notices.filter(({ seq }) => seq >= this.first && seq <= this.last);
    return notices.length === 0 ? messages : mergeBySeq(messages, notices);
  }
  get unsent(): readonly UnsentMessage[] {
    return this.#timeline.range.unsent.map((message) =>
      cached(this.#unsent, message, () => unsentOf(message, this.#me)),
    );
  }
  /** The first sequence number of the range; 0 when it is empty. */
  get first(): number {
    return this.#timeline.range.first;
  }
  get last(): number {
    return this.#timeline.range.last;
  }
  /** The highest known sequence number of the room. */
  get newest(): number {
    return this.#timeline.range.newest;
  }
  /** True when the range ends where the room ends. */
  get isAttached(): boolean {
    return this.#timeline.range.isAttached;
  }

  find(id: string): Message | undefined {
    return [...this.sent, ...this.unsent].find((message) => message.id === id);
  }

  /** timeline-rows.3. */
  has(id: string): boolean {
    return this.#timeline.range.entries.some((one) => one.id === id && one.from === this.#me);
  }

  at(seq: number): SentMessage | undefined {
    const entry = this.#timeline.range.at(seq);
    return entry && cached(this.#sent, entry, () => sentOf(entry, this.#me));
  }

  /** Keeps a notice for each event that changes no message (timeline-rows.2). */
  receive(event: RoomEvent): void {
    const text = noticeWords(event);
    if (text === undefined) return;
    const { id, seq, from, at } = event;
    const notice = { kind: "notice", id, seq, from, at, text, naming: namingOf(event) } as const;
    this.#notices = [...this.#notices, notice].slice(-NOTICES_MAX);
  }

  /** The room was recreated. */
  clear(): void {
    this.#notices = [];
  }
}

/** timeline-rows.1. */
function cached<K extends object, V>(rows: WeakMap<K, V>, key: K, create: () => V): V {
  const known = rows.get(key);
  if (known !== undefined) return known;
  const row = create();
  rows.set(key, row);
  return row;
}

/** Both are sorted. */
function mergeBySeq(
  messages: readonly SentMessage[],
  notices: readonly SentMessage[],
): readonly SentMessage[] {
  return [...messages, ...notices].sort((a, b) => a.seq - b.seq);
}

function sentOf({ id, seq, from, at, message }: TimelineEntry, me: string): SentMessage {
  const { deleted, mentions, attachments, state = {} } = message ?? ({} as Partial<ShownMessage>);
  const { edited, pinned, reactions, replies = 0 } = state;
  const text = deletionWords(deleted?.by, from) ?? textBeside(attachments, message?.body ?? {});
  return {
    kind: "sent",
    id,
    seq,
    from,
    at,
    text,
    ...(deleted !== undefined && { isDeleted: true }),
    ...(edited !== undefined && { editedAt: edited.at }),
    ...(pinned !== undefined && { isPinned: true }),
    ...(reactions !== undefined && {
      reactions: reactions.map((one) => ({
        ...one,
        isMine: one.users.some((user) => user === me),
      })),
    }),
    ...(attachments !== undefined && { attachments }),
    ...(replies > 0 && { replies }),
    ...(mentions !== undefined && {
      mentions: mentions === "@room" ? [ROOM_MENTION] : mentions,
      isMention: from !== me && mentionsUser(mentions, me),
    }),
  };
}

function deletionWords(by: string | undefined, from: string): string | undefined {
  if (by === undefined) return undefined;
  return by === from ? t("message.deleted") : t("message.deletedBy", { name: by });
}

function unsentOf(message: Unsent, from: string): UnsentMessage {
  const { kind, id, seq, at, body, attachments, error } = message;
  const number = seq !== undefined && { seq };
  const reason = error !== undefined && { reason: failureWords(error) };
  const files = attachments !== undefined && { attachments };
  return {
    kind,
    id,
    ...number,
    from,
    at,
    text: textBeside(attachments, body),
    ...files,
    ...reason,
  };
}

/** Files need no text beside them. */
function textBeside(files: readonly Attachment[] | undefined, body: Body): string {
  const text = body["text"];
  return files !== undefined && typeof text === "string" && isBlank(text) ? "" : textOf({ body });
}

/**
 * A text that is never blank, where no files stand beside it. Other clients can send bodies without
 * a text; the page shows their JSON.
 */
export function textOf({
  body,
  attachments,
}: {
  readonly body: Body;
  readonly attachments?: readonly Attachment[] | undefined;
}): string {
  const text = body["text"];
  if (typeof text !== "string") return JSON.stringify(body);
  return isBlank(text) ? fileWords(attachments?.map(({ name }) => name)) : text;
}
