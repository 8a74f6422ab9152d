// PendingFiles: the files of a new message, from the choice until the message is sent.
//
// Owns: which files are uploaded now, their progress, their failures. Does not own: the request
// (PageFiles), the message (Draft).
//
//   pending-files.1. At most ATTACHMENTS_MAX files. Further ones are not taken, and a sentence says
//        so until the next change.
//   pending-files.2. UPLOADS_AT_ONCE are in progress, in the order of the choice: a user has four
//        over all windows (AT7).
//   pending-files.3. A file that the server would refuse for its size is not sent.
//   pending-files.4. A removed file is not uploaded further, and no answer brings it back.

import { ParleyError } from "#client/sdk/errors.ts";
import type { UploadedFile } from "#shared/protocol/attachments.ts";
import { ATTACHMENTS_MAX } from "#shared/protocol/limits.ts";
import { t } from "../../texts/texts.ts";
import type { FilePort } from "./file-port.ts";
import { sizeWords, uploadFailureWords } from "./file-words.ts";

const UPLOADS_AT_ONCE = 2;

export interface PendingFile {
  readonly key: number;
  readonly file: File;
  readonly state: "waiting" | "uploading" | "uploaded" | "failed";
  /** The part that has left, 0 to 1, in steps of a hundredth. */
  readonly part: number;
  /** Why it failed, as a sentence. */
  readonly problem?: string;
  /** The same upload can succeed later. */
  readonly canRetry?: boolean;
  readonly uploaded?: UploadedFile;
}

export interface PendingFilesOptions {
  readonly port: FilePort;
  readonly room: string;
  readonly bytesMax: number;
  readonly changed: () => void;
}

export class PendingFiles {
  readonly #options: PendingFilesOptions;
  readonly #uploads = new Map<number, AbortController>();
  #files: readonly PendingFile[] = [];
  #keys = 0;
  #problem: string | undefined;

  constructor(options: PendingFilesOptions) {
    this.#options = options;
  }

  get all(): readonly PendingFile[] {
    return this.#files;
  }
  get count(): number {
    return this.#files.length;
  }
  /** Why not every chosen file was taken. */
  get problem(): string | undefined {
    return this.#problem;
  }
  /** Of all files, in the order of the choice; undefined while one is missing. */
  get uploaded(): readonly UploadedFile[] | undefined {
    const done = this.#files.flatMap(({ uploaded }) => uploaded ?? []);
    return done.length === this.#files.length ? done : undefined;
  }

  add(chosen: readonly File[]): void {
    const room = Math.max(0, ATTACHMENTS_MAX - this.#files.length);
    const isTooMany = chosen.length > room;
    this.#problem = isTooMany ? t("files.tooMany", { count: ATTACHMENTS_MAX }) : undefined;
    this.#files = [...this.#files, ...chosen.slice(0, room).map((file) => this.#take(file))];
    this.#start();
  }

  remove(key: number): void {
    this.#problem = undefined;
    this.#files = this.#files.filter((one) => one.key !== key);
    this.#uploads.get(key)?.abort();
    this.#uploads.delete(key);
    this.#start();
  }

  retry(key: number): void {
    const known = this.#files.find((one) => one.key === key);
    if (known?.canRetry !== true) return;
    this.#set({ key, file: known.file, state: "waiting", part: 0 });
    this.#start();
  }

  /** The message was sent, or its composer was closed. */
  clear(): void {
    for (const { key } of this.#files) this.remove(key);
  }

  #take(file: File): PendingFile {
    const key = ++this.#keys;
    const { bytesMax } = this.#options;
    if (file.size > 0 && file.size <= bytesMax) return { key, file, state: "waiting", part: 0 };
    const problem =
      file.size === 0 ? t("files.empty") : t("files.tooLarge", { size: sizeWords(bytesMax) });
    return { key, file, state: "failed", part: 0, problem }; // pending-files.3
  }

  #start(): void {
    for (const one of this.#files) {
      if (this.#uploads.size >= UPLOADS_AT_ONCE) break;
      if (one.state === "waiting") void this.#upload(one);
    }
    this.#options.changed();
  }

  async #upload({ key, file }: PendingFile): Promise<void> {
    const { port, room, bytesMax } = this.#options;
    const controller = new AbortController();
    this.#uploads.set(key, controller);
    this.#set({ key, file, state: "uploading", part: 0 });
    const onProgress = (sent: number): void => {
      const part = Math.floor(sent * 100) / 100;
      const known = this.#files.find((one) => one.key === key);
      if (known?.state !== "uploading" || known.part === part) return;
      this.#set({ ...known, part });
      this.#options.changed();
    };
    const way = { name: file.name, signal: controller.signal, onProgress };
    const after = await port.upload(room, file, way).then(
      (uploaded): PendingFile => ({ key, file, state: "uploaded", part: 1, uploaded }),
      (error: unknown): PendingFile => {
        const problem = uploadFailureWords(error, bytesMax);
        const canRetry = error instanceof ParleyError && error.retry;
        return { key, file, state: "failed", part: 0, problem, canRetry };
      },
    );
    // Of a removed file nothing is left that the next lines could change (pending-files.4).
    this.#uploads.delete(key);
    this.#set(after);
    this.#start();
  }

  #set(file: PendingFile): void {
    this.#files = this.#files.map((one) => (one.key === file.key ? file : one));
  }
}
