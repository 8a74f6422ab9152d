// The outbox in a file: the contract, and what a crash of a real process leaves.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { FileOutbox, OutboxInUse } from "../outbox/file.ts";
import { outboxStoreContract, send } from "./outbox-store.contract.ts";

const SOURCE = new URL("../outbox/file.ts", import.meta.url).href;

describe("The outbox in a file", () => {
  const folder = mkdtempSync(join(tmpdir(), "parley-outbox-"));
  const path = join(folder, "outbox.jsonl");
  after(() => rmSync(folder, { recursive: true, force: true }));

  outboxStoreContract(
    "file",
    () => new FileOutbox(path),
    () => {
      FileOutbox.forget(path);
      return Promise.resolve();
    },
  );

  it("K6, outbox/file.2: one client has the file, and a process that was killed loses it", async function () {
    this.timeout(30_000);
    const file = join(folder, "killed.jsonl");
    const script = `
      import { FileOutbox } from ${JSON.stringify(SOURCE)};
      const store = new FileOutbox(${JSON.stringify(file)});
      await store.open();
      await store.put(${JSON.stringify(send(1))});
      console.log("stored");
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    const refused = await new FileOutbox(file).open().catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(OutboxInUse);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await new FileOutbox(file).open()).to.deep.equal([send(1)]);
    expect(await new FileOutbox(file).open().catch((e: unknown) => e)).to.be.instanceOf(
      OutboxInUse,
    );
  });

  it("outbox/file.2: a lock of the same process id from another run is taken over", async () => {
    const file = join(folder, "container.jsonl");
    writeFileSync(`${file}.lock`, String(process.pid));
    expect(await new FileOutbox(file).open()).to.deep.equal([]);
  });

  it("a line that cannot be read is left out", async () => {
    const file = join(folder, "torn.jsonl");
    writeFileSync(file, `${JSON.stringify(send(1))}\n{"id":"x"}\nnot json\n`);
    expect(await new FileOutbox(file).open()).to.deep.equal([send(1)]);
  });
});
