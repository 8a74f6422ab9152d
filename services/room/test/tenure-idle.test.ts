// Tenure without rooms in memory: its ticks still do what presence, pending syncs and replayed
// rooms need.

import { expect } from "chai";
import type { ProcessId } from "#shared/protocol/ids.ts";
import { IDLE_MS, IDLE_SHORT_MS } from "../core/room-memory.ts";
import { QUIET_MS } from "../core/tenure.ts";
import {
  ADA,
  GENERAL,
  GW,
  claimEntry,
  commitEntry,
  linesOf,
  only,
  PartitionFixture,
  send,
} from "./partition-fixture.ts";

const GW2 = "gw-2" as ProcessId;

/** A partition whose only room was passivated. Ada is present in it. */
function passivated(): PartitionFixture {
  const fixture = new PartitionFixture().withRooms([GENERAL]);
  fixture.batch([{ c: 1, op: "join", room: GENERAL, user: ADA }]);
  for (let s = 0; s <= IDLE_MS / 1_000; s++) fixture.tick(1_000);
  expect(fixture.memory.rooms).to.equal(0);
  return fixture;
}

describe("Tenure: ticks without rooms in memory", () => {
  it("A4: announces the leave of a gone gateway again, and then no more", () => {
    const fixture = passivated();
    const [gone] = only(fixture.step({ kind: "gateway-gone", gateway: GW }), "announce");
    expect(gone?.frame).to.deep.equal({ t: "presence", room: GENERAL, leave: [ADA], here: 0 });
    const repeatedAt: number[] = [];
    for (let s = 1; s <= 60; s++) {
      if (only(fixture.tick(1_000), "announce").length > 0) repeatedAt.push(s);
    }
    expect(repeatedAt).to.deep.equal([2, 8, 30]);
    expect(fixture.memory.account.used).to.equal(0);
  });

  it("room-node.8: has no effect while nothing is to come", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    expect(fixture.tick(1_000)).to.deep.equal([]);
    expect(passivated().tick(1_000)).to.deep.equal([]);
  });

  it("A3: repeats its request for a sync", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    fixture.step({ kind: "gateway-back", gateway: GW2 });
    const repeatedAt: number[] = [];
    for (let s = 1; s <= 20; s++) {
      if (only(fixture.tick(1_000), "resync").length > 0) repeatedAt.push(s);
    }
    expect(repeatedAt).to.deep.equal([1, 3, 9]);
  });

  /** A partition whose only room was passivated before the time at which its head is repeated. */
  function passivatedBeforeRepeat(): PartitionFixture {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    fixture.batch([send()]);
    fixture.flush();
    fixture.now += IDLE_SHORT_MS;
    fixture.appended(1, { kind: "ok", seq: 2 });
    fixture.step({ kind: "watermark", seq: 2 });
    const { account } = fixture.memory;
    const { bytesMax } = account;
    account.bytesMax = 1;
    fixture.tick(1);
    expect(fixture.memory.rooms).to.equal(0);
    account.bytesMax = bytesMax;
    return fixture;
  }

  it("O10, R3: does not repeat the head of a room that is opened again and not loaded yet", () => {
    const fixture = passivatedBeforeRepeat();
    fixture.batch([{ c: 1, op: "head", room: GENERAL }]);
    expect(only(fixture.tick(QUIET_MS), "repeat-head")).to.deep.equal([]);
  });

  it("O10: does not repeat a head behind the passivation of its room", () => {
    const fixture = passivatedBeforeRepeat();
    expect(only(fixture.tick(QUIET_MS), "repeat-head")).to.deep.equal([]);
    fixture.batch([{ c: 1, op: "head", room: GENERAL }]);
    expect(only(fixture.tick(1), "repeat-head")).to.deep.equal([]);
  });

  it("P12: drops an archived replayed room", () => {
    const fixture = new PartitionFixture();
    const lines = commitEntry(1, [linesOf(GENERAL, 1, 3)]);
    fixture.serve({ claim: 3, entries: { 1: claimEntry(), 2: lines } });
    fixture.step({ kind: "watermark", seq: 3 });
    fixture.tick(0);
    expect(fixture.memory.account.used).to.be.above(0);
    fixture.tick(IDLE_MS);
    expect(fixture.memory.account.used).to.equal(0);
  });
});
