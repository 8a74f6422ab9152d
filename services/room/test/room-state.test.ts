// Room state: any history, cut anywhere into a snapshot and a log, decides the same.

import { expect } from "chai";
import * as fc from "fast-check";
import type { Write } from "#shared/protocol/commands.ts";
import { decodeEvent } from "#shared/protocol/events.ts";
import type { StateEvent } from "#shared/protocol/events.ts";
import { MemoryArchive } from "#shared/adapters/archive-memory.ts";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { ROLES } from "#shared/protocol/roles.ts";
import type { Role } from "#shared/protocol/roles.ts";
import { INVITE_BYTES } from "../core/invites.ts";
import { ReplayedRoom } from "../core/replayed-room.ts";
import { RoomMemory } from "../core/room-memory.ts";
import { RoomState } from "../core/room-state.ts";
import { Room } from "../core/room.ts";
import { SENDER_BYTES } from "../core/slow-mode.ts";
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

/** What the room has stored. */
function stateOf({ state }: Room): object {
  const { settings, owners, isPublic } = state;
  return { settings, owners, isPublic, members: state.page(undefined, Infinity) };
}

const setting = (more: object): StateEvent => ({ t: "room", kind: "open", ...more }) as StateEvent;
const member = (user: UserId, role: Role, more: object = {}): StateEvent =>
  ({ t: "member", user, role, ...more }) as StateEvent;

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
          expect(stateOf(rebuilt)).to.deep.equal(stateOf(whole));
          expect(decideAll(rebuilt, next, 500)).to.deep.equal(decideAll(whole, next, 500));
        },
      ),
      { numRuns: Number(process.env["RUNS"] ?? 300) },
    );
  });

  it("P23, M7, room-state.3, room-state.4: members, invites and the senders of a slow mode count once, and are given back", () => {
    const { account } = new RoomMemory(BYTES);
    const state = new RoomState(account);
    const [ada, ben, cat] = USERS as [UserId, UserId, UserId];
    const invite = { t: "invite", invite: idOf(1), hash: "h", role: "member", at: T0 };
    const sends = (from: UserId) => () => state.onMessage({ seq: 9, from, at: T0 });
    const loads = (from: UserId) => () => state.loadSenders([[from, T0, 9]]);
    const steps: readonly (readonly [string, StateEvent | (() => void), number])[] = [
      ["a member", member(ada, "member"), 256],
      ["another role", member(ada, "owner"), 0],
      ["a stranger who goes", member(ben, "none"), 0],
      ["a ban", member(ben, "none", { banned: true }), 256],
      ["the end of the ban", member(ben, "none"), -256],
      ["an invite", { ...invite, until: T0 + 9, uses: 1 } as StateEvent, INVITE_BYTES],
      ["its only use", member(cat, "member", { invite: idOf(1), use: 1 }), 256 - INVITE_BYTES],
      ["a message without slow mode", sends(ada), 0],
      ["a loaded sender without slow mode", loads(ben), 0],
      ["a slow mode", setting({ slowMode: 10 }), 0],
      ["a message", sends(ada), SENDER_BYTES],
      ["another one of the same sender", sends(ada), 0],
      ["a loaded sender", loads(ben), SENDER_BYTES],
      ["another setting", setting({ slowMode: 10, title: "Plans" }), 0],
      ["the end of the slow mode", setting({}), -2 * SENDER_BYTES],
      ["a further slow mode", setting({ slowMode: 10 }), 0],
      ["a further message", sends(ada), SENDER_BYTES],
      ["a further invite", { ...invite, until: T0 + 9, uses: 2 } as StateEvent, INVITE_BYTES],
    ];
    for (const [what, step, bytes] of steps) {
      const before = account.usedBy("rooms");
      if (typeof step === "function") step();
      else state.apply(step);
      expect(account.usedBy("rooms") - before, what).to.equal(bytes);
    }
    expect(account.used).to.be.above(0);
    state.clear();
    expect(account.used).to.equal(0);
  });

  it("M5, P23, room-state.3: a loaded state counts as the same state of events does", () => {
    const { account } = new RoomMemory(BYTES);
    const invite = [idOf(1), "h", "member", T0 + 9, 2, 1] as const;
    const [ada, ben, cat] = USERS as [UserId, UserId, UserId];
    new RoomState(account).load({
      members: [
        [ada, "owner", 0, false],
        [ben, "none", 0, true],
        [cat, "none", 0, false],
      ],
      invites: [invite],
    });
    expect(account.used).to.equal(2 * 256 + INVITE_BYTES);
  });

  it("M6, room-state.1: each history leaves its owners, its stored users, and whether every user may read the room", () => {
    const [ada, ben] = USERS as [UserId, UserId];
    const [owner, plain] = [member(ada, "owner"), member(ada, "member")];
    const ban = (user: UserId): StateEvent => member(user, "none", { banned: true });
    const histories: readonly (readonly [readonly StateEvent[], object])[] = [
      [[], { owners: 0, size: 0, isPublic: true }],
      [[setting({})], { owners: 0, size: 0, isPublic: true }],
      [[setting({ kind: "closed" })], { owners: 0, size: 0, isPublic: false }],
      [[setting({ kind: "direct" })], { owners: 0, size: 0, isPublic: false }],
      [[plain], { owners: 0, size: 1, isPublic: true }],
      [[member(ada, "none")], { owners: 0, size: 0, isPublic: true }],
      [[owner, owner], { owners: 1, size: 1, isPublic: true }],
      [[owner, member(ben, "owner")], { owners: 2, size: 2, isPublic: true }],
      [[owner, member(ben, "owner"), plain], { owners: 1, size: 2, isPublic: true }],
      [[owner, member(ada, "none")], { owners: 0, size: 0, isPublic: true }],
      [[ban(ada)], { owners: 0, size: 1, isPublic: false }],
      [[ban(ada), setting({ kind: "closed" })], { owners: 0, size: 1, isPublic: false }],
      [[ban(ada), ban(ada), member(ada, "none")], { owners: 0, size: 0, isPublic: true }],
      [[ban(ada), plain], { owners: 0, size: 1, isPublic: true }],
      [[ban(ada), ban(ben), plain], { owners: 0, size: 2, isPublic: false }],
    ];
    for (const [i, [events, expected]] of histories.entries()) {
      const state = new RoomState(new RoomMemory(BYTES).account);
      for (const event of events) state.apply(event);
      const { owners, size, isPublic } = state;
      expect({ owners, size, isPublic }, `history ${i}`).to.deep.equal(expected);
    }
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
    const state = new RoomState(new RoomMemory(BYTES).account);
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
