// Rights: every cell of the table, and the judgement of each write.

import { expect } from "chai";
import type { MemberCommand, Write } from "#shared/protocol/commands.ts";
import { settingsSchemas } from "#shared/protocol/client-frames.ts";
import { directRoomId } from "#shared/protocol/direct-room.ts";
import type { StateEvent } from "#shared/protocol/events.ts";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { ROOM_MEMBERS_MAX } from "#shared/protocol/limits.ts";
import { effectiveRole, ROLES, ROOM_KINDS } from "#shared/protocol/roles.ts";
import type { Grant, Role, RoomKind } from "#shared/protocol/roles.ts";
import { judge, mayDo, mayReadRoom, RIGHTS } from "../core/rights.ts";
import type { Action, JudgedRoom } from "../core/rights.ts";
import { RoomMemory } from "../core/room-memory.ts";
import { RoomState } from "../core/room-state.ts";

const ADA = "ada" as UserId;
const BEN = "ben" as UserId;
const EVE = "eve" as UserId;
const PLANS = "plans" as RoomId;
const ID = "0199d3c0-0000-7000-8000-000000000001" as MessageId;
const NOW = 1_000;

/** The roles that may do it, lowest first: none (n), reader, member, moderator, owner. */
const EXPECTED: Readonly<Record<Action, Readonly<Record<RoomKind, string>>>> = {
  read: { open: "-rmMO", closed: "-rmMO", direct: "-rmMO" },
  send: { open: "--mMO", closed: "--mMO", direct: "--mMO" },
  hurry: { open: "---MO", closed: "---MO", direct: "--mMO" },
  call: { open: "---MO", closed: "---MO", direct: "--mMO" },
  edit: { open: "--mMO", closed: "--mMO", direct: "--mMO" },
  "take-back": { open: "-rmMO", closed: "-rmMO", direct: "-rmMO" },
  delete: { open: "---MO", closed: "---MO", direct: "-----" },
  react: { open: "--mMO", closed: "--mMO", direct: "--mMO" },
  pin: { open: "---MO", closed: "---MO", direct: "--mMO" },
  describe: { open: "---MO", closed: "---MO", direct: "-----" },
  configure: { open: "----O", closed: "----O", direct: "-----" },
  come: { open: "--mMO", closed: "-----", direct: "-----" },
  go: { open: "-rmMO", closed: "-rmMO", direct: "-----" },
  invite: { open: "-----", closed: "---MO", direct: "-----" },
  enter: { open: "-----", closed: "nrmMO", direct: "-----" },
  appoint: { open: "---MO", closed: "---MO", direct: "-----" },
  promote: { open: "----O", closed: "----O", direct: "-----" },
  block: { open: "-----", closed: "-----", direct: "--mMO" },
};
const LETTERS = ["n", "r", "m", "M", "O"];

interface Setup {
  readonly kind?: RoomKind;
  readonly members?: readonly (readonly [UserId, Role])[];
  readonly changes?: readonly object[];
}

function stateOf({ kind, members = [], changes = [] }: Setup): RoomState {
  const state = new RoomState(new RoomMemory(1 << 24).account);
  if (kind !== undefined) state.apply({ t: "room", kind } as StateEvent);
  for (const [user, role] of members) state.apply({ t: "member", user, role } as StateEvent);
  for (const change of changes) state.apply(change as StateEvent);
  return state;
}

function judged(setup: Setup, write: object, at = NOW): string {
  const whole = { c: 1, room: PLANS, id: ID, from: ADA, ...write } as Write;
  const room = { id: whole.room, state: stateOf(setup), isNew: setup.kind === undefined };
  return judge(room, whole, at) ?? "ok";
}

function roomOf(setup: Setup): JudgedRoom {
  return { id: PLANS, state: stateOf(setup), isNew: false };
}

const member = (more: Partial<MemberCommand>): object => ({
  op: "member",
  user: BEN,
  role: "member",
  ...more,
});

describe("Rights", () => {
  it("M3: every cell of the table, role × action × kind, is as expected", () => {
    let cells = 0;
    for (const action of Object.keys(RIGHTS) as Action[]) {
      for (const kind of ROOM_KINDS) {
        const row = ROLES.map((role, i) => (mayDo(action, kind, role) ? LETTERS[i] : "-")).join("");
        expect(row, `${action} in a ${kind} room`).to.equal(EXPECTED[action][kind]);
        cells += row.length;
      }
    }
    expect(cells).to.equal(Object.keys(EXPECTED).length * ROOM_KINDS.length * ROLES.length);
    expect(cells).to.equal(270);
  });

  it("M4: the effective role is the stored one, else the grant, else that of the kind; a ban beats all but admin", () => {
    const grants: (Grant | undefined)[] = [undefined, "reader", "owner", "admin"];
    const rows: [RoomKind, { role: Role; banned?: true } | undefined, string][] = [
      ["open", undefined, "member reader owner owner"],
      ["open", { role: "reader" }, "reader reader reader owner"],
      ["open", { role: "none" }, "member reader owner owner"],
      ["open", { role: "none", banned: true }, "none none none owner"],
      ["closed", undefined, "none reader owner owner"],
      ["closed", { role: "moderator" }, "moderator moderator moderator owner"],
      ["closed", { role: "owner", banned: true }, "none none none owner"],
      ["direct", undefined, "none none none owner"],
      ["direct", { role: "member" }, "member member member owner"],
    ];
    for (const [kind, stored, expected] of rows) {
      const roles = grants.map((grant) => effectiveRole(kind, stored, grant)).join(" ");
      expect(roles, `${kind} ${JSON.stringify(stored)}`).to.equal(expected);
    }
  });

  it("M4: a grant that this version does not know grants nothing, and takes nothing", () => {
    const grant = "archivist" as Grant;
    const send = { op: "send", body: {} };
    for (const kind of ROOM_KINDS) {
      for (const setup of [{ kind }, { kind, members: [[ADA, "reader"]] }] as Setup[]) {
        const without = [judged(setup, send), mayReadRoom(roomOf(setup), { user: ADA })];
        const given = [
          judged(setup, { ...send, grant }),
          mayReadRoom(roomOf(setup), { user: ADA, grant }),
        ];
        expect(given, JSON.stringify(setup)).to.deep.equal(without);
      }
    }
    expect(judged({ kind: "open" }, { ...send, grant })).to.equal("ok");
  });

  it("AT6: a message whose files may be swept gets not_found, behind the right to send", () => {
    const late = { op: "send", body: {}, until: NOW - 1 };
    expect(judged({}, late)).to.equal("not_found");
    expect(judged({}, { ...late, until: NOW })).to.equal("ok");
    expect(judged({ kind: "closed" }, late)).to.equal("forbidden");
  });

  it("M1: a room without a `room` event is open: every user sends, and only a grant changes it", () => {
    const plain: Setup = {};
    expect(judged(plain, { op: "send", body: {} })).to.equal("ok");
    expect(judged(plain, { op: "update", title: "x" })).to.equal("forbidden");
    expect(judged(plain, { op: "update", title: "x", grant: "owner" })).to.equal("ok");
    expect(judged(plain, member({ banned: true, role: "none" }))).to.equal("forbidden");
    expect(judged(plain, member({ user: ADA }))).to.equal("ok");
  });

  it("U3, U9: everyone is mentioned by moderators alone, and in a direct room by both users", () => {
    const sendTo = (mentions: unknown): object => ({ op: "send", body: {}, mentions });
    const editTo = (mentions: unknown): object => ({ op: "edit", target: 1, body: {}, mentions });
    for (const to of [sendTo, editTo]) {
      const roles: [Role, string][] = [
        ["member", "forbidden"],
        ["moderator", "ok"],
        ["owner", "ok"],
      ];
      for (const [role, expected] of roles) {
        const room: Setup = { kind: "closed", members: [[ADA, role]] };
        expect(judged(room, to("@room")), role).to.equal(expected);
        expect(judged(room, to([BEN])), role).to.equal("ok");
      }
      expect(judged({}, to("@room"))).to.equal("forbidden");
      expect(judged({}, { ...to("@room"), grant: "moderator" })).to.equal("ok");
      const direct: Setup = {
        kind: "direct",
        members: [
          [ADA, "member"],
          [BEN, "member"],
        ],
      };
      expect(judged(direct, to("@room"))).to.equal("ok");
    }
  });

  it("M2: create answers conflict for a room that exists, and forbidden for an id that is not the pair's", () => {
    expect(judged({}, { op: "create", kind: "closed" })).to.equal("ok");
    expect(judged({ kind: "open" }, { op: "create", kind: "closed" })).to.equal("conflict");
    const direct = directRoomId(ADA, BEN);
    const make = { op: "create", kind: "direct", user: BEN };
    expect(directRoomId(BEN, ADA)).to.equal(direct);
    expect(direct).to.match(/^dm-[A-Za-z0-9_-]{22}$/);
    expect(judged({}, { ...make, room: direct })).to.equal("ok");
    expect(judged({}, { ...make, room: PLANS })).to.equal("forbidden");
    expect(judged({}, { ...make, room: direct, from: EVE })).to.equal("forbidden");
    expect(judged({}, { op: "create", kind: "open", room: direct })).to.equal("forbidden");
    for (const user of [ADA, undefined]) {
      const room = directRoomId(ADA, user as UserId);
      expect(judged({}, { ...make, user, room }), "no pair").to.equal("forbidden");
    }
  });

  it("M12: in a direct room each user may mute the other and end that mute, and nothing else", () => {
    const direct: Setup = {
      kind: "direct",
      members: [
        [ADA, "member"],
        [BEN, "member"],
      ],
    };
    const room = directRoomId(ADA, BEN);
    const block = (more: Partial<MemberCommand>): string =>
      judged(direct, { ...member(more), room });
    expect(block({ mutedUntil: NOW + 1 })).to.equal("ok");
    expect(block({ mutedUntil: 0 })).to.equal("ok");
    expect(block({ from: BEN, user: ADA, mutedUntil: NOW + 1 })).to.equal("ok");
    expect(block({ mutedUntil: NOW + 1, role: "reader" })).to.equal("forbidden");
    expect(block({ mutedUntil: NOW + 1, banned: true })).to.equal("forbidden");
    expect(block({ user: EVE, mutedUntil: NOW + 1 })).to.equal("forbidden");
    expect(block({ from: EVE, mutedUntil: NOW + 1 })).to.equal("forbidden");
    expect(block({ user: ADA, mutedUntil: 0 })).to.equal("forbidden");
    expect(judged({}, { ...member({ mutedUntil: NOW + 1 }), room })).to.equal("forbidden");
  });

  it("M12: the blocked user neither sends, edits nor reacts, and cannot end the block", () => {
    const changes = [ADA, BEN].map((user) => ({ t: "member", user, role: "member" }));
    const mute = { t: "member", user: ADA, role: "member", mutedUntil: NOW + 1 };
    const blocked: Setup = { kind: "direct", changes: [...changes, mute] };
    const room = directRoomId(ADA, BEN);
    for (const write of [
      { op: "send", body: {} },
      { op: "edit", target: 3, body: {} },
      { op: "react", target: 3, emoji: "👍", on: true },
      member({ user: ADA }),
    ]) {
      expect(judged(blocked, { ...write, room }), JSON.stringify(write)).to.equal("forbidden");
      if ("op" in write && write.op !== "member") {
        expect(judged(blocked, { ...write, room }, NOW + 1)).to.equal("ok");
      }
    }
    expect(judged(blocked, { op: "delete", target: 3, room })).to.equal("ok");
    expect(judged(blocked, { op: "send", body: {}, room, from: BEN })).to.equal("ok");
  });

  it("M6: a direct room that does not exist and a closed room give a stranger the same answer", () => {
    const actor = { user: EVE };
    const absent = {
      id: directRoomId(ADA, BEN),
      state: new RoomState(new RoomMemory(1 << 24).account),
      isNew: true,
    };
    const closed = { id: PLANS, state: stateOf({ kind: "closed" }), isNew: false };
    expect(mayReadRoom(absent, actor)).to.equal(false);
    expect(mayReadRoom(closed, actor)).to.equal(false);
    const send = { op: "send", body: {}, from: EVE };
    expect(judged({ kind: "closed" }, send)).to.equal("forbidden");
    expect(judged({}, { ...send, room: directRoomId(ADA, BEN) })).to.equal("forbidden");
  });

  it("M3: a mute, an archived room and a send role refuse a send", () => {
    const members = [[ADA, "member"]] as const;
    const send = { op: "send", body: {} };
    const muted = { t: "member", user: ADA, role: "member", mutedUntil: NOW + 1 };
    expect(judged({ kind: "closed", members }, send)).to.equal("ok");
    expect(judged({ kind: "closed", changes: [muted] }, send)).to.equal("forbidden");
    expect(judged({ kind: "closed", changes: [muted] }, send, NOW + 1)).to.equal("ok");
    const archived = [{ t: "room", kind: "open", archived: true }];
    expect(judged({ kind: "open", changes: archived }, send)).to.equal("forbidden");
    const quiet = [{ t: "room", kind: "open", sendRole: "moderator" }];
    expect(judged({ kind: "open", changes: quiet }, send)).to.equal("forbidden");
    expect(judged({ kind: "open", changes: quiet }, { ...send, grant: "moderator" })).to.equal(
      "ok",
    );
  });

  it("C3: a mute and an archived room refuse an edit and a reaction, and never a deletion; a send role refuses an edit", () => {
    const muted = [{ t: "member", user: ADA, role: "member", mutedUntil: NOW + 1 }];
    const archived = [{ t: "room", kind: "closed", archived: true }];
    const quiet = [{ t: "room", kind: "closed", sendRole: "moderator" }];
    const member = [[ADA, "member"]] as const;
    const rows: [string, Setup, string][] = [
      ["muted member", { kind: "closed", changes: muted }, "edit- delete+ react- pin-"],
      [
        "archived room",
        { kind: "closed", members: member, changes: archived },
        "edit- delete+ react- pin-",
      ],
      [
        "send role",
        { kind: "closed", members: member, changes: quiet },
        "edit- delete+ react+ pin-",
      ],
      ["reader", { kind: "closed", members: [[ADA, "reader"]] }, "edit- delete+ react- pin-"],
      ["moderator", { kind: "closed", members: [[ADA, "moderator"]] }, "edit+ delete+ react+ pin+"],
      [
        "archived, moderator",
        { kind: "closed", members: [[ADA, "moderator"]], changes: archived },
        "edit- delete+ react- pin-",
      ],
      ["stranger", { kind: "closed" }, "edit- delete- react- pin-"],
      ["of a pair", { kind: "direct", members: member }, "edit+ delete+ react+ pin+"],
    ];
    for (const [name, setup, expected] of rows) {
      const answers = ["edit", "delete", "react", "pin"].map((op) => {
        return `${op}${judged(setup, { op, target: 1, body: {}, emoji: "👍", on: true }) === "ok" ? "+" : "-"}`;
      });
      expect(answers.join(" "), name).to.equal(expected);
    }
  });

  it("M3: a member event about oneself comes and goes, and ends no own mute", () => {
    const open: Setup = { kind: "open" };
    expect(judged(open, member({ user: ADA }))).to.equal("ok");
    expect(judged({ kind: "closed" }, member({ user: ADA }))).to.equal("forbidden");
    const closed: Setup = { kind: "closed", members: [[ADA, "reader"]] };
    expect(judged(closed, member({ user: ADA, role: "none" }))).to.equal("ok");
    expect(judged(closed, member({ user: ADA }))).to.equal("forbidden");
    const muted = [{ t: "member", user: ADA, role: "none", mutedUntil: NOW + 9 }];
    expect(judged({ kind: "open", changes: muted }, member({ user: ADA }))).to.equal("forbidden");
    const go = member({ user: ADA, role: "none" });
    expect(judged({ kind: "open", changes: muted }, go)).to.equal("forbidden");
    const direct: Setup = { kind: "direct", members: [[ADA, "member"]] };
    expect(judged(direct, go)).to.equal("forbidden");
  });

  it("M3: a moderator changes members and readers, an owner also moderators and owners", () => {
    const by = (role: Role): Setup => ({
      kind: "closed",
      members: [
        [ADA, role],
        [EVE, "moderator"],
      ],
    });
    expect(judged(by("moderator"), member({}))).to.equal("ok");
    expect(judged(by("moderator"), member({ role: "none", banned: true }))).to.equal("ok");
    expect(judged(by("moderator"), member({ role: "moderator" }))).to.equal("forbidden");
    expect(judged(by("moderator"), member({ user: EVE, role: "none" }))).to.equal("forbidden");
    expect(judged(by("owner"), member({ user: EVE, role: "none" }))).to.equal("ok");
    expect(judged(by("owner"), member({ role: "owner" }))).to.equal("ok");
    expect(judged(by("member"), member({}))).to.equal("forbidden");
  });

  it("M3: the last owner of a closed room keeps the role, and of two owners one may go", () => {
    const go = member({ user: ADA, role: "none" });
    const one: Setup = { kind: "closed", members: [[ADA, "owner"]] };
    expect(judged(one, go)).to.equal("conflict");
    expect(judged(one, member({ user: ADA, role: "member" }))).to.equal("conflict");
    expect(judged(one, member({ user: ADA, role: "owner", banned: true }))).to.equal("conflict");
    expect(judged({ ...one, kind: "open" }, go)).to.equal("ok");
    const two: Setup = {
      kind: "closed",
      members: [
        [ADA, "owner"],
        [BEN, "owner"],
      ],
    };
    expect(judged(two, go)).to.equal("ok");
  });

  it("M3: each setting has the role that may change it", () => {
    const by = (role: Role, change: object): string =>
      judged({ kind: "closed", members: [[ADA, role]] }, { op: "update", ...change });
    const settings = {
      title: ["x", "moderator"],
      topic: ["x", "moderator"],
      avatar: ["x", "moderator"],
      sendRole: ["moderator", "owner"],
      archived: [true, "owner"],
      slowMode: [5, "owner"],
      editWindow: [0, "owner"],
    } as const;
    const known = Object.keys({ ...settingsSchemas, archived: true }).sort();
    expect(Object.keys(settings).sort()).to.deep.equal(known);
    for (const [name, [value, least]] of Object.entries(settings)) {
      for (const role of ROLES) {
        const expected = ROLES.indexOf(role) >= ROLES.indexOf(least) ? "ok" : "forbidden";
        expect(by(role, { [name]: value }), `${name} by ${role}`).to.equal(expected);
      }
    }
  });

  it("M7: a member beyond the bound gets conflict, and a stored one can still be changed", () => {
    const state = stateOf({ kind: "closed", members: [[ADA, "owner"]] });
    for (let n = 1; n < ROOM_MEMBERS_MAX; n++) {
      state.apply({ t: "member", user: `u${n}`, role: "member" } as unknown as StateEvent);
    }
    expect(state.size).to.equal(ROOM_MEMBERS_MAX);
    const room = { id: PLANS, state, isNew: false };
    const write = (user: string): Write =>
      ({ c: 1, room: PLANS, id: ID, from: ADA, ...member({ user: user as UserId }) }) as Write;
    expect(judge(room, write("one-more"), NOW)).to.equal("conflict");
    expect(judge(room, write("u1"), NOW)).to.equal(undefined);
  });

  it("M3: no user raises an own role, and one who goes cannot ban or mute at once", () => {
    const self = (more: Partial<MemberCommand>): object => member({ user: ADA, ...more });
    const reader = { kind: "open", members: [[ADA, "reader"]] } as const;
    expect(judged(reader, self({ role: "member" }))).to.equal("forbidden");
    expect(judged({ kind: "open" }, self({ role: "member" }))).to.equal("ok");
    expect(judged({ kind: "open" }, self({ role: "member", mutedUntil: 5 }))).to.equal("forbidden");
    const joined = { kind: "closed", members: [[ADA, "member"]] } as const;
    expect(judged(joined, self({ role: "none" }))).to.equal("ok");
    expect(judged(joined, self({ role: "none", banned: true }))).to.equal("forbidden");
    expect(judged(joined, self({ role: "none", mutedUntil: 5 }))).to.equal("forbidden");
  });

  it("M3: the last owner cannot be banned, and stops no change of another user", () => {
    const closed = {
      kind: "closed",
      members: [
        [ADA, "owner"],
        [BEN, "member"],
      ],
    } as const;
    expect(judged(closed, member({ user: ADA, role: "owner", banned: true }))).to.equal("conflict");
    expect(judged(closed, member({ role: "reader" }))).to.equal("ok");
    expect(judged(closed, member({ role: "none", banned: true }))).to.equal("ok");
  });

  it("M7: in a full room a ban and a mute of a stranger are stored, so they get conflict, and an end of a mute does not", () => {
    const others = Array.from(
      { length: ROOM_MEMBERS_MAX - 1 },
      (_, n) => [`user-${n}` as UserId, "member"] as const,
    );
    const full = { kind: "closed", members: [[ADA, "owner"], ...others] } as const;
    expect(judged(full, member({ role: "none", banned: true }))).to.equal("conflict");
    expect(judged(full, member({ role: "none", mutedUntil: NOW + 5 }))).to.equal("conflict");
    expect(judged(full, member({ role: "none", mutedUntil: 0 }))).to.equal("ok");
    expect(judged(full, member({ role: "none" }))).to.equal("ok");
  });
});
