// Replay, driven alone: which entries count, when it ends, and what it knows of each room.

import { expect } from "chai";
import { decodeEntry, encodeEntry } from "#shared/protocol/entry.ts";
import { encodeEvent } from "#shared/protocol/events.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { isOvertaken, Replay } from "../core/replay.ts";
import { ReplayedRoom } from "../core/replayed-room.ts";
import { RoomMemory } from "../core/room-memory.ts";
import { SENDER_BYTES } from "../core/slow-mode.ts";
import {
  ADA,
  commitEntry,
  DEV,
  GENERAL,
  idAt,
  lineOf,
  linesOf,
  NODE,
  claimEntry,
  T0,
  PartitionFixture,
} from "./partition-fixture.ts";

function replayFrom(seq = 1, claim = 4): { replay: Replay; memory: RoomMemory } {
  const memory = new RoomMemory(1 << 24);
  return { replay: new Replay({ seq, epoch: 1 }, claim, memory), memory };
}

describe("Replay", () => {
  it("P3: ticks of the partition change nothing meanwhile", () => {
    const fixture = new PartitionFixture();
    fixture.step({ kind: "claim" });
    fixture.last(3);
    fixture.appended(0, { kind: "ok", seq: 4 });
    const outcome = { kind: "ok", value: { seq: 1, epoch: 1 } } as const;
    fixture.step({ kind: "watermark-read", tenure: fixture.tenure, outcome });
    expect(fixture.tick(60_000)).to.deep.equal([]);
    expect(fixture.partition.state).to.equal("replaying");
  });

  it("P3: reads from the entry after the watermark to the owner's own claim", () => {
    const { replay } = replayFrom();
    expect([replay.from, replay.isDone, replay.watermark]).to.deep.equal([2, false, 1]);
    expect(replay.onEntry(1, decodeEntry(claimEntry()))).to.deep.equal({ kind: "more" });
    expect(replay.onEntry(3, decodeEntry(claimEntry()))).to.deep.equal({ kind: "trimmed" });
    const entry = decodeEntry(commitEntry(1, [linesOf(GENERAL, 1, 2), linesOf(DEV, 7, 1)]));
    expect(replay.onEntry(2, entry)).to.deep.equal({ kind: "more" });
    expect(replay.onEntry(2, entry), "once").to.deep.equal({ kind: "more" });
    expect(replay.onEntry(3, decodeEntry("no entry"))).to.deep.equal({ kind: "more" });
    expect(replay.onEntry(4, decodeEntry(claimEntry()))).to.deep.equal({ kind: "done" });
    expect([replay.from, replay.isDone, replay.skipped]).to.deep.equal([5, true, 1]);
    expect(
      [...replay.rooms.values()].map(({ id, first, head }) => [id, first, head]),
    ).to.deep.equal([
      [GENERAL, 1, 2],
      [DEV, 7, 7],
    ]);
    expect(replay.unarchived.size).to.equal(2);
    expect(replayFrom(3, 4).replay.isDone).to.equal(false);
    expect(replayFrom(4, 4).replay.isDone).to.equal(true);
  });

  it("P15: is overtaken when the archive is at or past the claim with another epoch", () => {
    expect(isOvertaken(4, { seq: 3, epoch: 1 })).to.equal(false);
    expect(isOvertaken(4, { seq: 4, epoch: 4 })).to.equal(false);
    expect(isOvertaken(4, { seq: 4, epoch: 3 })).to.equal(true);
    expect(isOvertaken(4, { seq: 9, epoch: 4 })).to.equal(false);
    expect(isOvertaken(4, { seq: 9, epoch: 8 })).to.equal(true);
  });
});

describe("Replayed room", () => {
  const newRoom = (): { room: ReplayedRoom; memory: RoomMemory } => {
    const memory = new RoomMemory(1 << 24);
    return { room: new ReplayedRoom(GENERAL, 1, memory), memory };
  };

  it("replayed-room.1: its lines are dense, and it knows its head, birth and time", () => {
    const { room } = newRoom();
    expect([room.head, room.born, room.lastAt, room.isArchived]).to.deep.equal([
      0,
      undefined,
      0,
      true,
    ]);
    room.add(1, linesOf(GENERAL, 1, 2).lines, 5);
    expect([room.head, room.born, room.lastAt]).to.deep.equal([2, idAt(T0, 1), T0 + 2]);
    room.add(3, [lineOf(GENERAL, 3)], 6);
    expect([room.head, room.born, room.lastAt]).to.deep.equal([3, idAt(T0, 1), T0 + 3]);
    expect(() => room.add(5, [lineOf(GENERAL, 5)], 7)).to.throw();
    expect(() => room.add(4, [lineOf(GENERAL, 5)], 7)).to.throw();
    expect(() => room.add(5, [lineOf(GENERAL, 4)], 7)).to.throw();
    expect(() => newRoom().room.add(2, [lineOf(GENERAL, 1)], 5)).to.throw();
    const late = new ReplayedRoom(GENERAL, 7, newRoom().memory);
    late.add(7, linesOf(GENERAL, 7, 1).lines, 5);
    expect([late.head, late.born]).to.deep.equal([7, undefined]);
  });

  it("replayed-room.1: is archived when all its lines are, and an older watermark changes nothing", () => {
    const { room } = newRoom();
    room.add(1, linesOf(GENERAL, 1, 1).lines, 5);
    room.add(2, linesOf(GENERAL, 2, 1).lines, 6);
    room.onArchived(1);
    expect([room.isArchived, room.archived]).to.deep.equal([false, 1]);
    room.onArchived(2);
    room.onArchived(1);
    expect([room.isArchived, room.archived]).to.deep.equal([true, 2]);
  });

  it("room-memory.1: under pressure forgets archived ids only, and records how far ids may be missing", () => {
    const { room } = newRoom();
    room.add(1, linesOf(GENERAL, 1, 2).lines, 5);
    room.onArchived(1);
    room.forgetArchivedIds({ before: Infinity, now: Infinity });
    const kind = (n: number): string => room.ids.judge(ADA, idAt(T0, n), T0).kind;
    expect([room.forgottenTo, kind(1), kind(2)]).to.deep.equal([1, "unsure", "known"]);
    expect(room.forgetIds(2, { before: T0, now: T0 + 9 })).to.equal(false);
    expect(room.forgottenTo).to.equal(2);
    expect(room.forgetIds(1, { before: Infinity, now: Infinity })).to.equal(true);
    expect(room.forgottenTo).to.equal(2);
  });

  it("P23: counts its memory until it is cleared, and is not shed afterwards", () => {
    const { room, memory } = newRoom();
    expect(memory.account.usedBy("rooms")).to.equal(1_024);
    room.add(1, linesOf(GENERAL, 1, 2).lines, 5);
    memory.wall = T0 + 9;
    room.onArchived(2);
    memory.account.bytesMax = 1;
    memory.shed();
    expect(memory.account.usedBy("ids"), "its ids are shed").to.equal(0);
    room.clear();
    expect(memory.account.used).to.equal(0);
  });

  it("P23, M10: senders, changes, edits, ids and targets count once each, and are given back", () => {
    const { room, memory } = newRoom();
    const rooms = (): number => memory.account.usedBy("rooms") - 1_024;
    const about = { room: GENERAL, from: ADA, at: T0 };
    let seq = 0;
    const add = (event: object): void => {
      seq++;
      const whole = { ...about, seq, id: idAt(T0, seq), ...event } as RoomEvent;
      room.add(seq, [encodeEvent(whole)], 4 + seq);
    };
    const message = { t: "msg", body: {} };
    const ben = "ben" as UserId;
    for (const [event, bytes] of [
      [message, SENDER_BYTES],
      [message, SENDER_BYTES],
      [{ ...message, from: ben }, 2 * SENDER_BYTES],
      [{ t: "pinned", target: 1, on: true, from: "eve" }, 2 * SENDER_BYTES],
      [{ t: "member", user: ben, role: "member" }, 2 * SENDER_BYTES + 512],
      [{ t: "room", kind: "open" }, 2 * SENDER_BYTES + 1_024],
      [{ t: "edited", target: 1, body: {} }, 2 * SENDER_BYTES + 1_024 + 96],
    ] as const) {
      add(event);
      expect(rooms(), event.t).to.equal(bytes);
    }
    expect(room.senders.size).to.equal(2);
    for (let n = 0; n < 64; n++) add(message);
    for (const category of ["ids", "targets", "replay"] as const) {
      expect(memory.account.usedBy(category), category).to.be.above(64);
    }
    room.clear();
    expect(memory.account.used).to.equal(0);
  });

  it("message-targets.3: targets that go with their ids are known to be missing", () => {
    const { room } = newRoom();
    room.add(1, linesOf(GENERAL, 1, 3).lines, 5);
    room.forgetIds(2, { before: Infinity, now: Infinity });
    expect([1, 2, 3].map((seq) => room.targets.find(seq) !== undefined)).to.deep.equal([
      false,
      false,
      true,
    ]);
    expect([room.targets.mayAsk(1), room.targets.mayAsk(2)]).to.deep.equal([false, true]);
  });

  it("replay.5: a split gives back the memory of the rooms that moved", () => {
    const { replay, memory } = replayFrom(1, 9);
    const rooms = Array.from({ length: 8 }, (_, n) => `r-${n}` as RoomId);
    const entry = commitEntry(
      1,
      rooms.map((room) => linesOf(room, 1, 1)),
    );
    replay.onEntry(2, decodeEntry(entry));
    const before = memory.account.usedBy("rooms");
    const split = encodeEntry({ kind: "split", epoch: 1, node: NODE, at: T0, of: 2 });
    replay.onEntry(3, decodeEntry(split));
    const { size } = replay.rooms;
    expect(size).to.be.within(1, 7);
    expect(memory.account.usedBy("rooms")).to.equal((before / 8) * size);
  });
});
