// Leftovers, with real processes that this test starts.

import { expect } from "chai";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identify, isSame } from "#shared/process/identity.ts";
import { clearLeftovers, ProcessRecord, writeWhole } from "../leftovers.ts";
import type { RunRecord } from "../leftovers.ts";

const EXITED = { pid: 2 ** 22 - 1, began: "never", command: "exited" };

describe("clearLeftovers", () => {
  let dir = "";
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "parley-leftovers-"));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    await rm(dir, { recursive: true });
  });

  async function idleChild(script = "setInterval(() => {}, 1000)"): Promise<ChildProcess> {
    const program = `${script}; console.log("up");`;
    const child = spawn(process.execPath, ["--eval", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    await once(child.stdout, "data");
    return child;
  }
  function record(...processes: RunRecord["processes"]): void {
    writeWhole(join(dir, "processes.json"), { supervisor: EXITED, processes } satisfies RunRecord);
  }
  const known = (child: ChildProcess): RunRecord["processes"][number] => ({
    name: "nats-1",
    ...identify(child.pid!)!,
  });

  it("leftovers.1: ends a process of a killed run, and names it", async () => {
    const child = await idleChild();
    const ended = once(child, "exit");
    record(known(child));
    expect(await clearLeftovers(dir)).to.deep.equal({
      kind: "ok",
      ended: [`nats-1 (pid ${child.pid})`],
    });
    expect((await ended)[1]).to.equal("SIGTERM");
  });

  it("leftovers.1: does not end another process that has the same pid now", async () => {
    const child = await idleChild();
    const { began, command } = known(child);
    record(
      { ...known(child), began: `${began}0` },
      { ...known(child), command: command.replace("node", "nats-server") },
      { name: "room-1", ...EXITED },
    );
    expect(await clearLeftovers(dir)).to.deep.equal({ kind: "ok", ended: [] });
    expect(isSame(known(child))).to.equal(true);
  });

  it("leftovers.1: without a record, or with one that is not JSON, ends nothing", async () => {
    expect(await clearLeftovers(dir)).to.deep.equal({ kind: "ok", ended: [] });
    writeWhole(join(dir, "processes.json"), "text");
    expect((await clearLeftovers(dir)).kind).to.equal("ok");
  });

  it("leftovers.2: while the supervisor runs, the data are in use and nothing is ended", async () => {
    const supervisor = await idleChild();
    const child = await idleChild();
    writeWhole(join(dir, "processes.json"), {
      supervisor: known(supervisor),
      processes: [known(child)],
    });
    expect(await clearLeftovers(dir)).to.deep.equal({
      kind: "in-use",
      supervisor: supervisor.pid,
    });
    expect(isSame(known(child))).to.equal(true);
  });

  it("leftovers.3: a paused process gets SIGCONT and SIGTERM before SIGKILL", async () => {
    const child = await idleChild();
    child.kill("SIGSTOP");
    const ended = once(child, "exit");
    record(known(child));
    await clearLeftovers(dir);
    expect((await ended)[1]).to.equal("SIGTERM");
  });

  it("leftovers.3: kills a process that ignores SIGTERM", async () => {
    const child = await idleChild(`process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)`);
    const ended = once(child, "exit");
    record(known(child));
    await clearLeftovers(dir, 100);
    expect((await ended)[1]).to.equal("SIGKILL");
  });

  it("leftovers.1: a record holds the started processes, until the run stops in order", async () => {
    const child = await idleChild();
    const mine = new ProcessRecord(dir);
    mine.add("nats-1", child.pid!);
    child.kill("SIGKILL");
    await once(child, "exit");
    mine.add("room-1", child.pid!); // It has exited already and cannot become a leftover.
    mine.remove();
    expect(await clearLeftovers(dir)).to.deep.equal({ kind: "ok", ended: [] });
  });
});

describe("Identity", () => {
  it("identity.1: equal for one process over time, and different for any other process", async () => {
    const self = identify(process.pid)!;
    expect(isSame(self)).to.equal(true);
    // A child began later than this process. Our own parent may have begun within the same 10 ms as
    // we did.
    const child = spawn(process.execPath, ["--eval", "setInterval(() => {}, 1000)"]);
    await once(child, "spawn");
    expect(self.began).not.to.equal(identify(child.pid!)?.began);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(identify(EXITED.pid)).to.equal(undefined);
  });
});
