// Rooms with members, at their owner: reads are judged, answers wait for the commit, syncs are
// filtered.

import { expect } from "chai";
import type { Command } from "#shared/protocol/commands.ts";
import type { Result } from "#shared/protocol/results.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import {
  emptySnapshot,
  GW,
  idAt,
  only,
  PartitionFixture,
  resultsOf,
  T0,
} from "./partition-fixture.ts";

const PLANS = "plans" as RoomId;
const GENERAL = "general" as RoomId;
const ADA = "ada" as UserId;
const BEN = "ben" as UserId;

let c = 1_000;
const create = (more: object = {}): Command => ({
  c: ++c,
  op: "create",
  room: PLANS,
  id: idAt(T0, c * 1_000),
  from: ADA,
  kind: "closed",
  ...more,
});
const member = (user: UserId, role: string, more: object = {}): Command =>
  ({
    c: ++c,
    op: "member",
    room: PLANS,
    id: idAt(T0, c * 1_000),
    from: ADA,
    user,
    role,
    ...more,
  }) as Command;
const join = (user: UserId, room = PLANS, more: object = {}): Command => ({
  c: ++c,
  op: "join",
  room,
  user,
  ...more,
});
const head = (more: object, room = PLANS): Command => ({ c: ++c, op: "head", room, ...more });

const named = (results: readonly Result[]): string[] =>
  results.map((result) => ("ok" in result ? result.ok : result.error));

/** A partition with the closed room of ada, committed as entry 2. */
function withPlans(members: readonly object[] = []): PartitionFixture {
  const fixture = new PartitionFixture().withRooms([PLANS, GENERAL]);
  fixture.batch([create({ members })]);
  const [append] = only(fixture.flush(), "append");
  fixture.appended(append!.n, { kind: "ok", seq: 2 });
  return fixture;
}

describe("Members of rooms", () => {
  it("M6: a stranger gets forbidden for a number that the closed room has and for one that it lacks", () => {
    const fixture = withPlans();
    const reply = (replyTo: number): Command =>
      ({
        c: ++c,
        op: "send",
        room: PLANS,
        id: idAt(T0, c * 1_000),
        from: "eve",
        body: {},
        replyTo,
      }) as Command;
    const effects = fixture.batch([reply(1), reply(9)]);
    expect(named(resultsOf(effects))).to.deep.equal(["forbidden", "forbidden"]);
  });

  it("M6: join, head, about and members of a closed room answer its members, and forbidden to others", () => {
    const fixture = withPlans([{ user: BEN, role: "reader" }]);
    for (const [user, grant, expected] of [
      [ADA, undefined, "ok"],
      [BEN, undefined, "ok"],
      ["eve", undefined, "forbidden"],
      ["eve", "reader", "ok"],
      ["eve", "admin", "ok"],
      ["eve", "a-newer-role", "forbidden"],
    ] as const) {
      const asker = { user: user as UserId, ...(grant !== undefined && { grant }) };
      const effects = fixture.batch([
        join(asker.user, PLANS, asker),
        head(asker),
        { c: ++c, op: "about", room: PLANS, ...asker } as Command,
        { c: ++c, op: "members", room: PLANS, limit: 9, ...asker } as Command,
      ]);
      const found = named(resultsOf(effects)).map((name) => (name === "forbidden" ? name : "ok"));
      expect(found, `${user} ${grant}`).to.deep.equal([expected, expected, expected, expected]);
    }
    expect(named(resultsOf(fixture.batch([head({})])))).to.deep.equal(["forbidden"]);
    expect(named(resultsOf(fixture.batch([head({}, GENERAL)])))).to.deep.equal(["head"]);
  });

  it("M6: a member gets the kind, the head and the own role of a room, and its members page by page", () => {
    const fixture = withPlans([{ user: BEN, role: "reader" }]);
    const ask = (op: string, more: object = {}): Result => {
      const query = { c: ++c, op, room: PLANS, user: BEN, ...more } as Command;
      return resultsOf(fixture.batch([query]))[0]!;
    };
    const about = ask("about");
    expect(about).to.include({ ok: "about", kind: "closed", head: 3, role: "reader", members: 2 });
    const page = (more: object): object => {
      const { c: _c, ...rest } = ask("members", more);
      return rest;
    };
    const [ada, ben] = [
      { user: ADA, role: "owner" },
      { user: BEN, role: "reader" },
    ];
    expect(page({ limit: 1 })).to.deep.equal({ ok: "members", members: [ada], more: true });
    expect(page({ limit: 2 })).to.deep.equal({ ok: "members", members: [ada, ben], more: false });
    expect(page({ limit: 1, after: ADA })).to.deep.equal({
      ok: "members",
      members: [ben],
      more: false,
    });
    expect(named([ask("invites"), ask("leave")])).to.deep.equal(["forbidden", "left"]);
    const leave = ask("leave", { user: "eve" });
    expect(named([leave]), "also of a user who may not read").to.deep.equal(["left"]);
  });

  it("M3: a member gets the end of the own mute with the settings of a room, and no other member's", () => {
    const fixture = withPlans([{ user: BEN }]);
    fixture.batch([member(BEN, "member", { mutedUntil: T0 + 9_000 })]);
    const [append] = only(fixture.flush(), "append");
    fixture.appended(append!.n, { kind: "ok", seq: 3 });
    const about = (user: UserId): Result | undefined =>
      resultsOf(fixture.batch([{ c: ++c, op: "about", room: PLANS, user }]))[0];
    expect(about(BEN)).to.include({ ok: "about", role: "member", mutedUntil: T0 + 9_000 });
    expect(about(ADA)).to.include({ role: "owner" }).and.not.have.property("mutedUntil");
  });

  it("M6: the answer to a join names the role, and the kind of a room that not every user may read", () => {
    const fixture = withPlans([{ user: BEN, role: "reader" }]);
    const [joined] = resultsOf(fixture.batch([join(BEN)]));
    expect(joined).to.include({ ok: "joined", head: 3, role: "reader", access: "closed" });
    const [open] = resultsOf(fixture.batch([join(BEN, GENERAL)]));
    expect(Object.keys(open!).sort()).to.deep.equal(["born", "c", "head", "here", "ok", "users"]);
  });

  it("O2: an answer by rights that the log has not confirmed leaves with the commit", () => {
    const fixture = new PartitionFixture().withRooms([PLANS]);
    const made = create();
    const early = fixture.batch([made, join(ADA), join(BEN)]);
    expect(resultsOf(early)).to.deep.equal([]);
    const [append] = only(fixture.flush(), "append");
    const effects = fixture.appended(append!.n, { kind: "ok", seq: 2 });
    const born = "id" in made ? made.id : "";
    const results = resultsOf(effects);
    expect(named(results)).to.deep.equal(["sent", "forbidden", "joined"]);
    expect(results[2]).to.include({ head: 2, born, role: "owner", access: "closed" });
    const kinds = effects.map(({ kind }) => kind).filter((kind) => kind !== "announce");
    expect(kinds.indexOf("broadcast")).to.be.below(kinds.indexOf("reply"));
  });

  it("M8: a removed member's writes and reads are refused behind the removal", () => {
    const fixture = withPlans([{ user: BEN }]);
    const send = (): Command => ({
      c: ++c,
      op: "send",
      room: PLANS,
      id: idAt(T0, c * 1_000),
      from: BEN,
      body: {},
    });
    fixture.batch([send(), member(BEN, "none"), send(), join(BEN)]);
    const [append] = only(fixture.flush(), "append");
    expect(append!.events).to.equal(2);
    const results = resultsOf(fixture.appended(append!.n, { kind: "ok", seq: 3 }));
    expect(named(results)).to.deep.equal(["sent", "sent", "forbidden", "forbidden"]);
  });

  it("M9: a sync without grants lists the members of a closed room alone, and every user of an open one", () => {
    const fixture = withPlans([{ user: BEN }]);
    const users = [BEN, "eve"] as UserId[];
    for (const [room, present] of [
      [PLANS, [BEN, ADA]],
      [GENERAL, [BEN, "eve", ADA]],
    ] as const) {
      fixture.batch([{ c: ++c, op: "sync", rooms: [[room, 0, users]] } as never]);
      const [joined] = resultsOf(fixture.batch([join(ADA, room)]));
      expect(joined)
        .to.have.property("users")
        .with.members([...present]);
    }
  });

  it("N6: a command that this version does not know is refused alone", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    const batch = {
      v: 1,
      gw: GW,
      lane: 99,
      n: 1,
      commands: [head({}, GENERAL)],
      unknown: [77],
    } as const;
    const answers = resultsOf(fixture.step({ kind: "batch", batch }));
    expect(named(answers)).to.have.members(["head", "unknown_type"]);
    expect(answers).to.deep.include({ c: 77, error: "unknown_type" });
  });

  it("M9: a sync lists no user who lost the right to read, and keeps those with a grant", () => {
    const fixture = withPlans([{ user: BEN }]);
    fixture.batch([member(BEN, "none")]);
    const [append] = only(fixture.flush(), "append");
    fixture.appended(append!.n, { kind: "ok", seq: 3 });
    const users = [ADA, BEN, "eve", "dan"] as UserId[];
    const grants = [["eve", "reader"]];
    const sync = { c: ++c, op: "sync", rooms: [[PLANS, 4, users, grants]] } as unknown as Command;
    fixture.batch([sync]);
    const [joined] = resultsOf(fixture.batch([join(ADA)]));
    expect(joined).to.deep.include({ here: 2, users: [ADA, "eve"] });
  });

  it("M9, queries.3: a resent join that was refused at first and is allowed now is asked again, not joined unseen", () => {
    const fixture = withPlans();
    const first = join(BEN);
    expect(named(resultsOf(fixture.batch([first, join(ADA)])))).to.deep.equal([
      "forbidden",
      "joined",
    ]);
    fixture.batch([member(BEN, "member")]);
    const [append] = only(fixture.flush(), "append");
    fixture.appended(append!.n, { kind: "ok", seq: 3 });
    const [resent] = resultsOf(fixture.batch([first]));
    expect(resent).to.include({ error: "unavailable" });
    const [joined] = resultsOf(fixture.batch([join(BEN)]));
    expect(joined).to.deep.include({ ok: "joined", here: 2, users: [ADA, BEN] });
    const [again] = resultsOf(fixture.batch([{ ...first }]));
    expect(again, "the user is present by a newer command").to.include({ ok: "joined", here: 2 });
  });

  it("M5: a snapshot's state decides, and the replay above it", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    fixture.batch([join(BEN)]);
    const state = {
      settings: { kind: "closed" as const },
      members: [[BEN, "member", 0, false] as const],
    };
    const effects = fixture.loaded({ ...emptySnapshot(PLANS, 0), head: 4, born: "b", state });
    expect(named(resultsOf(effects))).to.deep.equal(["joined"]);
  });
});
