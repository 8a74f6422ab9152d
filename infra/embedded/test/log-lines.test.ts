import { expect } from "chai";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { finished } from "node:stream/promises";
import { LogFile, readableLine } from "../log-lines.ts";

describe("readableLine", () => {
  it("log-lines.2: warnings, errors and faults become one readable line; the rest stays in the file", () => {
    const record = { level: "warn", time: "t", pid: 1, name: "room-1", room: "dev", msg: "fenced" };
    expect(readableLine("room-1", JSON.stringify(record))).to.equal(
      "room-1: warn: fenced room=dev",
    );
    expect(readableLine("room-1", JSON.stringify({ ...record, level: "info" }))).to.equal(
      undefined,
    );
    expect(readableLine("room-1", "  ")).to.equal(undefined);
  });

  it("log-lines.2: shows an error field by its message only", () => {
    const error = { type: "Error", message: "refused", stack: "Error: refused\n    at x" };
    expect(readableLine("a", JSON.stringify({ level: "error", error, msg: "lost" }))).to.equal(
      "a: error: lost error=refused",
    );
  });

  it("log-lines.2: shows an unstructured line as it is, without control characters", () => {
    expect(readableLine("a", "Error: at \u001b[31mx")).to.equal("a: Error: at  [31mx");
    const forged = JSON.stringify({ level: "warn", msg: "x", user: "\u001b[2J\nroot" });
    expect(readableLine("a", forged)).to.equal("a: warn: x user= [2J root");
  });

  it("log-lines.3: shows a very long line truncated", () => {
    expect(readableLine("a", "x".repeat(100_000))!.length).to.be.below(9_000);
  });
});

describe("LogFile", () => {
  it("log-lines.1: every byte reaches the file for any chunks, and errors are shown", async () => {
    const dir = await mkdtemp(join(tmpdir(), "parley-log-"));
    const shown: string[] = [];
    const path = join(dir, "logs", "a.log");
    const log = new LogFile({ path, name: "a", say: (line) => shown.push(line) });
    const stream = new PassThrough();
    log.follow(stream);
    const text = `{"level":"info","msg":"é"}\n{"level":"error","msg":"broken"}\nlast words`;
    for (const byte of Buffer.from(text)) stream.write(Buffer.of(byte));
    stream.end();
    await finished(stream);
    log.close();
    expect(await readFile(path, "utf8")).to.equal(text);
    expect(shown).to.deep.equal(["a: error: broken", "a: last words"]);
    expect(log.lastComplaint).to.equal("a: last words");
    await rm(dir, { recursive: true });
  });

  const full = "/dev/full"; // On Linux; every write to it fails.
  it("log-lines.1: reports a full disk once, and neither the reader nor the terminal's lines stop", async () => {
    const shown: string[] = [];
    const log = new LogFile({ path: full, name: "a", say: (line) => shown.push(line) });
    const stream = new PassThrough();
    log.follow(stream);
    for (const n of [1, 2, 3]) stream.write(`{"level":"error","msg":"broken ${n}"}\n`);
    stream.end();
    await finished(stream);
    log.close();
    expect(shown[0]).to.contain("a: its log file cannot be written").and.to.contain("ENOSPC");
    expect(shown.slice(1)).to.deep.equal([1, 2, 3].map((n) => `a: error: broken ${n}`));
  });
});
