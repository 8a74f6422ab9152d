// Breaker: one test for each transition, on a fake clock.

import { expect } from "chai";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { Breaker, BreakerOpen, logTransition, registerBreakers } from "../breaker.ts";
import type { Transition } from "../breaker.ts";
import { Metrics } from "../metrics.ts";

const WAIT_MS = 500;
const AWAY = new Error("refused");
const OWN = new TypeError("own");

describe("Breaker", () => {
  it("breaker.1: closed → open after the last of `failuresMax` failures in a row", async () => {
    const { breaker, fail, succeed, seen } = open();
    await fail();
    await fail();
    await succeed();
    await fail();
    await fail();
    expect(breaker.state).to.equal("closed");
    expect(breaker.probeAt).to.equal(undefined);
    await fail();
    expect(breaker.state).to.equal("open");
    expect(seen).to.deep.equal([
      { dependency: "store", from: "closed", to: "open", reason: "refused" },
    ]);
  });

  it("breaker.1: while open, refuses at once with the time until the probe, and makes no call", async () => {
    const { breaker, clock, opened, refused } = open();
    await opened();
    clock.advance(WAIT_MS - 1);
    const error = await refused();
    expect(error.afterMs).to.equal(1);
    expect(breaker.refused).to.equal(1);
  });

  it("breaker.2: open → half-open with the first call after the wait; calls beside it are refused", async () => {
    const { breaker, clock, opened, refused } = open();
    await opened();
    clock.advance(WAIT_MS);
    expect(breaker.state, "no timer changes it").to.equal("open");
    const probe = Promise.withResolvers<number>();
    const probing = breaker.run(() => probe.promise);
    expect(breaker.state).to.equal("half-open");
    await refused();
    probe.resolve(7);
    expect(await probing).to.equal(7);
  });

  it("breaker.2: half-open → closed after a probe that succeeds", async () => {
    const { breaker, clock, opened, succeed, fail } = open();
    await opened();
    clock.advance(WAIT_MS);
    await succeed();
    expect(breaker.state).to.equal("closed");
    await fail();
    await fail();
    expect(breaker.state, "earlier failures are forgotten").to.equal("closed");
  });

  it("breaker.2: half-open → open after a probe that fails, with a new wait", async () => {
    const { breaker, clock, opened, fail, refused, succeed, seen } = open();
    await opened();
    clock.advance(WAIT_MS);
    await fail();
    expect(breaker.state).to.equal("open");
    expect((await refused()).afterMs).to.equal(WAIT_MS);
    clock.advance(WAIT_MS);
    await succeed();
    expect(seen.map(({ to }) => to)).to.deep.equal([
      "open",
      "half-open",
      "open",
      "half-open",
      "closed",
    ]);
    expect(Object.fromEntries(breaker.transitions)).to.deep.equal({
      closed: 1,
      open: 2,
      "half-open": 2,
    });
  });

  it("breaker.3: errors that are no failure do not open it, reach the caller, and a probe with one closes it", async () => {
    const { breaker, clock, opened, reject } = open();
    for (let n = 0; n < 10; n++) expect(await reject(OWN)).to.equal(OWN);
    expect(breaker.state).to.equal("closed");
    await opened();
    clock.advance(WAIT_MS);
    expect(await reject(OWN)).to.equal(OWN);
    expect(breaker.state).to.equal("closed");
  });

  it("breaker.4: a call from before it opened does not decide a probe, however it ends", async () => {
    const { breaker, clock, opened } = open();
    const late = [Promise.withResolvers<number>(), Promise.withResolvers<number>()] as const;
    const calls = late.map(({ promise }) => breaker.run(() => promise));
    await opened();
    clock.advance(WAIT_MS);
    const probe = Promise.withResolvers<number>();
    const probing = breaker.run(() => probe.promise);
    late[0].reject(AWAY);
    late[1].resolve(1);
    const results = await Promise.allSettled(calls);
    expect(results[0]).to.deep.equal({ status: "rejected", reason: AWAY });
    expect(breaker.state).to.equal("half-open");
    probe.resolve(2);
    await probing;
    expect(breaker.state).to.equal("closed");
  });

  it("breaker.5: a wall clock that jumps neither shortens nor prolongs the wait", async () => {
    const real = Date.now;
    try {
      for (const jump of [-86_400_000, 86_400_000]) {
        const { breaker, clock, opened, refused, succeed } = open();
        await opened();
        Date.now = () => real() + jump;
        clock.advance(WAIT_MS - 1);
        await refused();
        clock.advance(1);
        await succeed();
        expect(breaker.state).to.equal("closed");
        Date.now = real;
      }
    } finally {
      Date.now = real;
    }
  });

  it("shows state, transitions and refusals of each dependency, zeros included", async () => {
    const { breaker, opened, refused } = open();
    const metrics = new Metrics({ service: "test", version: "0" });
    registerBreakers(metrics, [breaker]);
    await opened();
    await refused();
    const text = await metrics.render();
    expect(text).to.contain('parley_breaker_state{dependency="store",state="open"} 1');
    expect(text).to.contain('parley_breaker_state{dependency="store",state="closed"} 0');
    expect(text).to.contain('parley_breaker_transitions_total{dependency="store",state="open"} 1');
    expect(text).to.contain('transitions_total{dependency="store",state="half-open"} 0');
    expect(text).to.contain('parley_breaker_refused_total{dependency="store"} 1');
  });

  it("reports the reasons of all addresses of a host", async () => {
    const seen: (string | undefined)[] = [];
    const breaker = new Breaker({
      dependency: "store",
      clock: new FakeClock(),
      failuresMax: 1,
      waitMs: () => WAIT_MS,
      isFailure: () => true,
      onTransition: ({ reason }) => seen.push(reason),
    });
    const error = new AggregateError([new Error("::1 refused"), new Error("127.0.0.1 refused")]);
    await Promise.allSettled([breaker.run(() => Promise.reject(error))]);
    expect(seen).to.deep.equal(["::1 refused; 127.0.0.1 refused"]);
  });

  it("logs opening and closing; probes during an outage are debug lines", async () => {
    const lines: string[] = [];
    const write = (level: string) => (_: object, message: string) => {
      lines.push(`${level} ${message}`);
    };
    const logger = { debug: write("debug"), info: write("info"), warn: write("warn") };
    const { clock, opened, fail, succeed } = open((change) => logTransition(logger, change));
    await opened();
    clock.advance(WAIT_MS);
    await fail();
    clock.advance(WAIT_MS);
    await succeed();
    expect(lines).to.deep.equal([
      "warn circuit breaker opened",
      "debug circuit breaker probed",
      "debug circuit breaker probed",
      "debug circuit breaker probed",
      "info circuit breaker closed",
    ]);
  });
});

function open(onTransition?: (transition: Transition) => void) {
  const clock = new FakeClock();
  const seen: Transition[] = [];
  const breaker = new Breaker({
    dependency: "store",
    clock,
    failuresMax: 3,
    waitMs: () => WAIT_MS,
    isFailure: (error) => error === AWAY,
    onTransition: onTransition ?? ((transition) => seen.push(transition)),
  });
  const reject = async (error: Error): Promise<unknown> => {
    const [result] = await Promise.allSettled([breaker.run(() => Promise.reject(error))]);
    return result.status === "rejected" ? result.reason : undefined;
  };
  const fail = async (): Promise<void> => {
    expect(await reject(AWAY)).to.equal(AWAY);
  };
  return {
    breaker,
    clock,
    seen,
    reject,
    fail,
    succeed: () => breaker.run(() => Promise.resolve(1)),
    opened: async (): Promise<void> => {
      for (let n = 0; n < 3; n++) await fail();
    },
    refused: async (): Promise<BreakerOpen> => {
      let isCalled = false;
      const [result] = await Promise.allSettled([
        breaker.run(() => Promise.resolve((isCalled = true))),
      ]);
      expect(isCalled).to.equal(false);
      expect(result.status).to.equal("rejected");
      const { reason } = result as PromiseRejectedResult;
      expect(reason).to.be.instanceOf(BreakerOpen);
      return reason as BreakerOpen;
    },
  };
}
