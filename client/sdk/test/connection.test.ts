// The connection by example: what each input makes of it, with exact waits. No socket, no time.

import { expect } from "chai";
import {
  AFTER_MS_MAX,
  ANSWER_SILENCE_MS,
  CONNECT_TIMEOUT_MS,
  LEAVING_GRACE_MS,
  RECONNECT,
  RECONNECT_SLOWLY,
  RECONNECT_SLOWLY_LEAST_MS,
  REFRESH_AHEAD_MS,
  STEADY_MS,
} from "../core/bounds.ts";
import { Connection } from "../core/connection.ts";
import type { Effect } from "../core/effects.ts";
import { halfRandom } from "./half-random.ts";
import { fakeToken } from "./client-fixture.ts";

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

const state = (value: string) => ({ kind: "state", state: value });
const write = (socket: number, frame: object) => ({
  kind: "write",
  socket,
  text: JSON.stringify(frame),
});
const TOKEN_FAULT = {
  kind: "fault",
  fault: { name: "unauthorized", message: "No token could be had." },
};
const FIRST_WAIT = RECONNECT.baseMs / 2;

describe("SDK connection: connecting", () => {
  it("sdk/connection.1: token, socket, hello, welcome, and nothing twice", () => {
    const bench = new Bench({ client: "web/1" });
    const { connection, now, newRef } = bench;
    expect(connection.state).to.equal("idle");
    expect([connection.user, connection.onlineSocket, connection.retryAt]).to.deep.equal([
      undefined,
      undefined,
      undefined,
    ]);
    expect(connection.wakeAt(undefined)).to.equal(undefined);
    expect(connection.connect(now)).to.deep.equal([
      state("connecting"),
      { kind: "ask-token", ask: 1 },
    ]);
    expect(connection.connect(now), "it connects already").to.deep.equal([]);
    expect(connection.wakeAt(undefined)).to.equal(now + CONNECT_TIMEOUT_MS);
    expect(connection.onToken(2, "other", now, newRef), "another request").to.deep.equal([]);
    expect(connection.isCurrent(1)).to.equal(false);
    expect(connection.onToken(1, "ada", now, newRef)).to.deep.equal([{ kind: "open", socket: 1 }]);
    expect(connection.onToken(1, "ada", now, newRef), "answered").to.deep.equal([]);
    expect(connection.isCurrent(1)).to.equal(true);
    expect(connection.onOpened(2), "another socket").to.deep.equal([]);
    expect(bench.welcome(), "before hello").to.deep.equal([]);
    expect(connection.onOpened(1)).to.deep.equal([
      write(1, { t: "hello", token: "ada", client: "web/1" }),
    ]);
    expect(connection.onOpened(1), "opened").to.deep.equal([]);
    expect([connection.onlineSocket, connection.isWritable]).to.deep.equal([undefined, false]);
    bench.sockets = 1;
    expect(bench.welcome()).to.deep.equal([state("online")]);
    expect(bench.welcome(), "welcomed").to.deep.equal([]);
    expect([connection.onlineSocket, connection.isWritable, connection.user]).to.deep.equal([
      1,
      true,
      "ada",
    ]);
    expect(connection.connect(now), "it is online").to.deep.equal([]);
  });

  it("sdk/connection.1: the next hello names the session that was", () => {
    const bench = Bench.online();
    const { connection, now, newRef } = bench;
    connection.onEnded(1006, now);
    connection.tick(connection.retryAt!, undefined, newRef);
    connection.onToken(2, "ada", now, newRef);
    expect(connection.isCurrent(1), "an older socket").to.equal(false);
    expect(connection.onOpened(2)).to.deep.equal([
      write(2, { t: "hello", token: "ada", session: "s1" }),
    ]);
  });

  it("sdk/connection.1: a token that fails or an attempt that takes ten seconds is followed by a wait", () => {
    const failing = new Bench();
    failing.connection.connect(failing.now);
    expect(failing.connection.onTokenFailed(9, failing.now), "another request").to.deep.equal([]);
    expect(failing.connection.onTokenFailed(1, failing.now)).to.deep.equal([
      TOKEN_FAULT,
      state("waiting"),
    ]);
    expect(failing.connection.onTokenFailed(1, failing.now)).to.deep.equal([]);

    const slow = new Bench();
    const { connection, now, newRef } = slow;
    connection.connect(now);
    connection.onToken(1, "ada", now, newRef);
    const end = now + CONNECT_TIMEOUT_MS;
    expect(connection.tick(end - 1, undefined, newRef)).to.deep.equal([]);
    expect(connection.tick(end, undefined, newRef)).to.deep.equal([
      { kind: "drop", socket: 1 },
      state("waiting"),
    ]);
    expect(connection.retryAt).to.equal(end + FIRST_WAIT);
    expect(connection.isCurrent(1)).to.equal(false);
  });

  it("sdk/connection.1: without a socket there is nothing to drop", () => {
    const { connection, now, newRef } = new Bench();
    expect(connection.tick(now, undefined, newRef), "idle").to.deep.equal([]);
    connection.connect(now);
    expect(connection.tick(now + CONNECT_TIMEOUT_MS, undefined, newRef)).to.deep.equal([
      state("waiting"),
    ]);
    expect(connection.close()).to.deep.equal([state("closed")]);
    expect(connection.close()).to.deep.equal([]);
    expect(connection.tick(now + CONNECT_TIMEOUT_MS, undefined, newRef)).to.deep.equal([]);
    const online = Bench.online().connection;
    expect(online.close()).to.deep.equal([{ kind: "drop", socket: 1 }, state("closed")]);
  });
});

describe("SDK connection: waits", () => {
  /** Fails an attempt and returns the wait that follows. */
  function fail(bench: Bench): number {
    const { connection } = bench;
    connection.onEnded(1006, bench.now);
    const wait = connection.retryAt! - bench.now;
    bench.now = connection.retryAt!;
    connection.tick(bench.now, undefined, bench.newRef);
    bench.asks++;
    connection.onToken(bench.asks, "ada", bench.now, bench.newRef);
    bench.sockets++;
    connection.onOpened(bench.sockets);
    return wait;
  }

  it("sdk/connection.2: waits double to their cap, also when each attempt is welcomed and dropped", () => {
    const bench = Bench.online();
    const waits = Array.from({ length: 9 }, () => {
      const wait = fail(bench);
      bench.welcome();
      bench.now += STEADY_MS - 1;
      return wait;
    });
    const capped = RECONNECT.capMs / 2;
    expect(waits).to.deep.equal([125, 250, 500, 1_000, 2_000, 4_000, 8_000, capped, capped]);
  });

  it("sdk/connection.2: a connection that held for five seconds begins the backoff anew", () => {
    const bench = Bench.online();
    for (let n = 0; n < 3; n++) fail(bench);
    bench.welcome();
    bench.now += STEADY_MS;
    expect(fail(bench)).to.equal(FIRST_WAIT);
    expect(fail(bench), "one that was not welcomed held for no time").to.equal(2 * FIRST_WAIT);
  });

  it("sdk/connection.2: connecting by hand while it waits tries now and keeps the backoff; after the end it begins anew", () => {
    const bench = Bench.online();
    for (let n = 0; n < 3; n++) fail(bench);
    const { connection } = bench;
    connection.onEnded(1006, bench.now);
    expect(connection.connect(bench.now)[0]).to.deep.equal(state("connecting"));
    connection.onTokenFailed(++bench.asks, bench.now);
    expect(connection.retryAt! - bench.now).to.equal(FIRST_WAIT * 16);
    connection.close();
    connection.connect(bench.now);
    connection.onTokenFailed(++bench.asks, bench.now);
    expect(connection.retryAt! - bench.now).to.equal(FIRST_WAIT);
  });

  it("sdk/connection.3: a welcome, or an end and a new beginning, allow another try with a new token", () => {
    const bench = Bench.online();
    const { connection, now, newRef } = bench;
    connection.onEnded(4500, now);
    bench.greet();
    expect(connection.onEnded(4500, now)[0], "it was welcomed between").to.deep.equal(
      state("connecting"),
    );
    connection.onToken(++bench.asks, "ada", now, newRef);
    connection.onOpened(++bench.sockets);
    expect(connection.onEnded(4500, now)).to.deep.equal([state("closed")]);
    connection.connect(now);
    connection.onToken(++bench.asks, "ada", now, newRef);
    connection.onOpened(++bench.sockets);
    expect(connection.onEnded(4500, now)[0]).to.deep.equal(state("connecting"));
  });

  it("S8: after reconnect it writes nothing, and returns when the server said", () => {
    const bench = Bench.online();
    const { connection, now } = bench;
    connection.onReconnect(7_000, now);
    expect([connection.isWritable, connection.onlineSocket]).to.deep.equal([false, 1]);
    expect(connection.wakeAt(undefined)).to.equal(now + LEAVING_GRACE_MS);
    expect(connection.onEnded(1012, now + 10)).to.deep.equal([state("waiting")]);
    expect(connection.retryAt).to.equal(now + 7_000);
    connection.onReconnect(1, now);
    expect(connection.retryAt, "only an online connection is left").to.equal(now + 7_000);
  });

  it("S8: a server that does not close is dropped after five seconds, and a time that is over is now", () => {
    const { connection, now, newRef } = Bench.online();
    connection.onReconnect(100, now);
    const end = now + LEAVING_GRACE_MS;
    expect(connection.tick(end - 1, undefined, newRef)).to.deep.equal([]);
    expect(connection.tick(end, undefined, newRef)).to.deep.equal([
      { kind: "drop", socket: 1 },
      state("waiting"),
    ]);
    expect(connection.retryAt).to.equal(end);
  });

  it("S8: an afterMs that is none, negative or longer than a minute is bounded", () => {
    const waits = [Number.NaN, Infinity, -5, 0, AFTER_MS_MAX, AFTER_MS_MAX + 1].map((afterMs) => {
      const { connection, now } = Bench.online();
      connection.onReconnect(afterMs, now);
      connection.onEnded(1012, now);
      return connection.retryAt! - now;
    });
    expect(waits).to.deep.equal([0, 0, 0, 0, AFTER_MS_MAX, AFTER_MS_MAX]);
  });
});

describe("SDK connection: life", () => {
  it("sdk/connection.4: it pings a server that was silent for a period, once, and any sign of life answers", () => {
    const { connection, now, newRef } = Bench.online();
    const at = now + PING_MS;
    expect(connection.wakeAt(undefined)).to.equal(at);
    expect(connection.tick(at - 1, undefined, newRef)).to.deep.equal([]);
    expect(connection.tick(at, undefined, newRef)).to.deep.equal([write(1, { t: "ping", ref: 1 })]);
    expect(connection.tick(at + 1, undefined, newRef)).to.deep.equal([]);
    expect(connection.wakeAt(undefined)).to.equal(at + PING_MS * 1.5);
    connection.onHeard(at + 5);
    expect(connection.wakeAt(undefined)).to.equal(at + 5 + PING_MS);
    expect(connection.tick(at + PING_MS * 1.5, undefined, newRef)).to.deep.equal([
      write(1, { t: "ping", ref: 2 }),
    ]);
  });

  it("sdk/connection.4: a ping that stays unanswered for a period and a half is the end of the connection", () => {
    const { connection, now, newRef } = Bench.online();
    const at = now + PING_MS + 3;
    connection.tick(at, undefined, newRef);
    const end = at + PING_MS * 1.5;
    expect(connection.tick(end - 1, undefined, newRef)).to.deep.equal([]);
    expect(connection.tick(end, undefined, newRef)).to.deep.equal([
      { kind: "drop", socket: 1 },
      state("waiting"),
    ]);
  });

  it("sdk/connection.4: silence for 15 s after a request ends it, counted from the last sign of life", () => {
    const { connection, now, newRef } = Bench.online();
    expect(connection.wakeAt(now + 10)).to.equal(now + 10 + ANSWER_SILENCE_MS);
    connection.onHeard(now + 100);
    expect(connection.wakeAt(now + 10)).to.equal(now + 100 + ANSWER_SILENCE_MS);
    const end = now + 100 + ANSWER_SILENCE_MS;
    expect(connection.tick(end - 1, now + 10, newRef)).to.deep.equal([]);
    expect(connection.tick(end, now + 10, newRef)[0]).to.deep.equal({ kind: "drop", socket: 1 });
  });

  it("sdk/connection.4: a sign of life outside of a connection says nothing", () => {
    const { connection, now } = Bench.online();
    connection.onEnded(1006, now);
    connection.onHeard(now);
    expect(connection.state).to.equal("waiting");
  });
});

describe("SDK connection: tokens", () => {
  const lifeSeconds = 600;
  const expiring = fakeToken("ada", AT / 1_000 + lifeSeconds);

  function online(canRefresh = true): Bench {
    const bench = new Bench({ canRefresh });
    bench.connection.connect(bench.now);
    return bench.greet(expiring);
  }

  it("S4: a token is renewed a minute before its end, by the server's clock, without a drop", () => {
    const { connection, now, newRef } = online();
    const due = now + lifeSeconds * 1_000 - REFRESH_AHEAD_MS;
    for (let at = now; at < due; at += PING_MS / 2) connection.onHeard(at);
    connection.onHeard(due);
    expect(connection.tick(due - 1, undefined, newRef)).to.deep.equal([]);
    expect(connection.tick(due, undefined, newRef)).to.deep.equal([{ kind: "ask-token", ask: 2 }]);
    expect(connection.onToken(3, "u", due, newRef), "another request").to.deep.equal([]);
    expect(connection.onToken(2, "next", due, newRef)).to.deep.equal([
      write(1, { t: "refresh", ref: 1, token: "next" }),
    ]);
    connection.onRefreshed(9, AT + 9_000_000, due);
    expect(connection.refresh.hasSent(1), "another answer").to.equal(true);
    const until = AT + (due - now) + 1_000_000;
    connection.onRefreshed(1, until, due);
    expect(connection.refresh.wakeAt).to.equal(due + 1_000_000 - REFRESH_AHEAD_MS);
    expect(connection.state).to.equal("online");
  });

  it("S4: the SDK asks a failed provider again, and reports the fault", () => {
    const { connection, now, newRef } = online();
    const due = connection.refresh.wakeAt!;
    connection.onHeard(due);
    connection.tick(due, undefined, newRef);
    expect(connection.onTokenFailed(3, due), "another request").to.deep.equal([]);
    expect(connection.onTokenFailed(2, due)).to.deep.equal([TOKEN_FAULT]);
    expect(connection.refresh.wakeAt).to.equal(due + 1_250);
    expect(connection.wakeAt(undefined)).to.equal(due + 1_250);
    expect(connection.state).to.equal("online");
    expect(now).to.be.below(due);
  });

  it("S4: without a provider, or an end of the token, nothing is renewed", () => {
    expect(online(false).connection.refresh.wakeAt).to.equal(undefined);
    expect(Bench.online().connection.refresh.wakeAt).to.equal(undefined);
  });

  it("S4: a connection that ends stops its renewal", () => {
    const { connection, now } = online();
    connection.onEnded(1006, now);
    expect(connection.refresh.wakeAt).to.equal(undefined);
    connection.onRefreshed(1, AT + 5, now);
    expect(connection.refresh.wakeAt).to.equal(undefined);
  });
});
