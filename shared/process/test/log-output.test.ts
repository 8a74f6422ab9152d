// LogOutput: with a simulated descriptor, and in real processes whose log reader stalls or exits.
// The process continues, and ends on SIGTERM.

import { expect } from "chai";
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { until, within } from "#shared/testing/wait.ts";
import { LogOutput } from "../log-output.ts";

const WITHIN_MS = 60_000;
/** Four times the capacity of a pipe plus the output's buffer. */
const FLOOD_LINES = 5_000;
const LINE_CHARS = 1_000;

/** A descriptor that accepts `room` bytes; a write beyond them throws `error`. */
function descriptor(): { room: number; error: string; text: string; write(b: Uint8Array): number } {
  return {
    room: 0,
    error: "EAGAIN",
    text: "",
    write(bytes) {
      if (this.room === 0) throw Object.assign(new Error(this.error), { code: this.error });
      const taken = bytes.subarray(0, this.room);
      this.room -= taken.length;
      this.text += new TextDecoder().decode(taken);
      return taken.length;
    },
  };
}

describe("LogOutput", () => {
  for (const error of ["EAGAIN", "EPIPE", "ENOSPC"]) {
    it(`log-output.3: after ${error} lines wait, whole and in order, and lines beyond the bound are counted`, async () => {
      const fd = descriptor();
      fd.error = error;
      const output = new LogOutput((bytes) => fd.write(bytes), 12);
      const lost: number[] = [];
      output.onDropped = (count) => void lost.push(count);
      fd.room = 2;
      for (const line of ["one\n", "two\n", "three\n", "four\n", "5\n"]) output.write(line);
      expect(fd.text).to.equal("on");
      expect(output.waiting).to.equal(12); // "e\n", "two\n" and "three\n"; log-output.2.
      expect(output.dropped).to.equal(2);
      fd.room = Infinity;
      await until(() => lost.length > 0, { withinMs: WITHIN_MS, what: "the report of the loss" });
      expect(fd.text).to.equal("one\ntwo\nthree\n");
      expect(lost).to.deep.equal([2]);
      output.write("6\n");
      expect(fd.text).to.equal("one\ntwo\nthree\n6\n");
      expect([output.waiting, output.dropped, lost]).to.deep.equal([0, 2, [2]]);
    });
  }

  it("log-output.4: at exit, waits a bounded time for the waiting lines", () => {
    const fd = descriptor();
    const output = new LogOutput((bytes) => fd.write(bytes));
    output.write("one\n");
    let tries = 0;
    const refuse = fd.write.bind(fd);
    fd.write = (bytes) => {
      if (++tries === 3) fd.room = Infinity; // The reader was only slow.
      return refuse(bytes);
    };
    output.end();
    expect(fd.text).to.equal("one\n");
    fd.room = 0;
    output.write("two\n");
    output.end(); // The test passes if this returns.
    expect(output.waiting).to.equal(4);
  });
});

/**
 * A small service: when it receives a number it logs that many lines and answers with the number.
 */
function forkService(): ChildProcess {
  const program = `
    import { createLogger } from "#shared/process/logger.ts";
    import { Shutdown } from "#shared/process/shutdown.ts";
    const logger = createLogger({ name: "child", level: "info" });
    new Shutdown(logger, { deadlineMs: 10_000 }).listen();
    setInterval(() => {}, 1_000);
    process.on("message", (lines) => {
      for (let n = 1; n <= lines; n++) logger.info({ n, text: "x".repeat(${LINE_CHARS}) }, "line");
      setTimeout(() => process.send(lines), 20);
    });
    process.send(0);`;
  return fork("-", [], {
    execArgv: ["--input-type=module-typescript", "--eval", program],
    cwd: new URL("../../..", import.meta.url),
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
}

async function answer(child: ChildProcess, what: string): Promise<void> {
  await within(once(child, "message"), { withinMs: WITHIN_MS, what });
}

describe("A process whose log reader fails", function () {
  this.timeout(4 * WITHIN_MS);

  let child: ChildProcess;
  beforeEach(async () => {
    child = forkService();
    await answer(child, "the child to be up");
  });
  afterEach(() => void child.kill("SIGKILL"));

  const exit = (): Promise<[number | null, string | null]> =>
    within(once(child, "exit") as Promise<[number | null, string | null]>, {
      withinMs: WITHIN_MS,
      what: "the child to end",
    });

  it("E9: with a reader that never reads, log lines are dropped; the process answers, and ends on SIGTERM", async () => {
    child.stdout?.pause();
    child.send(FLOOD_LINES);
    await answer(child, "the child to answer after the flood");
    const ended = exit();
    child.kill("SIGTERM");
    expect(await ended).to.deep.equal([0, null]);
  });

  it("E9: with a reader that closed the pipe, log lines are dropped; the process answers, and ends on SIGTERM", async () => {
    child.stdout?.destroy();
    child.send(FLOOD_LINES);
    await answer(child, "the child to answer after the flood");
    const ended = exit();
    child.kill("SIGTERM");
    expect(await ended).to.deep.equal([0, null]);
  });

  it("shutdown.4: a child that loses its supervisor and its log reader at once ends by itself", async () => {
    child.stdout?.destroy();
    const ended = exit();
    child.disconnect();
    expect(await ended).to.deep.equal([0, null]);
  });

  it("E9, logger.4: a reader that resumes gets whole lines in order, and the number of dropped lines", async () => {
    child.stdout?.pause();
    child.send(FLOOD_LINES);
    await answer(child, "the child to answer after the flood");
    const ns: number[] = [];
    let dropped: number | undefined;
    createInterface(child.stdout!).on("line", (text) => {
      const line = JSON.parse(text) as { n?: number; lines?: number; msg: string };
      if (line.msg === "line") ns.push(line.n!);
      else if (line.msg === "log lines were dropped") dropped = line.lines;
    });
    child.stdout?.resume();
    await until(() => dropped !== undefined, { withinMs: WITHIN_MS, what: "the report" });
    expect(ns).to.deep.equal(ns.map((_, i) => i + 1));
    expect(dropped).to.be.greaterThan(0);
    expect(ns.length + dropped!).to.equal(FLOOD_LINES);
  });
});
