// Draft: the text in a composer: a new message, or the edit of an own one.
//
//   draft.1. While a message is edited, the new message that was begun is kept, and comes back
//        after the edit.
//   draft.2. A text that the cluster would refuse is not submitted, and stays.

import { utf8Length } from "#shared/protocol/ids.ts";
import { BODY_BYTES_MAX } from "#shared/protocol/limits.ts";
import { isBlank } from "./rich-text.ts";
import type { SentMessage } from "./timeline-rows.ts";
import { t } from "../texts/texts.ts";

export interface DraftOptions {
  /** The new message that was begun in an earlier visit. */
  readonly saved: string;
  /** The text of the new message changed. */
  readonly typed: (text: string) => void;
  readonly changed: () => void;
  readonly send: (text: string) => void;
  readonly edit: (seq: number, text: string) => void;
}

export class Draft {
  readonly #options: DraftOptions;
  #new: string;
  #edit: { readonly message: SentMessage; readonly text: string } | undefined;

  constructor(options: DraftOptions) {
    this.#options = options;
    this.#new = options.saved;
  }

  get text(): string {
    return this.#edit?.text ?? this.#new;
  }
  /** The new message, also while another one is edited. */
  get unsent(): string {
    return this.#new;
  }
  /** The message that is edited; undefined for a new one. */
  get editing(): SentMessage | undefined {
    return this.#edit?.message;
  }
  /** Why the text cannot be sent; checked before it is sent. */
  get problem(): string | undefined {
    const bytes = utf8Length(JSON.stringify({ text: clean(this.text) }));
    if (bytes <= BODY_BYTES_MAX) return undefined;
    return t("composer.tooLong", { count: bytes - BODY_BYTES_MAX });
  }
  get canSubmit(): boolean {
    return !isBlank(clean(this.text)) && this.problem === undefined;
  }

  set(text: string): void {
    if (this.#edit !== undefined) this.#edit = { ...this.#edit, text };
    else {
      this.#new = text;
      this.#options.typed(text);
    }
    this.#options.changed();
  }

  /** Begins the edit of an own message. */
  edit(message: SentMessage): void {
    this.#edit = { message, text: message.text };
    this.#options.changed();
  }

  /** Ends the edit and keeps the message as it is (draft.1). */
  cancel(): void {
    if (this.#edit === undefined) return;
    this.#edit = undefined;
    this.#options.changed();
  }

  /** False when the text is empty or too long (draft.2). */
  submit(): boolean {
    if (!this.canSubmit) return false;
    const text = clean(this.text).trim();
    const edit = this.#edit;
    if (edit === undefined) {
      this.#new = "";
      this.#options.typed("");
      this.#options.send(text);
    } else {
      this.#edit = undefined;
      if (text !== edit.message.text) this.#options.edit(edit.message.seq, text);
    }
    this.#options.changed();
    return true;
  }
}

/** Removes characters that the cluster refuses (F2). */
function clean(text: string): string {
  return text.toWellFormed().replaceAll("\u0000", "");
}
