// Room state: any history, cut anywhere into a snapshot and a log, decides the same.

import { expect } from "chai";
import * as fc from "fast-check";
import type { Write } from "#shared/protocol/commands.ts";
import { decodeEvent } from "#shared/protocol/events.ts";
import { MemoryArchive } from "#shared/adapters/archive-memory.ts";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { ROLES } from "#shared/protocol/roles.ts";
import { ReplayedRoom } from "../core/replayed-room.ts";
import { RoomMemory } from "../core/room-memory.ts";
import { RoomState } from "../core/room-state.ts";
import { Room } from "../core/room.ts";
import { emptySnapshot, T0 } from "./partition-fixture.ts";

const PLANS = "plans" as RoomId;
const USERS = ["ada", "ben", "cat", "dan"] as UserId[];
const BYTES = 1 << 24;

function idOf(n: number): MessageId {
  const time = (T0 + n).toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${n.toString(16).padStart(12, "0")}` as MessageId;
}

type Draft = Omit<Write, "c" | "room" | "id">;

const user = fc.constantFrom(...USERS);
const grant = fc.constantFrom(undefined, undefined, undefined, "admin", "moderator");
const draft: fc.Arbitrary<Draft> = fc.oneof(
  fc.record({ op: fc.constant("send"), from: user, body: fc.constant({}) }),
  fc.record({
    op: fc.constant("create"),
    from: user,
    kind: fc.constantFrom("open", "closed"),
    members: fc.uniqueArray(fc.record({ user, role: fc.constantFrom("reader", "moderator") }), {
      selector: (member) => member.user,
      maxLength: 3,
    }),
  }),
  fc.record({
    op: fc.constant("member"),
    from: user,
    user,
    role: fc.constantFrom(...ROLES),
    banned: fc.constantFrom(undefined, true),
    mutedUntil: fc.constantFrom(undefined, T0 + 20, T0 + 1_000_000),
    grant,
  }),
  fc.record({
    op: fc.constant("update"),
    from: user,
    title: fc.constantFrom(undefined, "", "Plans"),
    sendRole: fc.constantFrom(undefined, "moderator"),
    archived: fc.constantFrom(undefined, true, false),
    slowMode: fc.constantFrom(undefined, undefined, 0, 1, 3),
    editWindow: fc.constantFrom(undefined, 1, 0),
    grant,
  }),
);

interface Decided {
  readonly outcomes: string[];
  readonly lines: string[];
}

/** Decides the writes in order and commits each event at once. */
function decideAll(room: Room, drafts: readonly Draft[], from: number): Decided {
  const outcomes: string[] = [];
  const lines: string[] = [];
  for (const [i, draft] of drafts.entries()) {
    const n = from + i;
    const write = { c: n, room: PLANS, id: idOf(n * 1_000), ...draft } as Write;
    const decision = room.decide(write, T0 + n, {});
    if (decision.kind === "event") {
      room.commit(decision.seq, decision.lines, n);
      lines.push(...decision.lines);
      outcomes.push(decision.lines.join());
    } else outcomes.push(decision.kind === "refuse" ? decision.error : decision.kind);
  }
  return { outcomes, lines };
}

function newRoom(memory = new RoomMemory(BYTES)): Room {
  const room = new Room(PLANS, memory, T0);
  room.load(emptySnapshot(PLANS, 0));
  return room;
}

describe("Room state", () => {
  it("M5: any history, cut anywhere into snapshot and log, decides the same", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(draft, { maxLength: 20 }),
        fc.array(draft, { minLength: 1, maxLength: 8 }),
        fc.nat(),
        fc.nat(),
        async (history, next, cut, overlap) => {
          const whole = newRoom();
          const { lines } = decideAll(whole, history, 1);
          const archived = lines.length === 0 ? 0 : cut % (lines.length + 1);
          const first = archived === 0 ? 0 : archived - (overlap % archived);
          const archive = new MemoryArchive();
          const events = lines.slice(0, archived).map((line) => {
            const { t: kind, seq, id, from: sender, at } = decodeEvent(line);
            return { room: PLANS, seq, kind, id, sender, at, line };
          });
          await archive.write({ p: 0, from: 0, to: 9, epoch: 1, events });
          const read = await archive.snapshot(0, PLANS, 0);
          if (read.kind !== "ok") throw new Error("the archive in memory is available");
          const memory = new RoomMemory(BYTES);
          const rebuilt = new Room(PLANS, memory, T0);
          const above = lines.slice(first);
          const replayed = new ReplayedRoom(PLANS, first + 1, memory);
          if (above.length > 0) replayed.add(first + 1, above, 10);
          expect(rebuilt.load(read.value, above.length > 0 ? replayed : undefined)).to.equal(true);
          expect(rebuilt.state.snapshot()).to.deep.equal(whole.state.snapshot());
          expect(decideAll(rebuilt, next, 500)).to.deep.equal(decideAll(whole, next, 500));
        },
      ),
      { numRuns: Number(process.env["RUNS"] ?? 300) },
    );
  });

  it("M7: the memory of members is counted, and is given back", () => {
    const memory = new RoomMemory(BYTES);
    const before = memory.account.used;
    const room = newRoom(memory);
    const with0 = memory.account.used;
    const members = Array.from({ length: 50 }, (_, i) => ({ user: `u${i}` as UserId }));
    const create = { op: "create", from: USERS[0]!, kind: "closed", members } as const;
    decideAll(room, [create], 1);
    expect(memory.account.used - with0).to.be.above(51 * 256);
    room.clear();
    expect(memory.account.used).to.equal(before);
  });

  it("M2: the events of a create have dense numbers, the owner first, and ids that are recognised", () => {
    const room = newRoom();
    const members = [{ user: USERS[1]! }, { user: USERS[2]!, role: "reader" }];
    const write = {
      c: 1,
      op: "create",
      room: PLANS,
      id: idOf(1),
      from: USERS[0]!,
      kind: "closed",
      title: "Plans",
      members,
    } as Write;
    const decision = room.decide(write, T0 + 5, {});
    if (decision.kind !== "event") throw new Error(decision.kind);
    const events = decision.lines.map(decodeEvent);
    expect(events.map(({ seq }) => seq)).to.deep.equal([1, 2, 3, 4]);
    expect(
      events.map((event) => (event.t === "member" ? `${event.user} ${event.role}` : event.t)),
    ).to.deep.equal(["room", "ada owner", "ben member", "cat reader"]);
    room.commit(1, decision.lines, 1);
    expect(room.born).to.equal(write.id);
    expect(room.decide(write, T0 + 9)).to.deep.include({ kind: "repeat", seq: 1 });
    const again = { ...write, id: idOf(2) } as Write;
    expect(room.decide(again, T0 + 9, {})).to.deep.equal({ kind: "refuse", error: "conflict" });
  });

  it("M6: members are listed by user id, behind a user and up to a number, with what is stored of them", () => {
    const state = new RoomState();
    const [ada, ben, cat, dan] = USERS;
    state.load({
      members: [
        [dan!, "member", 0, false],
        [ben!, "reader", 0, true],
        [ada!, "owner", 0, false],
        [cat!, "member", T0, false],
      ],
    });
    expect(state.page(undefined, 9)).to.deep.equal([
      [ada, { role: "owner" }],
      [ben, { role: "reader", banned: true }],
      [cat, { role: "member", mutedUntil: T0 }],
      [dan, { role: "member" }],
    ]);
    expect(state.page(ben, 1).map(([user]) => user)).to.deep.equal([cat]);
    expect(state.page(ben, 9).map(([user]) => user)).to.deep.equal([cat, dan]);
    expect(state.page(dan, 9)).to.deep.equal([]);
  });
});
