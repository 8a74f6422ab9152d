// Room memory, measured on the heap: backlogs and tails that are much larger than the bound.

import { expect } from "chai";
import { heapBytes } from "#shared/testing/heap.ts";
import type { SendCommand } from "#shared/protocol/commands.ts";
import type { Result } from "#shared/protocol/results.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { HOLD_MS } from "../core/holds.ts";
import { TAIL_EVENTS } from "../core/recent.ts";
import { Room } from "../core/room.ts";
import { RoomMemory } from "../core/room-memory.ts";
import { backlogEntry, commitOne, line, MIB, replay, roomId } from "./backlog.ts";
import {
  PartitionFixture,
  emptySnapshot,
  idAt,
  only,
  resultsOf,
  send,
  T0,
} from "./partition-fixture.ts";

const HOUR = 3_600_000;

describe("Room memory on the heap", () => {
  it("P23: the replay of a backlog that is larger than the bound stays within the bound", function () {
    this.timeout(60_000);
    const fixture = new PartitionFixture(4 * MIB);
    fixture.now += HOUR;
    const before = heapBytes();
    let most = 0;
    const claim = replay(fixture, 1_000, 1_000, () => {
      most = Math.max(most, fixture.memory.account.used);
    });
    expect(fixture.partition.state).to.equal("serving");
    expect(most).to.be.within(3 * MIB, 4 * MIB);
    // 40 MB of lines were replayed.
    expect(heapBytes() - before).to.be.below(16 * MIB);

    // The room is complete: its head, its lines, which are in the log, and its ids. The archive
    // will have the oldest ids.
    const room = roomId(0);
    fixture.batch([{ c: 1, op: "head", room }]);
    expect(resultsOf(fixture.loaded(emptySnapshot(room, 1)))[0]).to.include({ head: 1_000 });
    const again = (seq: number): Result | undefined =>
      resultsOf(fixture.batch([send({ room, id: idAt(T0 + seq, seq) })]))[0];
    expect(again(1_000)).to.include({ ok: "sent", seq: 1_000, repeat: true });
    expect(again(7)).to.include({ error: "unavailable" });
    const asked = fixture.batch([{ c: 2, op: "range", room, first: 5, last: 6 }]);
    const logSeq = only(asked, "get-entry")[0]?.logSeq ?? 0;
    const got = fixture.entryRead(logSeq, backlogEntry(logSeq - 2, 40, 1_000));
    expect(resultsOf(got)[0]).to.include({ first: 5, count: 2 });
    fixture.step({ kind: "watermark", seq: claim });
    fixture.now += HOLD_MS;
    const looked = fixture.batch([send({ room, id: idAt(T0 + 7, 7) })]);
    expect(only(looked, "look-up"), "archived now").to.have.length(1);
  });

  it("P23: sheds archived tails first, and the tail of the least recently used room before others", () => {
    const fixture = new PartitionFixture(8 * MIB);
    const rooms = Array.from({ length: 200 }, (_, n) => roomId(n));
    fixture.withRooms([...rooms, roomId(200)]);
    const before = heapBytes();
    let seq = 1;
    for (let round = 0; round < TAIL_EVENTS; round++) {
      for (const room of rooms) {
        seq++;
        commitOne(fixture, seq - 1, seq, room, 16_000);
        expect(fixture.memory.account.used).to.be.at.most(8 * MIB);
      }
      fixture.step({ kind: "watermark", seq });
    }
    expect(heapBytes() - before).to.be.below(40 * MIB);
    const { account } = fixture.memory;
    expect(account.usedBy("tails")).to.be.above(3 * MIB);
    for (let more = 0; more < 100; more++) {
      seq++;
      commitOne(fixture, seq - 1, seq, roomId(200), 16_000);
    }
    const at = (room: RoomId): unknown =>
      resultsOf(fixture.batch([{ c: 1, op: "range", room, first: 64, last: 64 }]))[0];
    expect(at(roomId(199)), "used last").to.include({ count: 1 });
    expect(at(roomId(0)), "served by the archive").to.include({ count: 0 });
  });

  it("P23: the tail of a loaded room keeps only its lines of the archive's answer in memory", () => {
    const fixture = new PartitionFixture(64 * MIB);
    fixture.serve();
    const before = heapBytes();
    for (let n = 0; n < 100; n++) {
      const room = roomId(n);
      fixture.batch([{ c: n, op: "head", room }]);
      // As in production: the tail is a slice of a text that contains many ids as well.
      const answer = `${"i".repeat(500_000)}\n${line(room, 1, 100)}`;
      const tail = new TextDecoder().decode(new TextEncoder().encode(answer)).split("\n").slice(1);
      fixture.loaded({ ...emptySnapshot(room, 0), head: 1, tail });
    }
    expect(fixture.memory.account.usedBy("tails")).to.be.above(20_000);
    expect(heapBytes() - before).to.be.below(10 * MIB);
  });

  it("a quiet room with one message has less than 3,300 bytes of heap", () => {
    const memory = new RoomMemory(64 * MIB);
    const open = (n: number): Room => {
      const room = new Room(roomId(n), memory, T0);
      room.load(emptySnapshot(room.id, 0));
      const decided = room.decide(send({ room: room.id }) as SendCommand, T0);
      if (decided.kind !== "event") throw new Error(decided.kind);
      room.commit(decided.seq, decided.lines, n + 1);
      room.onArchived(decided.seq);
      return room;
    };
    const rooms = Array.from({ length: 1_000 }, (_, n) => open(n)); // Code is compiled.
    const before = heapBytes();
    const more = Array.from({ length: 2_000 }, (_, n) => open(1_000 + n));
    expect((heapBytes() - before) / more.length).to.be.below(3_300);
    expect([...rooms, ...more].every(({ head }) => head === 1)).to.equal(true);
  });
});
