// Draft: the text and the files in a composer: a new message, or the edit of an own one.
//
//   draft.1. While a message is edited, the new message that was begun is kept, and comes back
//        after the edit.
//   draft.2. A text that the cluster would refuse is not submitted, and stays.
//   draft.3. A new message with files is submitted when all of them are uploaded, also without a
//        text. An edit changes no files.

import type { UploadedFile } from "#shared/protocol/attachments.ts";
import { utf8Length } from "#shared/protocol/ids.ts";
import { BODY_BYTES_MAX } from "#shared/protocol/limits.ts";
import type { PendingFiles } from "./files/pending-files.ts";
import type { FilesLoader } from "./load-files.ts";
import { isBlank } from "./rich-text.ts";
import type { SentMessage } from "./timeline-rows.ts";
import { t } from "../texts/texts.ts";

export interface DraftOptions {
  /** The new message that was begun in an earlier visit. */
  readonly saved: string;
  /** The text of the new message changed. */
  readonly typed: (text: string) => void;
  readonly changed: () => void;
  /** Undefined: the server takes no files. */
  readonly loadFiles: FilesLoader | undefined;
  readonly send: (text: string, files: readonly UploadedFile[] | undefined) => void;
  readonly edit: (message: SentMessage, text: string) => void;
}

export class Draft {
  readonly #options: DraftOptions;
  #new: string;
  #edit: { readonly message: SentMessage; readonly text: string } | undefined;
  #files: PendingFiles | undefined;
  #loading: Promise<PendingFiles> | undefined;
  #fault: string | undefined;
  #isClosed = false;

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
  /** A file can be added now. */
  get canAttach(): boolean {
    return this.#options.loadFiles !== undefined && this.#edit === undefined;
  }
  /** The files of the new message; undefined: it has none. */
  get files(): PendingFiles | undefined {
    return this.#edit === undefined && this.#files?.count !== 0 ? this.#files : undefined;
  }
  /** A sentence about the text or its files. */
  get problem(): string | undefined {
    return this.#tooLong ?? this.#fault;
  }
  /** Why the text cannot be sent; checked before it is sent. */
  get #tooLong(): string | undefined {
    const bytes = utf8Length(JSON.stringify({ text: clean(this.text) }));
    if (bytes <= BODY_BYTES_MAX) return undefined;
    return t("composer.tooLong", { count: bytes - BODY_BYTES_MAX });
  }
  get canSubmit(): boolean {
    if (this.#tooLong !== undefined) return false;
    const { files } = this;
    if (files !== undefined) return files.uploaded !== undefined; // draft.3
    return !isBlank(clean(this.text)) || this.#edit?.message.attachments !== undefined;
  }

  set(text: string): void {
    this.#fault = undefined;
    if (this.#edit !== undefined) this.#edit = { ...this.#edit, text };
    else {
      this.#new = text;
      this.#options.typed(text);
    }
    this.#options.changed();
  }

  /** Adds files to the new message. Resolves when their uploads have begun. */
  async attach(chosen: readonly File[]): Promise<void> {
    const { loadFiles, changed } = this.#options;
    if (loadFiles === undefined || !this.canAttach || chosen.length === 0) return;
    this.#fault = undefined;
    try {
      this.#files = await (this.#loading ??= loadFiles());
      if (!this.#isClosed) this.#files.add(chosen);
    } catch {
      this.#loading = undefined; // Offline, or a newer version of the page was deployed.
      this.#fault = t("page.partFailed");
      changed();
    }
  }

  /** The composer is no longer shown: its uploads end. */
  close(): void {
    this.#isClosed = true;
    this.#files?.clear();
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

  /** False when the text is empty or too long (draft.2), or a file is not uploaded (draft.3). */
  submit(): boolean {
    if (!this.canSubmit) return false;
    const text = clean(this.text).trim();
    const edit = this.#edit;
    if (edit === undefined) {
      const files = this.files?.uploaded;
      this.#new = "";
      this.#files?.clear();
      this.#options.typed("");
      this.#options.send(text, files);
    } else {
      this.#edit = undefined;
      if (text !== edit.message.text) this.#options.edit(edit.message, text);
    }
    this.#options.changed();
    return true;
  }
}

/** Removes characters that the cluster refuses (F2). */
function clean(text: string): string {
  return text.toWellFormed().replaceAll("\u0000", "");
}
