// The connection by example: what each input makes of it, with exact waits. No socket, no time.

import { expect } from "chai";
import { RECONNECT, RECONNECT_SLOWLY, RECONNECT_SLOWLY_LEAST_MS } from "../core/bounds.ts";
import { Connection } from "../core/connection.ts";
import type { Effect } from "../core/effects.ts";
import { halfRandom } from "./half-random.ts";

const PING_MS = 25_000;
const AT = 1_795_500_000_000;

class Bench {
  readonly connection: Connection;
  now = 1_000;
  refs = 0;
  asks = 0;
  sockets = 0;

  constructor(options: { canRefresh?: boolean; client?: string } = {}) {
    const { canRefresh = true, client } = options;
    this.connection = new Connection({ canRefresh, client, random: halfRandom });
  }

  readonly newRef = (): number => ++this.refs;

  /** From the request for a token to the welcome. */
  greet(token = "ada"): this {
    const ask = ++this.asks;
    const socket = ++this.sockets;
    const open = this.connection.onToken(ask, token, this.now, this.newRef);
    expect(open).to.deep.equal([{ kind: "open", socket }]);
    this.connection.onOpened(socket);
    this.welcome();
    return this;
  }

  welcome(): readonly Effect[] {
    const welcome = { session: `s${this.sockets}`, user: "ada", at: AT, pingMs: PING_MS };
    return this.connection.onWelcome(welcome, this.now);
  }

  static online(options?: { canRefresh?: boolean; client?: string }): Bench {
    const bench = new Bench(options);
    bench.connection.connect(bench.now);
    return bench.greet();
  }
}

describe("SDK connection: closes", () => {
  it("K4: 1008, 1009, 4501 and 4502 end the connection for good", () => {
    for (const code of [1008, 1009, 4501, 4502, 4999]) {
      const { connection, now } = Bench.online();
      expect(connection.onEnded(code, now), String(code)).to.deep.equal([
        { kind: "state", state: "closed" },
      ]);
      expect(connection.wakeAt(undefined)).to.equal(undefined);
    }
  });

  it("K4: a late hello, an overloaded gateway and a lost connection are followed by another attempt", () => {
    for (const code of [1001, 1006, 1012, 1013, 4000, 4001, 4002]) {
      const { connection, now } = Bench.online();
      expect(connection.onEnded(code, now), String(code)).to.deep.equal([
        { kind: "state", state: "waiting" },
      ]);
      expect(connection.retryAt).to.equal(now + RECONNECT.baseMs / 2);
    }
  });

  it("K4: too many connections is retried after 15 s and more, at most 75 s", () => {
    const bench = Bench.online();
    const { connection } = bench;
    const waits = Array.from({ length: 5 }, () => {
      connection.onEnded(4503, bench.now);
      const wait = connection.retryAt! - bench.now;
      bench.now = connection.retryAt!;
      expect(connection.tick(bench.now - 1, undefined, bench.newRef)).to.deep.equal([]);
      expect(connection.tick(bench.now, undefined, bench.newRef)).to.have.length(2);
      bench.greet();
      return wait;
    });
    const least = RECONNECT_SLOWLY_LEAST_MS;
    const { baseMs, capMs } = RECONNECT_SLOWLY;
    expect(waits).to.deep.equal([
      least + baseMs / 2,
      least + baseMs,
      least + capMs / 2,
      least + capMs / 2,
      least + capMs / 2,
    ]);
  });

  it("K4: a bad token is answered by one new token, and a second one in a row is the end", () => {
    const bench = Bench.online();
    const { connection, now } = bench;
    expect(connection.onEnded(4500, now)).to.deep.equal([
      { kind: "state", state: "connecting" },
      { kind: "ask-token", ask: 2 },
    ]);
    bench.asks = 1;
    connection.onToken(2, "ada", now, bench.newRef);
    connection.onOpened(2);
    expect(connection.onEnded(4500, now)).to.deep.equal([{ kind: "state", state: "closed" }]);
  });

  it("K4: without a way to get a new token, a bad one and one that ended are the end", () => {
    for (const code of [4003, 4500]) {
      const { connection, now } = Bench.online({ canRefresh: false });
      expect(connection.onEnded(code, now)).to.deep.equal([{ kind: "state", state: "closed" }]);
    }
  });

  it("K4: after the end of its token it comes back with a new one, as after any other close", () => {
    const { connection, now, newRef } = Bench.online();
    expect(connection.onEnded(4003, now)).to.deep.equal([{ kind: "state", state: "waiting" }]);
    expect(connection.retryAt).to.equal(now + RECONNECT.baseMs / 2);
    expect(connection.tick(connection.retryAt!, undefined, newRef)).to.deep.equal([
      { kind: "state", state: "connecting" },
      { kind: "ask-token", ask: 2 },
    ]);
  });
});
