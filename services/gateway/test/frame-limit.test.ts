// FrameLimit, by example: the cost of a frame, and the time of the next one of a connection.

import { expect } from "chai";
import type { UserId } from "#shared/protocol/ids.ts";
import { Admission, RATES } from "../core/admission.ts";
import { CONNECTION_SHARE, FRAME_DEBT_MAX_MS, frameCost, FrameLimit } from "../core/frame-limit.ts";

const ADA = { user: "ada" as UserId, address: "::1" };
const BURST = RATES.frame.burst * CONNECTION_SHARE;
const MS_PER_UNIT = 1_000 / (RATES.frame.perSecond * CONNECTION_SHARE);

describe("FrameLimit", () => {
  it("S12: a frame costs 1, and 1 more for every 8,192 characters", () => {
    const costs = [0, 1, 8_191, 8_192, 16_383, 16_384].map((chars) => frameCost(chars));
    expect(costs).to.deep.equal([1, 1, 1, 2, 2, 3]);
  });

  it("S12: one connection may use half of its user's burst, and waits for each unit beyond it", () => {
    const limit = new FrameLimit(new Admission(true));
    expect(limit.take(BURST, ADA, 0)).to.equal(0);
    expect(limit.take(1, ADA, 0)).to.equal(MS_PER_UNIT);
    expect(limit.take(3, ADA, 0)).to.equal(3 * MS_PER_UNIT);
    expect(limit.take(1, ADA, MS_PER_UNIT - 1)).to.equal(1);
    expect(limit.take(1, ADA, MS_PER_UNIT)).to.equal(0);
    expect(limit.take(1, ADA, MS_PER_UNIT)).to.equal(MS_PER_UNIT);
  });

  it("S12: all connections of a user share one burst, and a refusal of it costs the connection nothing", () => {
    const admission = new Admission(true);
    const [one, two, three] = [1, 2, 3].map(() => new FrameLimit(admission));
    expect([one!.take(BURST, ADA, 0), two!.take(BURST, ADA, 0)]).to.deep.equal([0, 0]);
    expect(three!.take(1, ADA, 0)).to.equal(1_000 / RATES.frame.perSecond);
    expect(three!.take(BURST, undefined, 0), "before the hello there is no user").to.equal(0);
    expect(three!.take(1, undefined, 0)).to.equal(MS_PER_UNIT);
  });

  it("S12: with LIMITS=off, every frame passes at once", () => {
    const limit = new FrameLimit(new Admission(false));
    expect(limit.take(1e9, ADA, 0)).to.equal(0);
    expect(limit.take(1e9, ADA, 0)).to.equal(0);
  });

  it("S12: frames without an answer add to the wait, which ends after FRAME_DEBT_MAX_MS", () => {
    const limit = new FrameLimit(new Admission(true));
    limit.penalize(BURST, 0);
    expect(limit.take(1, ADA, 0)).to.equal(MS_PER_UNIT);
    for (let n = 0; n < 10_000; n++) limit.penalize(1, 0);
    expect(limit.take(1, ADA, 0)).to.equal(FRAME_DEBT_MAX_MS);
  });
});
