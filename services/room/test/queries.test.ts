// Queries, and their parts: read-backs, pending syncs, the effect buffer.

import { expect } from "chai";
import { RESYNC_ALL } from "#shared/protocol/results.ts";
import type { Query, RangeCommand } from "#shared/protocol/commands.ts";
import { decodeEntry } from "#shared/protocol/entry.ts";
import type { DecodedEntry } from "#shared/protocol/entry.ts";
import type { StateEvent } from "#shared/protocol/events.ts";
import { PRESENCE_NAMES_MAX } from "#shared/protocol/limits.ts";
import type { ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import type { Effect } from "../core/partition-io.ts";
import { EffectBuffer } from "../core/effect-buffer.ts";
import { PendingSyncs } from "../core/pending-syncs.ts";
import { Queries } from "../core/queries.ts";
import { READ_BACKS_MAX, ReadBacks } from "../core/read-backs.ts";
import { CommitWindow } from "../core/commit.ts";
import { Room } from "../core/room.ts";
import { RoomMemory } from "../core/room-memory.ts";
import { ADA, commitEntry, DEV, emptySnapshot, GENERAL, GW, lineOf } from "./partition-fixture.ts";
import { linesOf, only, claimEntry, T0 } from "./partition-fixture.ts";

const EVE = "eve" as UserId;
const GW2 = "gw-2" as ProcessId;

class QueriesFixture {
  readonly memory = new RoomMemory(1 << 24);
  readonly out = new EffectBuffer(3);
  readonly queries = new Queries(this.out, new CommitWindow(1, this.memory.account), this.memory);

  room(id: RoomId, head = 0, lines = 0): Room {
    const room = new Room(id, this.memory, T0);
    const tail = linesOf(id, head + 1 - lines, lines).lines;
    room.load({ ...emptySnapshot(id, 0), head, born: head > 0 ? "b" : "", tail });
    return room;
  }

  ask(room: Room, query: Query, gateway = GW): void {
    this.queries.answer(room, gateway, query);
  }

  take(): Effect[] {
    this.queries.announce();
    return this.out.take();
  }
}

const redact = (_seq: number, line: string): string => line;

describe("Queries", () => {
  it("A1: answers head, leave and range in order of arrival", () => {
    const fixture = new QueriesFixture();
    const room = fixture.room(GENERAL, 5, 2);
    fixture.ask(room, { c: 1, op: "head", room: GENERAL });
    fixture.ask(room, { c: 2, op: "leave", room: GENERAL, user: ADA });
    fixture.ask(room, { c: 3, op: "range", room: GENERAL, first: 4, last: 9 });
    fixture.ask(room, { c: 4, op: "range", room: GENERAL, first: 3, last: 9 });
    fixture.ask(room, { c: 5, op: "range", room: GENERAL, first: 4, last: 4 });
    const { lines } = linesOf(GENERAL, 4, 2);
    expect(fixture.take()).to.deep.equal([
      {
        kind: "reply",
        gateway: GW,
        epoch: 3,
        results: [
          { result: { c: 1, ok: "head", head: 5, born: "b" } },
          { result: { c: 2, ok: "left" } },
          { result: { c: 3, ok: "range", first: 4, count: 2 }, lines },
          { result: { c: 4, ok: "range", first: 3, count: 0 }, lines: [] },
          { result: { c: 5, ok: "range", first: 4, count: 1 }, lines: [lines[0]] },
        ],
      },
    ]);
    expect(fixture.take()).to.deep.equal([]);
  });

  it("queries.1: a head of an older gateway, which names no user, is answered while every user may read the room", () => {
    const fixture = new QueriesFixture();
    const room = fixture.room(GENERAL, 5);
    const head = (): object => {
      fixture.ask(room, { c: 1, op: "head", room: GENERAL });
      const [reply] = only(fixture.take(), "reply");
      return reply!.results[0]!.result;
    };
    expect(head()).to.include({ ok: "head" });
    room.state.apply({ t: "member", user: EVE, role: "none", banned: true } as StateEvent);
    expect(head()).to.deep.equal({ c: 1, error: "forbidden" });
    room.state.apply({ t: "member", user: EVE, role: "none" } as StateEvent);
    expect(head()).to.include({ ok: "head" });
    room.state.apply({ t: "room", kind: "closed" } as StateEvent);
    expect(head()).to.deep.equal({ c: 1, error: "forbidden" });
  });

  it("A1: a leave removes its user, for its own gateway and by its command number", () => {
    const fixture = new QueriesFixture();
    const room = fixture.room(GENERAL);
    fixture.ask(room, { c: 5, op: "join", room: GENERAL, user: ADA });
    fixture.ask(room, { c: 4, op: "leave", room: GENERAL, user: ADA });
    fixture.ask(room, { c: 6, op: "leave", room: GENERAL, user: ADA }, GW2);
    expect(fixture.queries.presence.users(GENERAL)).to.deep.equal([ADA]);
    fixture.ask(room, { c: 6, op: "leave", room: GENERAL, user: ADA });
    expect(fixture.queries.presence.users(GENERAL)).to.deep.equal([]);
    expect(only(fixture.take(), "announce")).to.have.length(2);
  });

  it("A1: answers the joins of a step once, with the names once per gateway and room", () => {
    const fixture = new QueriesFixture();
    const [general, dev] = [fixture.room(GENERAL, 5), fixture.room(DEV)];
    fixture.ask(general, { c: 1, op: "join", room: GENERAL, user: ADA });
    fixture.ask(general, { c: 2, op: "join", room: GENERAL, user: EVE });
    fixture.ask(dev, { c: 3, op: "join", room: DEV, user: EVE });
    fixture.ask(general, { c: 4, op: "join", room: GENERAL, user: EVE }, GW2);
    const joined = { ok: "joined", head: 5, born: "b", here: 2 } as const;
    const users = [ADA, EVE];
    expect(only(fixture.take(), "reply")).to.deep.equal([
      {
        kind: "reply",
        gateway: GW,
        epoch: 3,
        results: [
          { result: { c: 1, ...joined, users } },
          { result: { c: 2, ...joined, listedBy: 1 } },
          { result: { c: 3, ok: "joined", head: 0, born: "", here: 1, users: [EVE] } },
        ],
      },
      { kind: "reply", gateway: GW2, epoch: 3, results: [{ result: { c: 4, ...joined, users } }] },
    ]);
    expect(fixture.take()).to.deep.equal([]);
  });

  it("A2: a join of a room with too many users to name gets their number", () => {
    const fixture = new QueriesFixture();
    const room = fixture.room(GENERAL);
    for (let n = 0; n <= PRESENCE_NAMES_MAX; n++) {
      fixture.queries.presence.join(GENERAL, `user-${n}` as UserId, { gateway: GW, c: 1 });
    }
    fixture.ask(room, { c: 2, op: "join", room: GENERAL, user: ADA });
    fixture.ask(room, { c: 3, op: "join", room: GENERAL, user: EVE });
    const results = only(fixture.take(), "reply").flatMap((reply) => reply.results);
    const joined = { ok: "joined", head: 0, born: "", here: PRESENCE_NAMES_MAX + 3 };
    expect(results).to.deep.equal([
      { result: { c: 2, ...joined } },
      { result: { c: 3, ...joined } },
    ]);
  });

  it("A2: presence counts seconds, for any number of ticks", () => {
    const fixture = new QueriesFixture();
    fixture.queries.onTick(T0);
    fixture.queries.presence.join(GENERAL, ADA, { gateway: GW, c: 1 });
    fixture.take();
    const announced: number[] = [];
    for (let ms = 100; ms <= 9_000; ms += 100) {
      fixture.queries.onTick(T0 + ms);
      if (fixture.take().length > 0) announced.push(ms);
    }
    expect(announced).to.deep.equal([2_000, 8_000]);
  });

  it("recent.2: ranges of a dropped text wait for its entry, and only the first one reads it", () => {
    const fixture = new QueriesFixture();
    const room = fixture.room(GENERAL);
    const block = room.recent.add({ first: 1, lines: [lineOf(GENERAL, 1)], logSeq: 7 });
    block.giveUp();
    // A range is bounded by the head.
    const ready = {
      recent: room.recent,
      id: GENERAL,
      head: 1,
      born: "b",
      redact,
    } as unknown as Room;
    const range = (c: number): RangeCommand => ({
      c,
      op: "range",
      room: GENERAL,
      first: 1,
      last: 9,
    });
    fixture.ask(ready, range(1));
    fixture.ask(ready, range(2), GW2);
    expect(fixture.take()).to.deep.equal([{ kind: "get-entry", logSeq: 7 }]);
    const lines = [lineOf(GENERAL, 1)];
    fixture.queries.onEntryRead(
      7,
      decodeEntry(commitEntry(1, [{ room: GENERAL, first: 1, lines }])),
    );
    expect(fixture.take()).to.deep.equal(
      [GW, GW2].map((gateway, i) => ({
        kind: "reply",
        gateway,
        epoch: 3,
        results: [{ result: { c: i + 1, ok: "range", first: 1, count: 1 }, lines }],
      })),
    );
  });

  it("recent.2: answers a range beyond READ_BACKS_MAX entries with no lines", () => {
    const fixture = new QueriesFixture();
    const room = fixture.room(GENERAL);
    for (let seq = 1; seq <= READ_BACKS_MAX + 1; seq++) {
      room.recent.add({ first: seq, lines: [lineOf(GENERAL, seq)], logSeq: seq }).giveUp();
    }
    const head = READ_BACKS_MAX + 1;
    const ready = { recent: room.recent, id: GENERAL, head, born: "b", redact } as unknown as Room;
    for (let first = 1; first <= head; first++) {
      fixture.ask(ready, { c: first, op: "range", room: GENERAL, first, last: first });
    }
    const effects = fixture.take();
    expect(only(effects, "get-entry")).to.have.length(READ_BACKS_MAX);
    expect(only(effects, "reply").flatMap(({ results }) => results)).to.deep.equal([
      { result: { c: head, ok: "range", first: head, count: 0 }, lines: [] },
    ]);
  });
});

describe("Read-backs", () => {
  const range = (first: number, last: number, room = GENERAL): RangeCommand => ({
    c: first,
    op: "range",
    room,
    first,
    last,
  });
  const entry = decodeEntry(commitEntry(1, [linesOf(DEV, 40, 3), linesOf(GENERAL, 10, 4)]));
  const found = (command: RangeCommand, got: DecodedEntry | undefined = entry): unknown => {
    const readBacks = new ReadBacks();
    readBacks.ask(7, GW, command);
    return [...readBacks.answer(7, got)].map(({ item }) => item.lines);
  };
  const lines = (first: number, count: number): unknown => [linesOf(GENERAL, first, count).lines];

  it("recent.2: answers with the lines that the range and the entry have in common", () => {
    expect(found(range(10, 13))).to.deep.equal(lines(10, 4));
    expect(found(range(11, 12))).to.deep.equal(lines(11, 2));
    expect(found(range(12, 99))).to.deep.equal(lines(12, 2));
    // An answer begins at the first line of its range.
    expect(found(range(9, 13))).to.deep.equal([[]]);
    expect(found(range(13, 13))).to.deep.equal(lines(13, 1));
    expect(found(range(14, 20))).to.deep.equal([[]]);
    expect(found(range(10, 13, "other" as RoomId))).to.deep.equal([[]]);
    expect(found(range(10, 13), decodeEntry(claimEntry()))).to.deep.equal([[]]);
    const shown = new ReadBacks();
    shown.ask(7, GW, range(11, 12), (seq, line) => `${seq} ${line}`);
    const [eleven, twelve] = linesOf(GENERAL, 11, 2).lines;
    expect([...shown.answer(7, entry)].map(({ item }) => item.lines)).to.deep.equal([
      [`11 ${eleven}`, `12 ${twelve}`],
    ]);
    const readBacks = new ReadBacks();
    readBacks.ask(7, GW, range(10, 13));
    expect([...readBacks.answer(7, undefined)]).to.deep.equal([
      { gateway: GW, item: { result: { c: 10, ok: "range", first: 10, count: 0 }, lines: [] } },
    ]);
  });

  it("recent.2: ranges of one entry share one read, and each range is answered once", () => {
    const readBacks = new ReadBacks();
    expect([...readBacks.answer(7, entry)]).to.deep.equal([]);
    expect(readBacks.ask(7, GW, range(10, 10))).to.equal("first");
    expect(readBacks.ask(7, GW2, range(11, 11))).to.equal("joined");
    expect(readBacks.ask(8, GW, range(14, 14))).to.equal("first");
    const gateways = [...readBacks.answer(7, entry)].map(({ gateway }) => gateway);
    expect(gateways).to.deep.equal([GW, GW2]);
    expect([...readBacks.answer(7, entry)]).to.deep.equal([]);
    expect(readBacks.ask(7, GW, range(10, 10))).to.equal("first");
  });

  it("recent.2: at most READ_BACKS_MAX entries are read at a time, and further ranges may share these reads", () => {
    const readBacks = new ReadBacks();
    for (let n = 1; n <= READ_BACKS_MAX; n++) {
      expect(readBacks.ask(n, GW, range(1, 1))).to.equal("first");
    }
    expect(readBacks.ask(9_999, GW, range(1, 1))).to.equal("full");
    expect(readBacks.ask(1, GW, range(1, 1))).to.equal("joined");
    expect([...readBacks.answer(1, undefined)]).to.have.length(2);
    expect(readBacks.ask(9_999, GW, range(1, 1))).to.equal("first");
  });
});

describe("Pending syncs", () => {
  const asked = { kind: "resync", gateway: GW, epoch: 3, lane: RESYNC_ALL } as const;

  it("pending-syncs.1: requests a sync at once, and again after 1, 3 and 9 seconds", () => {
    const pending = new PendingSyncs(3);
    expect(pending.due(T0)).to.deep.equal([]);
    expect(pending.add(GW, T0)).to.deep.equal(asked);
    const at: number[] = [];
    for (let ms = 0; ms <= 30_000; ms++) if (pending.due(T0 + ms).length > 0) at.push(ms);
    expect(at).to.deep.equal([1_000, 3_000, 9_000]);
  });

  it("pending-syncs.1: stops after a sync, and begins again for a gateway that is back again", () => {
    const pending = new PendingSyncs(3);
    pending.add(GW, T0);
    pending.add(GW2, T0);
    pending.settle(GW2);
    expect(pending.due(T0 + 1_000)).to.deep.equal([asked]);
    pending.add(GW, T0 + 1_500);
    expect(pending.due(T0 + 2_499)).to.deep.equal([]);
    expect(pending.due(T0 + 2_500)).to.deep.equal([asked]);
  });
});

describe("EffectBuffer", () => {
  it("O2: returns the effects in order, then one reply per gateway, once", () => {
    const out = new EffectBuffer(3);
    expect(out.take()).to.deep.equal([]);
    out.refuse(GW, 1, "bad_id");
    out.effect({ kind: "changed" });
    out.refuse(GW2, 2, "busy");
    out.repeatHeads([[GENERAL, 4]]);
    out.refuse(GW, 3, "unavailable");
    expect(out.take()).to.deep.equal([
      { kind: "changed" },
      { kind: "repeat-head", room: GENERAL, head: 4 },
      {
        kind: "reply",
        gateway: GW,
        epoch: 3,
        results: [
          { result: { c: 1, error: "bad_id" } },
          { result: { c: 3, error: "unavailable", afterMs: 1_000 } },
        ],
      },
      {
        kind: "reply",
        gateway: GW2,
        epoch: 3,
        results: [{ result: { c: 2, error: "busy", afterMs: 1_000 } }],
      },
    ]);
    expect(out.take()).to.deep.equal([]);
  });
});
