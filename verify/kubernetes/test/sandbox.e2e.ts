import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { skipTest } from "#tools/test-run/skip.ts";
import { cgroupName, Sandbox, SandboxError } from "../sandbox.ts";

const SYSCTLS = ["vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops"];
const valuesOf = (read: (path: string) => string): string[] =>
  SYSCTLS.map((name) => read(`/proc/sys/${name}`).trim());

function inside(sandbox: Sandbox, ...command: string[]): string {
  const [program = "", ...words] = [...sandbox.words, ...command];
  return execFileSync(program, words, { encoding: "utf8" });
}

describe("Sandbox", function () {
  this.timeout(120_000);
  let folder = "";
  let sandbox: Sandbox;

  before(async function () {
    folder = join(mkdtempSync(join(tmpdir(), "parley-sandbox-")), "kubernetes");
    try {
      sandbox = await Sandbox.open({ keeps: false, folder });
    } catch (error: unknown) {
      if (!(error instanceof SandboxError)) throw error;
      skipTest(this, error.message);
    }
  });
  after(async () => {
    await sandbox?.[Symbol.asyncDispose]();
  });

  it("has a network of its own, without a device of the machine", () => {
    const devices = inside(sandbox, "ip", "-brief", "link").trim().split("\n");
    const names = devices.map((line) => line.split(/[ @]/)[0]);
    expect(names).to.have.members(["lo", "node0", "node1"]);
  });

  it("sandbox.2: kubelet finds its own values, and those of the machine stay", () => {
    const before = valuesOf((path) => readFileSync(path, "utf8"));
    expect(valuesOf((path) => inside(sandbox, "cat", path))).to.deep.equal(["1", "10", "1"]);
    expect(valuesOf((path) => readFileSync(path, "utf8"))).to.deep.equal(before);
  });

  it("keeps: a second run uses the sandbox of the first", async () => {
    const again = await Sandbox.open({ keeps: true, folder });
    expect(again.words).to.deep.equal(sandbox.words);
  });

  it("sandbox.1, sandbox.3: a new sandbox ends all processes of the one before it", async () => {
    const [program, ...words] = [...sandbox.words, "sleep", "1000"];
    const child = spawn(program, words, { stdio: "ignore" });
    const ended = once(child, "exit");
    sandbox = await Sandbox.open({ keeps: false, folder });
    await ended;
  });

  it("sandbox.1: close leaves no folder and no cgroup", async () => {
    const cgroups = (): string[] =>
      readdirSync("/sys/fs/cgroup").filter((hierarchy) =>
        existsSync(join("/sys/fs/cgroup", hierarchy, cgroupName(folder))),
      );
    expect(cgroups()).to.include.members(["memory", "cpuset"]);
    await sandbox[Symbol.asyncDispose]();
    expect(cgroups()).to.deep.equal([]);
    expect(existsSync(folder)).to.equal(false);
  });
});
