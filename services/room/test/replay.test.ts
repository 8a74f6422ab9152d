// Replay alone: which entries count, when it is over, and what it knows of each room then.

import { expect } from "chai";
import { decodeEntry } from "#shared/protocol/entry.ts";
import { isOvertaken, Replay } from "../core/replay.ts";
import { ReplayedRoom } from "../core/replayed-room.ts";
import { RoomMemory } from "../core/room-memory.ts";
import {
  ADA,
  commitEntry,
  DEV,
  GENERAL,
  idAt,
  lineOf,
  linesOf,
  claimEntry,
  T0,
} from "./partition-fixture.ts";

function replay(seq = 1, claim = 4): { replay: Replay; memory: RoomMemory } {
  const memory = new RoomMemory(1 << 24);
  return { replay: new Replay({ seq, epoch: 1 }, claim, memory), memory };
}

describe("Replay", () => {
  it("P3: it reads from the watermark's next entry to its own claim", () => {
    const { replay: story } = replay();
    expect([story.from, story.isDone, story.watermark]).to.deep.equal([2, false, 1]);
    expect(story.onEntry(1, decodeEntry(claimEntry()))).to.deep.equal({ kind: "more" });
    expect(story.onEntry(3, decodeEntry(claimEntry()))).to.deep.equal({ kind: "trimmed" });
    const entry = decodeEntry(commitEntry(1, [linesOf(GENERAL, 1, 2), linesOf(DEV, 7, 1)]));
    expect(story.onEntry(2, entry)).to.deep.equal({ kind: "more" });
    expect(story.onEntry(2, entry), "once").to.deep.equal({ kind: "more" });
    expect(story.onEntry(3, decodeEntry("no entry"))).to.deep.equal({ kind: "more" });
    expect(story.onEntry(4, decodeEntry(claimEntry()))).to.deep.equal({ kind: "done" });
    expect([story.from, story.isDone, story.skipped]).to.deep.equal([5, true, 1]);
    expect([...story.rooms.values()].map(({ id, first, head }) => [id, first, head])).to.deep.equal(
      [
        [GENERAL, 1, 2],
        [DEV, 7, 7],
      ],
    );
    expect(story.unarchived.size).to.equal(2);
    expect(replay(3, 4).replay.isDone).to.equal(false);
    expect(replay(4, 4).replay.isDone).to.equal(true);
  });

  it("P15: it is overtaken when the archive is at the claim or past it, under another epoch", () => {
    expect(isOvertaken(4, { seq: 3, epoch: 1 })).to.equal(false);
    expect(isOvertaken(4, { seq: 4, epoch: 4 })).to.equal(false);
    expect(isOvertaken(4, { seq: 4, epoch: 3 })).to.equal(true);
    expect(isOvertaken(4, { seq: 9, epoch: 4 })).to.equal(false);
    expect(isOvertaken(4, { seq: 9, epoch: 8 })).to.equal(true);
  });
});

describe("Replayed room", () => {
  const story = (): { room: ReplayedRoom; memory: RoomMemory } => {
    const memory = new RoomMemory(1 << 24);
    return { room: new ReplayedRoom(GENERAL, 1, memory), memory };
  };

  it("replayed-room.1: its lines are dense, and it knows its head, birth and time", () => {
    const { room } = story();
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
    const late = new ReplayedRoom(GENERAL, 7, story().memory);
    late.add(7, linesOf(GENERAL, 7, 1).lines, 5);
    expect([late.head, late.born]).to.deep.equal([7, undefined]);
  });

  it("replayed-room.1: it is archived when all of it is, and an older mark lowers nothing", () => {
    const { room } = story();
    room.add(1, linesOf(GENERAL, 1, 1).lines, 5);
    room.add(2, linesOf(GENERAL, 2, 1).lines, 6);
    room.onArchived(1);
    expect([room.isArchived, room.archived]).to.deep.equal([false, 1]);
    room.onArchived(2);
    room.onArchived(1);
    expect([room.isArchived, room.archived]).to.deep.equal([true, 2]);
  });

  it("room-memory.1: under pressure it gives up archived ids alone, and says how far ids may be missing", () => {
    const { room } = story();
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

  it("P23: it is counted until it is cleared, and then not asked any more", () => {
    const { room, memory } = story();
    expect(memory.account.usedBy("rooms")).to.equal(1_024);
    room.add(1, linesOf(GENERAL, 1, 2).lines, 5);
    memory.wall = T0 + 9;
    room.onArchived(2);
    memory.account.bytesMax = 1;
    memory.shed();
    expect(memory.account.usedBy("ids"), "its ids are known to the memory").to.equal(0);
    room.clear();
    expect(memory.account.used).to.equal(0);
  });
});
