// RoomRights: the offered actions agree with the service, and are those of the role.

import { expect } from "chai";
import type { ChangeCommand, Write } from "#shared/protocol/commands.ts";
import type { StateEvent } from "#shared/protocol/events.ts";
import type { TargetMessage } from "#shared/protocol/history.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { ROLES, ROOM_KINDS } from "#shared/protocol/roles.ts";
import type { Role } from "#shared/protocol/roles.ts";
import { judgeTarget } from "../../../services/room/core/changes.ts";
import { judge, mayDo as mayInService, roleIn } from "../../../services/room/core/rights.ts";
import { RoomMemory } from "../../../services/room/core/room-memory.ts";
import { RoomState } from "../../../services/room/core/room-state.ts";
import { memberActions, standingAfter } from "../store/member-actions.ts";
import {
  barOf,
  editMs,
  mayDo,
  mayLikely,
  messageRights,
  OFFERED,
  sendBar,
} from "../store/room-rights.ts";
import type { OfferedAction } from "../store/room-rights.ts";

const open = { kind: "open" } as const;

function kinds(role: Role, target: Parameters<typeof memberActions>[1]): string[] {
  return memberActions({ settings: open, role }, target, 100).map((action) =>
    action.kind === "role" ? action.role : action.kind,
  );
}

describe("room rights", () => {
  it("room-rights.1: offers exactly what the service permits", () => {
    for (const action of Object.keys(OFFERED) as OfferedAction[]) {
      for (const kind of ROOM_KINDS) {
        for (const role of ROLES) {
          expect(mayDo(action, { settings: { kind }, role }), `${action} ${kind} ${role}`).to.equal(
            mayInService(action, kind, role),
          );
        }
      }
    }
  });

  it("room-rights.1: before the role is known, only what most users may do is offered", () => {
    expect(mayDo("pin", { settings: undefined, role: undefined })).to.equal(false);
    expect(mayLikely("react", { settings: open, role: undefined })).to.equal(true);
    expect(mayLikely("react", { settings: open, role: "reader" })).to.equal(false);
  });

  it("room-rights.1: a moderator changes members, an owner everyone", () => {
    expect(kinds("member", { role: "member" })).to.deep.equal([]);
    expect(kinds("moderator", { role: "owner" })).to.deep.equal([]);
    expect(kinds("moderator", { role: "member" })).to.deep.equal([
      "reader",
      "mute",
      "remove",
      "ban",
    ]);
    expect(kinds("owner", { role: "moderator", mutedUntil: 200 })).to.deep.equal([
      "owner",
      "member",
      "reader",
      "unmute",
      "remove",
      "ban",
    ]);
    expect(kinds("moderator", { role: "none", mutedUntil: 50 })).to.deep.equal([
      "member",
      "reader",
      "mute",
      "ban",
    ]);
    expect(kinds("moderator", { role: "none", banned: true })).to.deep.equal(["unban"]);
  });

  it("room-rights.1: in a direct room the two users block each other", () => {
    const direct = { settings: { kind: "direct" }, role: "member" } as const;
    const offered = (target: Parameters<typeof memberActions>[1]): string[] =>
      memberActions(direct, target, 100).map(({ kind }) => kind);
    expect(offered({ role: "member" })).to.deep.equal(["block"]);
    expect(offered({ role: "member", mutedUntil: 200 })).to.deep.equal(["unblock"]);
    expect(offered({ role: "none" })).to.deep.equal([]);
    expect(sendBar(direct, 200, 100)).to.equal("blocked");
  });

  it("room-rights.1: names why the user cannot send", () => {
    expect(sendBar({ settings: { kind: "open", archived: true }, role: "owner" }, 0, 100)).to.equal(
      "archived",
    );
    expect(sendBar({ settings: open, role: "member" }, 200, 100)).to.equal("muted");
    expect(sendBar({ settings: open, role: "reader" }, 0, 100)).to.equal("role");
    expect(
      sendBar({ settings: { kind: "open", sendRole: "moderator" }, role: "member" }, 0, 100),
    ).to.equal("role");
    expect(sendBar({ settings: open, role: "member" }, 50, 100)).to.equal(undefined);
    expect(sendBar({ settings: undefined, role: undefined }, 0, 100)).to.equal(undefined);
  });

  it("C3: at a message, exactly the changes are offered that the room takes", () => {
    const now = 1_000;
    const [ada, room] = ["ada" as UserId, "plans" as RoomId];
    const rules = [{}, { archived: true }, { sendRole: "moderator" }] as const;
    const mutes = [{}, { mutedUntil: now }, { mutedUntil: now + 1 }];
    const cases = ROOM_KINDS.flatMap((kind) =>
      rules.flatMap((rule) =>
        ROLES.flatMap((role) =>
          mutes.map((mute) => ({ settings: { kind, ...rule }, membership: { role, ...mute } })),
        ),
      ),
    );
    let judgedCases = 0;
    for (const { settings, membership } of cases) {
      const state = new RoomState(new RoomMemory(1 << 24).account);
      state.apply({ t: "room", ...settings } as object as StateEvent);
      state.apply({ t: "member", user: ada, ...membership } as object as StateEvent);
      const judged = { id: room, state, isNew: false };
      const takes = (op: string): boolean =>
        judge(judged, { op, room, from: ada, target: 1 } as unknown as Write, now) === undefined;
      const role = roleIn(judged, { user: ada });
      if (role === "none") continue; // The user is not in the room.
      const place = { settings, mutedUntil: 0, ...membership, role };
      const rights = messageRights(place, barOf({ status: "live", info: place }, now));
      expect(rights, JSON.stringify(place)).to.deep.equal({
        write: takes("edit"),
        editWindow: undefined,
        react: takes("react"),
        pin: takes("pin"),
        takeBack: takes("delete"),
        delete: mayInService("delete", settings.kind, role),
      });
      expect(takes("send")).to.equal(takes("edit"));
      judgedCases += 1;
    }
    expect(judgedCases).to.be.above(100);
  });

  it("C3: an edit is offered exactly as long as the room takes one", () => {
    const [ada, room] = ["ada" as UserId, "plans" as RoomId];
    const standing = { kind: "open", role: "member", isAdmin: false } as const;
    const edit = { op: "edit", room, from: ada, target: 1 } as unknown as ChangeCommand;
    for (const more of [{}, { editWindow: 1 }, { editWindow: 60 }]) {
      for (const age of [0, 999, 1_000, 1_001, 60_000, 60_001]) {
        const settings = { ...open, ...more };
        const now = 500_000;
        const target = { from: ada, at: now - age } as TargetMessage;
        const taken = judgeTarget({ ...standing, settings, now }, edit, target) === undefined;
        const offered = editMs(settings, target.at ?? 0, now) >= 0;
        expect(offered, JSON.stringify({ more, age })).to.equal(taken);
      }
    }
    expect(editMs(undefined, 0, 100), "before the settings are known").to.equal(Infinity);
  });

  it("C3: who has left a room is offered no change", () => {
    const info = { settings: open, role: "owner", mutedUntil: 0 } as const;
    const { editWindow: _, ...rights } = messageRights(info, barOf({ status: "left", info }, 100));
    expect(Object.values(rights)).to.deep.equal(Array(5).fill(false));
  });

  it("member-actions.1: an action keeps the rest of what the room stores of a member", () => {
    const muted = { role: "member", mutedUntil: 200 } as const;
    const after = (
      action: Parameters<typeof standingAfter>[0],
      more: { muteMs?: number; reason?: string } = {},
    ): object => standingAfter(action, muted, { now: 100, ...more });
    expect(after({ kind: "role", role: "reader" })).to.deep.equal({
      role: "reader",
      mutedUntil: 200,
    });
    expect(after({ kind: "mute" }, { muteMs: 60 })).to.deep.equal({
      role: "member",
      mutedUntil: 160,
    });
    expect(after({ kind: "unmute" })).to.deep.equal({ role: "member" });
    expect(after({ kind: "unblock" })).to.deep.equal({ role: "member" });
    expect(after({ kind: "block" })).to.deep.equal({
      role: "member",
      mutedUntil: Date.parse("9999-12-31T23:59:59Z"),
    });
    expect(after({ kind: "remove" }, { reason: " moved " })).to.deep.equal({
      role: "none",
      reason: "moved",
    });
    expect(after({ kind: "ban" })).to.deep.equal({ role: "none", banned: true });
    expect(after({ kind: "unban" })).to.deep.equal({ role: "none" });
  });
});
