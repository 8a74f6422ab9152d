import { expect } from "chai";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureAnsible } from "../ansible.ts";
import { ToolMissing } from "../programs.ts";

const REQUIREMENTS = new URL("../ansible/requirements.txt", import.meta.url);

describe("ensureAnsible", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "parley-ansible-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const quiet = (): void => undefined;
  const refusal = async (path: string): Promise<string> => {
    const refused = await ensureAnsible({ folder, path, say: quiet }).catch(
      (error: unknown) => error,
    );
    expect(refused).to.be.instanceOf(ToolMissing);
    return (refused as ToolMissing).message;
  };

  it("names the missing package where there is no python3", async () => {
    expect(await refusal("/nonexistent")).to.contain("install python3-venv");
  });

  it("gives the reason when python3 has no venv", async () => {
    const text = "#!/bin/sh\necho 'No module named venv' >&2\nexit 1\n";
    const path = mkdtempSync(join(tmpdir(), "parley-python-"));
    writeFileSync(join(path, "python3"), text, { mode: 0o755 });
    try {
      expect(await refusal(path)).to.contain("No module named venv");
    } finally {
      rmSync(path, { recursive: true });
    }
  });

  it("uses an installation of the same pins", async () => {
    writeFileSync(join(folder, "requirements.txt"), readFileSync(REQUIREMENTS));
    expect(await ensureAnsible({ folder, path: "/nonexistent" })).to.equal(join(folder, "bin"));
  });

  it("pins every package to one version", () => {
    const pins = readFileSync(REQUIREMENTS, "utf8");
    for (const line of pins.trim().split("\n")) expect(line).to.match(/^[\w.-]+==[\w.]+$/);
    expect(pins).to.contain("ansible-core==");
  });
});
