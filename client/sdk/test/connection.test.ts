// Connection, by example: the effects of each input, with exact waits, without sockets and timers.

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

class ConnectionFixture {
  readonly connection: Connection;
  now = 1_000;
  refs = 0;
  asks = 0;
  sockets = 0;

  constructor(options: { canRefresh?: boolean; client?: string; device?: string } = {}) {
    const { canRefresh = true, ...names } = options;
    this.connection = new Connection({ canRefresh, ...names, random: halfRandom });
  }

  readonly newRef = (): number => ++this.refs;

  /** From the token request to the welcome. */
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

  static online(options?: { canRefresh?: boolean; client?: string }): ConnectionFixture {
    const fixture = new ConnectionFixture(options);
    fixture.connection.connect(fixture.now);
    return fixture.greet();
  }
}

describe("SDK connection: closes", () => {
  it("K4: after 1008, 1009, 4501 and 4502 there is no further attempt", () => {
    for (const code of [1008, 1009, 4501, 4502, 4999]) {
      const { connection, now } = ConnectionFixture.online();
      expect(connection.onEnded(code, now), String(code)).to.deep.equal([
        { kind: "state", state: "closed" },
      ]);
      expect(connection.wakeAt(undefined)).to.equal(undefined);
    }
  });

  it("K4: another attempt follows a late hello, an overloaded gateway and a lost connection", () => {
    for (const code of [1001, 1006, 1012, 1013, 4000, 4001, 4002]) {
      const { connection, now } = ConnectionFixture.online();
      expect(connection.onEnded(code, now), String(code)).to.deep.equal([
        { kind: "state", state: "waiting" },
      ]);
      expect(connection.retryAt).to.equal(now + RECONNECT.baseMs / 2);
    }
  });

  it("K4: the attempt after close 4503 (too many connections) follows in 15 to 75 s", () => {
    const fixture = ConnectionFixture.online();
    const { connection } = fixture;
    const waits = Array.from({ length: 5 }, () => {
      connection.onEnded(4503, fixture.now);
      const wait = connection.retryAt! - fixture.now;
      fixture.now = connection.retryAt!;
      expect(connection.tick(fixture.now - 1, undefined, fixture.newRef)).to.deep.equal([]);
      expect(connection.tick(fixture.now, undefined, fixture.newRef)).to.have.length(2);
      fixture.greet();
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

  it("K4: after a bad token one new token is tried, and a second bad token in a row is final", () => {
    const fixture = ConnectionFixture.online();
    const { connection, now } = fixture;
    expect(connection.onEnded(4500, now)).to.deep.equal([
      { kind: "state", state: "connecting" },
      { kind: "ask-token", ask: 2 },
    ]);
    fixture.asks = 1;
    connection.onToken(2, "ada", now, fixture.newRef);
    connection.onOpened(2);
    expect(connection.onEnded(4500, now)).to.deep.equal([{ kind: "state", state: "closed" }]);
  });

  it("K4: without a token function, a bad or expired token is final", () => {
    for (const code of [4003, 4500]) {
      const { connection, now } = ConnectionFixture.online({ canRefresh: false });
      expect(connection.onEnded(code, now)).to.deep.equal([{ kind: "state", state: "closed" }]);
    }
  });

  it("K4: after an expired token it reconnects with a new token, as after any other close", () => {
    const { connection, now, newRef } = ConnectionFixture.online();
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
  fault: { name: "unauthorized", message: "The token function failed." },
};
const FIRST_WAIT = RECONNECT.baseMs / 2;

describe("SDK connection: connecting", () => {
  it("sdk/connection.1: token, socket, hello and welcome follow each other once", () => {
    const fixture = new ConnectionFixture({ client: "web/1", device: "phone" });
    const { connection, now, newRef } = fixture;
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
    expect(fixture.welcome(), "before hello").to.deep.equal([]);
    expect(connection.onOpened(1)).to.deep.equal([
      write(1, { t: "hello", token: "ada", client: "web/1", device: "phone" }),
    ]);
    expect(connection.onOpened(1), "opened").to.deep.equal([]);
    expect([connection.onlineSocket, connection.isWritable]).to.deep.equal([undefined, false]);
    fixture.sockets = 1;
    expect(fixture.welcome()).to.deep.equal([state("online")]);
    expect(fixture.welcome(), "welcomed").to.deep.equal([]);
    expect([connection.onlineSocket, connection.isWritable, connection.user]).to.deep.equal([
      1,
      true,
      "ada",
    ]);
    expect(connection.connect(now), "it is online").to.deep.equal([]);
  });

  it("SL9: the session is that of the latest welcome, and the code that of the latest close", () => {
    const fixture = new ConnectionFixture();
    const { connection } = fixture;
    connection.connect(fixture.now);
    expect([connection.session, connection.closeCode]).to.deep.equal([undefined, undefined]);
    fixture.greet();
    expect([connection.session, connection.closeCode]).to.deep.equal(["s1", undefined]);
    connection.onEnded(1012, fixture.now);
    expect([connection.session, connection.closeCode]).to.deep.equal(["s1", 1012]);
    connection.connect(fixture.now);
    fixture.greet();
    expect(connection.session).to.equal("s2");
    connection.onEnded(4501, fixture.now);
    expect([connection.state, connection.closeCode]).to.deep.equal(["closed", 4501]);
  });

  it("sdk/connection.1: the next hello names the previous session", () => {
    const fixture = ConnectionFixture.online();
    const { connection, now, newRef } = fixture;
    connection.onEnded(1006, now);
    connection.tick(connection.retryAt!, undefined, newRef);
    connection.onToken(2, "ada", now, newRef);
    expect(connection.isCurrent(1), "an older socket").to.equal(false);
    expect(connection.onOpened(2)).to.deep.equal([
      write(2, { t: "hello", token: "ada", session: "s1" }),
    ]);
  });

  it("sdk/connection.1: a wait follows a failed token request and an attempt of more than ten seconds", () => {
    const failing = new ConnectionFixture();
    failing.connection.connect(failing.now);
    expect(failing.connection.onTokenFailed(9, failing.now), "another request").to.deep.equal([]);
    expect(failing.connection.onTokenFailed(1, failing.now)).to.deep.equal([
      TOKEN_FAULT,
      state("waiting"),
    ]);
    expect(failing.connection.onTokenFailed(1, failing.now)).to.deep.equal([]);

    const slow = new ConnectionFixture();
    const { connection, now, newRef } = slow;
    connection.connect(now);
    connection.onToken(1, "ada", now, newRef);
    const end = now + CONNECT_TIMEOUT_MS;
    expect(connection.tick(end - 1, undefined, newRef)).to.deep.equal([]);
    expect(connection.tick(end, undefined, newRef)).to.deep.equal([
      { kind: "drop", socket: 1, isSilent: true },
      state("waiting"),
    ]);
    expect(connection.retryAt).to.equal(end + FIRST_WAIT);
    expect(connection.isCurrent(1)).to.equal(false);
  });

  it("sdk/connection.1: without a socket nothing is dropped", () => {
    const { connection, now, newRef } = new ConnectionFixture();
    expect(connection.tick(now, undefined, newRef), "idle").to.deep.equal([]);
    connection.connect(now);
    expect(connection.tick(now + CONNECT_TIMEOUT_MS, undefined, newRef)).to.deep.equal([
      state("waiting"),
    ]);
    expect(connection.close()).to.deep.equal([state("closed")]);
    expect(connection.close()).to.deep.equal([]);
    expect(connection.tick(now + CONNECT_TIMEOUT_MS, undefined, newRef)).to.deep.equal([]);
    const online = ConnectionFixture.online().connection;
    expect(online.close()).to.deep.equal([
      { kind: "drop", socket: 1, isSilent: false },
      state("closed"),
    ]);
  });
});

describe("SDK connection: waits", () => {
  /** Fails an attempt and returns the following wait. */
  function fail(fixture: ConnectionFixture): number {
    const { connection } = fixture;
    connection.onEnded(1006, fixture.now);
    const wait = connection.retryAt! - fixture.now;
    fixture.now = connection.retryAt!;
    connection.tick(fixture.now, undefined, fixture.newRef);
    fixture.asks++;
    connection.onToken(fixture.asks, "ada", fixture.now, fixture.newRef);
    fixture.sockets++;
    connection.onOpened(fixture.sockets);
    return wait;
  }

  it("sdk/connection.2: waits double up to the maximum, also when each attempt gets a welcome and a close", () => {
    const fixture = ConnectionFixture.online();
    const waits = Array.from({ length: 9 }, () => {
      const wait = fail(fixture);
      fixture.welcome();
      fixture.now += STEADY_MS - 1;
      return wait;
    });
    const capped = RECONNECT.capMs / 2;
    expect(waits).to.deep.equal([125, 250, 500, 1_000, 2_000, 4_000, 8_000, capped, capped]);
  });

  it("sdk/connection.2: a connection of five seconds resets the backoff", () => {
    const fixture = ConnectionFixture.online();
    for (let n = 0; n < 3; n++) fail(fixture);
    fixture.welcome();
    fixture.now += STEADY_MS;
    expect(fail(fixture)).to.equal(FIRST_WAIT);
    expect(fail(fixture), "one that was not welcomed held for no time").to.equal(2 * FIRST_WAIT);
  });

  it("sdk/connection.2: `connect` during a wait connects now and keeps the backoff; after a final close it resets it", () => {
    const fixture = ConnectionFixture.online();
    for (let n = 0; n < 3; n++) fail(fixture);
    const { connection } = fixture;
    connection.onEnded(1006, fixture.now);
    expect(connection.connect(fixture.now)[0]).to.deep.equal(state("connecting"));
    connection.onTokenFailed(++fixture.asks, fixture.now);
    expect(connection.retryAt! - fixture.now).to.equal(FIRST_WAIT * 16);
    connection.close();
    connection.connect(fixture.now);
    connection.onTokenFailed(++fixture.asks, fixture.now);
    expect(connection.retryAt! - fixture.now).to.equal(FIRST_WAIT);
  });

  it("sdk/connection.3: a welcome, or `connect` after a final close, allows another attempt with a new token", () => {
    const fixture = ConnectionFixture.online();
    const { connection, now, newRef } = fixture;
    connection.onEnded(4500, now);
    fixture.greet();
    expect(connection.onEnded(4500, now)[0], "it was welcomed between").to.deep.equal(
      state("connecting"),
    );
    connection.onToken(++fixture.asks, "ada", now, newRef);
    connection.onOpened(++fixture.sockets);
    expect(connection.onEnded(4500, now)).to.deep.equal([state("closed")]);
    connection.connect(now);
    connection.onToken(++fixture.asks, "ada", now, newRef);
    connection.onOpened(++fixture.sockets);
    expect(connection.onEnded(4500, now)[0]).to.deep.equal(state("connecting"));
  });

  it("S8: after `reconnect` it writes nothing, and connects again at the time that the server named", () => {
    const fixture = ConnectionFixture.online();
    const { connection, now } = fixture;
    connection.onReconnect(7_000, now);
    expect([connection.isWritable, connection.onlineSocket]).to.deep.equal([false, 1]);
    expect(connection.wakeAt(undefined)).to.equal(now + LEAVING_GRACE_MS);
    expect(connection.onEnded(1012, now + 10)).to.deep.equal([state("waiting")]);
    expect(connection.retryAt).to.equal(now + 7_000);
    connection.onReconnect(1, now);
    expect(connection.retryAt, "only an online connection is left").to.equal(now + 7_000);
  });

  it("S8: it drops a server that does not close within five seconds; a past time means now", () => {
    const { connection, now, newRef } = ConnectionFixture.online();
    connection.onReconnect(100, now);
    const end = now + LEAVING_GRACE_MS;
    expect(connection.tick(end - 1, undefined, newRef)).to.deep.equal([]);
    expect(connection.tick(end, undefined, newRef)).to.deep.equal([
      { kind: "drop", socket: 1, isSilent: false },
      state("waiting"),
    ]);
    expect(connection.retryAt).to.equal(end);
  });

  it("S8: a missing, negative or too long afterMs is bounded", () => {
    const waits = [Number.NaN, Infinity, -5, 0, AFTER_MS_MAX, AFTER_MS_MAX + 1].map((afterMs) => {
      const { connection, now } = ConnectionFixture.online();
      connection.onReconnect(afterMs, now);
      connection.onEnded(1012, now);
      return connection.retryAt! - now;
    });
    expect(waits).to.deep.equal([0, 0, 0, 0, AFTER_MS_MAX, AFTER_MS_MAX]);
  });
});

describe("SDK connection: silence", () => {
  it("sdk/connection.4: it pings once after a silent period, and any received line answers the ping", () => {
    const { connection, now, newRef } = ConnectionFixture.online();
    const at = now + PING_MS;
    expect(connection.wakeAt(undefined)).to.equal(at);
    expect(connection.tick(at - 1, undefined, newRef)).to.deep.equal([]);
    expect(connection.tick(at, undefined, newRef)).to.deep.equal([write(1, { t: "ping", ref: 1 })]);
    expect(connection.tick(at + 1, undefined, newRef)).to.deep.equal([]);
    expect(connection.wakeAt(undefined)).to.equal(at + PING_MS * 1.5);
    connection.onReceived(at + 5);
    expect(connection.wakeAt(undefined)).to.equal(at + 5 + PING_MS);
    expect(connection.tick(at + PING_MS * 1.5, undefined, newRef)).to.deep.equal([
      write(1, { t: "ping", ref: 2 }),
    ]);
  });

  it("sdk/connection.4: a ping without an answer for 1.5 periods ends the connection", () => {
    const { connection, now, newRef } = ConnectionFixture.online();
    const at = now + PING_MS + 3;
    connection.tick(at, undefined, newRef);
    const end = at + PING_MS * 1.5;
    expect(connection.tick(end - 1, undefined, newRef)).to.deep.equal([]);
    expect(connection.tick(end, undefined, newRef)).to.deep.equal([
      { kind: "drop", socket: 1, isSilent: true },
      state("waiting"),
    ]);
  });

  it("sdk/connection.4: 15 s of silence after a request end it, counted from the last received line", () => {
    const { connection, now, newRef } = ConnectionFixture.online();
    expect(connection.wakeAt(now + 10)).to.equal(now + 10 + ANSWER_SILENCE_MS);
    connection.onReceived(now + 100);
    expect(connection.wakeAt(now + 10)).to.equal(now + 100 + ANSWER_SILENCE_MS);
    const end = now + 100 + ANSWER_SILENCE_MS;
    expect(connection.tick(end - 1, now + 10, newRef)).to.deep.equal([]);
    expect(connection.tick(end, now + 10, newRef)[0]).to.deep.equal({
      kind: "drop",
      socket: 1,
      isSilent: true,
    });
  });

  it("sdk/connection.4: a received line has no effect outside a connection", () => {
    const { connection, now } = ConnectionFixture.online();
    connection.onEnded(1006, now);
    connection.onReceived(now);
    expect(connection.state).to.equal("waiting");
  });
});

describe("SDK connection: tokens", () => {
  const lifeSeconds = 600;
  const expiring = fakeToken("ada", AT / 1_000 + lifeSeconds);

  function online(canRefresh = true): ConnectionFixture {
    const fixture = new ConnectionFixture({ canRefresh });
    fixture.connection.connect(fixture.now);
    return fixture.greet(expiring);
  }

  it("S4: a token is renewed a minute before it expires by the server's clock, without a disconnect", () => {
    const { connection, now, newRef } = online();
    const due = now + lifeSeconds * 1_000 - REFRESH_AHEAD_MS;
    for (let at = now; at < due; at += PING_MS / 2) connection.onReceived(at);
    connection.onReceived(due);
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

  it("S4: a failed token function is called again and reported as a fault", () => {
    const { connection, now, newRef } = online();
    const due = connection.refresh.wakeAt!;
    connection.onReceived(due);
    connection.tick(due, undefined, newRef);
    expect(connection.onTokenFailed(3, due), "another request").to.deep.equal([]);
    expect(connection.onTokenFailed(2, due)).to.deep.equal([TOKEN_FAULT]);
    expect(connection.refresh.wakeAt).to.equal(due + 1_250);
    expect(connection.wakeAt(undefined)).to.equal(due + 1_250);
    expect(connection.state).to.equal("online");
    expect(now).to.be.below(due);
  });

  it("S4: nothing is renewed without a token function or an expiry", () => {
    expect(online(false).connection.refresh.wakeAt).to.equal(undefined);
    expect(ConnectionFixture.online().connection.refresh.wakeAt).to.equal(undefined);
  });

  it("S4: the end of a connection stops its renewal", () => {
    const { connection, now } = online();
    connection.onEnded(1006, now);
    expect(connection.refresh.wakeAt).to.equal(undefined);
    connection.onRefreshed(1, AT + 5, now);
    expect(connection.refresh.wakeAt).to.equal(undefined);
  });
});
