import { expect } from "chai";
import type { LastOutcome } from "#shared/ports/log.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { CATCH_UP_MS, catchUp } from "../runtime/catch-up.ts";

describe("CatchUp", () => {
  function catchUpFixture(outcome: LastOutcome) {
    const clock = new FakeClock();
    let watermark = 10;
    let isOver = false;
    void catchUp({
      clock,
      log: { last: () => Promise.resolve(outcome) },
      assigned: () => [[0, watermark]],
    }).then(() => (isOver = true));
    return {
      at: async (seq: number, passMs: number): Promise<boolean> => {
        watermark = seq;
        for (let i = 0; i < 3; i++) await Promise.resolve();
        clock.advance(passMs);
        for (let i = 0; i < 8; i++) await Promise.resolve();
        return isOver;
      },
    };
  }

  it("catch-up.1: waits for the entries that were in the log when it began", async () => {
    const { at } = catchUpFixture({ kind: "ok", first: 1, last: 30, bytes: 0 });
    expect(await at(10, 60)).to.equal(false);
    expect(await at(29, 60)).to.equal(false);
    expect(await at(30, 60)).to.equal(true);
  });

  it("catch-up.1: waits neither without end nor for a log that does not answer", async () => {
    const { at } = catchUpFixture({ kind: "ok", first: 1, last: 30, bytes: 0 });
    expect(await at(10, 100)).to.equal(false);
    expect(await at(10, CATCH_UP_MS)).to.equal(true);
    expect(await catchUpFixture({ kind: "unknown", reason: "away" }).at(10, 60)).to.equal(true);
  });
});
