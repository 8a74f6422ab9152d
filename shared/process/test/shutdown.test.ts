// Shutdown: its order in the test's own process, its signals and exits in real children.

import { expect } from "chai";
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { pino } from "pino";
import { EXIT_REPLACED, Shutdown } from "../shutdown.ts";

const quiet = pino({ level: "silent" });

function collectExits(deadlineMs = 5_000): { shutdown: Shutdown; exits: number[] } {
  const exits: number[] = [];
  return { shutdown: new Shutdown(quiet, { deadlineMs, exit: (code) => exits.push(code) }), exits };
}

/** A child that runs `body` with a Shutdown and sends "up" when it is ready. */
function forkChild(body: string): ChildProcess {
  const program = `
    import { createLogger } from "#shared/process/logger.ts";
    import { Shutdown } from "#shared/process/shutdown.ts";
    const shutdown = new Shutdown(createLogger({ name: "child" }), { deadlineMs: 500 });
    shutdown.listen();
    setInterval(() => {}, 1000);
    process.on("message", () => {});
    ${body}
    process.send("up");`;
  return fork("-", [], {
    execArgv: ["--input-type=module-typescript", "--eval", program],
    cwd: new URL("../../..", import.meta.url),
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
}

async function outputAndCode(child: ChildProcess): Promise<{ text: string; code: number | null }> {
  // Not "close": Node does not emit it for a child whose channel the parent has disconnected.
  const exit = once(child, "exit") as Promise<[number | null]>;
  let text = "";
  for await (const chunk of child.stdout ?? []) text += String(chunk);
  return { text, code: (await exit)[0] };
}

describe("Shutdown", () => {
  it("shutdown.1: runs stops one after the other, in reverse order of add", async () => {
    const { shutdown, exits } = collectExits();
    const order: string[] = [];
    for (const name of ["bus", "owner", "server"]) {
      shutdown.add(name, async () => {
        order.push(`${name} begins`);
        await new Promise((resolve) => setImmediate(resolve));
        order.push(`${name} ends`);
      });
    }
    await shutdown.stop("test");
    expect(order).to.deep.equal(
      ["server", "owner", "bus"].flatMap((name) => [`${name} begins`, `${name} ends`]),
    );
    expect(exits).to.deep.equal([0]);
  });

  it("shutdown.1: runs the other stops after one that fails, and exits with 1", async () => {
    const { shutdown, exits } = collectExits();
    let stopped = false;
    shutdown.add("bus", async () => void (stopped = true));
    shutdown.add("server", () => Promise.reject(new Error("stuck")));
    await shutdown.stop("test");
    expect(stopped).to.equal(true);
    expect(exits).to.deep.equal([1]);
  });

  it("shutdown.1: runs each stop once for two calls of stop", async () => {
    const { shutdown, exits } = collectExits();
    let count = 0;
    shutdown.add("server", async () => void count++);
    await Promise.all([shutdown.stop("a"), shutdown.stop("b")]);
    expect([count, exits]).to.deep.equal([1, [0]]);
  });

  it("shutdown.2: exits with 1 at the deadline when a stop hangs", async () => {
    const child = forkChild(`shutdown.add("server", () => new Promise(() => {}));`);
    await once(child, "message");
    const ended = outputAndCode(child);
    child.kill("SIGTERM");
    const { text, code } = await ended;
    expect(code).to.equal(1);
    expect(text).to.contain("stopping took too long");
  });

  it("shutdown.2: stops in order and exits with 0 on SIGTERM", async () => {
    const child = forkChild(`shutdown.add("server", async () => console.log("server stopped"));`);
    await once(child, "message");
    const ended = outputAndCode(child);
    child.kill("SIGTERM");
    const { text, code } = await ended;
    expect(code).to.equal(0);
    expect(text).to.contain("server stopped");
  });

  for (const [what, throwing] of [
    ["uncaught exception", `setTimeout(() => { throw new Error("broken"); }, 1);`],
    ["unhandled rejection", `setTimeout(() => void Promise.reject(new Error("broken")), 1);`],
  ] as const) {
    it(`shutdown.3: an ${what} is logged as fatal, flushed, and exits with 70`, async () => {
      const { text, code } = await outputAndCode(forkChild(throwing));
      expect(code).to.equal(70);
      const fatal = text.split("\n").find((line) => line.includes('"fatal"')) ?? "";
      expect(fatal).to.contain(what).and.to.contain("broken");
    });
  }

  it("shutdown.4: a child whose supervisor exited stops by itself", async () => {
    const child = forkChild(`shutdown.add("server", async () => console.log("server stopped"));`);
    await once(child, "message");
    const ended = outputAndCode(child);
    child.disconnect();
    const { text, code } = await ended;
    expect(code).to.equal(0);
    expect(text).to.contain("server stopped");
  });

  it("E13: a process that is replaced exits with 75, and with 1 when a stop failed", async () => {
    for (const [fails, code] of [
      [false, 75],
      [true, 1],
    ] as const) {
      const { shutdown, exits } = collectExits();
      shutdown.add("part", () => (fails ? Promise.reject(new Error("no")) : Promise.resolve()));
      await shutdown.stop("the heap is full", EXIT_REPLACED);
      expect(exits).to.deep.equal([code]);
    }
  });
});
