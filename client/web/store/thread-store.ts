// ThreadStore: one thread of a room, as the panel beside the conversation shows it.
//
// Owns: the timeline of the replies, and the draft of the next one. Does not own: the root message
// (RoomStore), the connection (SDK).
//
//   thread-store.1. The replies are read when the thread is opened. Later ones arrive as events.

import type { Clock } from "#shared/ports/clock.ts";
import { RoomTimeline } from "#client/sdk/timeline/room-timeline.ts";
import type { Paging } from "#client/sdk/timeline/room-timeline.ts";
import type { ChatApi } from "./chat-api.ts";
import type { MessageChanges } from "./message-changes.ts";
import type { ChatRoom, Unsubscribe } from "./client-port.ts";
import { Draft } from "./draft.ts";
import { filesOf } from "./load-files.ts";
import type { MessageSource } from "./message-source.ts";
import { TimelineRows } from "./timeline-rows.ts";

const PAGE_MESSAGES = 50;

/** Who can be mentioned in the room. */
export interface MentionNames {
  readonly mentionable: readonly string[];
  mentionsIn(text: string, known?: readonly string[]): readonly string[] | "@room" | undefined;
  loadMembers(): void;
}

export interface ThreadStoreOptions {
  readonly handle: ChatRoom;
  readonly api: ChatApi;
  /** The number of the message that the replies answer. */
  readonly root: number;
  readonly me: string;
  readonly clock: Clock;
  readonly changes: MessageChanges;
  readonly mentions: MentionNames;
  readonly max: number;
  readonly savedDraft: string;
  readonly changed: () => void;
  readonly onDraft: (text: string) => void;
}

export class ThreadStore implements MessageSource {
  readonly name: string;
  readonly me: string;
  readonly root: number;
  readonly timeline: TimelineRows;
  readonly changes: MessageChanges;
  readonly draft: Draft;
  readonly typing = [];
  readonly unread = 0;
  readonly readMark = undefined;
  readonly target = undefined;
  jumps = 0;

  readonly #handle: ChatRoom;
  readonly #mentions: MentionNames;
  readonly #timeline: RoomTimeline;
  readonly #changed: () => void;
  readonly #unsubscribe: Unsubscribe;
  #isAtEnd = true;

  constructor(options: ThreadStoreOptions) {
    const { handle, api, root, me, clock, changes, mentions, max, savedDraft } = options;
    const { changed, onDraft } = options;
    this.#mentions = mentions;
    this.name = handle.room;
    this.me = me;
    this.root = root;
    this.changes = changes;
    this.#handle = handle;
    this.#changed = changed;
    this.#timeline = new RoomTimeline(handle, {
      thread: root,
      max,
      pageSize: PAGE_MESSAGES,
      keepEnd: () => this.#isAtEnd,
      me: () => me,
      now: () => clock.now(),
    });
    this.timeline = new TimelineRows(this.#timeline, me);
    this.#unsubscribe = this.#timeline.on("change", changed);
    this.draft = new Draft({
      saved: savedDraft,
      typed: onDraft,
      changed,
      loadFiles: filesOf(api, handle.room, changed),
      send: (text, attachments) => {
        this.#timeline.send({ text }, { mentions: mentions.mentionsIn(text), attachments });
        this.jumpToEnd();
      },
      edit: (message, text) => {
        changes.edit(message.seq, text, mentions.mentionsIn(text, message.mentions));
      },
    });
  }

  get status(): ChatRoom["status"] {
    return this.#handle.status;
  }
  get older(): Paging {
    return this.#timeline.older;
  }
  get newer(): Paging {
    return this.#timeline.newer;
  }
  get mentionable(): readonly string[] {
    return this.#mentions.mentionable;
  }
  get isFromBeginning(): boolean {
    return this.#timeline.isFromBeginning;
  }

  loadMembers(): void {
    this.#mentions.loadMembers();
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

  jumpToEnd(): void {
    this.jumps += 1;
    this.#isAtEnd = true;
    if (!this.timeline.isAttached) void this.#timeline.jumpToEnd();
    this.#changed();
  }

  setAtEnd(isAtEnd: boolean): void {
    this.#isAtEnd = isAtEnd;
  }

  close(): void {
    this.#unsubscribe();
    this.draft.close();
    this.#timeline.close();
  }
}
