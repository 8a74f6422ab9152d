// Rights against a reference model: a second, plain reading of chapters M and C of docs/SPEC.md
// decides every write of random histories. The room must decide the same, and store the same.

import { expect } from "chai";
import * as fc from "fast-check";
import type { Write } from "#shared/protocol/commands.ts";
import { directRoomId } from "#shared/protocol/direct-room.ts";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { ROLES } from "#shared/protocol/roles.ts";
import type { Grant, Role } from "#shared/protocol/roles.ts";
import { roleIn } from "../core/rights.ts";
import { RoomMemory } from "../core/room-memory.ts";
import { Room } from "../core/room.ts";
import { emptySnapshot, T0 } from "./partition-fixture.ts";

const USERS = ["ada", "ben", "cat"] as UserId[];
const PAIR = directRoomId("ada" as UserId, "ben" as UserId);
const RANK: Readonly<Record<Role, number>> = {
  none: 0,
  reader: 1,
  member: 2,
  moderator: 3,
  owner: 4,
};

interface Stored {
  readonly role: Role;
  readonly mutedUntil: number;
  readonly banned: boolean;
}

/** Knows nothing of folds, tables and lines: M1 to M4, C1 to C3 in one function for each write. */
class Model {
  kind: string | undefined;
  sendRole: Role = "member";
  archived = false;
  slowMode = 0;
  editWindow = 0;
  events = 0;
  readonly invites = new Map<MessageId, { role: Role; until: number; left: number }>();
  readonly stored = new Map<UserId, Stored>();
  readonly messages = new Map<
    number,
    { from: UserId; isReply: boolean; isDeleted: boolean; at: number }
  >();
  /** The senders of messages since the slow mode began. */
  readonly lastSent = new Map<UserId, number>();
  readonly #room: RoomId;

  constructor(room: RoomId) {
    this.#room = room;
  }

  rank(user: UserId, grant: Grant | undefined): number {
    const of = this.stored.get(user);
    if (grant === "admin") return 4;
    if (of?.banned === true) return 0;
    if (of !== undefined && of.role !== "none") return RANK[of.role];
    if (this.#kind() === "direct") return 0;
    if (grant !== undefined) return RANK[grant];
    return this.#kind() === "open" ? 2 : 0;
  }

  decide(write: Write, now: number): string {
    const answer = this.#judge(write, now);
    if (answer === "event") this.#apply(write, now);
    return answer;
  }

  #kind(): string {
    if (this.kind !== undefined) return this.kind;
    return this.events === 0 && this.#room === PAIR ? "direct" : "open";
  }

  #judge(write: Write, now: number): string {
    if (write.op === "create") return this.#judgeCreate(write);
    const rank = this.rank(write.from, write.grant);
    if (write.op === "member") return this.#judgeMember(write, rank, now);
    if (write.op === "send") {
      if (!this.#maySend(write.from, rank, now)) return "forbidden";
      const { thread } = write;
      const root = thread === undefined ? undefined : this.messages.get(thread);
      if (root?.isDeleted === true) return "conflict";
      if (thread !== undefined && (root === undefined || root.isReply)) return "not_found";
      const since = now - (this.lastSent.get(write.from) ?? -Infinity);
      const isFree = rank >= 3 || this.#kind() === "direct";
      return !isFree && since < this.slowMode * 1_000 ? "rate_limited" : "event";
    }
    if (write.op === "edit") {
      const answer = this.#judgeChange(write, this.#maySend(write.from, rank, now), false);
      const age = now - (this.messages.get(write.target)?.at ?? 0);
      const isLate = this.editWindow > 0 && age > this.editWindow * 1_000;
      return answer === "event" && isLate ? "forbidden" : answer;
    }
    if (write.op === "delete") {
      const mayDoOthers = write.grant === "admin" || (rank >= 3 && this.#kind() !== "direct");
      return this.#judgeChange(write, rank >= 1, mayDoOthers);
    }
    if (write.op === "react") {
      const isQuiet = this.archived || this.#mutedUntil(write.from) > now;
      return this.#judgeChange(write, rank >= 2 && !isQuiet, true);
    }
    if (write.op === "pin") {
      const least = this.#kind() === "direct" ? 2 : 3;
      return this.#judgeChange(write, rank >= least && !this.archived, true);
    }
    if (write.op === "invite" || write.op === "revoke") {
      return this.kind === "closed" && rank >= 3 ? "event" : "forbidden";
    }
    if (write.op === "enter") return this.#judgeEntry(write, now);
    if (this.#kind() === "direct") return "forbidden";
    const { sendRole, archived, slowMode, editWindow } = write;
    const isPlain = [sendRole, archived, slowMode, editWindow].every((one) => one === undefined);
    const least = isPlain ? 3 : 4;
    return rank >= least ? "event" : "forbidden";
  }

  /** M11. */
  #judgeEntry({ from, invite, hash }: Extract<Write, { op: "enter" }>, now: number): string {
    const [found, before] = [this.invites.get(invite), this.stored.get(from)];
    const isOpen = found !== undefined && found.until > now && found.left > 0;
    if (this.kind !== "closed" || !isOpen || hash !== HASH) return "forbidden";
    if (before?.banned === true) return "forbidden";
    return RANK[before?.role ?? "none"] >= RANK[found.role] ? "conflict" : "event";
  }

  #maySend(user: UserId, rank: number, now: number): boolean {
    if (this.archived || this.#mutedUntil(user) > now) return false;
    return rank >= 2 && rank >= RANK[this.sendRole];
  }

  /** C1 to C3. */
  #judgeChange(
    { target, from }: Extract<Write, { op: "edit" | "delete" | "react" | "pin" }>,
    mayDo: boolean,
    mayDoOthers: boolean,
  ): string {
    if (!mayDo) return "forbidden";
    const message = this.messages.get(target);
    if (message === undefined) return "not_found";
    if (message.isDeleted) return "conflict";
    return message.from === from || mayDoOthers ? "event" : "forbidden";
  }

  #judgeCreate({ kind, from, user }: Extract<Write, { op: "create" }>): string {
    const pair = user === undefined || user === from ? undefined : directRoomId(from, user);
    const fits = kind === "direct" ? pair === this.#room : this.#room !== PAIR;
    if (!fits) return "forbidden";
    return this.events === 0 ? "event" : "conflict";
  }

  #judgeMember(write: Extract<Write, { op: "member" }>, rank: number, now: number): string {
    const { from, user, role, mutedUntil, banned } = write;
    const before = this.stored.get(user);
    if (this.#kind() === "direct") {
      const isBlock = from !== user && before !== undefined && role === "member" && !banned;
      return isBlock && rank >= 2 ? "event" : "forbidden"; // M12
    }
    const isPlain = mutedUntil === undefined && banned !== true;
    const isOwn = from === user && isPlain && this.#mutedUntil(user) <= now;
    const isHigh = RANK[role] >= 3 || RANK[before?.role ?? "none"] >= 3;
    let isAllowed = rank >= (isHigh ? 4 : 3);
    if (isOwn && role === "none") isAllowed = rank >= 1;
    else if (isOwn && role === "member" && before === undefined) {
      isAllowed = this.#kind() === "open" && rank >= 2;
    }
    if (!isAllowed) return "forbidden";
    const owners = [...this.stored.values()].filter((one) => one.role === "owner").length;
    const isLast = this.kind === "closed" && before?.role === "owner" && owners === 1;
    return isLast && (role !== "owner" || banned === true) ? "conflict" : "event";
  }

  #mutedUntil(user: UserId): number {
    return this.stored.get(user)?.mutedUntil ?? 0;
  }

  #apply(write: Write, at: number): void {
    this.events++;
    if (write.op === "send") {
      const isReply = write.thread !== undefined;
      this.messages.set(this.events, { from: write.from, isReply, isDeleted: false, at });
      this.lastSent.set(write.from, at);
    } else if (write.op === "delete") {
      const message = this.messages.get(write.target);
      if (message !== undefined) message.isDeleted = true;
    } else if (write.op === "create") {
      this.kind = write.kind;
      if (write.kind === "direct") {
        for (const user of [write.from, write.user]) if (user) this.#put(user, "member");
        this.events = 1 + this.stored.size;
        return;
      }
      this.events += new Set([write.from, ...(write.members ?? []).map((one) => one.user)]).size;
      for (const { user, role = "member" } of write.members ?? []) this.#put(user, role);
      this.#put(write.from, "owner");
    } else if (write.op === "invite") {
      const { id, role = "member", ttl = 1, uses = 1 } = write;
      this.invites.set(id, { role, until: at + ttl * 1_000, left: uses });
    } else if (write.op === "revoke") {
      this.invites.delete(write.invite);
    } else if (write.op === "enter") {
      const found = this.invites.get(write.invite);
      if (found === undefined) return;
      found.left--;
      this.#put(write.from, found.role, this.stored.get(write.from)?.mutedUntil);
    } else if (write.op === "update") {
      this.kind ??= "open";
      this.sendRole = write.sendRole ?? this.sendRole;
      this.archived = write.archived ?? this.archived;
      if ((write.slowMode ?? this.slowMode) !== this.slowMode) this.lastSent.clear();
      this.slowMode = write.slowMode ?? this.slowMode;
      this.editWindow = write.editWindow ?? this.editWindow;
    } else if (write.op === "member") {
      const { user, role, mutedUntil = 0, banned = false } = write;
      this.#put(user, banned ? "none" : role, mutedUntil, banned);
    }
  }

  #put(user: UserId, role: Role, mutedUntil = 0, banned = false): void {
    if (role === "none" && mutedUntil === 0 && !banned) this.stored.delete(user);
    else this.stored.set(user, { role, mutedUntil, banned });
  }
}

const user = fc.constantFrom(...USERS);
const grant = fc.constantFrom(undefined, undefined, undefined, "admin", "owner", "reader");
const target = fc.integer({ min: 1, max: 8 });
const draft = fc.oneof(
  fc.record({ op: fc.constant("send"), from: user, grant, body: fc.constant({}) }),
  fc.record({
    op: fc.constant("send"),
    from: user,
    grant,
    body: fc.constant({}),
    thread: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({ op: fc.constant("edit"), from: user, grant, target, body: fc.constant({}) }),
  fc.record({ op: fc.constant("delete"), from: user, grant, target }),
  fc.record({
    op: fc.constant("react"),
    from: user,
    grant,
    target,
    emoji: fc.constant("👍"),
    on: fc.boolean(),
  }),
  fc.record({ op: fc.constant("pin"), from: user, grant, target, on: fc.boolean() }),
  fc.record({
    op: fc.constant("create"),
    from: user,
    kind: fc.constantFrom("open", "closed"),
    members: fc.uniqueArray(fc.record({ user, role: fc.constantFrom("reader", "owner") }), {
      selector: (member) => member.user,
      maxLength: 3,
    }),
  }),
  fc.record({ op: fc.constant("create"), from: user, kind: fc.constant("direct"), user }),
  fc.record({
    op: fc.constant("member"),
    from: user,
    user,
    role: fc.constantFrom(...ROLES),
    banned: fc.constantFrom(undefined, undefined, true),
    mutedUntil: fc.constantFrom(undefined, undefined, 0, T0 + 10, T0 + 1_000_000),
    grant,
  }),
  fc.record({
    op: fc.constant("update"),
    from: user,
    title: fc.constantFrom(undefined, "Plans"),
    sendRole: fc.constantFrom(undefined, undefined, "moderator", "reader"),
    archived: fc.constantFrom(undefined, undefined, true, false),
    slowMode: fc.constantFrom(undefined, undefined, 0, 1, 2),
    editWindow: fc.constantFrom(undefined, undefined, 0, 1, 2),
    grant,
  }),
);

const HASH = "h".repeat(43);
const WRONG = "w".repeat(43);
const inviteDraft = fc.oneof(
  fc.record({
    op: fc.constant("invite"),
    from: user,
    grant: fc.constantFrom(undefined, "admin"),
    hash: fc.constant(HASH),
    role: fc.constantFrom("reader", "member"),
    ttl: fc.constantFrom(1, 3, 9),
    uses: fc.constantFrom(1, 2),
  }),
  fc.record({
    op: fc.constant("enter"),
    from: user,
    invite: fc.constantFrom(2, 2, 2, 3, 4, 5, 6).map(idOf),
    hash: fc.constantFrom(HASH, HASH, HASH, WRONG),
  }),
  fc.record({
    op: fc.constant("revoke"),
    from: user,
    grant: fc.constantFrom(undefined, "admin"),
    invite: fc.constantFrom(2, 2, 2, 3, 4, 5, 6).map(idOf),
  }),
);

/** A closed room with an invite and a slow mode, so that many histories meet both. */
const CLOSED = [
  { op: "create", from: USERS[0], kind: "closed", members: [{ user: USERS[1] }] },
  { op: "invite", from: USERS[0], hash: HASH, ttl: 9, uses: 2 },
  { op: "update", from: USERS[0], slowMode: 2 },
] as const;

/** A message that is deleted, and a reaction to it: by chance they seldom follow each other. */
const DELETED = [
  { op: "send", from: USERS[0], body: { text: "hi" } },
  { op: "delete", from: USERS[0], target: 1 },
  { op: "react", from: USERS[0], target: 1, emoji: "👍", on: true },
] as const;

/** Most histories have no begin of their own. */
const BEGINS: readonly (readonly object[])[] = [CLOSED, CLOSED, DELETED, [], [], [], [], [], []];

function idOf(n: number): MessageId {
  const time = (T0 + n).toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${n.toString(16).padStart(12, "0")}` as MessageId;
}

describe("Rights against a reference model", () => {
  it("M3, M4, C2, C3: a room decides every write of any history as the model does, and stores the same", () => {
    const reached = new Map<string, number>();
    fc.assert(
      fc.property(
        fc.constantFrom("plans" as RoomId, PAIR),
        fc.array(fc.oneof({ weight: 6, arbitrary: draft }, inviteDraft), {
          minLength: 1,
          maxLength: 30,
          size: "max",
        }),
        fc.constantFrom(...BEGINS),
        (id, further, begin) => {
          const drafts = [...begin, ...further];
          const room = new Room(id, new RoomMemory(1 << 24), T0);
          room.load(emptySnapshot(id, 0));
          const model = new Model(id);
          for (const [n, content] of drafts.entries()) {
            const write = { c: n, room: id, id: idOf(n + 1), ...content } as Write;
            const now = T0 + n * 300;
            const decision = room.decide(write, now, {});
            if (decision.kind === "event") room.commit(decision.seq, decision.lines, n);
            const answer = decision.kind === "refuse" ? decision.error : decision.kind;
            expect(answer, JSON.stringify(write)).to.equal(model.decide(write, now));
            reached.set(`${write.op} ${answer}`, (reached.get(`${write.op} ${answer}`) ?? 0) + 1);
          }
          for (const one of USERS) {
            for (const given of [undefined, "reader", "admin"] as const) {
              const role = roleIn(room, { user: one, grant: given });
              expect(RANK[role], `${one} ${given}`).to.equal(model.rank(one, given));
            }
          }
          expect(room.state.size).to.equal(model.stored.size);
        },
      ),
      { numRuns: Number(process.env["RUNS"] ?? 1_500) },
    );
    // The table of rights.test.ts and changes.test.ts has every cell; these are the common ones.
    for (const op of [
      "enter",
      "invite",
      "revoke",
      "create",
      "member",
      "send",
      "edit",
      "delete",
      "react",
      "pin",
      "update",
    ]) {
      for (const answer of ["event", "forbidden"])
        expect(reached.has(`${op} ${answer}`)).to.equal(true);
    }
    for (const one of [
      "send rate_limited",
      "create conflict",
      "edit not_found",
      "react not_found",
      "react conflict",
    ]) {
      expect(reached.has(one), one).to.equal(true);
    }
  });
});
