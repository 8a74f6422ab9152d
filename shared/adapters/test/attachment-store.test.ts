// Attachment stores: the folder, and S3 on a real S3 server.

import { mkdtemp, mkdir, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { objectName } from "#shared/ports/attachment-store.ts";
import { attachmentStoreContract } from "#shared/testing/attachment-store.contract.ts";
import { FolderStore } from "../attachment-folder.ts";

const DAY_MS = 24 * 3_600_000;
const NOW = 1_800_000_000_000;

async function folder(): Promise<{ readonly dir: string } & AsyncDisposable> {
  const dir = await mkdtemp(join(tmpdir(), "parley-attachments-"));
  return {
    dir,
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
}

attachmentStoreContract("folder", async () => {
  const { dir, [Symbol.asyncDispose]: dispose } = await folder();
  return { store: await FolderStore.open(dir, NOW), [Symbol.asyncDispose]: dispose };
});

describe("FolderStore", () => {
  it("attachment-folder.2: removes what a crash left a day ago, and nothing younger", async () => {
    await using made = await folder();
    const partial = join(made.dir, "partial");
    await mkdir(partial, { recursive: true });
    for (const [name, age] of [
      ["old", DAY_MS + 1_000],
      ["new", DAY_MS - 60_000],
    ] as const) {
      await writeFile(join(partial, name), "begun");
      const at = (NOW - age) / 1_000;
      await utimes(join(partial, name), at, at);
    }
    await FolderStore.open(made.dir, NOW);
    expect(await readdir(partial)).to.deep.equal(["new"]);
  });

  it("the name of an object is no path", () => {
    for (const text of ["", "..", "../x", "a/b", "0189", "x".repeat(36)]) {
      expect(() => objectName(text), text).to.throw(RangeError);
    }
  });
});
