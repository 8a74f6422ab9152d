import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { inTurn } from "../turn.ts";

describe("inTurn", () => {
  let dir = "";
  before(() => {
    dir = mkdtempSync(join(tmpdir(), "parley-turn-"));
  });
  after(() => {
    rmSync(dir, { recursive: true });
  });

  it("runs one work at a time, also behind one that failed", async () => {
    const file = join(dir, "new folder", "program.turn");
    let running = 0;
    const work = async (fails: boolean): Promise<number> => {
      expect(++running).to.equal(1);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      if (fails) throw new Error("no");
      return 1;
    };
    const turns = [false, true, false].map((fails) => inTurn(file, () => work(fails)));
    const kinds = (await Promise.allSettled(turns)).map(({ status }) => status);
    expect(kinds).to.deep.equal(["fulfilled", "rejected", "fulfilled"]);
    expect(existsSync(file)).to.equal(false);
  });

  it("turn.1: takes the turn of a process that has ended", async () => {
    const file = join(dir, "dead.turn");
    const { pid } = spawnSync(process.execPath, ["--version"]);
    writeFileSync(file, String(pid));
    expect(await inTurn(file, async () => Promise.resolve(2))).to.equal(2);
  });
});
