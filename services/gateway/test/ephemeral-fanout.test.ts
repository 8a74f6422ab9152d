// EphemeralFanout: the members that receive presence and typing.

import { expect } from "chai";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { frameMaker } from "../adapters/websocket.ts";
import { EphemeralFanout } from "../runtime/ephemeral-fanout.ts";
import type { Member } from "../runtime/member.ts";

const GENERAL = "general" as RoomId;

function openRoom() {
  const clock = new FakeClock();
  const members = new Set<Member>();
  const passing = new EphemeralFanout({ room: GENERAL, clock, frames: frameMaker, members });
  const seen = new Map<string, string[]>();
  const names = (): UserId[] => [...members].map(({ user }) => user);
  return {
    clock,
    /** The texts that a member received, without the answer to its join. */
    seen: (user: string): string => (seen.get(user) ?? []).join("\n"),
    announce: (news: object): void => {
      const frame = { v: 1, room: GENERAL, ...news };
      passing.onLive(new TextEncoder().encode(JSON.stringify(frame)));
    },
    enter: (user: string): void => {
      const frames: string[] = [];
      seen.set(user, frames);
      const member: Member = {
        room: GENERAL,
        user: user as UserId,
        grant: undefined,
        ref: 1,
        attempt: 1,
        sink: {
          buffered: 0,
          writeText: () => undefined,
          writeFrame: (frame) => void frames.push(Buffer.from(frame).toString("latin1")),
          requestTurn: (_key, run) => run(),
          endTurn: () => undefined,
          removed: () => undefined,
          close: () => undefined,
        },
      };
      members.add(member);
      passing.onJoined(member, names(), members.size);
    },
  };
}

describe("EphemeralFanout", () => {
  it("A4: a new member does not receive news that its list contains, such as its own join", () => {
    const { clock, announce, enter, seen } = openRoom();
    enter("ada");
    announce({ t: "presence", join: ["bob"], here: 2 });
    enter("bob");
    clock.advance(1_000);
    expect(seen("ada")).to.contain(`"join":["bob"]`);
    expect(seen("bob")).to.equal("");
    announce({ t: "presence", join: ["ada", "bob"], here: 2, all: true });
    clock.advance(1_000);
    expect(seen("bob")).to.equal("");
  });

  it("A4: a new member receives what follows its list, also when older news still waited", () => {
    const { clock, announce, enter, seen } = openRoom();
    enter("ada");
    announce({ t: "presence", join: ["bob"], here: 2 });
    enter("bob");
    announce({ t: "presence", join: ["eve"], here: 3 });
    clock.advance(1_000);
    expect(seen("bob")).to.contain(`"join":["eve"]`);
    expect(seen("ada")).to.contain(`"join":["eve"]`);
  });

  it("A5: a typing frame reaches every member of the room at its arrival", () => {
    const { clock, announce, enter, seen } = openRoom();
    enter("ada");
    enter("bob");
    announce({ t: "typing", user: "ada", on: true });
    clock.advance(1_000);
    expect([seen("ada"), seen("bob")].every((text) => text.includes("typing"))).to.equal(true);
  });
});
