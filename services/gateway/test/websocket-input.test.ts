// Invalid input on a WebSocket, partly written with bare TCP.

import { expect } from "chai";
import { until } from "#shared/testing/wait.ts";
import { bareClose, bareSocket, clientFrame } from "./bare-socket.ts";
import { closeOf } from "./socket-client.ts";
import { GENERAL, SocketFixture } from "./socket-fixture.ts";

describe("WebSocket: invalid input", () => {
  it("F3: an unknown t gets unknown_type, and unknown fields are ignored", async () => {
    await using fixture = await SocketFixture.open();
    const ada = await fixture.connect("ada");
    for (const t of ["nonsense", "toString", "__proto__", "constructor", ""]) {
      expect(await ada.ask({ t })).to.include({ t: "error", name: "unknown_type", code: 400 });
    }
    expect(await ada.ask({ t: "ping", extra: { deep: [1] } })).to.include({ t: "pong" });
  });

  it("F4: every malformed frame gets exactly one typed error, and the connection continues", async () => {
    await using fixture = await SocketFixture.open();
    const ada = await fixture.member("ada");
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

  it("F2: bodies that no store can keep are refused, and large ones with their own error", async () => {
    await using fixture = await SocketFixture.open();
    const ada = await fixture.member("ada");
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
    expect(fixture.owner.model.head(GENERAL)).to.equal(0);
    expect({}).to.not.have.property("polluted");
  });

  it("N1: a hostile room id is refused before it reaches a subject", async () => {
    await using fixture = await SocketFixture.open();
    const subjects: string[] = [];
    const spy = fixture.broker.connect();
    spy.subscribe(">", ({ subject }) => subjects.push(subject));
    const ada = await fixture.connect("ada");
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

  it("N2: text that is not a UUIDv7 gets bad_id", async () => {
    await using fixture = await SocketFixture.open();
    const ada = await fixture.member("ada");
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

  it("F6: errors hold the text of the table and nothing else", async () => {
    await using fixture = await SocketFixture.open();
    const ada = await fixture.connect("ada");
    const error = await ada.send("x");
    expect(error).to.have.all.keys("t", "code", "name", "retry", "message", "id", "room");
    expect(error).to.include({ code: 409, name: "not_joined", retry: false });
  });

  it("F1: several frames in one text, in both directions", async () => {
    await using fixture = await SocketFixture.open();
    const client = await fixture.dial();
    client.sendFrames(
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

  it("F5: frames above 64 KiB, binary ones and invalid UTF-8 close their own connection with their code", async () => {
    await using fixture = await SocketFixture.open();
    const ada = await fixture.member("ada");
    const large = await fixture.connect("bob");
    large.socket.send("x".repeat(65_537));
    expect(await closeOf(large)).to.equal(1_009);
    const huge = await bareSocket(fixture);
    const chunk = Buffer.alloc(1 << 20, 0x20);
    huge.on("error", () => {}); // It is closed while the client still writes.
    huge.write(Buffer.concat([Buffer.of(0x81, 0xff, 0, 0, 0, 0, 0, 0x9f, 0, 0, 1, 2, 3, 4)]));
    for (let n = 0; n < 10; n++) huge.write(chunk);
    expect(await bareClose(huge)).to.be.oneOf([1_009, 1_006]);
    const binary = await fixture.connect("bob");
    binary.socket.send(Buffer.from("{}"));
    expect(await closeOf(binary)).to.equal(1_008);
    const broken = await bareSocket(fixture);
    broken.write(clientFrame(0x81, Buffer.of(0x7b, 0xff, 0xfe)));
    expect(await bareClose(broken)).to.equal(1_007);
    expect((await ada.send("untouched")).t).to.equal("ack");
  });

  it("F5: a message in too many fragments, or unmasked, closes its own connection with its code", async () => {
    await using fixture = await SocketFixture.open();
    const ada = await fixture.member("ada");
    const fragments = await bareSocket(fixture);
    fragments.write(clientFrame(0x01, Buffer.from("{")));
    for (let n = 0; n < 100; n++) fragments.write(clientFrame(0x00, Buffer.from(" ")));
    expect(await bareClose(fragments)).to.equal(1_008);
    const unmasked = await bareSocket(fixture);
    unmasked.write(Buffer.of(0x81, 0x02, 0x7b, 0x7d));
    expect(await bareClose(unmasked)).to.equal(1_002);
    expect((await ada.send("untouched")).t).to.equal("ack");
  });
});
