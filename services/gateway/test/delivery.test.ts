// Delivery through real sockets: join, resume, acks, gaps, pages.

import { expect } from "chai";
import type { UserId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { idOf } from "./owner-model.ts";
import { GENERAL, SocketFixture } from "./socket-fixture.ts";

const count = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe("Delivery", () => {
  it("O2: a message is acknowledged with its number and reaches every member", async () => {
    await using fixture = await SocketFixture.open();
    const [ada, bob] = [await fixture.member("ada"), await fixture.member("bob")];
    const ack = await ada.send("hi");
    expect(ack).to.deep.include({ t: "ack", room: "general", seq: 1, at: 1_001 });
    expect(await bob.has(1)).to.deep.equal([1]);
    expect(await ada.has(1)).to.deep.equal([1]);
  });

  it("F7: members receive identical bytes, those of the log", async () => {
    await using fixture = await SocketFixture.open();
    const [ada, bob] = [await fixture.member("ada"), await fixture.member("bob")];
    await ada.send('quotes " and äöü 👍 \u2028');
    await bob.has(1);
    await ada.has(1);
    const [line] = fixture.owner.model.log.get(GENERAL)!;
    for (const { lines } of [ada, bob]) expect(lines).to.include(line);
  });

  it("O4: a burst on one connection keeps its order", async () => {
    await using fixture = await SocketFixture.open();
    const ada = await fixture.member("ada");
    const acks = await Promise.all(count(1, 60).map((n) => ada.send(String(n))));
    expect(acks.map((ack) => ack["seq"])).to.deep.equal(count(1, 60));
  });

  it("O5: a repeated id gets the first number, on this connection and on another one", async () => {
    await using fixture = await SocketFixture.open();
    const ada = await fixture.member("ada");
    const again = await fixture.member("ada");
    const id = idOf(9_001);
    const first = await ada.send("once", { id });
    await ada.send("between");
    expect(await again.send("once", { id })).to.deep.equal(first);
    expect(fixture.owner.model.head(GENERAL)).to.equal(2);
  });

  it("O7: `after` returns the following events and then live ones; `tail` begins with the last k; default 50", async () => {
    await using fixture = await SocketFixture.open();
    fixture.owner.preload(GENERAL, 100);
    const cases = [
      { from: { after: 90 }, expected: count(91, 101) },
      { from: { tail: 3 }, expected: count(98, 101) },
      { from: {}, expected: count(51, 101) },
      { from: { after: 100 }, expected: [101] },
      { from: { after: 5_000 }, expected: [101] },
    ];
    const members = [];
    for (const { from } of cases) members.push(await fixture.member("ada", "general", from));
    fixture.owner.commit(GENERAL, "live");
    for (const [i, { expected }] of cases.entries()) {
      expect(await members[i]!.has(expected.length)).to.deep.equal(expected);
      const [joined] = members[i]!.of("joined");
      const born = fixture.owner.model.born(GENERAL);
      expect(joined).to.deep.include({ head: 100, from: expected[0], born, role: "member" });
    }
  });

  it("O7: a resume 10,000 messages back receives exactly these from the archive, and then live events", async () => {
    await using fixture = await SocketFixture.open();
    fixture.owner.preload(GENERAL, 12_000);
    fixture.owner.model.tailFrom = 11_500;
    fixture.archive.archivedTo = 11_800;
    const ada = await fixture.member("ada", "general", { after: 2_000 });
    fixture.owner.commit(GENERAL, "live");
    expect(await ada.has(10_001)).to.deep.equal(count(2_001, 12_001));
    expect(fixture.archive.reads.length).to.be.greaterThan(0);
  });

  it("O8: every joined is followed by one caught-up, also in an empty room", async () => {
    await using fixture = await SocketFixture.open();
    fixture.owner.preload(GENERAL, 10);
    const ada = await fixture.member("ada", "empty");
    for (const tail of [0, 5, 5]) {
      ada.lines.length = 0;
      await ada.join("general", { tail });
      await ada.caughtUp();
      const kinds = ada.frames.map(({ t }) => t).filter((t) => t !== "presence");
      expect(kinds).to.deep.equal(["joined", ...Array(tail).fill("msg"), "caught-up"]);
    }
  });

  it("O9: lost broadcasts are read from the owner or the archive before any later line", async () => {
    await using fixture = await SocketFixture.open();
    const ada = await fixture.member("ada");
    fixture.owner.losesOut = ({ first }) => first >= 2 && first <= 4;
    fixture.owner.commit(GENERAL, "1");
    for (const text of ["2", "3", "4", "5"]) fixture.owner.commit(GENERAL, text);
    expect(await ada.has(5)).to.deep.equal(count(1, 5));
    fixture.owner.model.tailFrom = 100;
    fixture.owner.losesOut = ({ first }) => first === 6;
    fixture.owner.commit(GENERAL, "6");
    fixture.owner.commit(GENERAL, "7");
    expect(await ada.has(7)).to.deep.equal(count(1, 7));
    expect(fixture.archive.reads).to.deep.include({ first: 6, last: 6 });
  });

  it("O9: while both lack the missing line no later line is written; then all are", async () => {
    await using fixture = await SocketFixture.open();
    const ada = await fixture.member("ada");
    fixture.owner.model.tailFrom = 100;
    fixture.archive.isDown = true;
    fixture.owner.losesOut = ({ first }) => first === 1;
    fixture.owner.commit(GENERAL, "1");
    fixture.owner.commit(GENERAL, "2");
    await until(() => fixture.archive.reads.length >= 3, { withinMs: 5_000, what: "retries" });
    expect(ada.seqs()).to.deep.equal([]);
    fixture.archive.isDown = false;
    expect(await ada.has(2)).to.deep.equal([1, 2]);
  });

  it("O10: the repeated head reveals a lost last message", async () => {
    await using fixture = await SocketFixture.open();
    const ada = await fixture.member("ada");
    fixture.owner.losesOut = () => true;
    fixture.owner.commit(GENERAL, "lost");
    fixture.owner.repeatHead(GENERAL);
    expect(await ada.has(1)).to.deep.equal([1]);
  });

  it("O12: pages ascend without gaps, report whether more events exist, and hold the lines of live delivery", async () => {
    await using fixture = await SocketFixture.open();
    fixture.owner.preload(GENERAL, 500);
    fixture.archive.archivedTo = 450;
    const ada = await fixture.connect("ada");
    const page = async (query: object) => {
      const answer = await ada.ask({ t: "history", room: "general", ...query });
      const events = answer["events"] as { seq: number }[];
      return [events.map(({ seq }) => seq), answer["more"]];
    };
    expect(await page({ limit: 200 })).to.deep.equal([count(301, 500), true]);
    expect(await page({ before: 301, limit: 200 })).to.deep.equal([count(101, 300), true]);
    expect(await page({ before: 101, limit: 100 })).to.deep.equal([count(1, 100), false]);
    expect(await page({ before: 1, limit: 100 })).to.deep.equal([[], false]);
    expect(await page({ after: 0, limit: 10 })).to.deep.equal([count(1, 10), true]);
    expect(await page({ after: 490, limit: 10 })).to.deep.equal([count(491, 500), false]);
    expect(await page({ after: 500, limit: 10 })).to.deep.equal([[], false]);
    expect(await page({ after: 900, limit: 10 })).to.deep.equal([[], false]);
    expect(await page({ before: 900, limit: 2 })).to.deep.equal([[499, 500], true]);
    const [line] = fixture.owner.model.log.get(GENERAL)!;
    expect(ada.lines.some((text) => text.includes(`[${line},`))).to.equal(true);
  });

  it("O12: a page that no source can return gets `unavailable`, and the connection continues", async () => {
    await using fixture = await SocketFixture.open();
    fixture.owner.preload(GENERAL, 5);
    fixture.owner.model.tailFrom = 100;
    fixture.archive.isDown = true;
    const ada = await fixture.connect("ada");
    const answer = await ada.ask({ t: "history", room: "general", limit: 5 });
    expect(answer).to.deep.include({ t: "error", name: "unavailable", room: "general" });
    expect((await ada.ask({ t: "ping" })).t).to.equal("pong");
  });

  it("S6: no event of a left or never joined room arrives", async () => {
    await using fixture = await SocketFixture.open();
    const [ada, bob] = [await fixture.member("ada"), await fixture.member("bob", "dev")];
    expect(await ada.ask({ t: "leave", room: "general" })).to.deep.include({ t: "left" });
    fixture.owner.commit(GENERAL, "unseen");
    fixture.owner.commit("dev" as never, "seen");
    await bob.has(1, "dev");
    expect((await ada.ask({ t: "ping" })).t).to.equal("pong");
    expect([ada.seqs(), bob.seqs()]).to.deep.equal([[], []]);
    const sent = await ada.send("no");
    expect(sent).to.deep.include({ t: "error", name: "not_joined" });
  });

  it("A1: the owner receives a user's first join and last leave, also when a socket is cut", async () => {
    await using fixture = await SocketFixture.open();
    const here = (): readonly UserId[] => fixture.owner.model.present(GENERAL);
    const [one, two] = [await fixture.member("ada"), await fixture.member("ada")];
    await fixture.member("bob");
    expect(here()).to.deep.equal(["ada", "bob"]);
    one.socket.terminate();
    await one.closed;
    await two.ask({ t: "ping" });
    expect(here()).to.deep.equal(["ada", "bob"]);
    two.socket.terminate();
    await until(() => here().length === 1, {
      withinMs: 5_000,
      what: "the owner to receive ada's leave",
    });
    expect(here()).to.deep.equal(["bob"]);
  });

  it("A1: a new member receives the presence list", async () => {
    await using fixture = await SocketFixture.open();
    await fixture.member("ada");
    const bob = await fixture.member("bob");
    expect(bob.of("joined")[0]).to.include({ here: 2 });
    expect(bob.of("presence")[0]).to.deep.equal({
      t: "presence",
      room: "general",
      join: ["ada", "bob"],
      here: 2,
      all: true,
    });
  });

  it("A5: typing reaches the members of the room without the owner", async () => {
    await using fixture = await SocketFixture.open();
    const [ada, bob] = [await fixture.member("ada"), await fixture.member("bob")];
    const eve = await fixture.member("eve", "dev");
    const before = fixture.owner.model.taken.length;
    ada.sendFrames({ t: "typing", room: "general", on: true });
    const typing = await bob.first(({ t }) => t === "typing", "typing");
    expect(typing).to.deep.include({ room: "general", user: "ada", on: true });
    await eve.ask({ t: "ping" });
    expect(eve.of("typing")).to.deep.equal([]);
    expect(fixture.owner.model.taken.length).to.equal(before);
  });
});
