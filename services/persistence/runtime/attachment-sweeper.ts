// AttachmentSweeper: removes the bytes, and then the records, of files that no message names.
//
// Owns: its timer, and what is removed when. Does not own: which messages name a file
// (adapters/postgres-attachments.ts), the bytes (shared/ports/attachment-store.ts).
//
//   attachment-sweeper.1. A file is removed when every message that named it was deleted, when its
//        upload was not finished in UNFINISHED_MS, and when no message named it in UNSENT_MS. The
//        owner gives no message a number that names a file after ATTACHMENT_UNSENT_MS, half of it.
//   attachment-sweeper.2. A file without a message is removed only while the archive has all of its
//        room's log: an archive that is behind may lack the message.
//   attachment-sweeper.3. The bytes are removed first. A crash between both is made good by the
//        next pass. Two processes that remove the same file do no harm.
//   attachment-sweeper.4. One pass runs at a time, in parts of PART_MAX files. A pass that fails is
//        repeated after SWEEP_MS.

import type { Read } from "#shared/ports/archive.ts";
import { objectName } from "#shared/ports/attachment-store.ts";
import type { AttachmentStore } from "#shared/ports/attachment-store.ts";
import type { Clock, Timer } from "#shared/ports/clock.ts";
import { thumbnailOf } from "#shared/protocol/attachments.ts";
import type { MessageId, RoomId } from "#shared/protocol/ids.ts";
import { ATTACHMENT_UNSENT_MS } from "#shared/protocol/limits.ts";

/** Bytes of deleted files stay for so long; no link to them works (AT5). */
export const SWEEP_MS = 2_000;
const UNFINISHED_MS = 2 * 3_600_000;
const UNSENT_MS = 2 * ATTACHMENT_UNSENT_MS;
const PART_MAX = 100;
const NO_ID = "00000000-0000-0000-0000-000000000000";

export interface SweptRecords {
  /** Both resolve, never reject. */
  sweepable(query: {
    readonly after: string;
    readonly unfinishedMs: number;
    readonly unsentMs: number;
    readonly most: number;
  }): Promise<Read<readonly SweptFile[]>>;
  forget(ids: readonly MessageId[]): Promise<Read<void>>;
}

interface SweptFile {
  readonly id: MessageId;
  readonly room: RoomId;
  readonly isErased: boolean;
  readonly bytes: number;
}

export interface AttachmentSweeperPorts {
  readonly records: SweptRecords;
  readonly store: AttachmentStore;
  readonly clock: Pick<Clock, "every">;
  /** Whether this process archives the room. */
  readonly isMine: (room: RoomId) => boolean;
  /** Whether the archive has all of the room's log. */
  readonly isCaughtUp: (room: RoomId) => boolean;
  /** Called once when passes begin to fail. */
  readonly onProblem?: (reason: string) => void;
  /** Default: those of attachment-sweeper.1. */
  readonly bounds?: { readonly unfinishedMs: number; readonly unsentMs: number };
}

export class AttachmentSweeper {
  /** Files that this process removed, and their bytes. */
  removed = 0;
  removedBytes = 0;
  /** Passes that failed. */
  failures = 0;
  readonly #ports: AttachmentSweeperPorts;
  #timer: Timer | undefined;
  #pass: Promise<void> | undefined;
  #isStopped = false;
  #isFailing = false;

  constructor(ports: AttachmentSweeperPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#timer = this.#ports.clock.every(SWEEP_MS, () => void this.sweep());
  }

  /** Resolves after the pass in progress, if there is one. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#pass;
  }

  /** Resolves after the pass, never rejects. */
  sweep(): Promise<void> {
    this.#pass ??= this.#run()
      .then(() => void (this.#isFailing = false))
      .catch((error: unknown) => this.#fail(error))
      .finally(() => (this.#pass = undefined));
    return this.#pass;
  }

  async #run(): Promise<void> {
    const { records, bounds } = this.#ports;
    const { unfinishedMs = UNFINISHED_MS, unsentMs = UNSENT_MS } = bounds ?? {};
    let part: readonly SweptFile[] = [];
    do {
      const after = part.at(-1)?.id ?? NO_ID;
      part = valueOf(await records.sweepable({ after, unfinishedMs, unsentMs, most: PART_MAX }));
      await this.#remove(part.filter((file) => this.#isDue(file)));
    } while (part.length === PART_MAX && !this.#isStopped);
  }

  #isDue({ room, isErased }: SweptFile): boolean {
    const { isMine, isCaughtUp } = this.#ports;
    return isMine(room) && (isErased || isCaughtUp(room)); // attachment-sweeper.2
  }

  async #remove(files: readonly SweptFile[]): Promise<void> {
    if (files.length === 0) return;
    const { records, store } = this.#ports;
    const ids = files.map(({ id }) => id);
    await store.remove(ids.flatMap((id) => [objectName(id), objectName(thumbnailOf(id))]));
    valueOf(await records.forget(ids)); // attachment-sweeper.3
    this.removed += ids.length;
    this.removedBytes += files.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #fail(error: unknown): void {
    this.failures++;
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#ports.onProblem?.(error instanceof Error ? error.message : String(error));
  }
}

function valueOf<T>(read: Read<T>): T {
  if (read.kind === "ok") return read.value;
  throw new Error(read.reason);
}
