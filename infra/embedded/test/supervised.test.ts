// Supervised, with processes that are ended by hand.

import { expect } from "chai";
import { until } from "#shared/testing/wait.ts";
import { Supervised } from "../supervised.ts";
import type { Running } from "../supervised.ts";

const RESTART_MS = 30;

interface Puppet extends Running {
  readonly signals: NodeJS.Signals[];
  end(how: string): void;
}

function puppet(pid: number, endsOn?: NodeJS.Signals): Puppet {
  const { promise: ended, resolve: end } = Promise.withResolvers<string>();
  const signals: NodeJS.Signals[] = [];
  const signal = (name: NodeJS.Signals): void => {
    signals.push(name);
    if (name === endsOn) end(`signal ${name}`);
  };
  return { pid, ended, signal, end, signals };
}

function world(options: { readonly restart?: boolean; readonly failing?: number } = {}) {
  const launched: Puppet[] = [];
  const said: string[] = [];
  let failures = options.failing ?? 0;
  const supervised = new Supervised({
    name: "room-1",
    restart: options.restart ?? true,
    restartMs: RESTART_MS,
    say: (line) => said.push(line),
    onChange: () => undefined,
    launch: async () => {
      if (launched.length > 0 && failures-- > 0) throw new Error("port taken");
      const running = puppet(launched.length + 1, "SIGTERM");
      launched.push(running);
      return running;
    },
  });
  return { supervised, launched, said };
}

const back = (launched: Puppet[], count: number): Promise<void> =>
  until(() => launched.length === count, { withinMs: 10_000, what: `launch ${count}` });

describe("Supervised", () => {
  it("supervised.1: a process that ends by itself is reported and launched again", async () => {
    const { supervised, launched, said } = world();
    await supervised.start();
    launched[0]!.end("signal SIGKILL");
    await back(launched, 2);
    expect(supervised.running?.pid).to.equal(2);
    expect(said[0]).to.contain("room-1 ended (signal SIGKILL)");
    await supervised.stop("SIGTERM", 1_000);
  });

  it("supervised.1: a launch that fails is tried again, and each failure is reported", async () => {
    const { supervised, launched, said } = world({ failing: 1 });
    await supervised.start();
    launched[0]!.end("code 1");
    await back(launched, 2);
    expect(said.filter((line) => line.includes("did not start: port taken"))).to.have.length(1);
    await supervised.stop("SIGTERM", 1_000);
  });

  it("supervised.1: without restart it stays down", async () => {
    const { supervised, launched, said } = world({ restart: false });
    await supervised.start();
    launched[0]!.end("code 70");
    await until(() => said.length === 1, { withinMs: 5_000, what: "the report" });
    expect(said[0]).to.contain("stays down");
    expect(supervised.running).to.equal(undefined);
  });

  it("supervised.2: a stop cancels a restart that was due", async () => {
    const { supervised, launched } = world();
    await supervised.start();
    launched[0]!.end("code 1");
    await until(() => supervised.running === undefined, { withinMs: 5_000, what: "its end" });
    await supervised.stop("SIGTERM", 1_000);
    // That nothing is launched has no condition to wait for; the restart was due after one of these.
    await new Promise((resolve) => setTimeout(resolve, 3 * RESTART_MS));
    expect(launched).to.have.length(1);
  });

  it("supervised.2: one that does not listen is killed after the deadline", async () => {
    const said: string[] = [];
    const deaf = puppet(1, "SIGKILL");
    const supervised = new Supervised({
      name: "gateway-1",
      restart: true,
      say: (line) => said.push(line),
      onChange: () => undefined,
      launch: () => Promise.resolve(deaf),
    });
    await supervised.start();
    await supervised.stop("SIGTERM", 50);
    expect(deaf.signals).to.deep.equal(["SIGTERM", "SIGCONT", "SIGKILL"]); // supervised.3 too.
    expect(said[0]).to.contain("did not stop within 50 ms");
  });

  it("supervised.2: a stop during a launch aborts it, and ends what came of it all the same", async () => {
    const late = puppet(1, "SIGTERM");
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
