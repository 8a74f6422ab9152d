// Chat: the state of `parley chat` and the effect of each key.
//
// Owns: what is selected, edited and scrolled, and the calls of the SDK. Does not own: what the
// screen looks like (frame.ts), the terminal (terminal.ts), connection, order and outbox (the SDK).
//
//   chat.1. A key acts at once on the state as it is: a key behind Enter belongs to the next text.
//   chat.2. A draft returns when an edit or a reaction ends.
//   chat.3. The room is read up to what was on the screen: while the user is at the end, and not
//        before it is known which messages were unread.

import { isEmoji } from "#shared/protocol/emoji.ts";
import type { Parley } from "../../sdk/parley.ts";
import type { RoomHandle } from "../../sdk/room-handle.ts";
import type { RoomTimeline } from "../../sdk/timeline/room-timeline.ts";
import type { ShownMessage } from "../../sdk/timeline/shown-message.ts";
import { webClock } from "../../sdk/web-clock.ts";
import { TypingNames } from "../../web/store/typing.ts";
import { mentionsOf, mentionsOfEdit } from "./typed-mentions.ts";
import { composerOf, edit, EMPTY, insert, textIn } from "./text-field.ts";
import type { Composer } from "./text-field.ts";
import { Rows } from "./rows.ts";
import type { Block } from "./rows.ts";
import { revealing, scrolled, viewOf } from "./scroll.ts";
import type { Place } from "./scroll.ts";

/** A named key such as `up` or `ctrl+c`, or a text that was typed or pasted. */
export type Key = { readonly name: string } | { readonly text: string };

export type Mode =
  | { readonly kind: "write"; readonly replyTo?: number }
  | { readonly kind: "edit"; readonly seq: number }
  | { readonly kind: "react"; readonly seq: number };

const WRITE: Mode = { kind: "write" };

export class Chat {
  readonly parley: Parley;
  readonly room: RoomHandle;
  readonly typing: TypingNames;
  composer = EMPTY;
  mode: Mode = WRITE;
  /** The key of the selected block. */
  selected: string | undefined;
  place: Place | undefined;
  /** The first message of the thread that is shown. */
  thread: number | undefined;
  /** One line for the user, until the next key. */
  notice = "";
  isHelpShown = false;
  unreadAbove = 0;
  /** The newest message that was on the screen. */
  seen = 0;
  wasOnline = false;
  removed: string | undefined;
  /** The last failure of the connection. */
  problem: string | undefined;
  readonly #main: RoomTimeline;
  #replies: RoomTimeline | undefined;
  readonly #rows = new Rows();
  readonly #changed: () => void;
  readonly #quit: () => void;
  #draft: Composer | undefined;
  #confirmed: string | undefined;
  #isUnreadKnown = false;
  #area = { width: 80, height: 20 };

  constructor(
    parley: Parley,
    room: RoomHandle,
    { changed, quit }: { readonly changed: () => void; readonly quit: () => void },
  ) {
    this.parley = parley;
    this.room = room;
    this.#changed = changed;
    this.#quit = quit;
    this.typing = new TypingNames(webClock, changed);
    this.#main = room.timeline({ keepEnd: () => this.place === undefined });
    this.#main.on("change", () => this.#onChange());
    parley.on("error", ({ message }) => {
      this.problem = message;
      if (parley.state === "online") this.#notify(message);
    });
    parley.on("state", (state) => {
      this.wasOnline ||= state === "online";
      this.#onChange();
    });
    room.on("typing", ({ user, on }) => this.typing.update(user, on));
    room.on("presence", changed);
    room.on("removed", ({ reason }) => {
      this.removed = reason;
      changed();
    });
    room.on("reset", () => this.#notify("The room was recreated."));
    void this.#findUnread();
  }

  get timeline(): RoomTimeline {
    return this.#replies ?? this.#main;
  }

  /** The rows of all loaded messages, for an area of this size. */
  blocks(area: { readonly width: number; readonly height: number }): readonly Block[] {
    this.#area = area;
    const { entries, unsent } = this.timeline.snapshot;
    const root = this.thread === undefined ? undefined : this.#main.range.at(this.thread);
    return this.#rows.blocks(root === undefined ? entries : [root, ...entries], unsent, {
      width: area.width,
      me: this.parley.user,
      unreadAbove: this.thread === undefined ? this.unreadAbove : 0,
      find: (seq) => this.#find(seq),
    });
  }

  close(): void {
    this.typing.clear();
    this.#main.close();
    this.#replies?.close();
  }

  onKey(key: Key): void {
    this.notice = "";
    const confirmed = this.#confirmed;
    this.#confirmed = undefined;
    if ("text" in key) {
      if (this.selected !== undefined) this.#onSelectionKey(key.text, confirmed);
      else this.#type(insert(this.composer, key.text.replaceAll(/\r\n?/g, "\n")));
    } else this.#onName(key.name, confirmed);
    this.#changed();
  }

  #onName(name: string, confirmed: string | undefined): void {
    if (name === "ctrl+c") this.#quit();
    else if (name === "f1") this.isHelpShown = !this.isHelpShown;
    else if (this.isHelpShown && name === "escape") this.isHelpShown = false;
    else if (name === "pageup") this.#scroll(1 - this.#area.height);
    else if (name === "pagedown") this.#scroll(this.#area.height - 1);
    else if (name === "ctrl+end") this.#toEnd();
    else if (this.selected !== undefined) this.#onSelectionKey(name, confirmed);
    else this.#onComposerKey(name);
  }

  #onComposerKey(name: string): void {
    const isEmpty = this.composer.text.length === 0;
    if (name === "return") this.#submit();
    else if (name === "enter" || name === "meta+return") this.#type(insert(this.composer, "\n"));
    else if (name === "escape") this.#escape();
    else if (name === "tab" || name === "shift+up") this.#select(-1);
    else if (isEmpty && name === "up") this.#editLast();
    else if (isEmpty && name === "end") this.#toEnd();
    else if (isEmpty && name === "ctrl+d") this.#quit();
    else {
      const edited = edit(this.composer, name);
      if (edited !== undefined) this.#type(edited);
    }
  }

  #type(composer: Composer): void {
    this.composer = composer;
    if (this.mode.kind === "write") this.room.typing(textIn(composer).trim() !== "");
  }

  #submit(): void {
    const text = textIn(this.composer);
    if (text.trim() === "") return;
    const { mode } = this;
    if (mode.kind === "react") {
      const emoji = text.trim();
      if (!isEmoji(emoji)) {
        this.notice = "One emoji, or a name such as :ok:";
        return;
      }
      this.#settle(this.room.react(mode.seq, emoji, !this.#hasReacted(mode.seq, emoji)).done);
      this.#endMode();
    } else if (mode.kind === "edit") {
      const { seq } = mode;
      const mentions = mentionsOfEdit(text, this.room.users, this.#find(seq)?.mentions);
      this.#settle(this.room.edit(seq, { text }, { mentions }).done);
      this.#endMode();
    } else {
      const { replyTo } = mode;
      const mentions = mentionsOf(text, this.room.users);
      this.composer = EMPTY;
      this.mode = WRITE;
      this.room.typing(false);
      this.unreadAbove = 0;
      this.place = undefined;
      const named = mentions.length > 0 && { mentions };
      this.timeline.send({ text }, { replyTo, ...named });
      if (!this.timeline.snapshot.isAttached) void this.timeline.jumpToEnd();
    }
  }

  #escape(): void {
    if (this.mode.kind !== "write") this.#endMode();
    else if (this.mode.replyTo !== undefined) this.mode = WRITE;
    else if (this.thread !== undefined) this.#showThread(undefined);
    else this.#toEnd();
  }

  /** chat.2. */
  #beginMode(mode: Mode, text: string): void {
    if (this.mode.kind === "write") this.#draft = this.composer;
    this.mode = mode;
    this.composer = composerOf(text);
    this.selected = undefined;
  }

  #endMode(): void {
    this.mode = WRITE;
    this.composer = this.#draft ?? EMPTY;
    this.#draft = undefined;
  }

  #editLast(): void {
    const { entries } = this.timeline.snapshot;
    const me = this.parley.user;
    const last = entries.findLast(({ from, message }) => from === me && isText(message));
    if (last === undefined) this.notice = "There is no own message to edit.";
    else this.#edit(last.seq, last.message);
  }

  #edit(seq: number, message: ShownMessage | undefined): void {
    if (message === undefined || message.from !== this.parley.user || !isText(message)) {
      this.notice = "Only an own message can be edited.";
    } else this.#beginMode({ kind: "edit", seq }, String(message.body["text"]));
  }

  /** `text`: a letter, or the name of a key. */
  #onSelectionKey(text: string, confirmed: string | undefined): void {
    if (text === "up" || text === "shift+up" || text === "k") this.#select(-1);
    else if (text === "down" || text === "shift+down" || text === "j") this.#select(1);
    else if (text === "escape" || text === "tab" || text === "q") this.selected = undefined;
    else if (text === "end") this.#toEnd();
    else this.#onSelected(text, confirmed);
  }

  #onSelected(text: string, confirmed: string | undefined): void {
    const { entries, unsent } = this.timeline.snapshot;
    const waiting = unsent.find(({ id }) => id === this.selected);
    if (waiting?.kind === "refused") {
      if (text === "return") this.timeline.retry(waiting.id);
      if (text === "d") this.timeline.discard(waiting.id);
      if (text === "return" || text === "d") this.selected = undefined;
      return;
    }
    const root = this.#main.range.at(this.thread ?? 0);
    const entry = [...entries, ...(root ? [root] : [])].find(({ id }) => id === this.selected);
    if (entry?.message === undefined) return;
    const { seq, message } = entry;
    if (text === "r") {
      this.mode = { kind: "write", replyTo: seq };
      this.selected = undefined;
    } else if (text === "e") this.#edit(seq, message);
    else if (text === "+" || text === "a") this.#beginMode({ kind: "react", seq }, "");
    else if (text === "t" || text === "return") this.#showThread(message.thread ?? seq);
    else if (text === "p") {
      this.#settle(this.room.pin(seq, message.state?.pinned === undefined).done);
    } else if (text === "d" && confirmed === message.id) {
      this.#settle(this.room.delete(seq).done);
      this.selected = undefined;
    } else if (text === "d") {
      this.#confirmed = message.id;
      this.notice = `Press d again to delete #${seq} for everyone.`;
    }
  }

  #select(by: -1 | 1): void {
    const area = this.#area;
    const blocks = this.blocks(area);
    const shown = viewOf(blocks, this.place, area.height).rows.at(-1)?.key;
    const index = blocks.findIndex(({ key }) => key === (this.selected ?? shown));
    const next = this.selected === undefined ? index : index + by;
    if (next < 0) void this.timeline.loadOlder();
    const block = blocks[Math.max(0, next)];
    if (block === undefined && this.selected !== undefined) {
      this.selected = undefined; // Below the last one is the composer.
      return;
    }
    this.selected = block?.key;
    if (block === undefined) return;
    this.#moveTo(revealing(blocks, this.place, { key: block.key, height: area.height }));
  }

  #scroll(by: number): void {
    const { height } = this.#area;
    const blocks = this.blocks(this.#area);
    this.#moveTo(scrolled(blocks, this.place, { by, height }));
    const { above, below } = viewOf(blocks, this.place, height);
    if (above < height) void this.timeline.loadOlder();
    if (below < height) void this.timeline.loadNewer();
  }

  #moveTo(place: Place | undefined): void {
    if (this.place === undefined && place !== undefined && this.unreadAbove === 0) {
      this.unreadAbove = this.#main.range.newest;
    }
    this.place = place;
    this.#onChange();
  }

  #toEnd(): void {
    this.selected = undefined;
    this.#moveTo(undefined);
    void this.timeline.jumpToEnd();
  }

  #showThread(thread: number | undefined): void {
    this.#replies?.close();
    this.thread = thread;
    this.#replies = thread === undefined ? undefined : this.room.timeline({ thread });
    this.#replies?.on("change", () => this.#onChange());
    this.selected = undefined;
    this.place = undefined;
    this.mode = WRITE;
  }

  #onChange(): void {
    const isAtEnd = this.place === undefined && this.thread === undefined;
    if (isAtEnd && this.#main.range.isAttached) {
      this.seen = this.#main.range.newest;
      if (this.room.status === "live" && this.#isUnreadKnown) this.room.markRead(); // chat.3
    }
    // An event came before the page of a jump to the end.
    const { newer, isAttached } = this.timeline.snapshot;
    const isDetached = this.place === undefined && !isAttached && newer === "idle";
    if (isDetached && this.room.status === "live") void this.timeline.loadNewer();
    this.#changed();
  }

  /** The messages behind the read position of a member are unread. */
  async #findUnread(): Promise<void> {
    try {
      await this.room.live();
      const { rooms } = await this.parley.rooms();
      const found = rooms.find(({ room }) => room === this.room.room);
      if (found !== undefined && found.unread > 0) this.unreadAbove = found.read;
    } catch {
      // Without the list there is no mark.
    }
    this.#isUnreadKnown = true;
    this.#onChange();
  }

  #find(seq: number): ShownMessage | undefined {
    return this.#main.range.at(seq)?.message ?? this.#replies?.range.at(seq)?.message;
  }

  #hasReacted(seq: number, emoji: string): boolean {
    const known = this.#find(seq)?.state?.reactions?.find((one) => one.emoji === emoji);
    return known?.users.some((user) => user === this.parley.user) ?? false;
  }

  #settle(done: Promise<{ readonly kind: string; readonly message?: string }>): void {
    void done.then(({ kind, message }) => {
      if (kind === "refused") this.#notify(message ?? "refused");
    });
  }

  #notify(text: string): void {
    this.notice = text;
    this.#changed();
  }
}

function isText(message: ShownMessage | undefined): boolean {
  return message?.deleted === undefined && typeof message?.body["text"] === "string";
}
