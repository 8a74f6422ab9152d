import { mkdtempSync, rmSync, writeFileSync, chmodSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ensureGoTool, K6 } from "../go-tool.ts";
import { ToolMissing } from "../programs.ts";

describe("ensureGoTool", () => {
  let dir = "";
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "parley-go-tool-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const refusal = async (search: Parameters<typeof ensureGoTool>[1]): Promise<string> =>
    ensureGoTool(K6, search).then(
      () => "",
      (error: unknown) => (error instanceof ToolMissing ? error.message : "another error"),
    );

  it("GT2: a named binary is taken, and a wrong name is an error", async () => {
    writeFileSync(join(dir, "mine"), "");
    expect(await ensureGoTool(K6, { env: { K6: join(dir, "mine") }, tools: dir })).to.equal(
      join(dir, "mine"),
    );
    expect(await refusal({ env: { K6: join(dir, "other") }, tools: dir })).to.include("K6=");
  });

  it("GT1: what was built before is used, then PATH; without Go the ways out are named", async () => {
    const path = join(dir, "bin");
    expect(await refusal({ env: { PATH: path }, tools: dir, goPath: path })).to.include("K6=/path");
    writeFileSync(join(dir, "k6"), "");
    chmodSync(join(dir, "k6"), 0o755);
    expect(await ensureGoTool(K6, { env: { PATH: dir }, tools: path })).to.equal(join(dir, "k6"));
    expect(await ensureGoTool(K6, { env: {}, tools: dir })).to.equal(join(dir, "k6"));
  });
});
