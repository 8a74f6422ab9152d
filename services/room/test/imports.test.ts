// Imports: a room takes the events of a file, with their numbers, senders and times.

import { expect } from "chai";
import type { ImportCommand } from "#shared/protocol/commands.ts";
import type { Result } from "#shared/protocol/results.ts";
import { encodeEvent } from "#shared/protocol/events.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { ROOM_MEMBERS_MAX } from "#shared/protocol/limits.ts";
import type { Effect } from "../core/partition-io.ts";
import { judgeImport } from "../core/imports.ts";
import type { ImportingRoom } from "../core/imports.ts";
import { RoomMemory } from "../core/room-memory.ts";
import { Room } from "../core/room.ts";
import {
  emptySnapshot,
  GENERAL,
  GW,
  idAt,
  only,
  PartitionFixture,
  resultsOf,
  T0,
} from "./partition-fixture.ts";

const PLANS = "plans" as RoomId;
const ADA = "ada" as UserId;
const BEN = "ben" as UserId;
const EVE = "eve" as UserId;
const PAST = T0 - 86_400_000;

const event = (seq: number, more: object = {}): RoomEvent =>
  ({
    t: "msg",
    room: PLANS,
    seq,
    id: idAt(PAST, seq),
    from: BEN,
    at: PAST + seq,
    ...("t" in more ? {} : { body: { text: `message ${seq}` } }),
    ...more,
  }) as RoomEvent;
const BORN = event(1).id;

let c = 5_000;
const part = (events: readonly RoomEvent[], more: Partial<ImportCommand> = {}): ImportCommand => ({
  c: ++c,
  op: "import",
  room: PLANS,
  user: ADA,
  grant: "admin",
  born: BORN,
  events,
  ...more,
});
const FIRST = [
  event(1, { t: "room", kind: "closed", title: "Plans" }),
  event(2, { t: "member", user: BEN, role: "owner" }),
  event(3),
];

function open(): PartitionFixture {
  return new PartitionFixture().withRooms([PLANS]);
}

const resultOf = (fixture: PartitionFixture, command: ImportCommand): Result | undefined =>
  resultsOf(fixture.batch([command]))[0];

/** A room with so many members, of whom Ben is one, before its event 9. */
function roomWith(size: number, more: Partial<ImportingRoom> = {}): ImportingRoom {
  const member = (user: UserId) => (user === BEN ? ({ role: "member" } as const) : undefined);
  return { next: 9, born: BORN, lastAt: 0, state: { size, member }, ...more };
}

describe("Imports", () => {
  it("P9: with a full commit window a part gets busy, and it is taken after the next commit", () => {
    const fixture = new PartitionFixture(1 << 28).withRooms([PLANS, GENERAL]);
    const { append } = fixture.fillWindow(GENERAL);
    const refused = part(FIRST);
    expect(resultOf(fixture, refused)).to.deep.equal({
      c: refused.c,
      error: "busy",
      afterMs: 1_000,
    });
    fixture.appended(append.n, { kind: "ok", seq: append.expected + 1 });
    expect(resultOf(fixture, part(FIRST))).to.equal(undefined);
  });

  it("J4: the lines of the file are committed as they are, the answer follows the commit, and rights hold", () => {
    const fixture = open();
    expect(resultsOf(fixture.batch([part(FIRST)]))).to.deep.equal([]);
    const [append] = only(fixture.flush(), "append");
    const effects = fixture.appended(append!.n, { kind: "ok", seq: 2 });
    const [broadcast] = only(effects, "broadcast");
    expect(broadcast).to.include({ room: PLANS, first: 1 });
    expect(broadcast!.lines).to.deep.equal(FIRST.map(encodeEvent));
    expect(resultsOf(effects)[0]).to.include({ ok: "sent", seq: 3, at: PAST + 3 });
    const head = (user: UserId) => ({ c: ++c, op: "head", room: PLANS, user }) as const;
    const answers = resultsOf(fixture.batch([head(BEN), head(EVE)]));
    expect(answers[0]).to.include({ ok: "head", head: 3, born: BORN });
    expect(answers[1]).to.include({ error: "forbidden" });
    // A later write continues behind it, at a time of the owner.
    const write = {
      c: ++c,
      op: "send",
      room: PLANS,
      id: idAt(T0, 9),
      from: BEN,
      body: {},
    } as const;
    fixture.batch([write, part([event(4)])]);
    const [next] = only(fixture.flush(), "append");
    const sent = resultsOf(fixture.appended(next!.n, { kind: "ok", seq: 3 }));
    expect(sent[0]).to.include({ ok: "sent", seq: 4 });
  });

  it("J4: an edit and a deletion of an import change what the owner knows of their message", () => {
    const fixture = open();
    const deletion = event(4, { t: "deleted", target: 3 });
    fixture.batch([part([...FIRST, deletion])]);
    const [append] = only(fixture.flush(), "append");
    fixture.appended(append!.n, { kind: "ok", seq: 2 });
    const edit = {
      c: ++c,
      op: "edit",
      room: PLANS,
      id: idAt(T0, 9),
      from: BEN,
      target: 3,
      body: {},
    };
    expect(resultsOf(fixture.batch([edit as never]))[0]).to.include({ error: "conflict" });
  });

  it("J5: refuses a user without admin, a gap, another birth, and a part that came before", () => {
    const fixture = open();
    for (const [command, error] of [
      [part(FIRST, { grant: "owner" }), "forbidden"],
      [part(FIRST, { grant: undefined }), "forbidden"],
      [part([event(2)]), "conflict"],
      [part(FIRST, { born: event(2).id }), "conflict"],
      [part([]), "conflict"],
      [part([event(1), event(3)]), "bad_frame"],
      [part([event(1), event(2, { at: PAST })]), "bad_frame"],
      [part([event(1, { at: T0 + 86_400_000 })]), "bad_frame"],
    ] as const) {
      expect(resultOf(fixture, command), error).to.include({ error });
    }
    fixture.batch([part(FIRST)]);
    expect(resultOf(fixture, part(FIRST))).to.include({ error: "conflict" });
    expect(resultOf(fixture, part([event(4)], { born: event(4).id }))).to.include({
      error: "conflict",
    });
  });

  it("J4, J5: a part continues the birth that an unconfirmed part or the archive gave, and its ids are known", () => {
    const room = new Room(PLANS, new RoomMemory(1 << 24), T0);
    room.load(emptySnapshot(PLANS, 0));
    const lines = FIRST.map(encodeEvent);
    const first = { kind: "event", seq: 1, at: PAST + 3, lines, notes: [] };
    expect(room.decideImport(part(FIRST), T0)).to.deep.equal(first);
    const other = part([event(4)], { born: event(4).id });
    const conflict = { kind: "refuse", error: "conflict" };
    expect(room.decideImport(other, T0)).to.deep.equal(conflict);
    expect(room.decideImport(part([event(4)]), T0)).to.include({ kind: "event", seq: 4 });
    const { id } = event(3);
    const write = { c: ++c, op: "send", room: PLANS, id, from: BEN, body: {} } as const;
    expect(room.decide(write, T0)).to.deep.equal({ kind: "repeat", seq: 3, at: PAST + 3 });
    const loaded = new Room(PLANS, new RoomMemory(1 << 24), T0);
    loaded.load({ ...emptySnapshot(PLANS, 0), head: 3, born: BORN, lastAt: PAST + 3 });
    expect(loaded.decideImport(other, T0)).to.deep.equal(conflict);
    expect(loaded.decideImport(part([event(4)]), T0)).to.include({ kind: "event", seq: 4 });
  });

  it("J5: the time of an event is compared with the owner's wall clock, and a part is appended soon", () => {
    const fixture = open();
    const hour = 3_600_000;
    const late = part([event(1, { at: T0 + hour })]);
    const step = (n: number, wall: number): Effect[] => {
      const batch = { v: 1, gw: GW, lane: 99, n, commands: [late] } as const;
      return fixture.partition.step({ kind: "batch", batch }, fixture.now, wall);
    };
    expect(resultsOf(step(1, T0 + hour - 1))[0]).to.include({ error: "bad_frame" });
    expect(step(2, T0 + hour)).to.deep.equal([{ kind: "flush-soon" }]);
  });

  it("P23: a part that waits for its room counts with its events, at two bytes a unit", () => {
    const waiting = (text: string): number => {
      const fixture = new PartitionFixture();
      fixture.serve();
      fixture.batch([part([event(1, { t: "msg", body: { text } })])]);
      return fixture.memory.account.usedBy("waiting");
    };
    expect(waiting("x")).to.be.above(768);
    expect(waiting("x".repeat(1_001)) - waiting("x")).to.equal(2_000);
  });

  it("J5: events of one time and of this moment pass", () => {
    const room = roomWith(0, { lastAt: T0 });
    const now = part([event(9, { at: T0 }), event(10, { at: T0 })]);
    expect(judgeImport(room, now, T0)).to.equal(undefined);
  });

  it("J4, M7: a room that is full of members takes their changes and messages, and a new one in the place of one who left", () => {
    const about = (seq: number, user: UserId, more: object = {}): RoomEvent =>
      event(seq, { t: "member", user, role: "member", ...more });
    const rows: [string, number, RoomEvent[], string | undefined][] = [
      ["a message", 0, [event(9)], undefined],
      ["one too many", 0, [about(9, EVE)], "conflict"],
      ["the last place", 1, [about(9, EVE)], undefined],
      ["two for the last place", 1, [about(9, EVE), about(10, ADA)], "conflict"],
      ["one user twice", 1, [about(9, EVE), about(10, EVE, { role: "reader" })], undefined],
      ["a stored one", 0, [about(9, BEN, { role: "owner" })], undefined],
      ["a ban of a stranger", 0, [about(9, EVE, { role: "none", banned: true })], "conflict"],
      ["one who is none already", 0, [about(9, EVE, { role: "none" })], undefined],
      ["one who leaves", 0, [about(9, BEN, { role: "none" }), about(10, EVE)], undefined],
      [
        "one who leaves and returns",
        0,
        [about(9, BEN, { role: "none" }), about(10, EVE), about(11, BEN)],
        "conflict",
      ],
      ["one who leaves a room with too many", -2, [about(9, BEN, { role: "none" })], undefined],
      ["one who leaves too late", 0, [about(9, EVE), about(10, BEN, { role: "none" })], "conflict"],
    ];
    for (const [what, free, events, expected] of rows) {
      const room = roomWith(ROOM_MEMBERS_MAX - free);
      expect(judgeImport(room, part(events), T0), what).to.equal(expected);
    }
  });

  it("J5: while the room node's memory is full a part gets busy and changes nothing, and passes later", () => {
    const fixture = open();
    const { account } = fixture.memory;
    const filling = account.bytesMax + 1 - account.used;
    account.add("rooms", filling);
    const refused = part(FIRST);
    expect(resultOf(fixture, refused)).to.include({ c: refused.c, error: "busy" });
    expect(only(fixture.flush(), "append")).to.deep.equal([]);
    account.add("rooms", -filling);
    expect(resultOf(fixture, part(FIRST))).to.equal(undefined);
    expect(only(fixture.flush(), "append")).to.have.length(1);
  });
});
