// Chat: the state of `parley chat` and the effect of each key.
//
// Owns: what is selected, edited and scrolled, and the calls of the SDK. Does not own: what the
// screen looks like (frame.ts), the terminal (terminal.ts), connection, order and outbox (the SDK).
//
//   chat.1. A key acts at once on the state as it is: a key behind Enter belongs to the next text.
//   chat.2. A draft returns when an edit or a reaction ends.
//   chat.3. The room is read up to what was on the screen: while the user is at the end, and not
//        before it is known which messages were unread.
//   chat.4. A change that the room would refuse is not sent: the notice says why. A text that
//        cannot be sent now stays.

import { isEmoji } from "#shared/protocol/emoji.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { Parley } from "../../sdk/parley.ts";
import type { SendResult } from "../../sdk/core/effects.ts";
import type { RoomHandle } from "../../sdk/room-handle.ts";
import type { RoomTimeline } from "../../sdk/timeline/room-timeline.ts";
import type { ShownMessage } from "../../sdk/timeline/shown-message.ts";
import { webClock } from "../../sdk/web-clock.ts";
import type { RoomAbout } from "../../web/store/chat-api.ts";
import { messageRights } from "../../web/store/room-rights.ts";
import { RoomRules } from "../../web/store/room-rules.ts";
import { TypingNames } from "../../web/store/typing.ts";
import { mentionsOf, mentionsOfEdit } from "./typed-mentions.ts";
import { composerOf, edit, EMPTY, insert, textIn } from "./text-field.ts";
import type { Composer } from "./text-field.ts";
import { barText, isText, LATE, refusalOf } from "./offers.ts";
import type { ChangeKey, Standing } from "./offers.ts";
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

export interface ChatOptions {
  readonly changed: () => void;
  readonly quit: () => void;
  /** Reads the settings of the room, and the role and the mute of the user. */
  readonly about: (room: string) => Promise<RoomAbout>;
  readonly clock?: Pick<Clock, "now" | "after">;
}

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
  readonly #options: ChatOptions;
  readonly #changed: () => void;
  readonly #quit: () => void;
  /** From the first welcome on, which names the user. */
  #rules: RoomRules | undefined;
  #draft: Composer | undefined;
  #confirmed: string | undefined;
  #isUnreadKnown = false;
  #area = { width: 80, height: 20 };

  constructor(parley: Parley, room: RoomHandle, options: ChatOptions) {
    const { changed, quit, clock = webClock } = options;
    this.#options = options;
    this.parley = parley;
    this.room = room;
    this.#changed = changed;
    this.#quit = quit;
    this.typing = new TypingNames(clock, changed);
    this.#main = room.timeline({ keepEnd: () => this.place === undefined });
    this.#main.on("change", () => this.#onChange());
    parley.on("error", ({ message }) => {
      this.problem = message;
      if (parley.state === "online") this.#notify(message);
    });
    parley.on("state", (state) => {
      if (state === "online" && !this.wasOnline) this.#rules = this.#newRules();
      this.wasOnline ||= state === "online";
      this.#onChange();
    });
    room.on("event", (event) => {
      this.#rules?.receive(event);
      if (event.t === "room" || event.t === "member") changed();
    });
    room.on("status", (status) => {
      if (status === "live" && this.#rules?.info.role === undefined) this.#rules?.info.load();
    });
    room.on("typing", ({ user, on }) => this.typing.update(user, on));
    room.on("presence", changed);
    room.on("removed", ({ reason }) => {
      this.removed = reason;
      changed();
    });
    room.on("reset", () => {
      this.#rules?.info.reset();
      this.#notify("The room was recreated.");
    });
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

  /** What the room takes from the user now. */
  get standing(): Standing {
    const rules = this.#rules;
    const info = rules?.info ?? { settings: undefined, role: undefined, mutedUntil: 0 };
    const bar = rules?.bar;
    return {
      me: this.parley.user,
      rights: messageRights(info, bar),
      bar,
      mutedUntil: info.mutedUntil,
      editMs: (at) => rules?.editMs(at) ?? Infinity,
    };
  }

  /** Why no text can be written now; undefined: one can. */
  get bar(): string | undefined {
    const { standing } = this;
    if (this.mode.kind === "react" && standing.rights.react) return undefined;
    return barText(standing);
  }

  /** The selected message, when it has a number. */
  get selectedMessage(): ShownMessage | undefined {
    const { entries } = this.timeline.snapshot;
    const root = this.#main.range.at(this.thread ?? 0);
    return [...entries, ...(root ? [root] : [])].find(({ id }) => id === this.selected)?.message;
  }

  close(): void {
    this.typing.clear();
    this.#rules?.close();
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
    if (this.bar !== undefined) return;
    this.composer = composer;
    if (this.mode.kind === "write") this.room.typing(textIn(composer).trim() !== "");
  }

  #submit(): void {
    const text = textIn(this.composer);
    if (text.trim() === "") return;
    const { mode, bar } = this;
    if (bar !== undefined) {
      this.notice = bar; // chat.4
      return;
    }
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
      this.#settle(this.room.edit(seq, { text }, { mentions }).done, seq);
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
    const last = entries.findLast(
      ({ from, message }) => from === me && message !== undefined && isText(message),
    );
    if (last?.message === undefined) this.notice = "There is no own message to edit.";
    else if (this.#takes("e", last.message)) this.#edit(last.message);
  }

  #edit({ seq, body }: ShownMessage): void {
    this.#beginMode({ kind: "edit", seq }, String(body["text"]));
  }

  /** chat.4. */
  #takes(key: ChangeKey, message: ShownMessage): boolean {
    const refusal = refusalOf(key, message, this.standing);
    this.notice = refusal ?? "";
    return refusal === undefined;
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
    const { unsent } = this.timeline.snapshot;
    const waiting = unsent.find(({ id }) => id === this.selected);
    if (waiting?.kind === "refused") {
      if (text === "return") this.timeline.retry(waiting.id);
      if (text === "d") this.timeline.discard(waiting.id);
      if (text === "return" || text === "d") this.selected = undefined;
      return;
    }
    const message = this.selectedMessage;
    const key = KEYS.get(text);
    if (message === undefined || key === undefined || !this.#takes(key, message)) return;
    const { seq } = message;
    if (key === "r") {
      this.mode = { kind: "write", replyTo: seq };
      this.selected = undefined;
    } else if (key === "e") this.#edit(message);
    else if (key === "+") this.#beginMode({ kind: "react", seq }, "");
    else if (key === "t") this.#showThread(message.thread ?? seq);
    else if (key === "p") {
      this.#settle(this.room.pin(seq, message.state?.pinned === undefined).done);
    } else if (confirmed === message.id) {
      this.#settle(this.room.delete(seq).done);
      this.selected = undefined;
    } else {
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

  /** `edited`: the number of the message that it edits. */
  #settle(done: Promise<SendResult>, edited?: number): void {
    void done.then((result) => {
      if (result.kind !== "refused") return;
      const { bar, editMs } = this.standing;
      const hasTime = edited !== undefined && bar === undefined && editMs(0) < Infinity;
      this.#notify(hasTime && result.error === "forbidden" ? LATE : result.message);
    });
  }

  #newRules(): RoomRules {
    const { about, changed, clock = webClock } = this.#options;
    const me = this.parley.user ?? "";
    return new RoomRules({ handle: this.room, me, api: { about }, clock, changed });
  }

  #notify(text: string): void {
    this.notice = text;
    this.#changed();
  }
}

/** The keys at a selected message. */
const KEYS: ReadonlyMap<string, ChangeKey> = new Map([
  ["r", "r"],
  ["e", "e"],
  ["+", "+"],
  ["a", "+"],
  ["t", "t"],
  ["return", "t"],
  ["p", "p"],
  ["d", "d"],
]);
