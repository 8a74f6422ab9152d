// Room memory: the rooms of a node stay within their bound, and the order in which memory is shed.

import { expect } from "chai";
import type { Command, CommandBatch } from "#shared/protocol/commands.ts";
import type { Result } from "#shared/protocol/results.ts";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { HOLD_MS } from "../core/holds.ts";
import { WAITING_MAX_MS } from "../core/tenure.ts";
import { IDLE_MS } from "../core/room-memory.ts";
import { backlogEntry, commitOne, MIB, replay, roomId } from "./backlog.ts";
import {
  ADA,
  PartitionFixture,
  commitEntry,
  emptySnapshot,
  GW,
  idAt,
  linesOf,
} from "./partition-fixture.ts";
import { only, claimEntry, resultsOf, send } from "./partition-fixture.ts";

const HOUR = 3_600_000;

/** Batch `n` of a new incarnation. */
function batchOf(n: number, commands: readonly Command[]): CommandBatch {
  return { v: 1, gw: GW, lane: 99, n, commands };
}

describe("Room memory", () => {
  it("P23: a quiet room whose lines lost their places still receives the watermark", () => {
    const room = roomId(0);
    const fixture = new PartitionFixture(40_000);
    fixture.withRooms([room, roomId(1)]);
    const id = idAt(fixture.now, 7);
    commitOne(fixture, 1, 2, room, 10, id);
    for (let n = 2; n <= 400; n++) {
      fixture.now += 1_000;
      commitOne(fixture, n, n + 1, roomId(1), 10, idAt(fixture.now, n));
    }
    const [refused] = resultsOf(fixture.batch([send({ room, id })]));
    expect(refused).to.include({ error: "unavailable" });
    fixture.step({ kind: "watermark", seq: 401 });
    fixture.now += HOLD_MS;
    expect(only(fixture.batch([send({ room, id })]), "look-up")).to.have.length(1);
  });

  it("P12: passivates an idle room that was archived during its load", () => {
    const fixture = new PartitionFixture();
    const room = roomId(0);
    fixture.serve({
      claim: 3,
      watermark: 1,
      epoch: 1,
      entries: { 2: commitEntry(1, [linesOf(room, 1, 3)]) },
    });
    fixture.batch([{ c: 1, op: "head", room }]);
    fixture.step({ kind: "watermark", seq: 3 });
    fixture.loaded(emptySnapshot(room, 1));
    for (let i = 0; i < 3; i++) fixture.tick(IDLE_MS);
    expect(only(fixture.batch([{ c: 2, op: "head", room }]), "load-room")).to.have.length(1);
  });

  it("P23: dropped ids of unarchived lines never get a second number", () => {
    const room = roomId(0);
    const fixture = new PartitionFixture(60_000);
    fixture.withRooms([room]);
    const ids: MessageId[] = [];
    for (let n = 1; n <= 400; n++) {
      fixture.now += 1_000;
      const id = idAt(fixture.now, n);
      ids.push(id);
      commitOne(fixture, n, n + 1, room, 10, id);
    }
    const answers = ids.map((id, n) => {
      fixture.now += HOLD_MS;
      const [result] = resultsOf(fixture.batch([send({ room, id, from: ADA })]));
      if (result !== undefined && "error" in result) return result.error;
      return result !== undefined && "seq" in result && result.seq === n + 1 ? "known" : "wrong";
    });
    const known = answers.indexOf("known");
    expect(known).to.be.within(100, 340);
    expect(new Set(answers.slice(0, known))).to.deep.equal(new Set(["unavailable"]));
    expect(new Set(answers.slice(known))).to.deep.equal(new Set(["known"]));
  });

  for (const { what, aheadMs, isArchived } of [
    { what: "a clock that is three hours behind", aheadMs: 3 * HOUR, isArchived: false },
    { what: "an archive that has everything", aheadMs: 0, isArchived: true },
    { what: "more ids within a minute than memory holds", aheadMs: 0, isArchived: false },
  ]) {
    it(`P23: ids never fill memory so far that sends are refused: ${what}`, () => {
      const room = roomId(0);
      const fixture = new PartitionFixture(60_000);
      fixture.withRooms([room]);
      for (let n = 1; n <= 2_000; n++) {
        fixture.now += 10;
        commitOne(fixture, n, n + 1, room, 10, idAt(fixture.now + aheadMs, n));
        if (isArchived) fixture.step({ kind: "watermark", seq: n + 1 });
        expect(fixture.memory.account.over).to.equal(0);
      }
      const head = fixture.batch([{ c: 1, op: "head", room }]);
      expect(resultsOf(head)[0]).to.include({ head: 2_000 });
    });
  }

  it("P23: drops an id from the future last, and needs no look-up for new ids in the meantime", () => {
    const room = roomId(0);
    const fixture = new PartitionFixture(60_000);
    fixture.withRooms([room]);
    const ahead = idAt(fixture.now + 23 * HOUR, 9);
    commitOne(fixture, 1, 2, room, 10, ahead);
    for (let n = 2; n <= 1_000; n++) {
      fixture.now += 1_000;
      commitOne(fixture, n, n + 1, room, 10, idAt(fixture.now, n));
    }
    expect(resultsOf(fixture.batch([send({ room, id: ahead })]))[0]).to.include({ seq: 1 });
    expect(resultsOf(fixture.batch([{ c: 1, op: "head", room }]))[0]).to.include({ head: 1_000 });
  });

  it("P13: keeps archived ids for one minute while ids exceed half of the bound", () => {
    const room = roomId(0);
    for (const [bound, kept] of [
      [MIB, 300],
      [100_000, 60],
    ] as const) {
      const fixture = new PartitionFixture(bound);
      fixture.withRooms([room]);
      for (let n = 1; n <= 300; n++) {
        commitOne(fixture, n, n + 1, room, 10, idAt(fixture.now, n));
        fixture.step({ kind: "watermark", seq: n + 1 });
        fixture.tick(1_000);
      }
      const ids = fixture.memory.account.usedBy("ids") / (160 + 2 * 39);
      expect(ids).to.be.within(kept - 2, Math.max(kept, 220));
    }
  });

  it("P23: keeps the texts of unarchived lines while there are tails to drop", () => {
    const fixture = new PartitionFixture(MIB);
    fixture.withRooms([roomId(0), roomId(1)]);
    for (let n = 1; n <= 20; n++) commitOne(fixture, n, n + 1, roomId(0), 16_000);
    fixture.step({ kind: "watermark", seq: 21 });
    for (let n = 21; n <= 70; n++) commitOne(fixture, n, n + 1, roomId(1), 16_000);
    const range = (room: RoomId): ReturnType<PartitionFixture["batch"]> =>
      fixture.batch([{ c: 1, op: "range", room, first: 1, last: 1 }]);
    expect(resultsOf(range(roomId(0)))[0]).to.include({ count: 0 });
    expect(resultsOf(range(roomId(1)))[0]).to.include({ count: 1 });
    for (let n = 71; n <= 90; n++) commitOne(fixture, n, n + 1, roomId(1), 16_000);
    expect(only(range(roomId(1)), "get-entry")[0]).to.include({ logSeq: 22 });
  });

  it("P23: drops places when texts are not sufficient, and such lines are readable again after archiving", () => {
    const fixture = new PartitionFixture(40_000);
    fixture.withRooms([roomId(0)]);
    for (let n = 1; n <= 400; n++) {
      fixture.now += 1_000;
      commitOne(fixture, n, n + 1, roomId(0), 10);
      expect(fixture.memory.account.used).to.be.at.most(40_000);
    }
    const range = (first: number): ReturnType<PartitionFixture["batch"]> =>
      fixture.batch([{ c: 1, op: "range", room: roomId(0), first, last: first }]);
    expect(resultsOf(range(1))[0], "readable after archiving").to.include({ count: 0 });
    expect(resultsOf(range(400))[0]).to.include({ count: 1 });
    fixture.step({ kind: "watermark", seq: 401 });
    commitOne(fixture, 401, 402, roomId(0), 10);
    expect(resultsOf(range(401))[0]).to.include({ count: 1 });
  });

  it("P23: counts commands that wait for rooms, and refuses a further one with busy at the bound", () => {
    const fixture = new PartitionFixture(2 * MIB);
    fixture.serve();
    let waiting = 0;
    let busy = 0;
    for (let n = 0; n < 400; n++) {
      const text = "x".repeat(8_000);
      const commands = [1, 2].map(() => send({ room: roomId(n), body: { text } }));
      const results = resultsOf(fixture.batch(commands));
      busy += results.filter((result) => "error" in result && result.error === "busy").length;
      waiting += 2 - results.length;
    }
    expect(waiting + busy).to.equal(800);
    expect(fixture.memory.account.used).to.be.within(2 * MIB, 2 * MIB + 600_000);
    expect(waiting).to.be.within(60, 200);
    // The memory is given back in all cases: gateway gone, command expired, command executed.
    fixture.step({ kind: "gateway-gone", gateway: GW });
    expect(fixture.memory.account.usedBy("waiting")).to.equal(0);
    fixture.step({ kind: "batch", batch: batchOf(1, [send({ room: roomId(0) })]) });
    expect(fixture.memory.account.usedBy("waiting")).to.be.above(0);
    fixture.tick(WAITING_MAX_MS + 1);
    expect(fixture.memory.account.usedBy("waiting")).to.equal(0);
    fixture.step({ kind: "batch", batch: batchOf(2, [send({ room: roomId(0) })]) });
    fixture.loaded(emptySnapshot(roomId(0), 0));
    expect(fixture.memory.account.usedBy("waiting")).to.equal(0);
  });

  it("P23: sends get busy while the rest of memory exceeds the bound, and are accepted afterwards", () => {
    const fixture = new PartitionFixture(MIB);
    fixture.withRooms([roomId(0)]);
    const text = "x".repeat(16_000);
    // The log answers no append: the window alone fills memory.
    const results = Array.from({ length: 100 }, () =>
      send({ room: roomId(0), body: { text } }),
    ).map((command) => resultsOf(fixture.batch([command])));
    expect(results.slice(0, 50).flat()).to.have.length(0);
    expect(results.at(-1)?.[0]).to.include({ error: "busy" });
    expect(fixture.memory.account.used).to.be.within(MIB, MIB + 40_000);
    const appends = only(fixture.flush(), "append");
    expect(appends.length).to.be.above(1);
    for (const { n } of appends) fixture.appended(n, { kind: "ok", seq: n + 1 });
    fixture.run(HOLD_MS);
    expect(resultsOf(fixture.batch([send({ room: roomId(0) })]))).to.have.length(0);
  });

  it("P23: presence has a share of memory: further users are not listed, and users who leave free it", () => {
    const fixture = new PartitionFixture(100_000);
    const room = roomId(0);
    fixture.withRooms([room]);
    const join = (n: number): Result | undefined =>
      resultsOf(fixture.batch([{ c: n, op: "join", room, user: `user-${n}` as UserId }]))[0];
    for (let n = 1; n <= 1_000; n++) expect(join(n)).to.include({ ok: "joined" });
    expect(join(1_001)).to.have.property("here").within(100, 160);
    expect(fixture.memory.account.usedBy("presence")).to.be.within(50_000, 51_000);
    fixture.step({ kind: "gateway-gone", gateway: GW });
    for (let s = 0; s < 60; s++) fixture.tick(1_000);
    expect(fixture.memory.account.usedBy("presence")).to.equal(0);
  });

  it("P12: passivates idle rooms after ten seconds while rooms exceed a quarter of the bound", () => {
    for (const [bound, kept] of [
      [16 * MIB, 200],
      [600_000, 0],
    ] as const) {
      const fixture = new PartitionFixture(bound);
      fixture.withRooms(Array.from({ length: 200 }, (_, n) => roomId(n)));
      for (let s = 0; s < 30; s++) fixture.tick(1_000);
      expect(fixture.memory.rooms).to.be.within(kept, kept === 0 ? 150 : kept);
    }
  });

  it("P12: drops an archived replayed room that was not opened, and loads it from the archive later", () => {
    const fixture = new PartitionFixture(4 * MIB);
    const claim = replay(fixture, 20, 100, () => undefined);
    expect(fixture.memory.account.usedBy("rooms")).to.be.above(0);
    fixture.step({ kind: "watermark", seq: claim });
    expect(fixture.memory.account.usedBy("replay")).to.equal(0);
    fixture.tick(100);
    for (let n = 0; n < 5; n++) fixture.tick(IDLE_MS);
    expect(fixture.memory.account.used).to.equal(0);
    const room = roomId(1);
    fixture.batch([{ c: 1, op: "head", room }]);
    const old = fixture.loaded({ ...emptySnapshot(room, 1), head: 10 });
    expect(resultsOf(old), "older than the watermark (P25)").to.have.length(0);
    fixture.tick(300);
    const fresh = fixture.loaded({ ...emptySnapshot(room, claim), head: 20 });
    expect(resultsOf(fresh)[0]).to.include({ head: 20 });
  });

  it("P23: the end of a tenure gives back all memory of replay, commits, archived lines and shed data", () => {
    const fixture = new PartitionFixture(MIB);
    replay(fixture, 50, 1_000, () => undefined);
    const room = roomId(3);
    fixture.batch([{ c: 1, op: "head", room }, send({ room: roomId(4) })]);
    fixture.loaded(emptySnapshot(room, 1));
    for (let n = 1; n <= 30; n++) commitOne(fixture, n, 52 + n, room, 5_000);
    fixture.step({ kind: "watermark", seq: 60 });
    fixture.batch([send({ room })]);
    fixture.flush();
    expect(fixture.memory.account.used).to.be.above(100_000);
    fixture.appended(31, { kind: "unknown", reason: "timeout" });
    expect(Object.fromEntries(fixture.memory.account)).to.deep.equal(
      Object.fromEntries([...fixture.memory.account].map(([name]) => [name, 0])),
    );
    expect(fixture.memory.rooms).to.equal(0);
    // An abandoned replay gives its memory back too.
    fixture.last(100);
    fixture.entryRead(100, claimEntry());
    fixture.last(100);
    fixture.appended(0, { kind: "ok", seq: 101 });
    const value = { seq: 1, epoch: 1 };
    fixture.step({
      kind: "watermark-read",
      tenure: fixture.tenure,
      outcome: { kind: "ok", value },
    });
    fixture.entry(2, backlogEntry(0, 40, 1_000));
    expect(fixture.memory.account.usedBy("replay")).to.be.above(1_000);
    fixture.entry(4, claimEntry());
    expect(fixture.memory.account.used).to.equal(0);
  });
});
