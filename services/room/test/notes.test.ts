// Notes: whom each event concerns, and that a note follows the commit.

import { expect } from "chai";
import type { Write } from "#shared/protocol/commands.ts";
import type { Mentions, RoomEvent, StateEvent } from "#shared/protocol/events.ts";
import type { TargetMessage } from "#shared/protocol/history.ts";
import type { RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { NOTED_MEMBERS_MAX, notesOf } from "../core/notes.ts";
import { RoomMemory } from "../core/room-memory.ts";
import { RoomState } from "../core/room-state.ts";
import { Room } from "../core/room.ts";
import { emptySnapshot, GENERAL, idAt, only, PartitionFixture, send } from "./partition-fixture.ts";
import { T0 } from "./partition-fixture.ts";

const [ADA, BEN, EVE] = ["ada", "ben", "eve"] as [UserId, UserId, UserId];

function roomOf(kind: "open" | "closed" | "direct", members: readonly UserId[]) {
  const state = new RoomState(new RoomMemory(1 << 24).account);
  state.apply({ t: "room", kind } as StateEvent);
  for (const user of members) state.apply({ t: "member", user, role: "member" } as StateEvent);
  return { id: "plans" as RoomId, state, isNew: false };
}

type Judged = ReturnType<typeof roomOf>;

const authors = new Map<Seq, TargetMessage | "none">([
  [1, { from: BEN }],
  [2, { from: ADA }],
  [3, "none"],
  [4, { isDeleted: true }],
]);

/** What `event` says to whom, as text. */
function noted(room: Judged, event: object, before?: TargetMessage): string[] {
  return notedAll(room, [event], before);
}

function notedAll(room: Judged, events: readonly object[], before?: TargetMessage): string[] {
  const whole = events.map((event, i) => ({ seq: 9 + i, from: ADA, ...event }) as RoomEvent);
  const notes = notesOf(whole, room, { find: (seq) => authors.get(seq) }, before);
  return notes.map(({ user, seq, why, needsGrant }) => {
    return `${user} ${seq} ${why}${needsGrant === true ? " needs a grant" : ""}`;
  });
}

describe("Notes", () => {
  it("U6: a mention of everyone concerns the other stored members of a room of at most 200", () => {
    const room = roomOf("closed", [ADA, BEN, EVE]);
    room.state.apply({ t: "member", user: EVE, role: "member", banned: true } as StateEvent);
    const call = { t: "msg", body: {}, mentions: "@room" };
    expect(noted(room, { ...call, replyTo: 1 })).to.deep.equal(["ben 9 mention"]);
    const many = Array.from({ length: NOTED_MEMBERS_MAX }, (_, i) => `user-${i}` as UserId);
    const full = roomOf("closed", many);
    expect(noted(full, call)).to.have.length(NOTED_MEMBERS_MAX);
    full.state.apply({ t: "member", user: ADA, role: "owner" } as StateEvent);
    expect(noted(full, call)).to.deep.equal([]);
  });

  it("U6: a member event concerns its user", () => {
    const room = roomOf("closed", [ADA]);
    const events = [
      { t: "member", user: BEN, role: "reader" },
      { t: "member", user: EVE, role: "none" },
      { t: "member", user: ADA, role: "owner", banned: true },
      { t: "room", kind: "closed" },
    ];
    expect(notedAll(room, events)).to.deep.equal([
      "ben 9 added",
      "eve 10 removed",
      "ada 11 removed",
    ]);
  });

  it("U6: a message concerns those whom it names or answers, once, and never its sender", () => {
    const room = roomOf("open", []);
    const say = (more: object): string[] => noted(room, { t: "msg", body: {}, ...more });
    expect(say({})).to.deep.equal([]);
    expect(say({ mentions: [EVE, ADA, EVE] })).to.deep.equal(["eve 9 mention"]);
    expect(say({ mentions: "@room" })).to.deep.equal([]);
    expect(say({ replyTo: 1 })).to.deep.equal(["ben 9 reply"]);
    expect(say({ thread: 1, mentions: [BEN] })).to.deep.equal(["ben 9 mention"]);
    for (const replyTo of [2, 3, 4, 5]) expect(say({ replyTo })).to.deep.equal([]);
  });

  it("U6: a message in a direct room concerns the other user, and one in a closed room its members alone", () => {
    const direct = roomOf("direct", [ADA, BEN]);
    expect(noted(direct, { t: "msg", mentions: [BEN] })).to.deep.equal(["ben 9 direct"]);
    const closed = roomOf("closed", [ADA]);
    const event = { t: "msg", mentions: [EVE], replyTo: 1 };
    closed.state.apply({ t: "member", user: BEN, role: "reader" } as StateEvent);
    closed.state.apply({ t: "member", user: EVE, role: "reader" } as StateEvent);
    expect(noted(closed, event)).to.deep.equal(["eve 9 mention", "ben 9 reply"]);
    for (const user of [BEN, EVE]) {
      closed.state.apply({ t: "member", user, role: "reader", banned: true } as StateEvent);
    }
    expect(noted(closed, event)).to.deep.equal([]);
  });

  it("U6: a message in a direct room concerns the other user without a mention, and an answer its author", () => {
    expect(noted(roomOf("direct", [ADA, BEN]), { t: "msg", body: {} })).to.deep.equal([
      "ben 9 direct",
    ]);
    const open = roomOf("open", []);
    expect(noted(open, { t: "msg", body: {}, thread: 1 })).to.deep.equal(["ben 9 reply"]);
    expect(noted(open, { t: "reacted", target: 1 })).to.deep.equal([]);
  });

  it("U9: an edit of a message that the owner does not know concerns no user", () => {
    const event = { t: "edited", target: 1, body: {}, mentions: [BEN] };
    expect(noted(roomOf("open", [BEN]), event)).to.deep.equal([]);
  });

  it("U10: in a closed room a user without a stored role gets a note that needs a grant, in no other", () => {
    const event = { t: "msg", mentions: [EVE], replyTo: 1 };
    const [eve, ben] = ["eve 9 mention needs a grant", "ben 9 reply needs a grant"];
    const closed = roomOf("closed", [ADA]);
    expect(noted(closed, event)).to.deep.equal([eve, ben]);
    closed.state.apply({ t: "member", user: EVE, role: "none" } as StateEvent);
    expect(noted(closed, event)).to.deep.equal([eve, ben]);
    expect(noted(closed, { t: "msg", mentions: "@room" })).to.deep.equal([]);
    const edit = { t: "edited", target: 1, mentions: [EVE] };
    expect(noted(closed, edit, { from: ADA })).to.deep.equal([eve]);
    const direct = roomOf("direct", [ADA, BEN]);
    expect(noted(direct, { t: "msg", mentions: [EVE] })).to.deep.equal(["ben 9 direct"]);
    const open = roomOf("open", []);
    expect(noted(open, event)).to.deep.equal(["eve 9 mention", "ben 9 reply"]);
  });

  it("U9: an edit concerns the users whom the message did not mention before, and never its author", () => {
    const room = roomOf("open", [BEN, EVE]);
    const edit = (before: TargetMessage, mentions?: Mentions): string[] =>
      noted(room, { t: "edited", target: 1, body: {}, mentions }, before);
    expect(edit({ from: ADA }, [BEN, ADA])).to.deep.equal(["ben 9 mention"]);
    expect(edit({ from: ADA, mentions: [BEN] }, [BEN, EVE])).to.deep.equal(["eve 9 mention"]);
    expect(edit({ from: ADA, mentions: [BEN] }, "@room")).to.deep.equal(["eve 9 mention"]);
    expect(edit({ from: ADA, mentions: "@room" }, [BEN])).to.deep.equal([]);
    expect(edit({ from: ADA, mentions: [BEN] }, [])).to.deep.equal([]);
    expect(edit({ from: ADA, mentions: [BEN] })).to.deep.equal([]);
    const closed = roomOf("closed", [BEN]);
    const event = { t: "edited", target: 1, body: {}, mentions: [BEN, EVE] };
    const concerned = noted(closed, event, { from: ADA });
    expect(concerned).to.deep.equal(["ben 9 mention", "eve 9 mention needs a grant"]);
  });

  it("U9: the owner knows whom a message mentions, and notes follow its edits", () => {
    const room = new Room(GENERAL, new RoomMemory(1 << 24), T0);
    room.load(emptySnapshot(GENERAL, 0));
    let n = 0;
    const noted = (op: string, mentions?: Mentions): string[] => {
      const content = { room: GENERAL, from: ADA, body: {}, target: 1, mentions };
      const write = { c: ++n, op, id: idAt(T0, n), ...content } as Write;
      const decision = room.decide(write, T0 + n, {});
      if (decision.kind !== "event") throw new Error(decision.kind);
      room.commit(decision.seq, decision.lines, n);
      return decision.notes.map(({ user, seq }) => `${user} ${seq}`);
    };
    expect(noted("send", [BEN])).to.deep.equal(["ben 1"]);
    expect(noted("edit", [BEN])).to.deep.equal([]);
    expect(noted("edit", [BEN, EVE])).to.deep.equal(["eve 3"]);
    expect(noted("edit")).to.deep.equal([]);
    expect(noted("edit", [])).to.deep.equal([]);
    expect(noted("edit", [EVE])).to.deep.equal(["eve 6"]);
  });

  it("U6: a note leaves when the log has confirmed its event, and gives its memory back", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    const before = fixture.memory.account.usedBy("window");
    fixture.batch([send({ mentions: [BEN] }), send()]);
    const flushed = fixture.flush();
    expect(only(flushed, "note")).to.deep.equal([]);
    const [append] = only(flushed, "append");
    const effects = fixture.appended(append!.n, { kind: "ok", seq: 2 });
    const note = { user: BEN, room: GENERAL, seq: 1, why: "mention" };
    expect(only(effects, "note")).to.deep.equal([{ kind: "note", note }]);
    expect(fixture.memory.account.usedBy("window")).to.equal(before);
  });

  it("U6: an event that was not written gives no note", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    fixture.batch([send({ mentions: [BEN] })]);
    const [append] = only(fixture.flush(), "append");
    const effects = fixture.appended(append!.n, { kind: "unknown", reason: "lost" });
    expect(only(effects, "note")).to.deep.equal([]);
  });
});
