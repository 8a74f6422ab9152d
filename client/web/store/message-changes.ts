// MessageChanges: the user's edits, deletions, reactions and pins of one room, until each is
// answered.
//
// Owns: which messages wait for an answer, and the last refusal. Does not own: the effect on the
// messages. It comes with the event, through the timeline.
//
//   message-changes.1. One refusal is shown at a time, at its message. The next change removes it.
//   message-changes.2. In a room with a time for edits, a forbidden edit was too late, unless the
//        user may not write there.

import type { ChatRoom, EditOptions, Outgoing } from "./client-port.ts";
import { changeFailureWords } from "./words.ts";
import type { ChangeKind } from "./words.ts";

export type ChangeTarget = Pick<ChatRoom, "edit" | "delete" | "react" | "pin">;

export interface EditRules {
  /** Why the user cannot write in the room now. */
  readonly bar: string | undefined;
  /** How long the author may still edit a message that was sent at this time, in ms. */
  editMs(at: number): number;
}

export class MessageChanges {
  readonly #room: ChangeTarget;
  readonly #rules: EditRules;
  readonly #changed: () => void;
  /** The unanswered changes of each message. The SDK bounds their number. */
  readonly #waiting = new Map<number, number>();
  #problem: { readonly seq: number; readonly words: string } | undefined;

  constructor(room: ChangeTarget, rules: EditRules, changed: () => void) {
    this.#room = room;
    this.#rules = rules;
    this.#changed = changed;
  }

  /** The room takes an edit of the own message from now on for so long, in ms. */
  editMs({ at }: { readonly at: number }): number {
    return this.#rules.editMs(at);
  }

  /** Undefined: from here on the message mentions no user. */
  edit(seq: number, text: string, mentions: EditOptions["mentions"] = []): void {
    this.#follow(seq, "edited", this.#room.edit(seq, { text }, { mentions }));
  }

  delete(seq: number): void {
    this.#follow(seq, "deleted", this.#room.delete(seq));
  }

  react(seq: number, emoji: string, on: boolean): void {
    this.#follow(seq, "changed", this.#room.react(seq, emoji, on));
  }

  pin(seq: number, on: boolean): void {
    this.#follow(seq, on ? "pinned" : "unpinned", this.#room.pin(seq, on));
  }

  /** True while a change of the message has no answer. */
  isWaiting(seq: number | undefined): boolean {
    return seq !== undefined && this.#waiting.has(seq);
  }

  /** Why the last change of the message was refused, as one sentence. */
  problemOf(seq: number | undefined): string | undefined {
    return this.#problem !== undefined && this.#problem.seq === seq
      ? this.#problem.words
      : undefined;
  }

  dismiss(): void {
    this.#problem = undefined;
    this.#changed();
  }

  /** message-changes.2. */
  get #hasEditTime(): boolean {
    return this.#rules.bar === undefined && this.#rules.editMs(0) < Infinity;
  }

  #follow(seq: number, kind: ChangeKind, { done }: Outgoing): void {
    this.#problem = undefined; // message-changes.1
    this.#waiting.set(seq, (this.#waiting.get(seq) ?? 0) + 1);
    this.#changed();
    void done.then((outcome) => {
      const left = (this.#waiting.get(seq) ?? 1) - 1;
      if (left > 0) this.#waiting.set(seq, left);
      else this.#waiting.delete(seq);
      if (outcome.kind === "refused") {
        const { error } = outcome;
        const isLate = kind === "edited" && error === "forbidden" && this.#hasEditTime;
        this.#problem = { seq, words: changeFailureWords(kind, error, isLate) };
      }
      this.#changed();
    });
  }
}
