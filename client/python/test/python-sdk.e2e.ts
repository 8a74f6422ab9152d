// The Python SDK: its types, the contract, and its package.

import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";
import { ensurePythonSdk } from "#tools/programs/python-sdk.ts";

const run = promisify(execFile);
const FOLDER = fileURLToPath(new URL("..", import.meta.url));
const TIMEOUT_MS = 180_000;

describe("The Python SDK", function () {
  this.timeout(10 * 60_000);

  let bin: string;
  const scratch = mkdtempSync(join(tmpdir(), "parley-python-"));
  const env = { ...process.env, PYTHONPATH: join(FOLDER, "src"), PYTHONDONTWRITEBYTECODE: "1" };

  before(async () => {
    bin = await ensurePythonSdk();
  });
  after(() => rmSync(scratch, { recursive: true, force: true }));

  const python = (args: readonly string[], cwd = FOLDER): Promise<{ stderr: string }> =>
    run(join(bin, "python"), args, { cwd, env, timeout: TIMEOUT_MS }).catch((error: unknown) => {
      const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
      throw new Error(`${stdout}${stderr}`, { cause: error });
    });

  it("mypy accepts it, strict", async () => {
    const cache = `--cache-dir=${join(scratch, "mypy")}`;
    await python(["-m", "mypy", "--strict", cache, "src"]);
  });

  it("passes every scenario of the contract", async () => {
    const { stderr } = await python(["-m", "unittest", "discover", "test"]);
    const ran = Number(/^Ran (\d+) tests/m.exec(stderr)?.[1]);
    expect(ran, stderr).to.be.at.least(20);
  });

  it("builds a wheel that can be installed, with its types", async () => {
    const source = join(scratch, "source");
    cpSync(FOLDER, source, { recursive: true });
    const into = join(scratch, "installed");
    const quiet = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation"];
    await python(["-m", "pip", "install", ...quiet, "--target", into, "."], source);
    expect(existsSync(join(into, "parley_client/py.typed"))).to.equal(true);
    const version = /^version = "(.+)"$/m.exec(
      readFileSync(join(FOLDER, "pyproject.toml"), "utf8"),
    );
    expect(existsSync(join(into, `parley_client-${version?.[1] ?? ""}.dist-info`))).to.equal(true);
  });
});
