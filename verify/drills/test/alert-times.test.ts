import { expect } from "chai";
import { AlertTimes } from "../alert-times.ts";
import type { SeenAlert } from "../alert-times.ts";

const pending = (name: string, activeAt: number): SeenAlert => ({
  name,
  state: "pending",
  activeAt,
});
const firing = (name: string, activeAt: number): SeenAlert => ({ name, state: "firing", activeAt });

describe("Alert times", () => {
  it("alert-times.2: an episode lasts from the condition to the first answer without the alert", () => {
    const times = new AlertTimes();
    times.take([pending("Down", 90)], 100);
    expect([times.isQuiet("Down"), times.isSilent]).to.deep.equal([false, false]);
    expect(times.firedSince("Down", 0)).to.equal(undefined);
    times.take([firing("Down", 90)], 110);
    times.take([firing("Down", 90)], 120);
    const episode = { name: "Down", conditionAt: 90, firedAt: 110 };
    expect(times.firedSince("Down", 0)).to.deep.equal({ ...episode, resolvedAt: undefined });
    times.take([], 130);
    expect([times.isQuiet("Down"), times.isSilent]).to.deep.equal([true, true]);
    expect(times.firedSince("Down", 0)).to.deep.equal({ ...episode, resolvedAt: 130 });
    expect(times.firedSince("Down", 111)).to.equal(undefined);
  });

  it("alert-times.2: a condition that ends before the alert fires is no episode", () => {
    const times = new AlertTimes();
    times.take([pending("Down", 90)], 100);
    times.take([], 110);
    times.take([firing("Down", 115)], 120);
    expect(times.episodesSince(0)).to.deep.equal([
      { name: "Down", conditionAt: 115, firedAt: 120, resolvedAt: undefined },
    ]);
  });

  it("alert-times.1: the label sets of one alert make one episode, from the first to the last", () => {
    const times = new AlertTimes();
    times.take([pending("Fills", 95), firing("Fills", 90)], 100);
    times.take([firing("Fills", 95)], 110);
    times.take([firing("Other", 111)], 120);
    expect(times.episodesSince(0)).to.deep.equal([
      { name: "Fills", conditionAt: 90, firedAt: 100, resolvedAt: 120 },
      { name: "Other", conditionAt: 111, firedAt: 120, resolvedAt: undefined },
    ]);
  });
});
