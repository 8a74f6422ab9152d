// A connection that the server puts off before its welcome: with which wait it comes back.

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

class Bench {
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

describe("SDK connection: put off before the welcome", () => {
  it("K1: `reconnect` before the welcome names the least wait, and the backoff comes on top of it", () => {
    const bench = new Bench();
    const { connection } = bench;
    connection.onReconnect(7_000, NOW);
    connection.onEnded(1013, NOW + 10);
    const retryAt = NOW + 7_000 + RECONNECT.baseMs / 2;
    expect(connection.retryAt).to.equal(retryAt);
    connection.tick(retryAt, undefined, () => 1);
    bench.hello(retryAt);
    connection.onEnded(1013, retryAt);
    expect(connection.retryAt, "the next has no such wait").to.equal(retryAt + RECONNECT.baseMs);
  });

  it("K1: the wait is believed up to its bound, and a missing close does not lose it", () => {
    const { connection } = new Bench();
    connection.onReconnect(10 * AFTER_MS_MAX, NOW);
    connection.abandon(NOW + 10);
    expect(connection.retryAt).to.equal(NOW + AFTER_MS_MAX + RECONNECT.baseMs / 2);
  });

  it("K1: a wait that ends before a slow return does not shorten it", () => {
    const { connection } = new Bench();
    connection.onReconnect(20, NOW);
    connection.onEnded(4503, NOW);
    const { baseMs } = RECONNECT_SLOWLY;
    expect(connection.retryAt).to.equal(NOW + RECONNECT_SLOWLY_LEAST_MS + baseMs / 2);
  });
});
