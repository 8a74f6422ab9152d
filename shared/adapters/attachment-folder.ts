// FolderStore: attachments as files of a folder that all gateways and persistence share.
//
//   attachment-folder.1. A file is written below `partial`, synced, and then gets its name by a
//        hard link, which fails when the name is taken (attachment-store.2).
//   attachment-folder.2. What a crash left below `partial` is removed by the next `open` after a
//        day.
//   attachment-folder.3. Files are in 256 folders by the last two digits of their id, which are
//        random in a UUIDv7.

import { randomBytes } from "node:crypto";
import { link, mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { ofLength } from "../ports/attachment-store.ts";
import type {
  AttachmentStore,
  BytePart,
  ObjectName,
  StoredObject,
} from "../ports/attachment-store.ts";

const LEFT_OVER_MS = 24 * 3_600_000;
const ID_LENGTH = 36;

export class FolderStore implements AttachmentStore {
  readonly #dir: string;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** Makes the folder. Rejects when it cannot be written. */
  static async open(dir: string, now: number): Promise<FolderStore> {
    const partial = join(dir, "partial");
    await mkdir(partial, { recursive: true });
    for (const name of await readdir(partial)) {
      const file = join(partial, name);
      const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Infinity }));
      if (mtimeMs < now - LEFT_OVER_MS) await rm(file, { force: true }); // attachment-folder.2
    }
    return new FolderStore(dir);
  }

  async put(
    name: ObjectName,
    content: AsyncIterable<Uint8Array>,
    bytes: number,
  ): Promise<"stored" | "exists"> {
    const partial = join(this.#dir, "partial", randomBytes(16).toString("hex"));
    try {
      const file = await open(partial, "wx");
      try {
        for await (const chunk of ofLength(content, bytes)) await file.appendFile(chunk);
        await file.sync();
      } finally {
        await file.close();
      }
      const path = this.#pathOf(name);
      await mkdir(join(path, ".."), { recursive: true });
      await link(partial, path); // attachment-folder.1
      return "stored";
    } catch (error: unknown) {
      if (codeOf(error) === "EEXIST") return "exists";
      throw error;
    } finally {
      await rm(partial, { force: true });
    }
  }

  async get(name: ObjectName, part?: BytePart): Promise<StoredObject | undefined> {
    const file = await open(this.#pathOf(name), "r").catch((error: unknown) => {
      if (codeOf(error) === "ENOENT") return undefined;
      throw error;
    });
    if (file === undefined) return undefined;
    const close = (): Promise<void> => file.close().catch(() => undefined);
    try {
      const { size: bytes } = await file.stat();
      const range = part && { start: part.first, end: part.last };
      const content = file.createReadStream({ ...range, autoClose: false });
      return { bytes, content, close };
    } catch (error: unknown) {
      await close();
      throw error;
    }
  }

  async remove(names: readonly ObjectName[]): Promise<void> {
    for (const name of names) await rm(this.#pathOf(name), { force: true });
  }

  /** attachment-folder.3. */
  #pathOf(name: ObjectName): string {
    return join(this.#dir, name.slice(ID_LENGTH - 2, ID_LENGTH), name);
  }
}

function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown } | undefined)?.code;
}
