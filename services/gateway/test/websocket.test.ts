// The protocol's rules about connections and frames, each with a real client, some with bare TCP.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { expect } from "chai";
import { until, within } from "#shared/testing/wait.ts";
import type { SocketClient } from "./socket-client.ts";
import { GENERAL, ORIGIN, SocketWorld } from "./socket-world.ts";

const failure = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "connected",
    (error: Error) => error.message,
  );
const closeOf = async (client: SocketClient): Promise<number> =>
  (await within(client.closed, { withinMs: 5_000, what: "the close" })).code;

/** A masked client frame, as RFC 6455 wants it. */
function clientFrame(first: number, payload: Uint8Array): Buffer {
  const mask = randomBytes(4);
  const length = Buffer.alloc(payload.length < 126 ? 1 : 9);
  if (payload.length < 126) length[0] = 0x80 | payload.length;
  else {
    length[0] = 0x80 | 127;
    length.writeBigUInt64BE(BigInt(payload.length), 1);
  }
  const masked = payload.map((byte, i) => byte ^ mask[i % 4]!);
  return Buffer.concat([Buffer.of(first), length, mask, masked]);
}

/** A TCP socket past the upgrade, so that a test can write what `ws` never would. */
async function bareSocket(world: SocketWorld): Promise<Socket> {
  const socket = connect(world.port, "127.0.0.1");
  socket.write(
    "GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: parley.v1\r\n" +
      `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n\r\n`,
  );
  await once(socket, "data");
  return socket;
}

/** The close code that comes back on a bare socket. */
async function bareClose(socket: Socket): Promise<number> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => {}); // A reset after the close frame is as good as an end.
  await within(once(socket, "close"), { withinMs: 8_000, what: "the socket to be closed" });
  const bytes = Buffer.concat(chunks);
  const at = bytes.indexOf(0x88);
  return at < 0 ? 1_006 : bytes.readUInt16BE(at + 2);
}

describe("WebSocket: the upgrade", () => {
  it("S3: an Origin off the exact list is refused with 403, none at all passes", async () => {
    await using world = await SocketWorld.open();
    const hostile = [`${ORIGIN}.evil`, `${ORIGIN}:81`, "https://app.example", "null", "http://"];
    for (const origin of hostile) {
      expect(await failure(world.dial({ origin }))).to.equal("status 403");
    }
    expect(await failure(world.dial({ origin: ORIGIN }))).to.equal("connected");
    expect(await failure(world.dial())).to.equal("connected");
  });

  it("F1: only the subprotocol parley.v1 is spoken, only on its path", async () => {
    await using world = await SocketWorld.open();
    expect(await failure(world.dial({ protocol: "parley.v2" }))).to.equal("status 400");
    expect(await failure(world.dial({ protocol: undefined }))).to.equal("status 400");
    expect(await failure(world.dial({ path: "/v1/ws/" }))).to.equal("status 404");
    expect(await failure(world.dial({ path: "/" }))).to.equal("status 404");
    const client = await world.dial({ path: "/v1/ws?x=1" });
    expect(client.socket.protocol).to.equal("parley.v1");
    expect(client.socket.extensions).to.equal("");
  });
});

describe("WebSocket: sessions", () => {
  it("S1: hello is answered with welcome and the limits", async () => {
    await using world = await SocketWorld.open();
    const ada = await world.connect("ada");
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

  it("S1: silence instead of a hello is closed with 1008", async () => {
    await using world = await SocketWorld.open({ helloTimeoutMs: 100 });
    expect(await closeOf(await world.dial())).to.equal(1_008);
    world.auth.held = [];
    const waiting = await world.dial();
    waiting.say({ t: "hello", token: "ada" });
    expect(await closeOf(waiting)).to.equal(1_008);
    world.auth.held.forEach((go) => go());
  });

  it("S2: a token that is not valid is closed with 4500", async () => {
    await using world = await SocketWorld.open();
    for (const token of ["nobody", "ada@1"]) {
      const client = await world.dial();
      client.say({ t: "hello", token });
      expect(await closeOf(client)).to.equal(4_500);
      expect(client.lines).to.deep.equal([]);
    }
  });

  it("S4: a token that ends in session is renewed without a drop", async () => {
    await using world = await SocketWorld.open();
    const expiry = Date.now() + 400;
    const ada = await world.member(`ada@${expiry}`);
    await until(() => Date.now() > expiry, { withinMs: 5_000, what: "the token to expire" });
    expect(await ada.send("late")).to.deep.include({ name: "token_expired", retry: false });
    expect((await ada.ask({ t: "ping" })).t).to.equal("pong");
    world.owner.commit(GENERAL, "still here");
    await ada.has(1);
    expect(await ada.ask({ t: "refresh", token: "eve" })).to.include({ name: "unauthorized" });
    expect(await ada.ask({ t: "refresh", token: "ada@99999999999999" })).to.include({
      t: "refreshed",
      until: 99_999_999_999_999,
    });
    expect((await ada.send("again")).t).to.equal("ack");
  });

  it("GS3: a token is counted by what came of it, at a hello and at a refresh", async () => {
    await using world = await SocketWorld.open();
    const { tokens } = world.gateway.stats;
    expect([...tokens]).to.deep.equal([
      ["ok", 0],
      ["refused", 0],
    ]);
    const ada = await world.member("ada");
    await ada.ask({ t: "refresh", token: "nobody" });
    await ada.ask({ t: "refresh", token: "ada@99999999999999" });
    expect([tokens.get("ok"), tokens.get("refused")]).to.deep.equal([2, 1]);
  });

  it("S5: connections of one user and of one address are capped", async () => {
    await using world = await SocketWorld.open({ limits: true });
    for (let n = 0; n < 20; n++) await world.connect("ada");
    const over = await world.dial();
    over.say({ t: "hello", token: "ada" });
    expect(await closeOf(over)).to.equal(4_503);
    await world.connect("bob");
  });

  it("S5: a gateway with all its places taken closes with 1013", async () => {
    await using world = await SocketWorld.open({ connectionsMax: 2 });
    const [one] = [await world.connect("ada"), await world.connect("bob")];
    expect(await closeOf(await world.dial())).to.equal(1_013);
    await one.close();
    await world.connect("eve");
  });

  it("S7: a client silent for two ping periods is closed with 1001, one that answers is not", async () => {
    await using world = await SocketWorld.open({ pingMs: 160 });
    const [silent, lively] = [await world.connect("ada"), await world.connect("bob")];
    silent.socket.pong = () => {}; // It reads, but never answers.
    expect(await closeOf(silent)).to.equal(1_001);
    // Another two periods and a half: that nobody is closed has no condition to wait for.
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(lively.isClosed).to.equal(false);
  });

  it("S8: a gateway that leaves says reconnect, closes with 1012, and tells the owner", async () => {
    await using world = await SocketWorld.open();
    const members = [await world.member("ada"), await world.member("bob")];
    await world.leave();
    for (const member of members) {
      expect(await closeOf(member)).to.equal(1_012);
      expect(member.of("reconnect")[0]).to.have.property("afterMs").that.is.at.least(0);
    }
    expect(world.owner.model.here(GENERAL)).to.deep.equal([]);
    expect(await failure(world.dial())).to.equal("status 503");
  });

  it("S10: a throw while one connection is served ends that connection alone", async () => {
    await using world = await SocketWorld.open();
    const ada = await world.member("ada");
    const bad = await world.dial();
    bad.say({ t: "hello", token: "throws" });
    expect(await closeOf(bad)).to.equal(1_006);
    expect((await ada.send("fine")).t).to.equal("ack");
    expect(world.reports).to.include("a connection was ended by a throw");
  });
});

describe("WebSocket: bad input", () => {
  it("F3: an unknown t gets unknown_type, unknown fields are ignored", async () => {
    await using world = await SocketWorld.open();
    const ada = await world.connect("ada");
    for (const t of ["nonsense", "toString", "__proto__", "constructor", ""]) {
      expect(await ada.ask({ t })).to.include({ t: "error", name: "unknown_type", code: 400 });
    }
    expect(await ada.ask({ t: "ping", extra: { deep: [1] } })).to.include({ t: "pong" });
  });

  it("F4: every malformed frame gets exactly one typed error and the connection goes on", async () => {
    await using world = await SocketWorld.open();
    const ada = await world.member("ada");
    ada.lines.length = 0;
    const texts = [
      "not json",
      "[]",
      "null",
      '"text"',
      "{}",
      '{"t":7}',
      '{"t":"join"}',
      '{"t":"join","ref":"x","room":"general"}',
      '{"t":"join","ref":1.5,"room":"general"}',
      '{"t":"join","ref":1,"room":"general","after":-1}',
      '{"t":"join","ref":1,"room":"general","tail":100000}',
      '{"t":"history","ref":1,"room":"general","limit":0}',
      '{"t":"history","ref":1,"room":"general","limit":5,"before":3,"after":1}',
      '{"t":"send","room":"general","id":"x","body":[]}',
      '{"t":"typing","room":"general","on":1}',
      "{".repeat(5_000),
      `{"t":"send","room":"general","id":"x","body":${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}}`,
    ];
    for (const text of texts) ada.socket.send(text);
    await until(() => ada.lines.length === texts.length, { withinMs: 5_000, what: "all errors" });
    for (const frame of ada.frames) {
      expect(frame).to.include.keys("code", "name", "retry", "message");
      expect(frame["name"]).to.be.oneOf(["bad_frame", "bad_id"]);
    }
    expect(ada.frames[7]).to.not.have.property("ref");
    expect(ada.frames[10]).to.include({ ref: 1 });
    expect((await ada.send("fine")).t).to.equal("ack");
  });

  it("F2: bodies that no store keeps are refused, too large ones by their own name", async () => {
    await using world = await SocketWorld.open();
    const ada = await world.member("ada");
    const id = "0199d3c0-0000-7000-8000-00000000000";
    const deep = `${'{"a":'.repeat(40)}1${"}".repeat(40)}`;
    const bodies = [
      [`{"a":"\\u0000"}`, "bad_frame"],
      [`{"a":"\\ud800"}`, "bad_frame"],
      [`{"\\udc00":1}`, "bad_frame"],
      [`{"a":{"__proto__":{"polluted":1}}}`, "bad_frame"],
      [`{"a":1e999}`, "bad_frame"],
      [deep, "bad_frame"],
      [`{"a":"${"x".repeat(16_384)}"}`, "too_large"],
    ] as const;
    for (const [n, [body, name]] of bodies.entries()) {
      ada.socket.send(`{"t":"send","room":"general","id":"${id}${n}","body":${body}}`);
      const error = await ada.first((frame) => frame["id"] === `${id}${n}`, `an answer to ${body}`);
      expect(error, body).to.include({ t: "error", name });
    }
    expect(world.owner.model.head(GENERAL)).to.equal(0);
    expect({}).to.not.have.property("polluted");
  });

  it("N1: a hostile room id is refused before it reaches a subject", async () => {
    await using world = await SocketWorld.open();
    const subjects: string[] = [];
    const spy = world.broker.connect();
    spy.subscribe(">", ({ subject }) => subjects.push(subject));
    const ada = await world.connect("ada");
    const rooms = [
      "",
      ">",
      "*",
      "a.b",
      "a b",
      "a\r\nPUB x",
      "../x",
      "ä",
      "x".repeat(65),
      "a\u0000",
    ];
    for (const room of rooms) {
      for (const frame of [{ t: "join" }, { t: "leave" }, { t: "history", limit: 1 }]) {
        expect(await ada.ask({ ...frame, room }), room).to.include({ name: "bad_frame" });
      }
    }
    const known = /^(node\.(room|gateway)|cmd\.\d|gw\.gw-1)$/;
    expect(subjects.filter((subject) => !known.test(subject))).to.deep.equal([]);
  });

  it("N2: what is no UUIDv7 gets bad_id", async () => {
    await using world = await SocketWorld.open();
    const ada = await world.member("ada");
    const ids = [
      "",
      "1",
      "0199d3c0-0000-4000-8000-000000000001",
      "0199D3C0-0000-7000-8000-000000000001",
      "0199d3c0-0000-7000-8000-000000000001 ",
    ];
    for (const id of ids) {
      expect(await ada.send("x", { id }), id).to.include({ t: "error", name: "bad_id" });
    }
  });

  it("F6: errors say what the table says and nothing else", async () => {
    await using world = await SocketWorld.open();
    const ada = await world.connect("ada");
    const error = await ada.send("x");
    expect(error).to.have.all.keys("t", "code", "name", "retry", "message", "id", "room");
    expect(error).to.include({ code: 409, name: "not_joined", retry: false });
  });

  it("F1: several frames in one, in both directions", async () => {
    await using world = await SocketWorld.open();
    const client = await world.dial();
    client.say(
      { t: "hello", token: "ada" },
      { t: "join", ref: 1, room: "general" },
      { t: "ping", ref: 2 },
    );
    await client.first(({ t }) => t === "pong", "pong");
    await client.caughtUp();
    client.socket.send('\n{"t":"ping","ref":3}\n\n{"t":"ping","ref":4}\n');
    await client.first((frame) => frame["ref"] === 4, "the last pong");
    expect(client.of("error")).to.deep.equal([]);
  });

  it("F5: frames above 64 KiB, binary ones and broken UTF-8 close with their code, alone", async () => {
    await using world = await SocketWorld.open();
    const ada = await world.member("ada");
    const large = await world.connect("bob");
    large.socket.send("x".repeat(65_537));
    expect(await closeOf(large)).to.equal(1_009);
    const huge = await bareSocket(world);
    const chunk = Buffer.alloc(1 << 20, 0x20);
    huge.on("error", () => {}); // It is closed while we are still writing.
    huge.write(Buffer.concat([Buffer.of(0x81, 0xff, 0, 0, 0, 0, 0, 0x9f, 0, 0, 1, 2, 3, 4)]));
    for (let n = 0; n < 10; n++) huge.write(chunk);
    expect(await bareClose(huge)).to.be.oneOf([1_009, 1_006]);
    const binary = await world.connect("bob");
    binary.socket.send(Buffer.from("{}"));
    expect(await closeOf(binary)).to.equal(1_008);
    const broken = await bareSocket(world);
    broken.write(clientFrame(0x81, Buffer.of(0x7b, 0xff, 0xfe)));
    expect(await bareClose(broken)).to.equal(1_007);
    expect((await ada.send("untouched")).t).to.equal("ack");
  });

  it("F5: a message in too many fragments, or unmasked, closes with its code, alone", async () => {
    await using world = await SocketWorld.open();
    const ada = await world.member("ada");
    const fragments = await bareSocket(world);
    fragments.write(clientFrame(0x01, Buffer.from("{")));
    for (let n = 0; n < 100; n++) fragments.write(clientFrame(0x00, Buffer.from(" ")));
    expect(await bareClose(fragments)).to.equal(1_008);
    const unmasked = await bareSocket(world);
    unmasked.write(Buffer.of(0x81, 0x02, 0x7b, 0x7d));
    expect(await bareClose(unmasked)).to.equal(1_002);
    expect((await ada.send("untouched")).t).to.equal("ack");
  });
});
