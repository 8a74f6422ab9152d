// Attachment stores: the folder, and S3 on a real S3 server.

import { mkdtemp, mkdir, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { objectName } from "#shared/ports/attachment-store.ts";
import { attachmentStoreContract } from "#shared/testing/attachment-store.contract.ts";
import { launchS3 } from "#shared/testing/launch-s3.ts";
import type { S3Server } from "#shared/testing/launch-s3.ts";
import { ensureGoProgram, VERSITYGW } from "#tools/programs/go-program.ts";
import { FolderStore } from "../attachment-folder.ts";
import { S3Failure, S3Store } from "../attachment-s3.ts";

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

describe("S3", function () {
  this.timeout(15 * 60_000);
  let server: S3Server;

  before(async () => {
    server = await launchS3(await ensureGoProgram(VERSITYGW));
  });

  after(() => server[Symbol.asyncDispose]());

  attachmentStoreContract("S3", () =>
    Promise.resolve({
      store: new S3Store(server.config),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
  );

  it("a wrong key, a missing bucket and a server that is away are failures at the start", async () => {
    await new S3Store(server.config).check();
    const away = server.config.url.replace(/:\d+/, ":9");
    for (const wrong of [
      { secretKey: "another-secret" },
      { url: `${server.config.url}-2` },
      { url: away },
    ]) {
      const store = new S3Store({ ...server.config, ...wrong });
      const error = await store.check().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error, JSON.stringify(wrong)).to.be.instanceOf(Error);
    }
    expect(new S3Failure("x")).to.include({ name: "S3Failure" });
  });
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
