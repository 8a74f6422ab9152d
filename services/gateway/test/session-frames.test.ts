// Session, by example: every frame and effect in full, and the counts at an end or a refusal.

import { expect } from "chai";
import { decodeClientFrames } from "#shared/protocol/client-frames.ts";
import { CLOSE } from "#shared/protocol/close-codes.ts";
import { errorFrame } from "#shared/protocol/errors.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import type { SessionId } from "#shared/protocol/session-records.ts";
import {
  BODY_BYTES_MAX,
  FRAME_BYTES_MAX,
  ROOMS_PER_CONNECTION_MAX,
  UNANSWERED_SENDS_MAX,
} from "#shared/protocol/limits.ts";
import { Admission } from "../core/admission.ts";
import { GREETING_FRAMES_MAX, REFRESH_RATE } from "../core/bounds.ts";
import { Session } from "../core/session.ts";
import type { SessionEffect, SessionInput } from "../core/session-io.ts";
import type { Identity, Verification } from "#shared/ports/identity.ts";
import { idOf } from "./owner-model.ts";

const EXPIRES = 10_000;
const GENERAL = "general" as RoomId;
const ADA: Identity = { user: "ada" as UserId, admin: false, expiresAt: EXPIRES };

const hello = { t: "hello", token: "the token" };
const join = (room = "general", ref = 1) => ({ t: "join", ref, room });
const send = (n = 1) => ({ t: "send", room: "general", id: idOf(n), body: { text: "hi" } });
const leave = { t: "leave", ref: 9, room: "general" };
const typing = { t: "typing", room: "general", on: true };
const history = { t: "history", ref: 4, room: "general", limit: 1 };
const refresh = { t: "refresh", ref: 6, token: "another" };

const frame = (name: Parameters<typeof errorFrame>[0], detail: Parameters<typeof errorFrame>[1]) =>
  ({ kind: "frame", frame: errorFrame(name, detail) }) as const;

class SessionBench {
  wall = 77;
  monotonic = 0;
  readonly session: Session;

  constructor(admission = new Admission(false)) {
    this.session = new Session(
      { pingMs: 25_000, admission },
      { name: "s1" as SessionId, address: "::1" },
    );
  }

  static open(admission?: Admission): SessionBench {
    const bench = new SessionBench(admission);
    bench.sendFrames(hello);
    bench.verify({ kind: "ok", identity: ADA });
    return bench;
  }

  step(input: SessionInput): SessionEffect[] {
    return this.session.step(input, { wall: this.wall, monotonic: this.monotonic });
  }

  verify(verification: Verification): SessionEffect[] {
    return this.step({ kind: "verified", verification });
  }

  sendFrames(...frames: object[]): SessionEffect[] {
    const text = frames.map((each) => JSON.stringify(each)).join("\n");
    return decodeClientFrames(text).flatMap((frame) => this.step({ kind: "frame", frame }));
  }
}

const close = (reason: (typeof CLOSE)[keyof typeof CLOSE]) => [{ kind: "close", reason }];

describe("Session: frames", () => {
  it("S1: hello requests the verification of the token, and welcome names the session and its limits", () => {
    const bench = new SessionBench();
    expect([bench.session.isGreeting, bench.session.identity]).to.deep.equal([true, undefined]);
    expect(bench.sendFrames(hello)).to.deep.equal([{ kind: "verify", token: "the token" }]);
    expect([bench.session.isGreeting, bench.session.identity]).to.deep.equal([true, undefined]);
    const limits = {
      frameBytes: FRAME_BYTES_MAX,
      bodyBytes: BODY_BYTES_MAX,
      unansweredSends: UNANSWERED_SENDS_MAX,
      rooms: ROOMS_PER_CONNECTION_MAX,
    };
    const welcome = { t: "welcome", session: "s1", user: "ada", at: 77, pingMs: 25_000, limits };
    const verification = { kind: "ok", identity: ADA } as const;
    const opened = { kind: "opened", user: "ada", names: undefined };
    expect(bench.verify(verification)).to.deep.equal([{ kind: "frame", frame: welcome }, opened]);
    expect([bench.session.isGreeting, bench.session.identity]).to.deep.equal([false, ADA]);
    expect(bench.verify(verification), "once").to.deep.equal([]);
    expect(bench.step({ kind: "overdue" })).to.deep.equal([]);
  });

  it("S1: exactly GREETING_FRAMES_MAX frames wait for the verification", () => {
    const bench = new SessionBench();
    const frames = Array.from({ length: GREETING_FRAMES_MAX }, (_, n) => join(`room-${n}`));
    expect(bench.sendFrames(hello, ...frames)).to.have.length(1);
    expect(bench.verify({ kind: "ok", identity: ADA })).to.have.length(2 + GREETING_FRAMES_MAX);
    const over = new SessionBench();
    over.sendFrames(hello, ...frames);
    expect(over.sendFrames(join("one-more"))).to.deep.equal(close(CLOSE.tooManyEarlyFrames));
    expect(over.verify({ kind: "ok", identity: ADA })).to.deep.equal([]);
  });

  it("S1: before its hello a session ignores answers of any kind, and closes with the reason", () => {
    const bench = new SessionBench();
    const identity = ADA;
    expect(bench.verify({ kind: "ok", identity }), "none was requested").to.deep.equal([]);
    const early = bench.step({ kind: "refreshed", ref: 1, verification: { kind: "ok", identity } });
    expect(early).to.deep.equal([]);
    const answer = { kind: "sent", seq: 1, at: 1 } as const;
    const outcome = { kind: "page", text: "{}" } as const;
    const room = GENERAL;
    expect(bench.step({ kind: "write-answered", id: "1", room, answer })).to.deep.equal([]);
    expect(bench.step({ kind: "page", ref: 1, room, outcome })).to.deep.equal([]);
    const refused = { room, ref: 1, attempt: 1, error: "busy" } as const;
    expect(bench.step({ kind: "join-refused", ...refused })).to.deep.equal([]);
    const removal = { seq: 1, reason: "removed" } as const;
    expect(bench.step({ kind: "removed", room, attempt: 1, removal })).to.deep.equal([]);
    const list = { kind: "refused", error: "busy" } as const;
    expect(bench.step({ kind: "rooms", ref: 1, outcome: list })).to.deep.equal([]);
    expect(bench.step({ kind: "overdue" })).to.deep.equal(close(CLOSE.lateHello));
    expect(bench.step({ kind: "overdue" }), "it is closed").to.deep.equal([]);
    expect(bench.session.isGreeting).to.equal(false);
    const verifying = new SessionBench();
    verifying.sendFrames(hello);
    expect(verifying.step({ kind: "overdue" }), "its hello came in time").to.deep.equal([]);
    expect(verifying.verify({ kind: "ok", identity }), "welcome, opened").to.have.length(2);
    const broken = new SessionBench();
    expect(broken.sendFrames({ t: "?" }, hello), "nothing after the close").to.deep.equal(
      close(CLOSE.noHello),
    );
  });

  it("F4: the effects of an open session name the user and hold the frame", () => {
    const bench = SessionBench.open();
    const user = "ada";
    const effects = bench.sendFrames({ ...join(), tail: 3 }, send(), typing, history, leave);
    expect(effects).to.deep.equal([
      { kind: "join", user, grant: undefined, attempt: 1, frame: { ...join(), tail: 3 } },
      { kind: "write", user, grant: undefined, frame: send() },
      { kind: "typing", user, room: GENERAL, on: true },
      { kind: "history", user, grant: undefined, frame: history },
      { kind: "leave", user, room: GENERAL },
      { kind: "frame", frame: { t: "left", ref: 9, room: GENERAL } },
    ]);
    expect(bench.sendFrames(join())[0]).to.include({ attempt: 2 });
    expect(bench.sendFrames({ t: "ping", ref: 3 })).to.deep.equal([
      { kind: "frame", frame: { t: "pong", ref: 3, at: 77 } },
    ]);
    expect(bench.sendFrames(refresh)).to.deep.equal([
      { kind: "verify-refresh", ref: 6, token: "another" },
    ]);
  });

  it("F4: every refusal names the request that it answers", () => {
    const bench = SessionBench.open();
    expect(bench.sendFrames(hello)).to.deep.equal([
      frame("bad_frame", { message: "This connection has sent hello already." }),
    ]);
    expect(bench.sendFrames(send(), typing, leave)).to.deep.equal([
      frame("not_joined", { id: idOf(1), room: "general" }),
      frame("not_joined", { room: "general" }),
      frame("not_joined", { ref: 9, room: "general" }),
    ]);
    const many = Array.from({ length: ROOMS_PER_CONNECTION_MAX }, (_, n) => join(`room-${n}`));
    for (const each of many) bench.sendFrames(each);
    expect(bench.sendFrames(join("one-more", 5))).to.deep.equal([
      frame("rate_limited", {
        ref: 5,
        room: "one-more",
        message: "This connection has joined its maximum number of rooms.",
      }),
    ]);
    expect(bench.sendFrames({ t: "join", ref: 7 })[0]).to.have.nested.property("frame.message").not
      .empty;
  });

  it("S4: from exactly its expiry on, each frame is refused with its own ids", () => {
    const bench = SessionBench.open();
    bench.sendFrames(join());
    bench.wall = EXPIRES - 1;
    expect(bench.sendFrames(typing)[0]).to.include({ kind: "typing" });
    bench.wall = EXPIRES;
    expect(bench.sendFrames(hello, send(), typing, join("dev", 2), history)).to.deep.equal([
      frame("token_expired", {}),
      frame("token_expired", { id: idOf(1), room: "general" }),
      frame("token_expired", { room: "general" }),
      frame("token_expired", { ref: 2, room: "dev" }),
      frame("token_expired", { ref: 4, room: "general" }),
    ]);
  });
});

describe("Session: read positions and room lists", () => {
  const read = { t: "read", room: "general", seq: 3 };
  const rooms = (ref: number, more: object = {}) => ({ t: "rooms", ref, ...more });

  it("U1: a position needs a joined room, has no answer, and has its own rate", () => {
    const bench = SessionBench.open(new Admission(true));
    const refused = frame("not_joined", { room: GENERAL });
    expect(bench.sendFrames(read)).to.deep.equal([refused]);
    bench.sendFrames(join());
    const said = { kind: "read", user: "ada", room: "general", seq: 3 };
    expect(bench.sendFrames(read)).to.deep.equal([said]);
    for (let n = 1; n < 300; n++) expect(bench.sendFrames(read)).to.deep.equal([said]);
    const limited = frame("rate_limited", { room: GENERAL, afterMs: 100 });
    expect(bench.sendFrames(read)).to.deep.equal([limited]);
    expect(bench.sendFrames({ ...read, seq: 0 })[0]).to.include({ kind: "frame" });
  });

  it("U5: a list costs a page for each 50 rooms, and counts as one until it is answered", () => {
    const bench = SessionBench.open(new Admission(true));
    const asked = (ref: number, limit: number) => ({
      kind: "rooms",
      ref,
      query: { user: "ada", after: undefined, limit },
    });
    expect(bench.sendFrames(rooms(1))).to.deep.equal([asked(1, 50)]);
    for (const ref of [2, 3, 4]) bench.sendFrames(rooms(ref));
    expect(bench.sendFrames(rooms(5))).to.deep.equal([frame("busy", { ref: 5 })]);
    const page = { rooms: [] };
    const answer = { kind: "rooms", ref: 1, outcome: { kind: "rooms", page } } as const;
    expect(bench.step(answer)).to.deep.equal([
      { kind: "frame", frame: { t: "rooms", ref: 1, rooms: [] } },
    ]);
    // 40 pages at once: 4 were used, and 9 lists of 200 rooms use the rest.
    for (let n = 0; n < 9; n++) {
      expect(bench.sendFrames(rooms(6, { limit: 200 }))).to.deep.equal([asked(6, 200)]);
      const outcome = { kind: "refused", error: "unavailable" } as const;
      const failed = frame("unavailable", { ref: 6 });
      expect(bench.step({ kind: "rooms", ref: 6, outcome })).to.deep.equal([failed]);
    }
    const limited = frame("rate_limited", { ref: 7, afterMs: 400 });
    expect(bench.sendFrames(rooms(7, { limit: 200 }))).to.deep.equal([limited]);
  });

  it("S4: with an expired token neither passes", () => {
    const bench = SessionBench.open();
    bench.sendFrames(join());
    bench.wall = EXPIRES;
    expect(bench.sendFrames(read, rooms(1))).to.deep.equal([
      frame("token_expired", { room: GENERAL }),
      frame("token_expired", { ref: 1 }),
    ]);
  });
});

describe("Session: answers", () => {
  it("S4: a refresh is answered with the new expiry, or with the error and its ref", () => {
    const bench = SessionBench.open();
    const refreshed = (verification: Verification) =>
      bench.step({ kind: "refreshed", ref: 6, verification });
    expect(refreshed({ kind: "ok", identity: { ...ADA, expiresAt: 99 } })).to.deep.equal([
      { kind: "frame", frame: { t: "refreshed", ref: 6, until: 99 } },
    ]);
    const eve = { ...ADA, user: "eve" as UserId, expiresAt: 1e9 };
    expect(refreshed({ kind: "ok", identity: eve })).to.deep.equal([
      frame("unauthorized", { ref: 6 }),
    ]);
    expect(bench.session.endsAt).to.equal(99);
    expect(refreshed({ kind: "refused", error: "unauthorized" })).to.deep.equal([
      frame("unauthorized", { ref: 6 }),
    ]);
    expect(refreshed({ kind: "refused", error: "unavailable", afterMs: 900 })).to.deep.equal([
      frame("unavailable", { ref: 6, afterMs: 900 }),
    ]);
  });

  it("session.2: an answer becomes one frame, with its wait", () => {
    const bench = SessionBench.open();
    bench.sendFrames(join(), send(), history, history);
    const room = GENERAL;
    bench.sendFrames(history, history);
    expect(bench.sendFrames(history)).to.deep.equal([frame("busy", { ref: 4, room: "general" })]);
    const refused = { kind: "refused", error: "busy", afterMs: 123 } as const;
    expect(
      bench.step({ kind: "write-answered", id: idOf(1), room, answer: refused }),
    ).to.deep.equal([frame("busy", { id: idOf(1), room, afterMs: 123 })]);
    const text = "the page";
    expect(
      bench.step({ kind: "page", ref: 4, room, outcome: { kind: "page", text } }),
    ).to.deep.equal([{ kind: "text", text }]);
    const failed = { kind: "refused", error: "unavailable" } as const;
    expect(bench.step({ kind: "page", ref: 4, room, outcome: failed })).to.deep.equal([
      frame("unavailable", { ref: 4, room }),
    ]);
    const attempt = { attempt: 1, error: "unavailable", afterMs: 45 } as const;
    expect(bench.step({ kind: "join-refused", room, ref: 1, ...attempt })).to.deep.equal([
      frame("unavailable", { ref: 1, room, afterMs: 45 }),
    ]);
  });

  it("session.4: a temporary refusal of a room that was left delays nothing", () => {
    const bench = SessionBench.open();
    bench.sendFrames(join(), send(1), leave);
    const answer = { kind: "refused", error: "busy" } as const;
    bench.step({ kind: "write-answered", id: idOf(1), room: GENERAL, answer });
    bench.sendFrames(join());
    expect(bench.sendFrames(send(2))[0]).to.include({ kind: "write" });
  });

  it("session.4: a final answer to one copy of a send frees the others from its second copy", () => {
    const bench = SessionBench.open();
    bench.sendFrames(join());
    for (let n = 1; n <= UNANSWERED_SENDS_MAX; n++) bench.sendFrames(send(n));
    bench.sendFrames(send(1), send(100));
    const answer = { kind: "sent", seq: 1, at: 1 } as const;
    bench.step({ kind: "write-answered", id: idOf(1), room: GENERAL, answer });
    expect(bench.sendFrames(send(100))[0]).to.include({ kind: "write" });
  });

  it("session.4: a final answer lets the next refused send of the room pass", () => {
    const bench = SessionBench.open();
    bench.sendFrames(join());
    for (let n = 1; n <= UNANSWERED_SENDS_MAX; n++) bench.sendFrames(send(n));
    expect(bench.sendFrames(send(100), send(101)).map(({ kind }) => kind)).to.deep.equal([
      "frame",
      "frame",
    ]);
    const answer = { kind: "sent", seq: 1, at: 1 } as const;
    for (const n of [1, 2]) {
      bench.step({ kind: "write-answered", id: idOf(n), room: GENERAL, answer });
    }
    expect(bench.sendFrames(send(101), send(100), send(101)).map(({ kind }) => kind)).to.deep.equal(
      ["frame", "write", "write"],
    );
  });
});

describe("Session: limits and ends", () => {
  it("S14: one connection too many is closed before its hello, with the time to wait", () => {
    const bench = new SessionBench();
    expect(bench.step({ kind: "too-many", afterMs: 321 })).to.deep.equal([
      { kind: "frame", frame: { t: "reconnect", afterMs: 321 } },
      ...close(CLOSE.tooManyTries),
    ]);
    expect(bench.sendFrames(hello)).to.deep.equal([]);
  });

  it("S5: rates use the session's own user and address", () => {
    const admission = new Admission(true);
    admission.setRate("send", { perSecond: 1, burst: 1 });
    const passed = Array.from({ length: 60 }, (_, n) => {
      const bench = new SessionBench(admission);
      bench.sendFrames(hello);
      const identity = { ...ADA, user: `user-${n % 55}` as UserId };
      bench.verify({ kind: "ok", identity });
      return bench.sendFrames(join(), send())[1]?.kind;
    });
    expect(passed.slice(0, 50)).to.deep.equal(Array(50).fill("write"));
    expect(passed.slice(50), "the address has used its rate").to.deep.equal(
      Array(10).fill("frame"),
    );
    expect(admission.take("send", { user: "other" as UserId, address: "::2" }, 0).ok).to.equal(
      true,
    );
  });

  it("S12: a connection may refresh five times at once, then once in five seconds; its user 40 times", () => {
    const admission = new Admission(true);
    const bench = SessionBench.open(admission);
    const kinds = (count: number) =>
      Array.from({ length: count }, () => bench.sendFrames(refresh)[0]?.kind);
    expect(kinds(REFRESH_RATE.burst + 1)).to.deep.equal([
      ...Array<string>(REFRESH_RATE.burst).fill("verify-refresh"),
      "frame",
    ]);
    const afterMs = 1_000 / REFRESH_RATE.perSecond;
    expect(bench.sendFrames(refresh)).to.deep.equal([frame("rate_limited", { ref: 6, afterMs })]);
    bench.monotonic = afterMs;
    expect(kinds(2)).to.deep.equal(["verify-refresh", "frame"]);

    const full = new Admission(true);
    let passed = 0;
    for (let n = 0; n < 10; n++) {
      const each = SessionBench.open(full);
      for (let m = 0; m < 5; m++)
        if (each.sendFrames(refresh)[0]?.kind === "verify-refresh") passed++;
    }
    expect(passed).to.equal(40);
    const late = SessionBench.open(full);
    expect(late.sendFrames(refresh)).to.deep.equal([
      frame("rate_limited", { ref: 6, afterMs: 1_000 }),
    ]);
  });

  it("S12: with LIMITS=off, refreshes are not limited", () => {
    const bench = SessionBench.open();
    const all = Array.from({ length: 20 }, () => bench.sendFrames(refresh)[0]?.kind);
    expect(new Set(all)).to.deep.equal(new Set(["verify-refresh"]));
  });

  it("S5: joins, pages and typing have their own rates, and a refusal names the request", () => {
    const bench = SessionBench.open(new Admission(true));
    for (let n = 0; n < 6; n++) bench.sendFrames(join(), typing);
    expect(bench.sendFrames(typing)).to.deep.equal([
      frame("rate_limited", { room: "general", afterMs: 500 }),
    ]);
    for (let n = 6; n < 300; n++) bench.sendFrames(join());
    expect(bench.sendFrames(join("general", 8))).to.deep.equal([
      frame("rate_limited", { ref: 8, room: "general", afterMs: 50 }),
    ]);
    const outcome = { kind: "page", text: "" } as const;
    for (let n = 0; n < 40; n++) {
      bench.sendFrames(history);
      bench.step({ kind: "page", ref: 4, room: GENERAL, outcome });
    }
    expect(bench.sendFrames(history)).to.deep.equal([
      frame("rate_limited", { ref: 4, room: "general", afterMs: 100 }),
    ]);
    for (let n = 0; n < 60; n++) {
      bench.sendFrames(send(n));
      const answer = { kind: "sent", seq: n, at: 0 } as const;
      bench.step({ kind: "write-answered", id: idOf(n), room: GENERAL, answer });
    }
    expect(bench.sendFrames(send(99))).to.deep.equal([
      frame("rate_limited", { id: idOf(99), room: "general", afterMs: 50 }),
    ]);
  });

  it("S5: a user with too many rooms is refused with a text, and a failed join releases its room", () => {
    const admission = new Admission(true);
    while (admission.takeRoom(ADA.user));
    const bench = SessionBench.open(admission);
    const message = "This user has joined their maximum number of rooms over all connections.";
    expect(bench.sendFrames(join("general", 5))).to.deep.equal([
      frame("rate_limited", { ref: 5, room: "general", message }),
    ]);
    admission.releaseRoom(ADA.user);
    expect(bench.sendFrames(join())[0]).to.include({ kind: "join" });
    expect(bench.sendFrames(join("general", 5))[0], "it has joined it already").to.include({
      kind: "join",
    });
    expect(admission.takeRoom(ADA.user)).to.equal(false);
    bench.step({ kind: "join-refused", room: GENERAL, ref: 5, attempt: 2, error: "busy" });
    expect(admission.takeRoom(ADA.user)).to.equal(true);
    expect(admission.takeRoom(ADA.user)).to.equal(false);
  });

  it("S5: a closed session returns its identity once and releases its rooms", () => {
    const admission = new Admission(true);
    while (admission.takeRoom(ADA.user));
    for (let n = 0; n < 2; n++) admission.releaseRoom(ADA.user);
    const bench = SessionBench.open(admission);
    bench.sendFrames(join("a"), join("b"));
    expect(admission.takeRoom(ADA.user)).to.equal(false);
    for (let n = 0; n < 1_000; n++) bench.sendFrames({ t: "?" });
    expect(bench.sendFrames({ t: "?" }, join("c"))).to.deep.equal(close(CLOSE.tooManyBrokenFrames));
    expect(bench.sendFrames(join("d"))).to.deep.equal([]);
    expect([admission.takeRoom(ADA.user), admission.takeRoom(ADA.user)]).to.deep.equal([
      true,
      true,
    ]);
    expect(bench.session.identity).to.equal(undefined);
    expect(bench.session.endsAt).to.equal(Infinity);
    expect(bench.session.end()).to.deep.equal(ADA);
    expect(bench.session.end()).to.equal(undefined);

    const open = SessionBench.open();
    expect(open.session.end()).to.deep.equal(ADA);
    expect(open.session.end()).to.equal(undefined);
    expect(open.sendFrames(join())).to.deep.equal([]);
    expect(new SessionBench().session.end()).to.equal(undefined);
  });
});
