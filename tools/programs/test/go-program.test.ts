import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ensureGoProgram } from "../go-program.ts";
import type { GoProgram } from "../go-program.ts";
import { ToolMissing } from "../programs.ts";

/** No machine has this tool in .tools or on PATH. */
const PROGRAM: GoProgram = {
  name: "parley-no-such-tool",
  variable: "PARLEY_NO_SUCH_TOOL",
  folder: "k6",
  module: "example.com/none",
};

describe("ensureGoProgram", () => {
  const { PATH: before } = process.env;
  let dir = "";
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "parley-go-program-"));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
    delete process.env[PROGRAM.variable];
    process.env["PATH"] = before;
  });

  it("go-program.1: uses the named binary, and fails for a wrong name", async () => {
    const mine = join(dir, "mine");
    process.env[PROGRAM.variable] = mine;
    const refused = await ensureGoProgram(PROGRAM).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(ToolMissing);
    writeFileSync(mine, "");
    expect(await ensureGoProgram(PROGRAM)).to.equal(mine);
  });

  it("go-program.1: uses the program on PATH when no name is set", async () => {
    process.env["PATH"] = dir;
    writeFileSync(join(dir, PROGRAM.name), "");
    chmodSync(join(dir, PROGRAM.name), 0o755);
    expect(await ensureGoProgram(PROGRAM)).to.equal(join(dir, PROGRAM.name));
  });

  it("does not use the program on PATH when its version matters", async () => {
    process.env["PATH"] = dir;
    writeFileSync(join(dir, PROGRAM.name), "");
    chmodSync(join(dir, PROGRAM.name), 0o755);
    const own = { ...PROGRAM, isOnlyOwn: true };
    const refused = await ensureGoProgram(own, () => undefined).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(ToolMissing);
  });
});
