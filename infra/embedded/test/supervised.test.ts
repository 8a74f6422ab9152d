// Supervised, with fake processes that the test ends.

import { expect } from "chai";
import { until } from "#shared/testing/wait.ts";
import { Supervised } from "../supervised.ts";
import type { Running } from "../supervised.ts";

const RESTART_MS = 30;

interface FakeProcess extends Running {
  readonly signals: NodeJS.Signals[];
  end(how: string): void;
}

function fakeProcess(pid: number, endsOn?: NodeJS.Signals): FakeProcess {
  const { promise: ended, resolve: end } = Promise.withResolvers<string>();
  const signals: NodeJS.Signals[] = [];
  const signal = (name: NodeJS.Signals): void => {
    signals.push(name);
    if (name === endsOn) end(`signal ${name}`);
  };
  return { pid, ended, signal, end, signals };
}

function supervisedFixture(
  options: { readonly restart?: boolean; readonly failing?: number } = {},
) {
  const launched: FakeProcess[] = [];
  const printed: string[] = [];
  let failures = options.failing ?? 0;
  const supervised = new Supervised({
    name: "room-1",
    restart: options.restart ?? true,
    restartMs: RESTART_MS,
    say: (line) => printed.push(line),
    onChange: () => undefined,
    launch: async () => {
      if (launched.length > 0 && failures-- > 0) throw new Error("port taken");
      const running = fakeProcess(launched.length + 1, "SIGTERM");
      launched.push(running);
      return running;
    },
  });
  return { supervised, launched, printed };
}

const relaunched = (launched: FakeProcess[], count: number): Promise<void> =>
  until(() => launched.length === count, { withinMs: 10_000, what: `launch ${count}` });

describe("Supervised", () => {
  it("supervised.1: reports a process that ends by itself, and launches it again", async () => {
    const { supervised, launched, printed } = supervisedFixture();
    await supervised.start();
    launched[0]!.end("signal SIGKILL");
    await relaunched(launched, 2);
    expect(supervised.running?.pid).to.equal(2);
    expect(printed[0]).to.contain("room-1 ended (signal SIGKILL)");
    await supervised.stop("SIGTERM", 1_000);
  });

  it("supervised.1: repeats a launch that fails, and reports each failure", async () => {
    const { supervised, launched, printed } = supervisedFixture({ failing: 1 });
    await supervised.start();
    launched[0]!.end("code 1");
    await relaunched(launched, 2);
    expect(printed.filter((line) => line.includes("did not start: port taken"))).to.have.length(1);
    await supervised.stop("SIGTERM", 1_000);
  });

  it("supervised.1: without restarts the process stays down", async () => {
    const { supervised, launched, printed } = supervisedFixture({ restart: false });
    await supervised.start();
    launched[0]!.end("code 70");
    await until(() => printed.length === 1, { withinMs: 5_000, what: "the report" });
    expect(printed[0]).to.contain("stays down");
    expect(supervised.running).to.equal(undefined);
  });

  it("supervised.2: a stop cancels a pending restart", async () => {
    const { supervised, launched } = supervisedFixture();
    await supervised.start();
    launched[0]!.end("code 1");
    await until(() => supervised.running === undefined, { withinMs: 5_000, what: "its end" });
    await supervised.stop("SIGTERM", 1_000);
    // A restart that begins to wait later: timers of one length fire in order.
    const later = supervisedFixture();
    await later.supervised.start();
    later.launched[0]!.end("code 1");
    await until(() => later.launched.length === 2, { withinMs: 5_000, what: "a later restart" });
    expect(launched).to.have.length(1);
  });

  it("supervised.2: a process that ignores the signal is killed after the deadline", async () => {
    const printed: string[] = [];
    const stuck = fakeProcess(1, "SIGKILL");
    const supervised = new Supervised({
      name: "gateway-1",
      restart: true,
      say: (line) => printed.push(line),
      onChange: () => undefined,
      launch: () => Promise.resolve(stuck),
    });
    await supervised.start();
    await supervised.stop("SIGTERM", 50);
    expect(stuck.signals).to.deep.equal(["SIGTERM", "SIGCONT", "SIGKILL"]); // Also supervised.3.
    expect(printed[0]).to.contain("did not stop within 50 ms");
  });

  it("supervised.2: a stop during a launch aborts it, and ends a process that it still starts", async () => {
    const late = fakeProcess(1, "SIGTERM");
    let aborted = false;
    const { promise, resolve } = Promise.withResolvers<Running>();
    const supervised = new Supervised({
      name: "room-1",
      restart: true,
      say: () => undefined,
      onChange: () => undefined,
      launch: (abort) => {
        abort.addEventListener("abort", () => (aborted = true));
        return promise;
      },
    });
    const started = supervised.start();
    const stopped = supervised.stop("SIGTERM", 1_000);
    resolve(late);
    await Promise.all([started, stopped]);
    expect(aborted).to.equal(true);
    expect(late.signals).to.include("SIGTERM");
    expect(supervised.running).to.equal(undefined);
  });
});
