// Slow mode and edit window: who waits, for how long, and what a room knows of it after a load.

import { expect } from "chai";
import { MemoryArchive } from "#shared/adapters/archive-memory.ts";
import type { Write } from "#shared/protocol/commands.ts";
import { decodeEvent } from "#shared/protocol/events.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { SLOW_SENDERS_MAX } from "#shared/protocol/limits.ts";
import { RoomMemory } from "../core/room-memory.ts";
import { Room } from "../core/room.ts";
import type { Decision } from "../core/room.ts";
import { SlowMode } from "../core/slow-mode.ts";
import { ADA, emptySnapshot, idAt, PartitionFixture, resultsOf, T0 } from "./partition-fixture.ts";

const PLANS = "plans" as RoomId;
const BEN = "ben" as UserId;
const EVE = "eve" as UserId;

let n = 0;
const write = (from: UserId, content: object): Write =>
  ({ c: ++n, room: PLANS, id: idAt(T0, n), from, body: {}, ...content }) as Write;
const send = (from: UserId, more: object = {}): Write => write(from, { op: "send", ...more });

class Scene {
  readonly memory = new RoomMemory(1 << 26);
  room = new Room(PLANS, this.memory, T0);
  readonly lines: string[] = [];

  constructor() {
    this.room.load(emptySnapshot(PLANS, 0));
    const members = [{ user: BEN, role: "moderator" as const }, { user: EVE }];
    this.do(write(ADA, { op: "create", kind: "closed", members }), 0);
  }

  do(content: Write, afterMs: number): Decision {
    const decision = this.room.decide(content, T0 + afterMs, {});
    if (decision.kind !== "event") return decision;
    this.room.commit(decision.seq, decision.lines, decision.seq);
    this.lines.push(...decision.lines);
    return decision;
  }

  set(settings: object, afterMs: number): void {
    const decision = this.do(write(ADA, { op: "update", ...settings }), afterMs);
    expect(decision.kind).to.equal("event");
  }

  /** The room as another owner loads it from the archive. */
  async reload(): Promise<void> {
    const archive = new MemoryArchive();
    const events = this.lines.map((line) => {
      const { t: kind, seq, id, from: sender, at } = decodeEvent(line);
      return { room: PLANS, seq, kind, id, sender, at, line };
    });
    await archive.write({ p: 0, from: 0, to: 9, epoch: 1, events });
    const read = await archive.snapshot(0, PLANS, 0);
    if (read.kind !== "ok") throw new Error("the archive in memory is available");
    this.room = new Room(PLANS, this.memory, T0);
    this.room.load(read.value);
  }
}

const waits = (afterMs: number): object => ({ kind: "refuse", error: "rate_limited", afterMs });

describe("Slow mode", () => {
  it("M10: a user below moderator waits between two messages, other changes and moderators do not", () => {
    const scene = new Scene();
    expect(scene.do(send(EVE), 0).kind).to.equal("event");
    scene.set({ slowMode: 10 }, 1);
    // Messages before the slow mode do not count.
    expect(scene.do(send(EVE), 2).kind).to.equal("event");
    expect(scene.do(send(EVE), 3)).to.deep.equal(waits(9_999));
    expect(
      scene.do(write(EVE, { op: "react", target: 5, emoji: "👍", on: true }), 3).kind,
    ).to.equal("event");
    for (const user of [ADA, BEN]) {
      for (const at of [4, 5]) expect(scene.do(send(user), at).kind).to.equal("event");
    }
    expect(scene.do(send(EVE, { grant: "admin" }), 6).kind).to.equal("event");
    expect(scene.do(send(EVE), 10_002)).to.deep.equal(waits(4));
    expect(scene.do(send(EVE), 10_006).kind).to.equal("event");
    scene.set({ slowMode: 0 }, 10_007);
    expect(scene.do(send(EVE), 10_008).kind).to.equal("event");
    expect(
      decodeEvent(scene.lines.findLast((line) => line.includes('"room"'))!),
    ).not.to.have.any.keys("slowMode");
  });

  it("M10: another setting keeps the slow mode, other seconds begin it again", () => {
    const scene = new Scene();
    scene.set({ slowMode: 10 }, 0);
    scene.do(send(EVE), 1);
    scene.set({ title: "Plans", slowMode: 10 }, 2);
    expect(scene.do(send(EVE), 3)).to.deep.equal(waits(9_998));
    expect(scene.room.state.settings).to.include({ slowMode: 10, slowFrom: 5 });
    scene.set({ slowMode: 20 }, 4);
    expect(scene.do(send(EVE), 5).kind).to.equal("event");
    expect(scene.do(send(EVE), 6)).to.deep.equal(waits(19_999));
  });

  it("M10: a refused right and a missing target come before the wait, and a late send never waits", () => {
    const scene = new Scene();
    scene.set({ slowMode: 10 }, 0);
    scene.do(send(EVE), 1);
    expect(scene.do(send(EVE, { thread: 99 }), 2)).to.include({ error: "not_found" });
    expect(scene.do(send("dan" as UserId), 2)).to.include({ error: "forbidden" });
    expect(scene.do(send(EVE, { late: true }), 2)).to.include({ error: "conflict" });
  });

  it("M10: an owner that loads the room knows the waits, and the memory is given back", async () => {
    const scene = new Scene();
    const before = scene.memory.account.used;
    scene.set({ slowMode: 10 }, 0);
    scene.do(send(EVE), 1);
    for (let i = 0; i < 60; i++) scene.do(send(BEN), 2 + i); // More than a snapshot's tail.
    expect(scene.memory.account.used).to.be.above(before);
    await scene.reload();
    expect(scene.do(send(EVE), 100)).to.deep.equal(waits(9_901));
    expect(scene.do(send(EVE), 10_001).kind).to.equal("event");
  });

  it("room-state.3: a snapshot without senders takes no memory for them", () => {
    const used = [{}, { senders: [] }].map((senders) => {
      const memory = new RoomMemory(1 << 24);
      const state = { settings: { kind: "open", slowMode: 10 }, members: [] } as const;
      new Room(PLANS, memory, T0).load({ ...emptySnapshot(PLANS, 0), state, ...senders });
      return memory.account.used;
    });
    expect(used[0]).to.equal(used[1]);
  });

  it("M10: the sender gets `afterMs`, and the later sends behind it wait as behind each refused one", () => {
    const fixture = new PartitionFixture().withRooms([PLANS]);
    const grant = "owner";
    fixture.batch([write(ADA, { op: "update", slowMode: 60, grant }), send(EVE)]);
    fixture.flush();
    fixture.appended(1, { kind: "ok", seq: 2 });
    const results = resultsOf(fixture.batch([send(EVE), send(EVE)]));
    expect(results[0]).to.deep.include({ error: "rate_limited", afterMs: 60_000 });
    expect(results[1]).to.deep.include({ error: "busy" });
  });

  it("slow-mode.3: when the owner's clock goes back, a sender waits once, and the room's time waits for it", () => {
    const scene = new Scene();
    scene.set({ slowMode: 10 }, 0);
    expect(scene.do(send(EVE), 3_600_000).kind).to.equal("event");
    expect(scene.do(send(EVE), 0)).to.deep.equal(waits(10_000));
    expect(scene.do(send(EVE), 9_999)).to.deep.equal(waits(1));
    const late = scene.do(send(EVE), 10_000);
    expect(late).to.deep.include({ kind: "event", at: T0 + 3_600_000 });
    expect(scene.do(send(EVE), 10_001)).to.deep.equal(waits(9_999));
  });

  it("slow-mode.2: beyond the bound the oldest sender is forgotten", () => {
    const slow = new SlowMode(2);
    const settings = { kind: "closed", slowMode: 10 } as const;
    for (const [i, from] of [ADA, BEN, ADA, EVE].entries()) slow.take({ from, at: i, seq: i + 1 });
    expect(slow.size).to.equal(2);
    const waits = [ADA, BEN, EVE].map((user) => slow.waitMs(settings, user, 4));
    expect(waits).to.deep.equal([9_998, 0, 9_999]);
    expect(SLOW_SENDERS_MAX).to.be.above(1_000);
  });

  it("M10: the messages that a replay read count after the senders of a snapshot", () => {
    const replayed = new SlowMode();
    replayed.take({ seq: 7, from: BEN, at: T0 + 5_000 });
    const slow = new SlowMode();
    slow.load(
      [
        [BEN, T0, 3],
        [EVE, T0, 4],
      ],
      replayed,
    );
    const wait = (user: UserId): number =>
      slow.waitMs({ kind: "open", slowMode: 10 }, user, T0 + 5_000);
    expect([wait(BEN), wait(EVE)]).to.deep.equal([10_000, 5_000]);
  });
});

describe("Edit window", () => {
  it("C3: an author edits within the window, by the owner's clock, also a message of the archive", async () => {
    const always = new Scene();
    expect(always.do(send(EVE), 0)).to.include({ seq: 5 });
    expect(always.do(write(EVE, { op: "edit", target: 5 }), 99_000).kind).to.equal("event");
    const fresh = new Scene();
    fresh.set({ editWindow: 60 }, 1);
    expect(fresh.do(send(EVE), 2)).to.include({ seq: 6 });
    const own = (more: object = {}): Write => write(EVE, { op: "edit", target: 6, ...more });
    expect(fresh.do(own(), 60_002).kind).to.equal("event");
    const late = fresh.do(own(), 60_003);
    expect(late).to.deep.equal({ kind: "refuse", error: "forbidden" });
    // No other user edits, and a deletion has no window.
    expect(fresh.do(write(ADA, { op: "edit", target: 6 }), 3)).to.include({ error: "forbidden" });
    await fresh.reload();
    expect(fresh.do(own(), 60_004)).to.deep.equal({ kind: "refuse", error: "forbidden" });
    expect(fresh.do(write(EVE, { op: "delete", target: 6 }), 60_005).kind).to.equal("event");
  });

  it("C3: the archive's answer says when the message was sent; without it the edit is too late", () => {
    const room = new Room(PLANS, new RoomMemory(1 << 24), T0);
    const settings = { kind: "open", editWindow: 60 } as const;
    room.load({
      ...emptySnapshot(PLANS, 9),
      head: 500,
      lastAt: T0,
      state: { settings, members: [] },
    });
    const target = (seq: number, at?: number): object => ({ seq, message: { from: EVE, at } });
    const edit = (seq: number): Write => write(EVE, { op: "edit", target: seq });
    const answer = (seq: number, at?: number): string => {
      const decision = room.decide(edit(seq), T0, { target: target(seq, at) as never });
      return decision.kind === "refuse" ? decision.error : decision.kind;
    };
    expect(answer(7, T0 - 60_000)).to.equal("event");
    expect(answer(8, T0 - 60_001)).to.equal("forbidden");
    expect(answer(9)).to.equal("forbidden");
  });
});
