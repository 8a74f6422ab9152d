// Refresh, by example: when a renewal is due, and the effect of each answer.

import { expect } from "chai";
import { CONNECT_TIMEOUT_MS, REFRESH_AHEAD_MS, RETRY } from "../core/bounds.ts";
import { Refresh } from "../core/refresh.ts";
import { halfRandom } from "./half-random.ts";

const NOW = 5_000;
const HOUR = 3_600_000;

function due(lifeMs: number | undefined): Refresh {
  const refresh = new Refresh(halfRandom);
  refresh.begin(lifeMs, NOW);
  return refresh;
}

describe("Refresh", () => {
  it("refresh.1: it is due a minute before the expiry, at three quarters of a short validity, not within a second", () => {
    const waits = [HOUR, 4 * REFRESH_AHEAD_MS, 100_000, 1_334, 1_000, 0, -HOUR].map(
      (lifeMs) => due(lifeMs).wakeAt! - NOW,
    );
    const ahead = HOUR - REFRESH_AHEAD_MS;
    expect(waits).to.deep.equal([ahead, 180_000, 75_000, 1_000.5, 1_000, 1_000, 1_000]);
  });

  it("refresh.1: nothing is due before the first token, for a token without an expiry, and after a stop", () => {
    const refresh = new Refresh(halfRandom);
    expect(refresh.wakeAt).to.equal(undefined);
    expect(refresh.tick(HOUR, 1)).to.equal(false);
    expect(due(undefined).wakeAt).to.equal(undefined);
    const stopped = due(HOUR);
    stopped.stop();
    expect(stopped.wakeAt).to.equal(undefined);
    expect(stopped.tick(NOW + HOUR, 1)).to.equal(false);
  });

  it("refresh.3: the token function is called once when it is due, and its token is sent once", () => {
    const refresh = due(1_000);
    const at = NOW + 1_000;
    expect(refresh.tick(at - 1, 7)).to.equal(false);
    expect(refresh.tick(at, 7)).to.equal(true);
    expect(refresh.wakeAt).to.equal(at + CONNECT_TIMEOUT_MS);
    expect(refresh.tick(at + 1, 8)).to.equal(false);
    expect([refresh.isAsking(7), refresh.isAsking(8)]).to.deep.equal([true, false]);
    expect(refresh.onToken(8, 40, at)).to.equal(false);
    expect(refresh.hasSent(40)).to.equal(false);
    expect(refresh.onToken(7, 41, at + 10)).to.equal(true);
    expect([refresh.hasSent(41), refresh.hasSent(40)]).to.deep.equal([true, false]);
    expect(refresh.isAsking(7)).to.equal(false);
    expect(refresh.onToken(7, 42, at + 11)).to.equal(false);
    expect(refresh.wakeAt).to.equal(at + 10 + CONNECT_TIMEOUT_MS);
  });

  it("refresh.2: a failed attempt is repeated after a second and a backoff that grows to its maximum", () => {
    const refresh = due(1_000);
    const waits = Array.from({ length: 7 }, () => {
      refresh.onFailed(NOW);
      return refresh.wakeAt! - NOW - 1_000;
    });
    const cap = RETRY.capMs / 2;
    expect(waits).to.deep.equal([250, 500, 1_000, 2_000, 4_000, cap, cap]);
    refresh.begin(HOUR, NOW);
    refresh.onFailed(NOW);
    expect(refresh.wakeAt! - NOW - 1_000, "a success restarts the backoff").to.equal(250);
  });

  it("refresh.2: a missing answer of the token function or the server is a failure at the deadline", () => {
    const at = NOW + 1_000;
    const asking = due(1_000);
    asking.tick(at, 1);
    expect(asking.tick(at + CONNECT_TIMEOUT_MS - 1, 2)).to.equal(false);
    expect(asking.isAsking(1)).to.equal(true);
    expect(asking.tick(at + CONNECT_TIMEOUT_MS, 2)).to.equal(false);
    expect(asking.isAsking(1)).to.equal(false);
    expect(asking.wakeAt).to.equal(at + CONNECT_TIMEOUT_MS + 1_250);

    const sent = due(1_000);
    sent.tick(at, 1);
    sent.onToken(1, 5, at);
    sent.tick(at + CONNECT_TIMEOUT_MS, 2);
    expect(sent.hasSent(5)).to.equal(false);
    expect(sent.wakeAt).to.equal(at + CONNECT_TIMEOUT_MS + 1_250);
  });
});
