// Session and rights: what a session carries of its token, and how a line of a room ends its
// membership.

import { expect } from "chai";
import { decodeClientFrames } from "#shared/protocol/client-frames.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { UNANSWERED_SENDS_MAX } from "#shared/protocol/limits.ts";
import type { SessionId } from "#shared/protocol/session-records.ts";
import { Admission } from "../core/admission.ts";
import type { Identity, Verification } from "#shared/ports/identity.ts";
import { Session } from "../core/session.ts";
import type { SessionEffect, SessionInput } from "../core/session-io.ts";
import { idOf } from "./owner-model.ts";

const EXPIRES = 10_000;

function allow(user = "ada", expiresAt = EXPIRES): Verification {
  return { kind: "ok", identity: { user: user as UserId, admin: false, expiresAt } };
}

class SessionBench {
  wall = 0;
  monotonic = 0;
  readonly session: Session;

  constructor(admission = new Admission(false)) {
    this.session = new Session(
      { pingMs: 25_000, admission },
      { name: "s1" as SessionId, address: "::1" },
    );
  }

  /** A session after its hello. */
  static open(admission?: Admission): SessionBench {
    const bench = new SessionBench(admission);
    bench.sendFrames({ t: "hello", token: "t" });
    bench.step({ kind: "verified", verification: allow() });
    return bench;
  }

  step(input: SessionInput): SessionEffect[] {
    return this.session.step(input, { wall: this.wall, monotonic: this.monotonic });
  }

  sendFrames(...frames: object[]): SessionEffect[] {
    const text = frames.map((frame) => JSON.stringify(frame)).join("\n");
    return decodeClientFrames(text).flatMap((frame) => this.step({ kind: "frame", frame }));
  }

  /** The kinds of the effects: "join", "error not_joined", "welcome", "close 1008". */
  kindsOf(...frames: object[]): string[] {
    return this.sendFrames(...frames).map(kindOf);
  }
}

function kindOf(effect: SessionEffect): string {
  if (effect.kind === "close") return `close ${effect.reason.code}`;
  if (effect.kind === "write") return effect.frame.t;
  if (effect.kind !== "frame") return effect.kind;
  return effect.frame.t === "error" ? `error ${effect.frame.name}` : effect.frame.t;
}

const hello = { t: "hello", token: "t" };
const join = (room = "general", ref = 1) => ({ t: "join", ref, room });
const send = (n = 1, room = "general") => ({ t: "send", room, id: idOf(n), body: { text: "hi" } });

describe("Session: removals", () => {
  const removal = { reason: "removed", seq: 5 } as const;

  it("M8: a removal ends exactly the membership that it names, and the client gets `left`", () => {
    const bench = SessionBench.open();
    bench.sendFrames(join());
    const removed = { kind: "removed", room: "general" as RoomId, removal } as const;
    expect(bench.step({ ...removed, attempt: 9 })).to.deep.equal([]);
    expect(bench.kindsOf(send())).to.deep.equal(["send"]);
    expect(bench.step({ ...removed, attempt: 1 })).to.deep.equal([
      { kind: "frame", frame: { t: "left", room: "general", ...removal } },
    ]);
    expect(bench.kindsOf(send(2), { t: "typing", room: "general", on: true })).to.deep.equal([
      "error not_joined",
      "error not_joined",
    ]);
    bench.sendFrames(join("general", 2));
    expect(bench.step({ ...removed, attempt: 1 }), "an earlier membership").to.deep.equal([]);
  });

  it("M2: a room that is not joined can be created and changed, and takes no place in an order", () => {
    const bench = SessionBench.open();
    const id = idOf(1);
    const frames = [
      { t: "create", room: "plans", id, kind: "closed" },
      { t: "member", room: "plans", id: idOf(2), user: "ben", role: "member" },
      { t: "update", room: "plans", id: idOf(3), title: "Plans" },
    ];
    expect(bench.kindsOf(...frames)).to.deep.equal(["create", "member", "update"]);
    const answer = { kind: "refused", error: "busy", afterMs: 50 } as const;
    bench.step({ kind: "write-answered", id, room: "plans" as RoomId, answer });
    const later = { ...frames[1], id: idOf(4) };
    expect(bench.kindsOf(later), "it does not wait for the refused create").to.deep.equal([
      "member",
    ]);
  });

  it("M4: a join, a write and a page carry what the token grants in that room", () => {
    const bench = new SessionBench();
    bench.sendFrames(hello);
    const identity = {
      user: "ada" as UserId,
      admin: false,
      rooms: { plans: "moderator", other: "king" },
      expiresAt: EXPIRES,
    };
    bench.step({ kind: "verified", verification: { kind: "ok", identity } });
    const history = { t: "history", ref: 3, room: "plans", limit: 5 };
    const effects = bench.sendFrames(join("plans"), send(1, "plans"), history, join("other", 2));
    const grants = effects.map((effect) => ("grant" in effect ? effect.grant : "none"));
    expect(grants).to.deep.equal(["moderator", "moderator", "moderator", undefined]);
  });

  it("S1: a token with a name gives the session's user this name, from the time of its issue", () => {
    const namedBy = (more: Partial<Identity>): SessionEffect[] => {
      const bench = new SessionBench();
      bench.wall = 77;
      bench.sendFrames(hello);
      const identity = { user: "ada" as UserId, admin: false, expiresAt: EXPIRES, ...more };
      const effects = bench.step({ kind: "verified", verification: { kind: "ok", identity } });
      return effects.filter(({ kind }) => kind === "named");
    };
    const said = (at: number) => [{ kind: "named", said: { user: "ada", name: "Ada", at } }];
    expect(namedBy({})).to.deep.equal([]);
    expect(namedBy({ name: "Ada", issuedAt: 5 })).to.deep.equal(said(5));
    expect(namedBy({ name: "Ada" }), "without its time: from now on").to.deep.equal(said(77));
  });

  it("session.4: a refused send delays nothing after a removal and another join", () => {
    const bench = SessionBench.open();
    bench.sendFrames(join(), send(1));
    const answer = { kind: "refused", error: "busy" } as const;
    const room = "general" as RoomId;
    bench.step({ kind: "write-answered", id: idOf(1), room, answer });
    bench.step({ kind: "removed", room, attempt: 1, removal });
    bench.sendFrames(join());
    expect(bench.kindsOf(send(2))).to.deep.equal(["send"]);
  });

  it("session.4: a refused write to a room that is not joined delays no other", () => {
    const bench = SessionBench.open();
    bench.sendFrames(join());
    for (let n = 1; n <= UNANSWERED_SENDS_MAX; n++) bench.sendFrames(send(n));
    const create = (n: number) => ({ t: "create", room: "plans", id: idOf(n), kind: "closed" });
    expect(bench.kindsOf(create(100))).to.deep.equal(["error busy"]);
    const answer = { kind: "sent", seq: 1, at: 1 } as const;
    bench.step({ kind: "write-answered", id: idOf(1), room: "general" as RoomId, answer });
    expect(bench.kindsOf(create(101))).to.deep.equal(["create"]);
  });
});
