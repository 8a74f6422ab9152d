// File: an OutboxStore in one file, for a program in Node.
//
// Owns: the file and its lock. Does not own: when a send is stored (kept-sends.ts).
//
//   outbox/file.1. The file is replaced as a whole: a new file is written and synchronised, then
//       renamed. So a crash leaves the old or the new contents. Changes during a write share the
//       next one.
//   outbox/file.2. One process at a time has the file, until it ends: a lock file beside it names
//       the process. The lock of a process that has ended is taken over.

import { open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { keepIn } from "../kept-sends.ts";
import type { Outbox, OutboxStore, StoredSend } from "../kept-sends.ts";

/** Another process has the outbox. */
export class OutboxInUse extends Error {
  override readonly name = "OutboxInUse";
}

/** Keeps the sends of one program in the file `path`. */
export function fileOutbox(path: string): Outbox {
  return keepIn(new FileOutbox(path));
}

/** The files that this process has (outbox/file.2). */
const OWN = new Set<string>();

/** Exported for tests; programs use `fileOutbox`. */
export class FileOutbox implements OutboxStore {
  readonly #path: string;
  readonly #sends = new Map<string, StoredSend>();
  #writing: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = resolve(path);
  }

  /** For tests: as if this process had ended. */
  static forget(path: string): void {
    OWN.delete(resolve(path));
  }

  async open(): Promise<readonly StoredSend[]> {
    await this.#lock();
    for (const send of await readSends(this.#path)) this.#sends.set(send.id, send);
    return [...this.#sends.values()];
  }

  put(send: StoredSend): Promise<void> {
    this.#sends.set(send.id, send);
    return this.#save();
  }

  delete(id: string): Promise<void> {
    return this.#sends.delete(id) ? this.#save() : Promise.resolve();
  }

  get #lockPath(): string {
    return `${this.#path}.lock`;
  }

  /** outbox/file.1. */
  #save(): Promise<void> {
    if (this.#writing === undefined) return this.#begin();
    this.#next ??= this.#writing.catch(() => undefined).then(() => this.#begin());
    return this.#next;
  }

  #begin(): Promise<void> {
    this.#next = undefined;
    const writing = this.#replace().finally(() => {
      if (this.#writing === writing) this.#writing = undefined;
    });
    this.#writing = writing;
    return writing;
  }

  async #replace(): Promise<void> {
    const draft = `${this.#path}.draft`;
    const lines = [...this.#sends.values()].map((send) => `${JSON.stringify(send)}\n`);
    const file = await open(draft, "w", 0o600);
    try {
      await file.writeFile(lines.join(""));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, this.#path);
  }

  /** outbox/file.2. */
  async #lock(): Promise<void> {
    for (;;) {
      try {
        await writeFile(this.#lockPath, String(process.pid), { flag: "wx" });
        OWN.add(this.#path);
        return;
      } catch (error: unknown) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const holder = Number(await readFile(this.#lockPath, "utf8").catch(() => ""));
      // In a container every run can have the same process id.
      const isHeld = holder === process.pid ? OWN.has(this.#path) : isRunning(holder);
      if (isHeld) throw new OutboxInUse(`process ${holder} has ${this.#path}`);
      await rm(this.#lockPath, { force: true });
    }
  }
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error: unknown) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** A line that cannot be read is left out: the file is not this program's alone. */
async function readSends(path: string): Promise<readonly StoredSend[]> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  });
  return text.split("\n").flatMap((line) => {
    try {
      const send = JSON.parse(line) as StoredSend;
      return typeof send.id === "string" && typeof send.text === "string" ? [send] : [];
    } catch {
      return [];
    }
  });
}
