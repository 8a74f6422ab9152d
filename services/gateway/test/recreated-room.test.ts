// A room's log was lost and goes on behind its archive: what those see who remember more.
//
// Numbers 51 to 57 were shown, then lost, and are given again. Whoever has the old ones must never get
// the new 58 behind them without a word.

import { expect } from "chai";
import { within } from "#shared/testing/wait.ts";
import { GENERAL, SocketWorld } from "./socket-fixture.ts";

async function worldWith(events: number): Promise<SocketWorld> {
  const world = await SocketWorld.open();
  world.owner.preload(GENERAL, events);
  world.owner.beat();
  return world;
}

/** The log is back, with the archived part alone, under another owner that nobody has asked yet. */
function lose(world: SocketWorld, archived: number): void {
  world.owner.fall();
  const { model } = world.owner;
  model.log.set(GENERAL, model.log.get(GENERAL)!.slice(0, archived));
  model.born = (room) => (model.head(room) === 0 ? "" : "another");
}

const texts = (count: number): string[] => Array.from({ length: count }, (_, i) => `new ${i}`);

describe("A room that is born again", () => {
  it("R3: whoever is in it is sent away before anything of its new life", async () => {
    await using world = await worldWith(50);
    const bob = await world.member("bob", "general", { tail: 5 });
    world.owner.commit(GENERAL, ...texts(7));
    expect((await bob.has(12)).at(-1)).to.equal(57);
    lose(world, 50);
    world.owner.model.tenure();
    world.owner.serve();
    world.owner.repeatHead(GENERAL); // What an owner says when it has loaded a room.
    world.owner.commit(GENERAL, ...texts(9));
    world.owner.commit(GENERAL, ...texts(2));
    expect((await within(bob.closed, { withinMs: 5_000, what: "close" })).code).to.equal(1012);
    expect(bob.seqs().at(-1)).to.equal(57);
    expect(world.reports).to.include("a room was born again");
    const again = await world.member("bob", "general", { after: 57 });
    expect(again.of("joined")[0]).to.deep.include({ born: "another", head: 61, from: 58 });
  });

  it("R3: nor is it missed by a gateway that hears of it by its own sync alone", async () => {
    await using world = await worldWith(57);
    const bob = await world.member("bob", "general", { tail: 5 });
    lose(world, 50);
    world.owner.succeed();
    expect((await within(bob.closed, { withinMs: 5_000, what: "close" })).code).to.equal(1012);
  });

  it("R3: a room of which nothing is left is born again, too", async () => {
    await using world = await worldWith(3);
    const bob = await world.member("bob");
    lose(world, 0);
    world.owner.repeatHead(GENERAL);
    expect((await within(bob.closed, { withinMs: 5_000, what: "close" })).code).to.equal(1012);
  });

  it("R3: a cursor above the new head is answered with the new birth and the end of what there is", async () => {
    await using world = await worldWith(57);
    lose(world, 50);
    world.owner.succeed();
    const bob = await world.member("bob", "general", { after: 57 });
    expect(bob.of("joined")[0]).to.deep.include({ born: "another", head: 50, from: 51 });
  });

  it("R3: a room is not born again by its first message, nor by an owner that repeats its head", async () => {
    await using world = await worldWith(0);
    const bob = await world.member("bob");
    world.owner.repeatHead(GENERAL);
    world.owner.commit(GENERAL, "first");
    world.owner.repeatHead(GENERAL);
    world.owner.succeed();
    world.owner.repeatHead(GENERAL);
    expect(await bob.has(1)).to.deep.equal([1]);
    expect((await bob.ask({ t: "ping" })).t).to.equal("pong");
    expect(bob.isClosed).to.equal(false);
  });
});
