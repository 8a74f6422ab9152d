// MemoryAttachments: what the routes of attachments need, in memory and with a script.

import { ofLength } from "#shared/ports/attachment-store.ts";
import type { AttachmentStore, ObjectName } from "#shared/ports/attachment-store.ts";
import type {
  AttachmentRecords,
  NewUpload,
  RecordOutcome,
} from "#shared/ports/attachment-records.ts";
import type { Attachment } from "#shared/protocol/attachments.ts";
import { HmacLinks, HmacProofs } from "../adapters/attachment-proof.ts";
import { AttachmentStats } from "../adapters/attachment-stats.ts";
import type { AttachmentOptions } from "../adapters/http-attachments.ts";

export const FILE_BYTES_MAX = 100_000;

export class MemoryAttachments {
  readonly stats = new AttachmentStats();
  readonly objects = new Map<ObjectName, Uint8Array>();
  readonly begun = new Map<string, NewUpload>();
  readonly finished = new Map<string, Attachment>();
  /** Replaces every answer of the records. */
  recordsInstead: RecordOutcome | undefined;
  /** The store does not answer. */
  isAway = false;
  /** Delays each `put` and `get`. */
  before: (() => Promise<void>) | undefined;
  revoked = false;
  /** The parts that were not closed. */
  open = 0;

  readonly store: AttachmentStore = {
    put: async (name, content, bytes) => {
      await this.#enter();
      const chunks: Uint8Array[] = [];
      for await (const chunk of ofLength(content, bytes)) chunks.push(chunk);
      if (this.objects.has(name)) return "exists";
      this.objects.set(name, Buffer.concat(chunks));
      return "stored";
    },
    get: async (name, part) => {
      await this.#enter();
      const whole = this.objects.get(name);
      if (whole === undefined) return undefined;
      this.open++;
      const bytes = part === undefined ? whole : whole.subarray(part.first, part.last + 1);
      const content = (async function* () {
        yield await Promise.resolve(bytes);
      })();
      const close = (): Promise<void> => Promise.resolve(void this.open--);
      return { bytes: whole.length, content, close };
    },
    remove: async (names) => {
      await this.#enter();
      for (const name of names) this.objects.delete(name);
    },
  };

  readonly records: AttachmentRecords = {
    begin: (upload) => {
      const file = this.finished.get(upload.id);
      if (file === undefined) this.begun.set(upload.id, upload);
      return this.#answer(file === undefined ? { kind: "begun" } : { kind: "file", file });
    },
    finish: ({ id, type, width, height }) => {
      const { name = "", bytes = 0 } = this.begun.get(id) ?? {};
      const size = width !== undefined && height !== undefined && { width, height };
      const file = this.finished.get(id) ?? { id, name, type, bytes, ...size };
      this.finished.set(id, file);
      return this.#answer({ kind: "file", file });
    },
    find: ({ id }) => {
      const file = this.finished.get(id);
      const missing = { kind: "refused", error: "missing" } as const;
      return this.#answer(file === undefined ? missing : { kind: "file", file });
    },
  };

  get options(): AttachmentOptions {
    const key = new Uint8Array(32);
    return {
      store: this.store,
      records: this.records,
      stats: this.stats,
      proofs: new HmacProofs(key),
      links: new HmacLinks(key),
      thumbnails: { of: () => Promise.resolve(undefined) },
      linkMs: 60_000,
      isRevoked: () => this.revoked,
      limits: {
        fileBytesMax: FILE_BYTES_MAX,
        userBytesMax: 10 * FILE_BYTES_MAX,
        types: ["image/*", "audio/*", "text/plain", "application/pdf"],
      },
    };
  }

  async #enter(): Promise<void> {
    await this.before?.();
    if (this.isAway) throw new Error("the store does not answer");
  }

  #answer(outcome: RecordOutcome): Promise<RecordOutcome> {
    return Promise.resolve(this.recordsInstead ?? outcome);
  }
}
