// Presence: its bounds, its repeats to the second, and its memory.

import { expect } from "chai";
import { PRESENCE_NAMES_MAX } from "#shared/protocol/limits.ts";
import type { ProcessId, UserId } from "#shared/protocol/ids.ts";
import { Presence } from "../core/presence.ts";
import type { CommandOrigin } from "../core/presence.ts";
import { RoomMemory } from "../core/room-memory.ts";
import { ADA, DEV, GENERAL, GW } from "./partition-fixture.ts";

const EVE = "eve" as UserId;
const GW2 = "gw-2" as ProcessId;
const MEMBERS = 640;
const USER = 320;
const userOf = (n: number): UserId => `user-${n}` as UserId;

class PresenceFixture {
  readonly memory = new RoomMemory(1 << 24);
  readonly presence = new Presence(this.memory);
  #c = 0;

  by(gateway = GW): { gateway: ProcessId; c: number } {
    return { gateway, c: ++this.#c };
  }

  get bytes(): number {
    return this.memory.account.usedBy("presence");
  }

  /** The announcements of the next `count` seconds, as [second, number of users]. */
  seconds(count: number): unknown[] {
    const announced: unknown[] = [];
    for (let s = 1; s <= count; s++) {
      this.presence.everySecond();
      for (const frame of this.presence.takeAnnouncements()) announced.push([s, frame.here]);
    }
    return announced;
  }

  fill(count: number): void {
    for (let n = 0; n < count; n++) this.presence.join(GENERAL, userOf(n), this.by());
  }
}

describe("Presence: users and announcements", () => {
  const other = "gw-2" as ProcessId;
  let c = 0;
  const by = (gateway: ProcessId): CommandOrigin => ({ gateway, c: ++c });

  it("A1: a user is present while at least one gateway has them", () => {
    const presence = new Presence(new RoomMemory(1 << 30));
    presence.join(GENERAL, ADA, by(GW));
    presence.join(GENERAL, ADA, by(other));
    presence.leave(GENERAL, ADA, by(GW));
    expect(presence.users(GENERAL)).to.deep.equal([ADA]);
    presence.leave(GENERAL, ADA, by(other));
    expect(presence.takeAnnouncements()).to.deep.equal([
      { t: "presence", room: GENERAL, join: [ADA], here: 1 },
      { t: "presence", room: GENERAL, leave: [ADA], here: 0 },
    ]);
  });

  it("A2: announces a count once a second above 200 users", () => {
    const presence = new Presence(new RoomMemory(1 << 30));
    for (let i = 0; i < PRESENCE_NAMES_MAX + 50; i++)
      presence.join(GENERAL, `u${i}` as UserId, by(GW));
    expect(presence.takeAnnouncements()).to.have.length(PRESENCE_NAMES_MAX);
    expect(presence.users(GENERAL)).to.equal(undefined);
    presence.everySecond();
    expect(presence.takeAnnouncements()).to.deep.equal([
      { t: "presence", room: GENERAL, here: PRESENCE_NAMES_MAX + 50 },
    ]);
    presence.everySecond();
    const count = { t: "presence", room: GENERAL, here: PRESENCE_NAMES_MAX + 50 };
    expect(presence.takeAnnouncements()).to.deep.equal([count]); // A4, without names.
    presence.everySecond();
    expect(presence.takeAnnouncements()).to.deep.equal([]);
  });

  it("A4: announces the complete list again after quiet times and after a sync", () => {
    const presence = new Presence(new RoomMemory(1 << 30));
    const [bob] = ["bob"] as UserId[];
    const whole = { t: "presence", room: GENERAL, join: [ADA, bob], here: 2, all: true };
    const seconds = (count: number): unknown[] => {
      for (let i = 0; i < count; i++) presence.everySecond();
      return [...presence.takeAnnouncements()];
    };
    presence.join(GENERAL, ADA, by(GW));
    presence.join(GENERAL, bob!, by(other));
    expect(seconds(0)).to.have.length(2);
    expect(seconds(1)).to.deep.equal([]);
    expect(seconds(1)).to.deep.equal([whole]);
    expect(seconds(6)).to.deep.equal([whole]);
    expect(seconds(22)).to.deep.equal([whole]);
    expect(seconds(100)).to.deep.equal([]);
    presence.replace(GENERAL, [ADA], by(GW)); // No change here, but a client may have missed one.
    expect(seconds(2)).to.deep.equal([whole]);
  });

  it("presence.4: a resent command with an older number changes nothing", () => {
    const presence = new Presence(new RoomMemory(1 << 30));
    const [join, leave, again] = [by(GW), by(GW), by(GW)];
    presence.join(GENERAL, ADA, join);
    presence.leave(GENERAL, ADA, leave);
    presence.join(GENERAL, ADA, again);
    presence.leave(GENERAL, ADA, leave);
    expect(presence.users(GENERAL)).to.deep.equal([ADA]);
    presence.leave(GENERAL, ADA, by(GW));
    for (let i = 0; i < 20; i++) presence.everySecond(); // Longer than a lane resends commands.
    presence.join(GENERAL, ADA, again);
    expect(presence.users(GENERAL)).to.deep.equal([]);
  });

  it("A3: a sync replaces the gateway's earlier users, and the users of a silent gateway are gone", () => {
    const presence = new Presence(new RoomMemory(1 << 30));
    const [bob, eve] = ["bob", "eve"] as UserId[];
    presence.join(GENERAL, ADA, by(GW));
    presence.join(GENERAL, bob!, by(other));
    presence.replace(GENERAL, [eve!], by(GW));
    expect(presence.users(GENERAL)).to.deep.equal([bob, eve]);
    presence.dropGateway(GW);
    expect(presence.users(GENERAL)).to.deep.equal([bob]);
  });
});

describe("Presence: bounds", () => {
  it("A2: names PRESENCE_NAMES_MAX users, counts from one more on, and names them again below", () => {
    const { presence, by, fill } = bound(new PresenceFixture());
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

  it("A4: announces the complete list again 2, 8 and 30 seconds after the last change, and then no more", () => {
    const fixture = new PresenceFixture();
    expect(fixture.presence.takeAnnouncements()).to.deep.equal([]);
    fixture.presence.join(GENERAL, ADA, fixture.by());
    expect(fixture.presence.takeAnnouncements()).to.have.length(1);
    expect(fixture.presence.takeAnnouncements()).to.have.length(0);
    const repeats = [
      [2, 1],
      [8, 1],
      [30, 1],
    ];
    expect(fixture.seconds(60)).to.deep.equal(repeats);
    fixture.presence.join(GENERAL, ADA, fixture.by()); // No change.
    expect(fixture.seconds(40)).to.deep.equal([]);
    fixture.presence.join(GENERAL, EVE, fixture.by());
    fixture.presence.takeAnnouncements();
    expect(fixture.seconds(5)).to.deep.equal([[2, 2]]);
    fixture.presence.leave(GENERAL, EVE, fixture.by());
    fixture.presence.takeAnnouncements();
    expect(fixture.seconds(60)).to.deep.equal(repeats);
    fixture.presence.replace(GENERAL, [ADA], fixture.by());
    expect(fixture.seconds(60)).to.deep.equal(repeats);
  });

  it("A3: a sync removes the users that it does not name, of its own gateway only", () => {
    const { presence, by } = bound(new PresenceFixture());
    presence.join(GENERAL, ADA, by());
    presence.join(GENERAL, EVE, by(GW2));
    const old = by();
    presence.replace(GENERAL, [userOf(1), userOf(1)], by());
    expect(presence.users(GENERAL)).to.deep.equal([EVE, userOf(1)]);
    expect([presence.here(GENERAL), presence.here(DEV)]).to.deep.equal([2, 0]);
    presence.replace(GENERAL, [ADA], old);
    expect(presence.users(GENERAL), "an older command changes nothing").to.deep.equal([
      EVE,
      userOf(1),
    ]);
    expect(presence.users(DEV)).to.deep.equal([]);
    presence.replace(DEV, [], by());
    expect(presence.users(DEV)).to.deep.equal([]);
  });

  it("presence.4: accepts the newest command number twice, and any number after its gateway was gone", () => {
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

  it("A1: the leave of a user who is not present, or from another gateway, changes nothing", () => {
    const { presence, by } = bound(new PresenceFixture());
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

describe("Presence: its memory", () => {
  it("presence.6: counts a room and each of its users until they are gone", () => {
    const fixture = new PresenceFixture();
    fixture.presence.join(GENERAL, ADA, fixture.by());
    expect(fixture.bytes).to.equal(MEMBERS + USER);
    fixture.presence.join(GENERAL, ADA, fixture.by(GW2));
    expect(fixture.bytes).to.equal(MEMBERS + USER);
    fixture.presence.join(GENERAL, EVE, fixture.by(GW2));
    expect(fixture.bytes).to.equal(MEMBERS + 2 * USER);
    fixture.presence.dropGateway(GW2);
    expect(fixture.bytes).to.equal(MEMBERS + USER);
    fixture.presence.leave(GENERAL, ADA, fixture.by());
    expect(fixture.bytes).to.equal(MEMBERS);
    fixture.seconds(30);
    expect(fixture.bytes).to.equal(MEMBERS);
    fixture.seconds(1);
    expect(fixture.bytes).to.equal(0);
    fixture.seconds(5);
    expect(fixture.bytes).to.equal(0);
    // Its newest command number is forgotten.
    fixture.presence.join(GENERAL, ADA, { gateway: GW, c: 1 });
    expect([fixture.bytes, fixture.presence.here(GENERAL)]).to.deep.equal([MEMBERS + USER, 1]);
  });

  it("presence.6: a room that only had a leave is forgotten after its last repeat", () => {
    const fixture = new PresenceFixture();
    fixture.presence.leave(GENERAL, ADA, fixture.by());
    expect(fixture.bytes).to.equal(MEMBERS);
    fixture.seconds(31);
    expect(fixture.bytes).to.equal(0);
  });

  it("presence.6: gives all memory back at the end", () => {
    const fixture = new PresenceFixture();
    fixture.fill(3);
    fixture.presence.join(DEV, ADA, fixture.by());
    expect(fixture.bytes).to.equal(2 * MEMBERS + 4 * USER);
    fixture.presence.clear();
    expect([fixture.bytes, fixture.presence.here(GENERAL)]).to.deep.equal([0, 0]);
    fixture.presence.takeAnnouncements();
    expect(fixture.seconds(40)).to.deep.equal([]);
    expect(fixture.bytes).to.equal(0);
  });

  it("room-memory.4: at half of the bound no new user is listed, and a listed user may join again", () => {
    const fixture = new PresenceFixture();
    fixture.memory.account.bytesMax = 2 * (MEMBERS + 2 * USER);
    fixture.fill(1);
    fixture.presence.join(GENERAL, ADA, fixture.by());
    fixture.presence.join(GENERAL, EVE, fixture.by());
    expect(fixture.presence.users(GENERAL)).to.deep.equal([userOf(0), ADA]);
    fixture.presence.join(GENERAL, ADA, fixture.by(GW2));
    fixture.presence.leave(GENERAL, ADA, fixture.by());
    expect(fixture.presence.users(GENERAL)).to.deep.equal([userOf(0), ADA]);
    fixture.memory.account.bytesMax += 2;
    fixture.presence.join(GENERAL, EVE, fixture.by());
    expect(fixture.presence.here(GENERAL)).to.equal(3);
  });
});

function bound(fixture: PresenceFixture): {
  presence: Presence;
  by: PresenceFixture["by"];
  fill: PresenceFixture["fill"];
} {
  return {
    presence: fixture.presence,
    by: (gateway) => fixture.by(gateway),
    fill: (count) => fixture.fill(count),
  };
}
