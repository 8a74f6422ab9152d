// Presence: its bounds, its repeats to the second, and what it costs. Its rules by example are in parts.test.ts.

import { expect } from "chai";
import { PRESENCE_NAMES_MAX } from "#shared/protocol/limits.ts";
import type { ProcessId, UserId } from "#shared/protocol/ids.ts";
import { Presence } from "../core/presence.ts";
import { RoomMemory } from "../core/room-memory.ts";
import { ADA, DEV, GENERAL, GW } from "./partition-fixture.ts";

const EVE = "eve" as UserId;
const GW2 = "gw-2" as ProcessId;
const MEMBERS = 640;
const USER = 320;
const userOf = (n: number): UserId => `user-${n}` as UserId;

class Story {
  readonly memory = new RoomMemory(1 << 24);
  readonly presence = new Presence(this.memory);
  #c = 0;

  by(gateway = GW): { gateway: ProcessId; c: number } {
    return { gateway, c: ++this.#c };
  }

  get bytes(): number {
    return this.memory.account.usedBy("presence");
  }

  /** The seconds of the next `count` in which something is announced, with what it says. */
  seconds(count: number): unknown[] {
    const said: unknown[] = [];
    for (let s = 1; s <= count; s++) {
      this.presence.everySecond();
      for (const frame of this.presence.takeAnnouncements()) said.push([s, frame.here]);
    }
    return said;
  }

  fill(count: number): void {
    for (let n = 0; n < count; n++) this.presence.join(GENERAL, userOf(n), this.by());
  }
}

describe("Presence: bounds", () => {
  it("A2: PRESENCE_NAMES_MAX users are named, one more is not, and back again", () => {
    const { presence, by, fill } = bound(new Story());
    fill(PRESENCE_NAMES_MAX - 1);
    presence.takeAnnouncements();
    presence.join(GENERAL, ADA, by());
    expect(presence.users(GENERAL)).to.have.length(PRESENCE_NAMES_MAX);
    const here = PRESENCE_NAMES_MAX;
    const joined = { t: "presence", room: GENERAL, join: [ADA], here };
    expect(presence.takeAnnouncements()).to.deep.equal([joined]);
    presence.join(GENERAL, EVE, by());
    expect(presence.users(GENERAL)).to.equal(undefined);
    expect(presence.takeAnnouncements()).to.deep.equal([]);
    presence.everySecond();
    const count = { t: "presence", room: GENERAL, here: here + 1 };
    expect(presence.takeAnnouncements()).to.deep.equal([count]);
    presence.everySecond();
    expect(presence.takeAnnouncements()).to.deep.equal([count]);
    presence.leave(GENERAL, EVE, by());
    const left = { t: "presence", room: GENERAL, leave: [EVE], here };
    expect(presence.takeAnnouncements()).to.deep.equal([left]);
    presence.everySecond();
    presence.everySecond();
    const [whole] = presence.takeAnnouncements();
    expect(whole).to.include({ all: true, here }).and.have.property("join").with.length(here);
  });

  it("A4: everybody is announced again 2, 8 and 30 seconds after the last change, and then no more", () => {
    const story = new Story();
    expect(story.presence.takeAnnouncements()).to.deep.equal([]);
    story.presence.join(GENERAL, ADA, story.by());
    expect(story.presence.takeAnnouncements()).to.have.length(1);
    expect(story.presence.takeAnnouncements()).to.have.length(0);
    const repeats = [
      [2, 1],
      [8, 1],
      [30, 1],
    ];
    expect(story.seconds(60)).to.deep.equal(repeats);
    story.presence.join(GENERAL, ADA, story.by()); // No change.
    expect(story.seconds(40)).to.deep.equal([]);
    story.presence.join(GENERAL, EVE, story.by());
    story.presence.takeAnnouncements();
    expect(story.seconds(5)).to.deep.equal([[2, 2]]);
    story.presence.leave(GENERAL, EVE, story.by());
    story.presence.takeAnnouncements();
    expect(story.seconds(60)).to.deep.equal(repeats);
    story.presence.replace(GENERAL, [ADA], story.by());
    expect(story.seconds(60)).to.deep.equal(repeats);
  });

  it("A3: a sync takes away what it does not name, of its own gateway alone", () => {
    const { presence, by } = bound(new Story());
    presence.join(GENERAL, ADA, by());
    presence.join(GENERAL, EVE, by(GW2));
    const old = by();
    presence.replace(GENERAL, [userOf(1), userOf(1)], by());
    expect(presence.users(GENERAL)).to.deep.equal([EVE, userOf(1)]);
    expect([presence.here(GENERAL), presence.here(DEV)]).to.deep.equal([2, 0]);
    presence.replace(GENERAL, [ADA], old);
    expect(presence.users(GENERAL), "old news").to.deep.equal([EVE, userOf(1)]);
    expect(presence.users(DEV)).to.deep.equal([]);
    presence.replace(DEV, [], by());
    expect(presence.users(DEV)).to.deep.equal([]);
  });

  it("presence.4: the newest command may come twice, and a gateway that is gone begins anew", () => {
    const presence = new Presence(new RoomMemory(1 << 24));
    presence.join(GENERAL, ADA, { gateway: GW, c: 7 });
    presence.leave(GENERAL, ADA, { gateway: GW, c: 7 });
    expect(presence.users(GENERAL)).to.deep.equal([]);
    presence.join(GENERAL, ADA, { gateway: GW, c: 6 });
    expect(presence.users(GENERAL)).to.deep.equal([]);
    presence.dropGateway(GW);
    presence.join(GENERAL, ADA, { gateway: GW, c: 1 });
    expect(presence.users(GENERAL)).to.deep.equal([ADA]);
  });

  it("A1: who is not here cannot leave, by their own gateway or by another one", () => {
    const { presence, by } = bound(new Story());
    presence.leave(GENERAL, ADA, by());
    presence.join(GENERAL, ADA, by());
    presence.takeAnnouncements();
    presence.leave(GENERAL, ADA, by(GW2));
    presence.leave(GENERAL, EVE, by());
    presence.dropGateway(GW2);
    expect(presence.takeAnnouncements()).to.deep.equal([]);
    expect(presence.users(GENERAL)).to.deep.equal([ADA]);
  });
});

describe("Presence: what it costs", () => {
  it("presence.6: a room and each of its users are counted, whatever becomes of them", () => {
    const story = new Story();
    story.presence.join(GENERAL, ADA, story.by());
    expect(story.bytes).to.equal(MEMBERS + USER);
    story.presence.join(GENERAL, ADA, story.by(GW2));
    expect(story.bytes).to.equal(MEMBERS + USER);
    story.presence.join(GENERAL, EVE, story.by(GW2));
    expect(story.bytes).to.equal(MEMBERS + 2 * USER);
    story.presence.dropGateway(GW2);
    expect(story.bytes).to.equal(MEMBERS + USER);
    story.presence.leave(GENERAL, ADA, story.by());
    expect(story.bytes).to.equal(MEMBERS);
    story.seconds(30);
    expect(story.bytes).to.equal(MEMBERS);
    story.seconds(1);
    expect(story.bytes).to.equal(0);
    story.seconds(5);
    expect(story.bytes).to.equal(0);
    story.presence.join(GENERAL, ADA, { gateway: GW, c: 1 }); // What it told before is forgotten.
    expect([story.bytes, story.presence.here(GENERAL)]).to.deep.equal([MEMBERS + USER, 1]);
  });

  it("presence.6: a room that was only asked to be left costs nothing after it was quiet", () => {
    const story = new Story();
    story.presence.leave(GENERAL, ADA, story.by());
    expect(story.bytes).to.equal(MEMBERS);
    story.seconds(31);
    expect(story.bytes).to.equal(0);
  });

  it("presence.6: all is given back at the end, and nothing is left", () => {
    const story = new Story();
    story.fill(3);
    story.presence.join(DEV, ADA, story.by());
    expect(story.bytes).to.equal(2 * MEMBERS + 4 * USER);
    story.presence.clear();
    expect([story.bytes, story.presence.here(GENERAL)]).to.deep.equal([0, 0]);
    story.presence.takeAnnouncements();
    expect(story.seconds(40)).to.deep.equal([]);
    expect(story.bytes).to.equal(0);
  });

  it("room-memory.4: at half of the bound a new user is not taken, and one that is here may come again", () => {
    const story = new Story();
    story.memory.account.bytesMax = 2 * (MEMBERS + 2 * USER);
    story.fill(1);
    story.presence.join(GENERAL, ADA, story.by());
    story.presence.join(GENERAL, EVE, story.by());
    expect(story.presence.users(GENERAL)).to.deep.equal([userOf(0), ADA]);
    story.presence.join(GENERAL, ADA, story.by(GW2));
    story.presence.leave(GENERAL, ADA, story.by());
    expect(story.presence.users(GENERAL)).to.deep.equal([userOf(0), ADA]);
    story.memory.account.bytesMax += 2;
    story.presence.join(GENERAL, EVE, story.by());
    expect(story.presence.here(GENERAL)).to.equal(3);
  });
});

function bound(story: Story): {
  presence: Presence;
  by: Story["by"];
  fill: Story["fill"];
} {
  return {
    presence: story.presence,
    by: (gateway) => story.by(gateway),
    fill: (count) => story.fill(count),
  };
}
