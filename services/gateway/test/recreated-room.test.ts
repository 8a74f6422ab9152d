// Recreated room: a room's log was lost and continues after its archived part, while clients and
// gateways have later numbers.
//
// Numbers 51 to 57 were delivered, then lost, and then assigned again. A client with the old ones
// must not receive the new 58 after them without a new birth.

import { expect } from "chai";
import type { UserId } from "#shared/protocol/ids.ts";
import { within } from "#shared/testing/wait.ts";
import { GENERAL, SocketFixture } from "./socket-fixture.ts";

async function fixtureWith(events: number): Promise<SocketFixture> {
  const fixture = await SocketFixture.open();
  fixture.owner.preload(GENERAL, events);
  fixture.owner.beat();
  return fixture;
}

/** The log returns with its archived part alone, under another owner that has no commands yet. */
function lose(fixture: SocketFixture, archived: number): void {
  fixture.owner.stop();
  const { model } = fixture.owner;
  model.log.set(GENERAL, model.log.get(GENERAL)!.slice(0, archived));
  model.born = (room) => (model.head(room) === 0 ? "" : "another");
}

const texts = (count: number): string[] => Array.from({ length: count }, (_, i) => `new ${i}`);

describe("A recreated room", () => {
  it("R3: its members are closed before they receive a line of it", async () => {
    await using fixture = await fixtureWith(50);
    const bob = await fixture.member("bob", "general", { tail: 5 });
    fixture.owner.commit(GENERAL, ...texts(7));
    expect((await bob.has(12)).at(-1)).to.equal(57);
    lose(fixture, 50);
    fixture.owner.model.beginTenure();
    fixture.owner.serve();
    fixture.owner.repeatHead(GENERAL); // The message of an owner that has loaded a room.
    fixture.owner.commit(GENERAL, ...texts(9));
    fixture.owner.commit(GENERAL, ...texts(2));
    expect((await within(bob.closed, { withinMs: 5_000, what: "close" })).code).to.equal(1012);
    expect(bob.seqs().at(-1)).to.equal(57);
    expect(fixture.reports).to.include("room recreated");
    const again = await fixture.member("bob", "general", { after: 57 });
    expect(again.of("joined")[0]).to.deep.include({ born: "another", head: 61, from: 58 });
  });

  it("R3: a gateway that learns of it only from its own sync closes the members too", async () => {
    await using fixture = await fixtureWith(57);
    const bob = await fixture.member("bob", "general", { tail: 5 });
    lose(fixture, 50);
    fixture.owner.replace();
    expect((await within(bob.closed, { withinMs: 5_000, what: "close" })).code).to.equal(1012);
  });

  it("R3: a room whose whole log was lost is recreated too", async () => {
    await using fixture = await fixtureWith(3);
    const bob = await fixture.member("bob");
    lose(fixture, 0);
    fixture.owner.repeatHead(GENERAL);
    expect((await within(bob.closed, { withinMs: 5_000, what: "close" })).code).to.equal(1012);
  });

  it("R3: a cursor above the new head gets the new birth and the new head", async () => {
    await using fixture = await fixtureWith(57);
    lose(fixture, 50);
    fixture.owner.replace();
    const bob = await fixture.member("bob", "general", { after: 57 });
    expect(bob.of("joined")[0]).to.deep.include({ born: "another", head: 50, from: 51 });
  });

  it("R3: a room that was empty at the join has the birth of its first line", async () => {
    await using fixture = await fixtureWith(0);
    const bob = await fixture.member("bob");
    fixture.owner.commit(GENERAL, "first", "second");
    expect(await bob.has(2)).to.deep.equal([1, 2]);
    lose(fixture, 0);
    fixture.owner.model.beginTenure();
    fixture.owner.serve();
    for (let n = 0; n < 3; n++) fixture.owner.model.append(GENERAL, `other ${n}`);
    fixture.owner.model.born = () => "another";
    fixture.owner.repeatHead(GENERAL); // Its head is above the last line of the lost room.
    expect((await within(bob.closed, { withinMs: 5_000, what: "close" })).code).to.equal(1012);
    expect(bob.seqs()).to.deep.equal([1, 2]);
  });

  it("R3: a room that was empty at the join has the birth of a first line that was fetched", async () => {
    await using fixture = await fixtureWith(0);
    const bob = await fixture.member("bob");
    fixture.owner.losesOut = ({ first }) => first === 1;
    fixture.owner.commit(GENERAL, "first");
    fixture.owner.commit(GENERAL, "second"); // The gateway fetches event 1 (O9).
    expect(await bob.has(2)).to.deep.equal([1, 2]);
    fixture.owner.model.born = () => "another";
    fixture.owner.repeatHead(GENERAL);
    expect((await within(bob.closed, { withinMs: 5_000, what: "close" })).code).to.equal(1012);
  });

  it("R3: no joined names a head without a birth", async () => {
    await using fixture = await fixtureWith(0);
    const bob = await fixture.member("bob");
    fixture.owner.model.instead = (command) => {
      if (command.op !== "join") return undefined;
      // The answer to this join was made before the first line, and arrives after it.
      fixture.owner.commit(GENERAL, "first");
      const { c } = command;
      return { c, ok: "joined", head: 0, born: "", here: 2, users: ["bob", "cyd"] as UserId[] };
    };
    const cyd = await fixture.member("cyd");
    const [joined] = cyd.of("joined");
    if (joined?.["head"] !== 0) {
      expect(joined?.["born"]).to.equal(fixture.owner.model.born(GENERAL));
    }
    expect(await bob.has(1)).to.deep.equal([1]);
    expect(bob.isClosed).to.equal(false);
  });

  it("R3: neither a room's first message nor an owner's repeated head counts as a recreated room", async () => {
    await using fixture = await fixtureWith(0);
    const bob = await fixture.member("bob");
    fixture.owner.repeatHead(GENERAL);
    fixture.owner.commit(GENERAL, "first");
    fixture.owner.repeatHead(GENERAL);
    fixture.owner.replace();
    fixture.owner.repeatHead(GENERAL);
    expect(await bob.has(1)).to.deep.equal([1]);
    expect((await bob.ask({ t: "ping" })).t).to.equal("pong");
    expect(bob.isClosed).to.equal(false);
  });
});
