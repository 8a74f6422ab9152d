// Connections from the upgrade to the close, each with a real client.

import { expect } from "chai";
import { CLOSE } from "#shared/protocol/close-codes.ts";
import { until, within } from "#shared/testing/wait.ts";
import { CONNECTION_RATE } from "../core/admission.ts";
import { silentSocket } from "./silent-socket.ts";
import { closeOf } from "./socket-client.ts";
import { GENERAL, ORIGIN, SocketFixture } from "./socket-fixture.ts";

const failure = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "connected",
    (error: Error) => error.message,
  );

/** The validity of a token with which a client joins; the join takes a hundredth of it. */
const JOINED_WITHIN_MS = 5_000;

describe("WebSocket: the upgrade", () => {
  it("S3: an Origin off the exact list is refused with 403, and a client without one passes", async () => {
    await using fixture = await SocketFixture.open();
    const hostile = [`${ORIGIN}.evil`, `${ORIGIN}:81`, "https://app.example", "null", "http://"];
    for (const origin of hostile) {
      expect(await failure(fixture.dial({ origin }))).to.equal("status 403");
    }
    expect(await failure(fixture.dial({ origin: ORIGIN }))).to.equal("connected");
    expect(await failure(fixture.dial())).to.equal("connected");
  });

  it("S15: the server speaks only the subprotocol parley.v1, and only on its path", async () => {
    await using fixture = await SocketFixture.open();
    expect(await failure(fixture.dial({ protocol: "parley.v2" }))).to.equal("status 400");
    expect(await failure(fixture.dial({ path: "/v1/ws/" }))).to.equal("status 404");
    expect(await failure(fixture.dial({ path: "/" }))).to.equal("status 404");
    const client = await fixture.dial({ path: "/v1/ws?x=1" });
    expect(client.socket.protocol).to.equal("parley.v1");
    expect(client.socket.extensions).to.equal("");
  });

  it("S15, upgrade.4: a client that offers no subprotocol is closed with a reason that names it", async () => {
    await using fixture = await SocketFixture.open();
    const client = await fixture.dial({ protocol: undefined });
    client.sendFrames({ t: "hello", token: "ada" });
    expect(await within(client.closed, { withinMs: 5_000, what: "the close" })).to.deep.equal({
      code: 1_008,
      reason: 'expected the subprotocol parley.v1: new WebSocket(url, "parley.v1")',
    });
    expect(client.lines).to.deep.equal([]);
    expect(fixture.gateway.gauges.connections).to.equal(0);
  });

  it("S1: a first frame that is not a valid hello is closed with a reason that shows one", async () => {
    await using fixture = await SocketFixture.open();
    for (const first of [
      { t: "hello" },
      { t: "join", ref: 1, room: "general" },
      { token: "ada" },
    ]) {
      const client = await fixture.dial();
      client.sendFrames(first);
      expect(await within(client.closed, { withinMs: 5_000, what: "the close" })).to.deep.equal({
        code: 1_008,
        reason: 'expected {"t":"hello","token":"<JWT>"} as the first frame',
      });
    }
  });
});

describe("WebSocket: sessions", () => {
  it("S1: hello is answered with welcome and the limits", async () => {
    await using fixture = await SocketFixture.open();
    const ada = await fixture.connect("ada");
    const [welcome] = ada.of("welcome");
    expect(welcome).to.deep.include({ user: "ada", pingMs: 25_000 });
    expect(welcome!["limits"]).to.deep.equal({
      frameBytes: 65_536,
      bodyBytes: 16_384,
      unansweredSends: 64,
      rooms: 256,
    });
    expect(welcome!["session"]).to.be.a("string").with.length(36);
  });

  it("S1: a connection without a hello is closed with 4002", async () => {
    await using fixture = await SocketFixture.open({ helloTimeoutMs: 100 });
    fixture.auth.held = [];
    const waiting = await fixture.dial();
    waiting.sendFrames({ t: "hello", token: "ada" });
    // It connects later, so its time ends later.
    expect(await closeOf(await fixture.dial())).to.equal(4_002);
    fixture.auth.held.forEach((go) => go());
    const welcome = await waiting.first(({ t }) => t === "welcome", "the welcome");
    expect(welcome).to.have.property("user", "ada");
  });

  it("S2: a token that is not valid is closed with 4500", async () => {
    await using fixture = await SocketFixture.open();
    for (const token of ["refused", "ada@1"]) {
      const client = await fixture.dial();
      client.sendFrames({ t: "hello", token });
      expect(await closeOf(client)).to.equal(4_500);
      expect(client.lines).to.deep.equal([]);
    }
  });

  it("S4: a refresh before the expiry continues the session without a drop", async () => {
    await using fixture = await SocketFixture.open();
    const expiry = Date.now() + JOINED_WITHIN_MS;
    const ada = await fixture.member(`ada@${expiry}`);
    expect(await ada.ask({ t: "refresh", token: "eve" })).to.include({ name: "unauthorized" });
    expect(await ada.ask({ t: "refresh", token: "ada@99999999999999" })).to.include({
      t: "refreshed",
      until: 99_999_999_999_999,
    });
    // Two sweeps after the first token's expiry. No condition shows that nothing is closed.
    await until(() => Date.now() > expiry + 2_000, { withinMs: 30_000, what: "the first expiry" });
    expect((await ada.send("again")).t).to.equal("ack");
  });

  it("S4: a session whose token expired is closed with 4003 and receives nothing more", async () => {
    await using fixture = await SocketFixture.open();
    const expiry = Date.now() + JOINED_WITHIN_MS;
    const [ada, bob] = [await fixture.member(`ada@${expiry}`), await fixture.member("bob")];
    const late = await fixture.dial();
    late.sendFrames({ t: "hello", token: `eve@${expiry + 200}` });
    for (const { closed } of [ada, late]) {
      const { code } = await within(closed, { withinMs: 30_000, what: "the close" });
      expect(code).to.equal(4_003);
    }
    expect(Date.now()).to.be.at.least(expiry);
    expect(fixture.owner.model.present(GENERAL), "its rooms were left").to.deep.equal(["bob"]);
    fixture.owner.commit(GENERAL, "after the end");
    await bob.has(1);
    expect(ada.seqs()).to.deep.equal([]);
  });

  it("gateway-stats.3: every check of a token counts by its outcome, at a hello and at a refresh", async () => {
    await using fixture = await SocketFixture.open();
    const { tokens } = fixture.gateway.stats;
    expect([...tokens]).to.deep.equal([
      ["ok", 0],
      ["refused", 0],
    ]);
    const ada = await fixture.member("ada");
    await ada.ask({ t: "refresh", token: "refused" });
    await ada.ask({ t: "refresh", token: "ada@99999999999999" });
    expect([tokens.get("ok"), tokens.get("refused")]).to.deep.equal([2, 1]);
  });

  it("S5: connections of one user and of one address are capped", async () => {
    await using fixture = await SocketFixture.open({ limits: true });
    for (let n = 0; n < 20; n++) await fixture.connect("ada");
    const over = await fixture.dial();
    over.sendFrames({ t: "hello", token: "ada" });
    expect(await closeOf(over)).to.equal(4_503);
    await fixture.connect("bob");
  });

  it("S14: beyond its rate an address gets `reconnect` and 1013, and none of its tokens is checked", async () => {
    await using fixture = await SocketFixture.open({ limits: true });
    const closes: number[] = [];
    const texts: string[] = [];
    const socket = { ...silentSocket(closes), writeText: (text: string) => void texts.push(text) };
    // While it counts, one more passes each 20 ms, so it continues until one is refused.
    let accepted = 0;
    let last = fixture.gateway.accept(socket);
    for (; closes.length === 0 && accepted < 10 * CONNECTION_RATE.burst; accepted++) {
      last.onClose();
      last = fixture.gateway.accept(socket);
    }
    expect(accepted).to.be.at.least(CONNECTION_RATE.burst);
    last.onText(JSON.stringify({ t: "hello", token: "ada" }));
    const { t, afterMs } = JSON.parse(texts.join("")) as { t: string; afterMs: number };
    expect(t).to.equal("reconnect");
    expect(afterMs).to.be.within(1, 1_000 / CONNECTION_RATE.perSecond);
    expect(closes).to.deep.equal([CLOSE.tooManyTries.code]);
    await fixture.gateway.drain();
    expect(fixture.gateway.stats.tokens.get("ok")).to.equal(0);
  });

  it("S5: a full gateway closes with 1013", async () => {
    await using fixture = await SocketFixture.open({ connectionsMax: 2 });
    const [one] = [await fixture.connect("ada"), await fixture.connect("bob")];
    expect(await closeOf(await fixture.dial())).to.equal(1_013);
    await one.close();
    await fixture.connect("eve");
  });

  it("S7: a client that is silent for two ping periods is closed with 1001, and one that answers is not", async () => {
    // Two periods are longer than a busy machine delays an answer.
    await using fixture = await SocketFixture.open({ pingMs: 1_500 });
    const [silent, active] = [await fixture.connect("ada"), await fixture.connect("bob")];
    silent.socket.pong = () => {}; // It reads and never answers.
    expect(await closeOf(silent)).to.equal(1_001);
    let pings = 0;
    active.socket.on("ping", () => pings++);
    await until(() => pings === 3, { withinMs: 60_000, what: "three more pings" });
    expect(active.isClosed).to.equal(false);
  });

  it("S8: a draining gateway sends reconnect, closes with 1012, and leaves its rooms", async () => {
    await using fixture = await SocketFixture.open();
    const members = [await fixture.member("ada"), await fixture.member("bob")];
    await fixture.drain();
    for (const member of members) {
      expect(await closeOf(member)).to.equal(1_012);
      expect(member.of("reconnect")[0]).to.have.property("afterMs").that.is.at.least(0);
    }
    expect(fixture.owner.model.present(GENERAL)).to.deep.equal([]);
    expect(await failure(fixture.dial())).to.equal("status 503");
  });

  it("S10: an exception while one connection is served ends that connection alone", async () => {
    await using fixture = await SocketFixture.open();
    const ada = await fixture.member("ada");
    const bad = await fixture.dial();
    bad.sendFrames({ t: "hello", token: "throws" });
    expect(await closeOf(bad)).to.equal(1_006);
    expect((await ada.send("fine")).t).to.equal("ack");
    expect(fixture.reports).to.include("connection closed after an exception");
    expect(fixture.gateway.stats.closes.get("1006")).to.equal(1);
  });
});
