// Small parts of the owner, driven alone: lanes, dedupe, presence.

import { expect } from "chai";
import * as fc from "fast-check";
import { PRESENCE_NAMES_MAX, DEDUPE_WINDOW_MS } from "#shared/protocol/limits.ts";
import type { ProcessId, UserId } from "#shared/protocol/ids.ts";
import { Dedupe } from "../core/dedupe.ts";
import { InboundLanes } from "../core/lanes.ts";
import { Presence } from "../core/presence.ts";
import { RoomMemory } from "../core/room-memory.ts";
import type { CommandOrigin } from "../core/presence.ts";
import { ADA, GENERAL, GW, idAt, T0 } from "./partition-fixture.ts";

describe("Lanes at the owner", () => {
  const batch = (lane: number, n: number) => ({ v: 1, gw: GW, lane, n, commands: [] }) as const;

  it("P8: takes batch n only after batch n-1 of the same incarnation", () => {
    const lanes = new InboundLanes();
    expect(lanes.admit(batch(1, 2)).kind).to.equal("resync");
    expect(lanes.admit(batch(1, 1)).kind).to.equal("begin");
    expect(lanes.admit(batch(1, 3)).kind).to.equal("resync");
    expect(lanes.admit(batch(1, 2)).kind).to.equal("take");
    expect(lanes.admit(batch(1, 2)).kind).to.equal("ignore");
  });

  it("P8: a new incarnation begins at batch 1, and later batches of the old one are not taken", () => {
    const lanes = new InboundLanes();
    lanes.admit(batch(1, 1));
    expect(lanes.admit(batch(2, 1)).kind).to.equal("begin");
    expect(lanes.admit(batch(1, 2))).to.deep.equal({ kind: "older", newest: 2 });
    expect(lanes.admit(batch(1, 1))).to.deep.equal({ kind: "older", newest: 2 });
    expect(lanes.admit(batch(2, 2)).kind).to.equal("take");
  });
});

describe("Dedupe", () => {
  it("P13: memory and archive together recognise every id, whatever was pruned", () => {
    const step = fc.record({
      ageMs: fc.nat(3 * DEDUPE_WINDOW_MS),
      waitMs: fc.nat(DEDUPE_WINDOW_MS),
      repeat: fc.nat(50),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 1, max: 8 }),
        (steps, idsMax) => {
          const dedupe = new Dedupe(0, { idsMax });
          const archive = new Map<string, number>();
          let now = T0;
          let seq = 0;
          steps.forEach(({ ageMs, waitMs, repeat }, i) => {
            now += waitMs;
            const ids = [...archive.keys()];
            const id = (
              ids.length > 0 && i % 2 === 1 ? ids[repeat % ids.length] : idAt(now - ageMs, i)
            ) as never;
            const verdict = dedupe.judge(ADA, id, now);
            const first = archive.get(id);
            if (verdict.kind === "known") expect(verdict.seq).to.equal(first);
            else if (verdict.kind === "new") expect(first).to.equal(undefined);
            if (first === undefined) {
              archive.set(id, ++seq);
              dedupe.remember(ADA, id, { seq, at: now });
            }
            dedupe.prune(now, seq); // The archive has all ids.
          });
        },
      ),
    );
  });

  it("P13: never forgets an id that is not archived", () => {
    const dedupe = new Dedupe(0, { idsMax: 1 });
    for (let seq = 1; seq <= 10; seq++) dedupe.remember(ADA, idAt(T0, seq), { seq, at: T0 });
    dedupe.prune(T0 + 10 * DEDUPE_WINDOW_MS, 4);
    expect(dedupe.judge(ADA, idAt(T0, 5), T0).kind).to.equal("known");
    expect(dedupe.judge(ADA, idAt(T0, 4), T0).kind).to.equal("unsure");
    expect(dedupe.size).to.equal(6);
  });

  it("P13: one id from the future does not keep all later ids in memory", () => {
    const dedupe = new Dedupe(0);
    dedupe.remember(ADA, idAt(T0 + 20 * 3_600_000), { seq: 1, at: T0 });
    for (let seq = 2; seq <= 100; seq++) dedupe.remember(ADA, idAt(T0, seq), { seq, at: T0 });
    dedupe.prune(T0 + DEDUPE_WINDOW_MS + 1, 100);
    expect(dedupe.size).to.equal(1);
  });
});

describe("Presence", () => {
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
