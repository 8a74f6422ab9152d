// The fake clock fulfils the clock's contract, and moves only when a test advances it.

import { expect } from "chai";
import * as fc from "fast-check";
import { FakeClock } from "../fake-clock.ts";
import { until, waitOn, within } from "../wait.ts";

describe("Fake clock", () => {
  it("clock.2: timers fire in the order of their time, timers of one moment in the order of arming", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(50), { maxLength: 40 }),
        fc.array(fc.nat(20)),
        (delays, steps) => {
          const clock = new FakeClock();
          const fired: { due: number; order: number; at: number }[] = [];
          for (const [order, due] of delays.entries()) {
            clock.after(due, () => fired.push({ due, order, at: clock.monotonic() }));
          }
          for (const step of [...steps, 50]) clock.advance(step);
          expect(fired.map(({ order }) => order)).to.deep.equal(
            delays
              .map((due, order) => ({ due, order }))
              .sort((a, b) => a.due - b.due || a.order - b.order)
              .map(({ order }) => order),
          );
          for (const { due, at } of fired) expect(at).to.equal(due);
          expect(clock.armed).to.equal(0);
        },
      ),
    );
  });

  it("clock.2: a cancelled timer never fires, and cancel may be repeated", () => {
    const clock = new FakeClock();
    let runs = 0;
    const [once, often] = [clock.after(10, () => runs++), clock.every(10, () => runs++)];
    clock.advance(5);
    once.cancel();
    once.cancel();
    clock.advance(25);
    expect(runs).to.equal(3);
    often.cancel();
    clock.advance(1_000);
    expect(runs).to.equal(3);
  });

  it("clock.3: soon runs before any timer, also a soon that a timer requested", () => {
    const clock = new FakeClock();
    const order: string[] = [];
    clock.after(0, () => order.push("timer at 0"));
    clock.after(1, () => {
      order.push("timer at 1");
      clock.soon(() => order.push("soon of it"));
    });
    clock.after(1, () => order.push("second timer at 1"));
    clock.soon(() => clock.soon(() => order.push("soon of soon")));
    clock.advance(1);
    expect(order).to.deep.equal([
      "soon of soon",
      "timer at 0",
      "timer at 1",
      "soon of it",
      "second timer at 1",
    ]);
  });

  it("clock.1: the wall clock may jump; timers and the monotonic clock are not affected", () => {
    const clock = new FakeClock(1_000);
    let runs = 0;
    clock.after(10, () => runs++);
    clock.jump(-500);
    expect([clock.now(), clock.monotonic()]).to.deep.equal([500, 0]);
    clock.jump(3_600_000);
    clock.advance(9);
    expect(runs).to.equal(0);
    clock.advance(1);
    expect([runs, clock.now(), clock.monotonic()]).to.deep.equal([1, 3_600_510, 10]);
  });
});

describe("Waiting", () => {
  it("wait.1: until ends as soon as the condition holds, or names the condition", async () => {
    let polls = 0;
    await until(() => ++polls === 3, { withinMs: 5_000, what: "three polls" });
    expect(polls).to.equal(3);
    const error = await until(() => false, { withinMs: 20, what: "pigs to fly" }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(String(error)).to.include("pigs to fly");
  });

  it("wait.1: until pauses for everyMs between two looks", async () => {
    const clock = new FakeClock();
    waitOn(clock);
    try {
      let looks = 0;
      const seen = until(() => ++looks === 3, { withinMs: 5_000, everyMs: 100, what: "a look" });
      const look = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
      await look();
      for (let passed = 50; passed <= 200; passed += 50) {
        clock.advance(50);
        // oxlint-disable-next-line no-await-in-loop -- the look follows the timer in microtasks
        await look();
        expect(looks).to.equal(1 + Math.floor(passed / 100));
      }
      await seen;
    } finally {
      waitOn();
    }
  });

  it("wait.1: within returns the value, the rejection, or an error that names the promise", async () => {
    expect(await within(Promise.resolve(7), { withinMs: 5_000, what: "seven" })).to.equal(7);
    const never = new Promise<never>(() => {});
    const outcomes = await Promise.allSettled([
      within(never, { withinMs: 20, what: "pigs to fly" }),
      within(Promise.reject(new Error("its own")), { withinMs: 5_000, what: "nothing" }),
    ]);
    expect(outcomes.map((outcome) => outcome.status === "rejected" && String(outcome.reason)))
      .to.have.property("0")
      .that.includes("pigs to fly");
    expect(outcomes[1]).to.have.property("reason").that.has.property("message", "its own");
  });
});
