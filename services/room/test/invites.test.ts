// Invites: who enters with which token, how often, and what another owner knows of it.

import { expect } from "chai";
import { MemoryArchive } from "#shared/adapters/archive-memory.ts";
import type { Write } from "#shared/protocol/commands.ts";
import { decodeEvent } from "#shared/protocol/events.ts";
import type { MessageId, ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { decodeInvite, encodeInvite } from "#shared/protocol/invites.ts";
import { INVITE_TTL_S, INVITES_MAX, ROOM_MEMBERS_MAX } from "#shared/protocol/limits.ts";
import type { Grant } from "#shared/protocol/roles.ts";
import { CommitWindow } from "../core/commit.ts";
import { EffectBuffer } from "../core/effect-buffer.ts";
import { Invites } from "../core/invites.ts";
import { Queries } from "../core/queries.ts";
import { ReplayedRoom } from "../core/replayed-room.ts";
import { RoomMemory } from "../core/room-memory.ts";
import { Room } from "../core/room.ts";
import { ADA, emptySnapshot, idAt, T0 } from "./partition-fixture.ts";

const PLANS = "plans" as RoomId;
const BEN = "ben" as UserId;
const EVE = "eve" as UserId;
const SECRET = "a-secret-of-22-letters";
/** Of the secret of the invites here. The owner gets no secret. */
const HASH = "h".repeat(43);

let n = 0;
const write = (from: UserId, content: object): Write =>
  ({ c: ++n, room: PLANS, id: idAt(T0, n), from, ...content }) as Write;

class Scene {
  readonly memory = new RoomMemory(1 << 26);
  room = new Room(PLANS, this.memory, T0);
  readonly lines: string[] = [];

  constructor(kind = "closed") {
    this.room.load(emptySnapshot(PLANS, 0));
    const members = [{ user: BEN }];
    expect(this.do(ADA, { op: "create", kind, members })).to.equal("event");
  }

  /** The error, or the kind of the decision. */
  do(from: UserId, content: object, afterMs = 0): string {
    const decision = this.room.decide(write(from, content), T0 + afterMs, {});
    if (decision.kind !== "event")
      return decision.kind === "refuse" ? decision.error : decision.kind;
    this.room.commit(decision.seq, decision.lines, decision.seq);
    this.lines.push(...decision.lines);
    return "event";
  }

  invite(terms: object = {}, afterMs = 0): MessageId {
    expect(this.do(ADA, { op: "invite", hash: HASH, ...terms }, afterMs)).to.equal("event");
    return decodeEvent(this.lines.at(-1) ?? "").id;
  }

  enter(user: UserId, invite: MessageId, afterMs = 0, hash = HASH): string {
    return this.do(user, { op: "enter", invite, hash }, afterMs);
  }

  /** The room of another owner: the archive has `archived` lines, the log those above `first`. */
  async reload(archived: number, first = archived): Promise<void> {
    const archive = new MemoryArchive();
    const events = this.lines.slice(0, archived).map((line) => {
      const { t: kind, seq, id, from: sender, at } = decodeEvent(line);
      return { room: PLANS, seq, kind, id, sender, at, line };
    });
    await archive.write({ p: 0, from: 0, to: 9, epoch: 1, events });
    const read = await archive.snapshot(0, PLANS, 0);
    if (read.kind !== "ok") throw new Error("the archive in memory is available");
    const above = this.lines.slice(first);
    const replayed = new ReplayedRoom(PLANS, first + 1, this.memory);
    if (above.length > 0) replayed.add(first + 1, above, 10);
    this.room = new Room(PLANS, this.memory, T0);
    expect(this.room.load(read.value, above.length > 0 ? replayed : undefined)).to.equal(true);
  }
}

const user = (i: number): UserId => `guest-${i}` as UserId;

describe("Invites", () => {
  it("M11: a token of room, invite and secret is read again, and no other text", () => {
    const token = { room: PLANS, invite: idAt(T0, 1), secret: SECRET };
    expect(decodeInvite(encodeInvite(token))).to.deep.equal(token);
    const text = encodeInvite(token);
    for (const broken of [
      "",
      "plans",
      `${text}.x`,
      text.slice(0, -9),
      text.replace("plans", "a b"),
    ]) {
      expect(decodeInvite(broken), broken).to.equal(undefined);
    }
  });

  it("M11: a guest becomes a member by the invite, whose `member` event names it and the use", () => {
    const scene = new Scene();
    const invite = scene.invite({ role: "reader", uses: 2, ttl: 60 }, 5);
    const { t, until, uses, hash } = decodeEvent(scene.lines.at(-1)!) as unknown as Record<
      string,
      unknown
    >;
    expect({ t, until, uses, hash }).to.deep.equal({
      t: "invite",
      until: T0 + 60_005,
      uses: 2,
      hash: HASH,
    });
    expect(scene.enter(EVE, invite, 6)).to.equal("event");
    expect(decodeEvent(scene.lines.at(-1)!)).to.deep.include({
      t: "member",
      from: EVE,
      user: EVE,
      role: "reader",
      reason: `invite ${invite}`,
      invite,
      use: 1,
    });
    expect(scene.room.state.member(EVE)).to.deep.include({ role: "reader" });
  });

  it("M11: a moderator lists the invites in force, without hashes, and no other user does", () => {
    const scene = new Scene();
    const [first, second, third] = [{ uses: 2, ttl: 60, role: "reader" }, {}, {}].map((terms) =>
      scene.invite(terms),
    ) as [MessageId, MessageId, MessageId];
    scene.enter(EVE, first);
    scene.do(ADA, { op: "revoke", invite: second });
    const out = new EffectBuffer(1);
    const queries = new Queries(out, new CommitWindow(1, scene.memory.account), scene.memory);
    const ask = (from: UserId, room = scene.room, grant?: Grant): unknown => {
      queries.answer(room, "gw-1" as ProcessId, {
        c: 1,
        op: "invites",
        room: room.id,
        user: from,
        ...(grant !== undefined && { grant }),
      });
      const [effect] = out.take();
      return effect?.kind === "reply" ? effect.results[0]?.result : effect;
    };
    const until = T0 + INVITE_TTL_S * 1_000;
    const invites = [
      { invite: first, role: "reader", until: T0 + 60_000, uses: 2, used: 1 },
      { invite: third, role: "member", until, uses: 1, used: 0 },
    ];
    expect(ask(ADA)).to.deep.equal({ c: 1, ok: "invites", invites });
    for (const user of [BEN, EVE, "stranger" as UserId]) {
      expect(ask(user), user).to.deep.equal({ c: 1, error: "forbidden" });
    }
    expect(ask(BEN, scene.room, "admin")).to.include({ ok: "invites" });
    expect(ask(ADA, new Scene("open").room)).to.deep.equal({ c: 1, error: "forbidden" });
  });

  it("M11: an unknown, wrong, ended, revoked or used-up invite gets forbidden, and uses nothing up", () => {
    const scene = new Scene();
    const invite = scene.invite({ uses: 1, ttl: 10 });
    expect(scene.enter(EVE, idAt(T0, 999_999))).to.equal("forbidden");
    expect(scene.enter(EVE, invite, 0, "o".repeat(43))).to.equal("forbidden");
    expect(scene.enter(EVE, invite, 10_000)).to.equal("forbidden"); // Ended.
    const again = scene.invite({ uses: 1, ttl: 10 }, 10_000);
    expect(scene.enter(EVE, again, 19_999)).to.equal("event");
    expect(scene.enter(user(1), again, 19_999)).to.equal("forbidden"); // Used up.
    const third = scene.invite({}, 20_000);
    expect(scene.do(ADA, { op: "revoke", invite: third }, 20_001)).to.equal("event");
    expect(scene.enter(user(2), third, 20_002)).to.equal("forbidden");
    expect(scene.do(ADA, { op: "revoke", invite: third }, 20_003)).to.equal("event");
    expect(scene.room.state.invites.size).to.equal(0);
  });

  it("M11: a member uses nothing up, a ban refuses, a mute stays, and a reader can become a member", () => {
    const scene = new Scene();
    const invite = scene.invite({ uses: 3 });
    expect(scene.enter(BEN, invite)).to.equal("conflict");
    const set = (who: UserId, more: object): string =>
      scene.do(ADA, { op: "member", user: who, role: "none", ...more });
    set(EVE, { banned: true });
    expect(scene.enter(EVE, invite)).to.equal("forbidden");
    set(user(1), { mutedUntil: T0 + 99 });
    expect(scene.enter(user(1), invite)).to.equal("event");
    expect(scene.room.state.member(user(1))).to.deep.include({
      role: "member",
      mutedUntil: T0 + 99,
    });
    set(user(2), { role: "reader" });
    expect(scene.enter(user(2), invite)).to.equal("event");
    expect(scene.enter(user(2), invite)).to.equal("conflict");
    expect(scene.room.state.invites.list()[0]).to.include({ used: 2 });
  });

  it("M11: a removed guest cannot come back with a used-up invite, and one that is open lets them", () => {
    const scene = new Scene();
    const invite = scene.invite({ uses: 2 });
    const remove = (): string => scene.do(ADA, { op: "member", user: EVE, role: "none" });
    for (const answer of ["event", "event", "forbidden"]) {
      expect(scene.enter(EVE, invite)).to.equal(answer);
      remove();
    }
  });

  it("M11: only a moderator of a closed room makes and revokes invites, at most INVITES_MAX in force", () => {
    const scene = new Scene();
    const hash = HASH;
    expect(scene.do(BEN, { op: "invite", hash })).to.equal("forbidden");
    expect(scene.do(EVE, { op: "invite", hash, grant: "moderator" })).to.equal("event");
    expect(scene.do(BEN, { op: "revoke", invite: idAt(T0, 1) })).to.equal("forbidden");
    const open = new Scene("open");
    expect(open.do(ADA, { op: "invite", hash })).to.equal("forbidden");
    expect(open.do(EVE, { op: "enter", invite: idAt(T0, 1), hash })).to.equal("forbidden");
    for (let i = 1; i < INVITES_MAX; i++) scene.invite({ ttl: 60 });
    expect(scene.do(ADA, { op: "invite", hash })).to.equal("conflict");
    // Those that have ended make room.
    scene.invite({}, 60_000);
    expect(scene.room.state.invites.size).to.equal(2);
  });

  it("M7, M11: a full room refuses a guest, lets a stored reader become a member, and the invite keeps its use", () => {
    const scene = new Scene();
    const invite = scene.invite();
    for (let i = scene.room.state.size; i < ROOM_MEMBERS_MAX; i++) {
      scene.room.state.apply({ t: "member", user: user(i), role: "member" } as never);
    }
    expect(scene.enter(EVE, invite)).to.equal("conflict");
    const reader = { t: "member", user: user(9_998), role: "reader" };
    scene.room.state.apply(reader as never);
    expect(scene.enter(user(9_998), scene.invite())).to.equal("event");
    scene.room.state.apply({ t: "member", user: user(9_999), role: "none" } as never);
    expect(scene.enter(EVE, invite)).to.equal("event");
  });

  it("M11: a repeated id gets the first answer, and of many guests exactly `uses` enter", () => {
    const scene = new Scene();
    const invite = scene.invite({ uses: 5 });
    const first = write(EVE, { op: "enter", invite, hash: HASH });
    const decided = scene.room.decide(first, T0, {});
    if (decided.kind !== "event") throw new Error(decided.kind);
    // Nothing is committed yet: the others are decided behind it.
    expect(scene.room.decide(first, T0, {})).to.deep.include({ kind: "repeat", seq: decided.seq });
    const answers = Array.from({ length: 20 }, (_, i) => {
      const decision = scene.room.decide(
        write(user(i), { op: "enter", invite, hash: HASH }),
        T0,
        {},
      );
      return decision.kind;
    });
    expect(answers.filter((kind) => kind === "event")).to.have.length(4);
  });

  it("M5, M11: another owner knows the invites and their counts, wherever the history is cut", async () => {
    const all = new Scene();
    const open = all.invite({ uses: 3 });
    const used = all.invite({ uses: 1 });
    const revoked = all.invite();
    expect(all.enter(user(1), open)).to.equal("event");
    expect(all.enter(user(2), used)).to.equal("event");
    all.do(ADA, { op: "revoke", invite: revoked });
    expect(all.enter(user(3), open)).to.equal("event");
    const stored = (): object => {
      const { state } = all.room;
      return { members: state.page(undefined, Infinity), invites: state.invites.list() };
    };
    const expected = stored();
    expect(expected).to.have.property("invites").with.length(1);
    for (let archived = 0; archived <= all.lines.length; archived++) {
      for (let first = 0; first <= archived; first++) {
        await all.reload(archived, first);
        expect(stored(), `${first} ${archived}`).to.deep.equal(expected);
      }
    }
    expect(all.enter(user(4), open)).to.equal("event");
    expect(all.enter(user(5), open)).to.equal("forbidden");
  });

  it("M5, M11: a loaded invite opens with its hash until its end, and keeps its terms and its use", () => {
    const [id, terms] = [idAt(T0, 1), { role: "reader", until: T0 + 9, uses: 2, used: 1 } as const];
    const invites = new Invites();
    invites.load([[id, HASH, terms.role, terms.until, terms.uses, terms.used]]);
    expect(invites.list()).to.deep.equal([{ invite: id, ...terms }]);
    expect(invites.open(id, HASH, T0 + 8)).to.deep.equal({ hash: HASH, ...terms });
    expect(invites.open(id, HASH, T0 + 9)).to.equal(undefined);
    expect(invites.open(id, "o".repeat(43), T0)).to.equal(undefined);
  });

  it("M11: an invite event without all of its terms revokes the invite, and a cleared room has none", () => {
    const id = idAt(T0, 1);
    const about = { room: PLANS, seq: 1, id, from: ADA, at: T0, t: "invite" as const, invite: id };
    const terms = { hash: HASH, role: "member" as const, until: T0 + 9, uses: 1 };
    for (const missing of ["hash", "role", "until", "uses"] as const) {
      const invites = new Invites();
      invites.apply({ ...about, ...terms });
      expect(invites.open(id, HASH, T0 + 1)).to.include({ uses: 1, used: 0 });
      const { [missing]: _left, ...rest } = terms;
      invites.apply({ ...about, ...rest });
      expect(invites.size, missing).to.equal(0);
    }
    const invites = new Invites();
    invites.apply({ ...about, ...terms });
    invites.clear();
    expect([invites.size, invites.list()]).to.deep.equal([0, []]);
  });
});
