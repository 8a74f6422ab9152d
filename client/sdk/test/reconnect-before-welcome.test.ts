// The wait of a connection after a `reconnect` that comes before the welcome.

import { expect } from "chai";
import {
  AFTER_MS_MAX,
  RECONNECT,
  RECONNECT_SLOWLY,
  RECONNECT_SLOWLY_LEAST_MS,
} from "../core/bounds.ts";
import { Connection } from "../core/connection.ts";
import { halfRandom } from "./half-random.ts";

const NOW = 1_000;

class ConnectionFixture {
  readonly connection = new Connection({ canRefresh: true, random: halfRandom });
  #asks = 0;

  constructor() {
    this.connection.connect(NOW);
    this.hello(NOW);
  }

  /** From the token to the hello. */
  hello(now: number): void {
    const ask = ++this.#asks;
    this.connection.onToken(ask, "ada", now, () => 1);
    this.connection.onOpened(ask);
  }
}

describe("SDK connection: `reconnect` before the welcome", () => {
  it("K1: `reconnect` before the welcome names the minimum wait, and the backoff is added", () => {
    const fixture = new ConnectionFixture();
    const { connection } = fixture;
    connection.onReconnect(7_000, NOW);
    connection.onEnded(1013, NOW + 10);
    const retryAt = NOW + 7_000 + RECONNECT.baseMs / 2;
    expect(connection.retryAt).to.equal(retryAt);
    connection.tick(retryAt, undefined, () => 1);
    fixture.hello(retryAt);
    connection.onEnded(1013, retryAt);
    expect(connection.retryAt, "the next attempt has no minimum").to.equal(
      retryAt + RECONNECT.baseMs,
    );
  });

  it("K1: the wait is bounded, and counts also without a close", () => {
    const { connection } = new ConnectionFixture();
    connection.onReconnect(10 * AFTER_MS_MAX, NOW);
    connection.abandon(NOW + 10);
    expect(connection.retryAt).to.equal(NOW + AFTER_MS_MAX + RECONNECT.baseMs / 2);
  });

  it("K1: a shorter wait does not shorten the slow reconnect", () => {
    const { connection } = new ConnectionFixture();
    connection.onReconnect(20, NOW);
    connection.onEnded(4503, NOW);
    const { baseMs } = RECONNECT_SLOWLY;
    expect(connection.retryAt).to.equal(NOW + RECONNECT_SLOWLY_LEAST_MS + baseMs / 2);
  });
});
