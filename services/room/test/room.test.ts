// Room, driven alone: its decisions, its state after a load, and the ids that it forgets.

import { expect } from "chai";
import type { SendCommand, Write } from "#shared/protocol/commands.ts";
import { decodeEvent } from "#shared/protocol/events.ts";
import { DEDUPE_WINDOW_MS, TAKE_OVER_IDS_MS } from "#shared/protocol/limits.ts";
import type { RoomSnapshot } from "#shared/protocol/history.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import { TARGETS_MAX } from "../core/message-targets.ts";
import { ReplayedRoom } from "../core/replayed-room.ts";
import { Room } from "../core/room.ts";
import { RoomMemory } from "../core/room-memory.ts";
import {
  ADA,
  emptySnapshot,
  GENERAL,
  idAt,
  lineOf,
  linesOf,
  send,
  T0,
} from "./partition-fixture.ts";

const EVE = "eve" as UserId;
const of = (overrides: Partial<SendCommand> = {}): SendCommand => send(overrides) as SendCommand;

function newRoom(snapshot: Partial<RoomSnapshot> = {}): { room: Room; memory: RoomMemory } {
  const memory = new RoomMemory(1 << 24);
  memory.wall = T0;
  const room = new Room(GENERAL, memory, T0);
  room.load({ ...emptySnapshot(GENERAL, 0), ...snapshot });
  return { room, memory };
}

/** The lines `first` to `last`, in blocks of `size` lines. */
function replayed(memory: RoomMemory, first: number, last: number, size = 2): ReplayedRoom {
  const found = new ReplayedRoom(GENERAL, first, memory);
  for (let seq = first, at = 1; seq <= last; seq += size) {
    const { lines } = linesOf(GENERAL, seq, Math.min(size, last + 1 - seq));
    found.add(seq, lines, at++);
  }
  return found;
}

/** A write of an administrator. */
let writes = 0;
const write = (op: string, more: object): Write => {
  const id = idAt(T0, 500_000 + ++writes);
  return { c: 1, op, room: GENERAL, id, from: ADA, grant: "admin", ...more } as Write;
};
const edit = (target: number): Write => write("edit", { target, body: {} });

/** Decides and commits `count` recent sends, and returns them. */
function commit(room: Room, count: number): SendCommand[] {
  return Array.from({ length: count }, () => {
    const command = of();
    const decided = room.decide(command, T0);
    if (decided.kind !== "event") throw new Error(decided.kind);
    room.commit(decided.seq, decided.lines, decided.seq);
    return command;
  });
}

describe("Room: decisions", () => {
  it("O1: the next number is one above the loaded head, and grows by one", () => {
    const { room } = newRoom({ head: 5, born: "b", lastAt: T0 + 9 });
    const first = of();
    expect(room.decide(first, T0)).to.deep.include({ kind: "event", seq: 6, at: T0 + 9 });
    expect(room.decide(of(), T0 + 20)).to.deep.include({ kind: "event", seq: 7, at: T0 + 20 });
    expect(room.decide(of(), T0 + 19)).to.deep.include({ kind: "event", seq: 8, at: T0 + 20 });
    expect(room.decide(first, T0 + 99)).to.deep.equal({ kind: "repeat", seq: 6, at: T0 + 9 });
    expect([room.head, room.archived, room.born]).to.deep.equal([5, 5, "b"]);
  });

  it("O1: the line is the event that all members receive", () => {
    const { room } = newRoom({ head: 5 });
    for (const replyTo of [undefined, 5]) {
      const command = of(replyTo === undefined ? {} : { replyTo });
      const decided = room.decide(command, T0);
      const { id, body } = command;
      expect(decided.kind === "event" && decodeEvent(decided.lines[0]!)).to.deep.equal({
        t: "msg",
        room: GENERAL,
        seq: replyTo === undefined ? 6 : 7,
        id,
        from: ADA,
        at: T0,
        body,
        ...(replyTo !== undefined && { replyTo }),
      });
    }
  });

  it("O1: refuses a reply to a number that does not exist yet, without using a number", () => {
    const { room } = newRoom({ head: 5 });
    const refused = { kind: "refuse", error: "not_found" };
    expect(room.decide(of({ replyTo: 6 }), T0)).to.deep.equal(refused);
    expect(room.decide(of({ replyTo: 7 }), T0)).to.deep.equal(refused);
    expect(room.decide(of({ replyTo: 5 }), T0)).to.include({ seq: 6 });
    // A number in flight is sufficient.
    expect(room.decide(of({ replyTo: 6 }), T0)).to.include({ seq: 7 });
  });

  it("O4: a send whose refusal was lost stays refused when a later send has its number", () => {
    const { room } = newRoom();
    const set = (role: string, more: object = {}): void => {
      const id = idAt(T0, room.head + 900);
      const write = { c: 1, op: "member", room: GENERAL, id, from: EVE, user: ADA, role, ...more };
      const decided = room.decide({ ...write, grant: "admin" } as Write, T0);
      if (decided.kind !== "event") throw new Error(decided.kind);
      room.commit(decided.seq, decided.lines, decided.seq);
    };
    set("none", { banned: true });
    const first = of();
    const refused = (error: string): object => ({ kind: "refuse", error });
    expect(room.decide(first, T0)).to.deep.equal(refused("forbidden"));
    const late = { ...first, late: true } as const;
    expect(room.decide(late, T0)).to.deep.equal(refused("forbidden"));
    set("member");
    const later = of();
    expect(room.decide(later, T0)).to.include({ kind: "event", seq: 3 });
    // The gateway has the number of the later one, and no answer to the first one (lane.7).
    expect(room.decide(late, T0)).to.deep.equal(refused("conflict"));
    const old = of({ id: idAt(T0 - 1), late: true });
    const { room: archived } = newRoom({ head: 9, floor: T0 });
    expect(archived.decide(old, T0)).to.deep.equal({ kind: "look-up" });
    expect(archived.decide(old, T0, {})).to.deep.equal(refused("conflict"));
  });

  it("O4: repeats a known id also when it is late or held; refuses a new one, late before held", () => {
    const { room } = newRoom();
    const known = of();
    room.decide(known, T0);
    const late = { late: true } as const;
    expect(room.decide({ ...known, ...late }, T0, undefined, true)).to.include({ kind: "repeat" });
    const conflict = { kind: "refuse", error: "conflict" };
    expect(room.decide(of(late), T0, undefined, true)).to.deep.equal(conflict);
    expect(room.decide(of(), T0, undefined, true)).to.deep.equal({ kind: "refuse", error: "busy" });
    expect(room.decide(of(), T0)).to.include({ seq: 2 });
  });

  it("P13: an id below the floor needs a look-up, and the answer decides it", () => {
    const { room } = newRoom({ head: 9, floor: T0 });
    const old = of({ id: idAt(T0 - 1) });
    expect(room.isUnsure(old, T0)).to.equal(true);
    expect(room.isUnsure(of({ id: idAt(T0) }), T0)).to.equal(false);
    expect(room.decide(old, T0)).to.deep.equal({ kind: "look-up" });
    const found = { seq: 3, at: T0 - 1 };
    expect(room.decide(old, T0, { found })).to.deep.equal({ kind: "repeat", ...found });
    expect(room.decide(old, T0, {})).to.include({ kind: "event", seq: 10 });
    expect(room.decide(of({ id: idAt(T0 + 25 * 3_600_000) }), T0)).to.deep.equal({
      kind: "refuse",
      error: "bad_id",
    });
  });

  it("O2: head and birth change with the commit, which is in order and has only decided lines", () => {
    const { room } = newRoom();
    const command = of();
    const decided = room.decide(command, T0);
    if (decided.kind !== "event") throw new Error(decided.kind);
    expect([room.head, room.born]).to.deep.equal([0, ""]);
    expect(() => room.commit(2, decided.lines, 1)).to.throw();
    expect(() => room.commit(1, [...decided.lines, ...decided.lines], 1)).to.throw();
    const again = newRoom();
    again.room.decide(of(), T0);
    again.room.decide(command, T0);
    const block = again.room.commit(1, decided.lines, 4);
    expect([again.room.head, again.room.born]).to.deep.equal([1, command.id]);
    expect([block.first, block.count, block.logSeq]).to.deep.equal([1, 1, 4]);
    again.room.commit(2, [lineOf(GENERAL, 2)], 5);
    expect([again.room.head, again.room.born]).to.deep.equal([2, command.id]);
  });

  it("O2, room/room.6: an answer waits for a deletion and for each change of the state, and for no other event", () => {
    const ops: readonly (readonly [string, object, boolean])[] = [
      ["send", { body: {} }, false],
      ["edit", { target: 6, body: {} }, false],
      ["react", { target: 6, emoji: "👍", on: true }, false],
      ["pin", { target: 6, on: true }, false],
      ["delete", { target: 6 }, true],
      ["update", { title: "Plans" }, true],
      ["member", { user: EVE, role: "member" }, true],
    ];
    for (const [op, more, isChange] of ops) {
      const { room } = newRoom({ head: 5, born: "b" });
      commit(room, 1);
      const decided = room.decide(write(op, more), T0);
      if (decided.kind !== "event") throw new Error(`${op} ${decided.kind}`);
      expect(room.isChanging, op).to.equal(isChange);
      expect(room.shown, op).to.deep.equal({ head: isChange ? 7 : 6, born: "b" });
      room.commit(7, decided.lines, 7);
      expect(room.isChanging, op).to.equal(false);
      expect(room.shown, op).to.deep.equal({ head: 7, born: "b" });
    }
  });

  it("O2, room/room.6: the decided birth is that of the first event, also with later ones in flight", () => {
    const { room } = newRoom();
    const create = write("create", { kind: "closed" });
    expect(room.decide(create, T0)).to.include({ kind: "event", seq: 1 });
    expect(room.decide(of(), T0)).to.include({ kind: "event", seq: 3 });
    expect(room.shown).to.deep.equal({ head: 3, born: create.id });
    expect([room.head, room.born]).to.deep.equal([0, ""]);
  });

  it("C4: a write waits for a look-up when only the archive knows its target and may answer", () => {
    const { room } = newRoom({ head: 5 });
    commit(room, 1);
    const unsure = (): boolean[] =>
      [edit(5), edit(6), edit(7), of(), of({ thread: 5 }), of({ thread: 6 })].map((one) =>
        room.isUnsure(one, T0),
      );
    expect(unsure()).to.deep.equal([true, false, false, false, true, false]);
    room.forgetIds(6, { before: 0, now: T0 });
    expect(unsure(), "it may have forgotten more than the archive has").to.not.include(true);
    room.onArchived(6);
    expect(unsure()).to.deep.equal([true, true, false, false, true, true]);
  });

  it("message-targets.2, message-targets.3: archived targets beyond the bound go, but for those that an open look-up lacked", () => {
    const { room } = newRoom();
    const last = TARGETS_MAX + 128;
    commit(room, last);
    const firstKnown = (): number => {
      let seq = 1;
      while (room.isUnsure(edit(seq), T0)) seq++;
      return seq;
    };
    room.onArchived(0);
    expect(firstKnown(), "not archived").to.equal(1);
    const pin = { archived: 64 };
    room.pins.add(pin);
    room.onArchived(last);
    expect(firstKnown()).to.equal(65);
    room.pins.delete(pin);
    room.onArchived(last);
    expect(firstKnown()).to.equal(129);
  });

  it("P12: is settled when all events are committed and archived, and no look-up is open", () => {
    const memory = new RoomMemory(1 << 24);
    const room = new Room(GENERAL, memory, T0);
    expect([room.isLoaded, room.isSettled]).to.deep.equal([false, false]);
    room.load(emptySnapshot(GENERAL, 0));
    expect([room.isLoaded, room.isSettled]).to.deep.equal([true, true]);
    const decided = room.decide(of(), T0);
    expect(room.isSettled).to.equal(false);
    room.commit(1, decided.kind === "event" ? decided.lines : [], 1);
    expect(room.isSettled).to.equal(false);
    room.onArchived(1);
    expect(room.isSettled).to.equal(true);
    room.onArchived(0); // An older watermark changes nothing.
    expect([room.archived, room.isSettled]).to.deep.equal([1, true]);
    const pin = { archived: 1 };
    room.pins.add(pin);
    expect(room.isSettled).to.equal(false);
    room.pins.delete(pin);
    room.phase = { kind: "loading", watermark: 1 };
    expect(room.isSettled).to.equal(false);
  });
});

describe("Room: after a load", () => {
  it("P13: knows the ids of the snapshot and the floors of senders", () => {
    const ids = [[idAt(T0, 1), ADA, 4, T0 + 4]] as const;
    const { room } = newRoom({ head: 5, ids, floors: [[EVE, T0 + 100]] });
    const repeat = { kind: "repeat", seq: 4, at: T0 + 4 };
    expect(room.decide(of({ id: idAt(T0, 1) }), T0)).to.deep.equal(repeat);
    expect(room.decide(of({ id: idAt(T0, 1), from: EVE }), T0)).to.include({ kind: "look-up" });
    expect(room.decide(of({ id: idAt(T0 + 100), from: EVE }), T0)).to.include({ kind: "event" });
  });

  it("O9: its tail is in memory and ends at its head", () => {
    const { room } = newRoom({ head: 5, tail: linesOf(GENERAL, 4, 2).lines });
    expect(room.recent.range(3, 5)).to.deep.equal({ kind: "not-here" });
    const { lines } = linesOf(GENERAL, 4, 2);
    expect(room.recent.range(4, 5)).to.deep.equal({ kind: "lines", first: 4, lines });
  });

  it("message-targets.1: a line of its tail that is no event, or one of a newer version, has its place and is no message", () => {
    const newer = lineOf(GENERAL, 4).replace('"t":"msg"', '"t":"sung"');
    const tail = [lineOf(GENERAL, 2), "not an event", newer, lineOf(GENERAL, 5)];
    const { room } = newRoom({ head: 5, tail });
    expect(room.recent.range(2, 5)).to.deep.include({ first: 2, lines: tail });
    const answers = [2, 3, 4, 5].map((seq) => {
      const decided = room.decide(edit(seq), T0);
      return decided.kind === "refuse" ? decided.error : decided.kind;
    });
    expect(answers).to.deep.equal(["event", "not_found", "not_found", "event"]);
  });

  it("P25: refuses a snapshot that ends below the first replayed line", () => {
    for (const [head, meets] of [
      [4, false],
      [5, true],
    ] as const) {
      const memory = new RoomMemory(1 << 24);
      const room = new Room(GENERAL, memory, T0);
      const found = replayed(memory, 6, 9);
      expect(room.load({ ...emptySnapshot(GENERAL, 0), head }, found)).to.equal(meets);
      expect([room.isLoaded, room.head]).to.deep.equal(meets ? [true, 9] : [false, 0]);
    }
  });

  it("P25: keeps lines once that are in both the tail and the replay", () => {
    const memory = new RoomMemory(1 << 24);
    const room = new Room(GENERAL, memory, T0);
    const found = replayed(memory, 2, 7); // In blocks 2-3, 4-5, 6-7.
    const snapshot = { ...emptySnapshot(GENERAL, 0), head: 4, born: "b", lastAt: T0 + 99 };
    room.load({ ...snapshot, tail: linesOf(GENERAL, 2, 3).lines }, found);
    expect([room.head, room.archived, room.born]).to.deep.equal([7, 4, "b"]);
    const { lines } = linesOf(GENERAL, 2, 6);
    expect(room.recent.range(2, 7)).to.deep.equal({ kind: "lines", first: 2, lines });
    expect(memory.account.usedBy("replay")).to.equal(0);
    expect(memory.account.usedBy("unarchived")).to.be.above(0);
    expect(room.decide(of(), T0)).to.include({ seq: 8, at: T0 + 7 });
    found.onArchived(6);
    expect(room.archived, "it receives the watermark of its replay").to.equal(6);
    // Its ids above the snapshot's head come from the replay, and the others only from the
    // snapshot.
    expect(room.decide(of({ id: idAt(T0, 5) }), T0)).to.include({ kind: "repeat", seq: 5 });
    expect(room.decide(of({ id: idAt(T0, 4) }), T0)).to.include({ kind: "event" });
  });

  it("R3: a replayed birth counts, and otherwise the birth of the snapshot", () => {
    const memory = new RoomMemory(1 << 24);
    const room = new Room(GENERAL, memory, T0);
    room.load(emptySnapshot(GENERAL, 0), replayed(memory, 1, 3));
    expect(room.born).to.equal(idAt(T0, 1));
  });

  it("P25: a snapshot that is newer than the replay replaces it, and the replayed lines are dropped", () => {
    const memory = new RoomMemory(1 << 24);
    const room = new Room(GENERAL, memory, T0);
    const found = replayed(memory, 2, 5);
    const snapshot = { ...emptySnapshot(GENERAL, 0), head: 5, lastAt: T0 + 50, born: "b" };
    expect(room.load({ ...snapshot, tail: linesOf(GENERAL, 5, 1).lines }, found)).to.equal(true);
    expect([room.head, room.born]).to.deep.equal([5, "b"]);
    expect(room.recent.range(4, 4)).to.deep.equal({ kind: "not-here" });
    expect(memory.account.usedBy("replay")).to.equal(0);
    expect(room.decide(of(), T0)).to.include({ seq: 6, at: T0 + 50 });
  });

  it("recent.1: the archive serves a tail that does not reach the rest of the replay", () => {
    const memory = new RoomMemory(1 << 24);
    const room = new Room(GENERAL, memory, T0);
    const found = replayed(memory, 2, 9); // In blocks 2-3, 4-5, 6-7, 8-9.
    found.forgetLines(7);
    const tail = linesOf(GENERAL, 3, 2).lines;
    room.load({ ...emptySnapshot(GENERAL, 0), head: 4, tail }, found);
    expect(room.recent.range(4, 4)).to.deep.equal({ kind: "not-here" });
    for (const seq of [5, 6, 7]) {
      expect(room.recent.range(seq, seq), "it returns no other line").to.deep.equal({
        kind: "not-here",
      });
    }
    expect(room.recent.range(8, 8)).to.deep.include({ kind: "lines" });
    expect(memory.account.usedBy("tails")).to.equal(0);
    const none = new Room(GENERAL, memory, T0);
    const gone = replayed(memory, 2, 9);
    gone.forgetLines(9);
    none.load({ ...emptySnapshot(GENERAL, 0), head: 4, tail }, gone);
    expect(none.head).to.equal(9);
    expect(none.recent.range(4, 4)).to.deep.equal({ kind: "not-here" });
  });
});

describe("Room: forgotten ids", () => {
  it("dedupe.2: refuses ids that were dropped unarchived until the archive has them, and looks them up then", () => {
    const { room } = newRoom();
    const sends = commit(room, 3);
    const now = T0 + 1_000;
    expect(room.forgetIds(2, { before: Infinity, now })).to.equal(true);
    const [first, , third] = sends as [SendCommand, SendCommand, SendCommand];
    expect(room.decide(third, now)).to.include({ kind: "repeat", seq: 3 });
    room.onArchived(1);
    expect(room.isUnsure(first, now)).to.equal(false);
    const unavailable = { kind: "refuse", error: "unavailable" };
    expect(room.decide(first, now)).to.deep.equal(unavailable);
    expect(room.decide(first, now, {})).to.deep.equal(unavailable);
    room.onArchived(2);
    expect(room.isUnsure(first, now)).to.equal(true);
    expect(room.decide(first, now)).to.deep.equal({ kind: "look-up" });
  });

  it("dedupe.2: ids that the replay dropped count for the loaded room", () => {
    const memory = new RoomMemory(1 << 24);
    const room = new Room(GENERAL, memory, T0);
    const found = replayed(memory, 1, 4, 1);
    found.forgetIds(2, { before: Infinity, now: T0 + 99 });
    room.load(emptySnapshot(GENERAL, 0), found);
    const refused = { kind: "refuse", error: "unavailable" };
    expect(room.decide(of({ id: idAt(T0, 1) }), T0)).to.deep.equal(refused);
    room.onArchived(2);
    expect(room.decide(of({ id: idAt(T0, 1) }), T0)).to.deep.equal({ kind: "look-up" });
  });

  it("dedupe.3: forgets ids older than the window after they are archived, and not before", () => {
    for (const [ms, kind] of [
      [DEDUPE_WINDOW_MS - 60_000, "repeat"],
      [DEDUPE_WINDOW_MS + 60_000, "look-up"],
    ] as const) {
      const { room } = newRoom();
      const [sent] = commit(room, 1);
      room.prune(T0 + ms);
      expect(room.decide(sent!, T0 + ms), "not archived").to.include({ kind: "repeat" });
      room.onArchived(1);
      room.prune(T0 + ms);
      expect(room.decide(sent!, T0 + ms)).to.include({ kind });
    }
  });

  it("room/room.4: keeps ids that were not archived at the request of the oldest open look-up", () => {
    const { room } = newRoom();
    const [first, second] = commit(room, 2);
    room.onArchived(1);
    room.pins.add({ archived: room.archived });
    room.onArchived(2);
    room.pins.add({ archived: room.archived });
    const late = T0 + 2 * DEDUPE_WINDOW_MS;
    room.prune(late);
    expect(room.decide(first!, late)).to.include({ kind: "look-up" });
    expect(room.decide(second!, late)).to.include({ kind: "repeat" });
    const all = { before: Infinity, now: Infinity };
    expect(room.forgetIds(2, all), "one stays").to.equal(false);
    expect(room.decide(second!, late)).to.include({ kind: "repeat" });
    room.pins.clear();
    expect(room.forgetIds(2, all)).to.equal(true);
    expect(room.decide(second!, late)).to.include({ kind: "look-up" });
  });

  it("room-memory.1: under pressure a loaded room drops archived ids, and keeps unarchived ones", () => {
    const { room, memory } = newRoom();
    const [first, second] = commit(room, 2);
    room.onArchived(1);
    memory.wall = T0 + TAKE_OVER_IDS_MS + 60_000;
    room.forgetArchivedIds({ before: memory.wall - TAKE_OVER_IDS_MS, now: memory.wall });
    expect(room.decide(first!, memory.wall)).to.include({ kind: "look-up" });
    expect(room.decide(second!, memory.wall)).to.include({ kind: "repeat" });
  });

  it("room-memory.1: sheds the ids of a loaded room until it is cleared", () => {
    const { room, memory } = newRoom();
    const [first] = commit(room, 1);
    room.onArchived(1);
    memory.wall = T0 + TAKE_OVER_IDS_MS + 60_000;
    memory.account.bytesMax = 1;
    memory.shed();
    expect(room.decide(first!, memory.wall)).to.include({ kind: "look-up" });
    room.clear();
    expect(memory.account.used).to.equal(0);
  });

  it("P23: a cleared room gives back the memory of its lines, ids, targets, edits and state", () => {
    const { room, memory } = newRoom({ floors: [[EVE, T0]] });
    commit(room, 70);
    for (const one of [edit(1), write("member", { user: EVE, role: "member" })]) {
      const decided = room.decide(one, T0);
      if (decided.kind !== "event") throw new Error(decided.kind);
      room.commit(decided.seq, decided.lines, decided.seq);
    }
    for (const category of ["unarchived", "ids", "targets", "rooms"] as const) {
      expect(memory.account.usedBy(category), category).to.be.above(0);
    }
    room.clear();
    expect(memory.account.used).to.equal(0);
  });

  it("recent.4: drops the places of lines up to a number, and keeps those above it", () => {
    const { room } = newRoom();
    commit(room, 3);
    room.forgetLines(2);
    expect(room.recent.range(2, 2)).to.deep.equal({ kind: "not-here" });
    expect(room.recent.range(3, 3)).to.deep.include({ kind: "lines", first: 3 });
  });
});
