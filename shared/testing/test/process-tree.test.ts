import { expect } from "chai";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { childrenOf, signalIfThere } from "../process-tree.ts";

describe("Process tree", () => {
  it("a signal reaches a child, and one to a process that has exited is no error", async () => {
    const child = spawn("sleep", ["60"]);
    await once(child, "spawn");
    const pid = child.pid ?? 0;
    expect(childrenOf(process.pid)).to.include(pid);
    const exited = once(child, "exit");
    expect(signalIfThere(pid, "SIGKILL")).to.equal(true);
    await exited;
    expect(signalIfThere(pid, "SIGCONT")).to.equal(false);
    expect(() => signalIfThere(-1_000_000, "NOPE" as NodeJS.Signals)).to.throw(/NOPE/);
  });
});
