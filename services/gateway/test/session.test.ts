// Session, by example: the answer to each frame in each state. No sockets, no time.

import { expect } from "chai";
import { decodeClientFrames } from "#shared/protocol/client-frames.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import type { SessionId } from "#shared/protocol/session-records.ts";
import { ROOMS_PER_CONNECTION_MAX, UNANSWERED_SENDS_MAX } from "#shared/protocol/limits.ts";
import { CLOSE } from "#shared/protocol/close-codes.ts";
import { Admission, FAILED_TOKEN_RATE } from "../core/admission.ts";
import {
  CONNECTIONS_PER_USER_MAX,
  GREETING_FRAMES_MAX,
  PAGES_PER_SESSION_MAX,
  ROOMS_PER_USER_MAX,
  POSTPONED_MS,
} from "../core/bounds.ts";
import { Session } from "../core/session.ts";
import type { SessionEffect, SessionInput } from "../core/session-io.ts";
import type { Verification } from "#shared/ports/identity.ts";
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

describe("Session: greeting", () => {
  it("S1: any first frame but hello closes the connection without an answer", () => {
    for (const first of [{ t: "ping", ref: 1 }, join(), { t: "nonsense" }, {}]) {
      expect(new SessionBench().kindsOf(first)).to.deep.equal(["close 1008"]);
    }
  });

  it("S1: no hello in time closes the connection, and a hello afterwards changes nothing", () => {
    const bench = new SessionBench();
    expect(bench.step({ kind: "overdue" }).map(kindOf)).to.deep.equal(["close 4002"]);
    expect(bench.kindsOf(hello)).to.deep.equal([]);
    expect(SessionBench.open().step({ kind: "overdue" })).to.deep.equal([]);
  });

  it("S1: frames that arrive while the token is checked wait, in order and bounded", () => {
    const bench = new SessionBench();
    expect(bench.kindsOf(hello, join(), send())).to.deep.equal(["verify"]);
    const effects = bench.step({ kind: "verified", verification: allow() });
    expect(effects.map(kindOf)).to.deep.equal(["welcome", "opened", "join", "send"]);

    const flood = new SessionBench();
    const frames = Array.from({ length: GREETING_FRAMES_MAX + 1 }, () => join());
    expect(flood.kindsOf(hello, ...frames)).to.deep.equal(["verify", "close 1008"]);
  });

  it("S2: a refused token closes with 4500", () => {
    for (const error of ["unauthorized", "token_expired"] as const) {
      const bench = new SessionBench();
      bench.sendFrames(hello);
      const effects = bench.step({ kind: "verified", verification: { kind: "refused", error } });
      expect(effects.map(kindOf)).to.deep.equal(["close 4500"]);
    }
  });

  it("S2: a token that cannot be judged now closes with 1013, and a refresh gets unavailable", () => {
    const unavailable = { kind: "refused", error: "unavailable", afterMs: 900 } as const;
    const bench = new SessionBench();
    bench.sendFrames(hello);
    const effects = bench.step({ kind: "verified", verification: unavailable });
    expect(effects.map(kindOf)).to.deep.equal(["close 1013"]);

    const [answer] = SessionBench.open().step({
      kind: "refreshed",
      ref: 6,
      verification: unavailable,
    });
    expect(answer).to.deep.include({ kind: "frame" });
    expect(answer).to.have.nested.property("frame.name", "unavailable");
    expect(answer).to.have.nested.property("frame.ref", 6);
    expect(answer).to.have.nested.property("frame.afterMs", 900);
  });

  it("S5: one user's connections are counted, and released once", () => {
    const admission = new Admission(true);
    const benches = Array.from({ length: CONNECTIONS_PER_USER_MAX }, () =>
      SessionBench.open(admission),
    );
    const over = new SessionBench(admission);
    over.sendFrames(hello);
    const refused = over.step({ kind: "verified", verification: allow() });
    expect(refused.map(kindOf)).to.deep.equal(["close 4503"]);
    expect(over.session.end()).to.equal(undefined);
    expect(benches[0]!.session.end()?.user).to.equal("ada");
    expect(benches[0]!.session.end()).to.equal(undefined);
  });

  it("F4: a second hello is an error, and the session continues", () => {
    expect(SessionBench.open().kindsOf(hello, join())).to.deep.equal(["error bad_frame", "join"]);
  });
});

describe("Session: tokens", () => {
  it("S4: after its expiry every frame but ping, refresh and leave gets token_expired", () => {
    const bench = SessionBench.open();
    bench.sendFrames(join());
    bench.wall = EXPIRES;
    const frames = [
      send(),
      join("dev", 2),
      { t: "history", ref: 4, room: "general", limit: 1 },
      { t: "typing", room: "general", on: true },
    ];
    for (const frame of frames) expect(bench.kindsOf(frame)).to.deep.equal(["error token_expired"]);
    expect(bench.kindsOf({ t: "ping", ref: 5 })).to.deep.equal(["pong"]);
    expect(bench.kindsOf({ t: "leave", ref: 3, room: "general" })).to.deep.equal(["leave", "left"]);
    expect(bench.kindsOf({ t: "refresh", ref: 6, token: "u" })).to.deep.equal(["verify-refresh"]);
  });

  it("S4: the session ends at its token's expiry, after any refresh", () => {
    const bench = SessionBench.open();
    expect(new SessionBench().session.endsAt).to.equal(Infinity);
    expect(bench.session.endsAt).to.equal(EXPIRES);
    bench.step({ kind: "refreshed", ref: 1, verification: allow("ada", 99_999) });
    expect(bench.session.endsAt).to.equal(99_999);
  });

  it("S4: a refresh for the same user continues the session, and one for another user does not", () => {
    const bench = SessionBench.open();
    bench.sendFrames(join());
    bench.wall = EXPIRES;
    const refresh = (verification: Verification) =>
      bench.step({ kind: "refreshed", ref: 6, verification }).map(kindOf);
    expect(refresh(allow("eve", 99_999))).to.deep.equal(["error unauthorized"]);
    expect(refresh({ kind: "refused", error: "token_expired" })).to.deep.equal([
      "error token_expired",
    ]);
    expect(bench.kindsOf(send())).to.deep.equal(["error token_expired"]);
    expect(refresh(allow("ada", 99_999))).to.deep.equal(["refreshed"]);
    expect(bench.kindsOf(send())).to.deep.equal(["send"]);
  });
});

describe("Session: a refresh with other grants", () => {
  const identity = { user: "ada" as UserId, admin: false, expiresAt: 99_999 };
  const refreshed = (bench: SessionBench, more: object): string[] =>
    bench
      .step({
        kind: "refreshed",
        ref: 6,
        verification: { kind: "ok", identity: { ...identity, ...more } },
      })
      .map(kindOf);

  it("M4: it closes with 1012 when the role that the token gives in a joined room differs", () => {
    for (const more of [
      { rooms: { general: "reader" } },
      { rooms: { general: "moderator" } },
      { admin: true },
    ]) {
      const bench = SessionBench.open();
      bench.sendFrames(join());
      expect(refreshed(bench, more), JSON.stringify(more)).to.deep.equal([
        "refreshed",
        "close 1012",
      ]);
    }
    const granted = SessionBench.open();
    refreshed(granted, { rooms: { general: "member" } });
    granted.sendFrames(join());
    expect(refreshed(granted, {})).to.deep.equal(["refreshed", "close 1012"]);
  });

  it("M4: it continues when only grants for other rooms differ", () => {
    const bench = SessionBench.open();
    bench.sendFrames(join());
    expect(refreshed(bench, { rooms: { other: "owner" } })).to.deep.equal(["refreshed"]);
    expect(refreshed(SessionBench.open(), { admin: true })).to.deep.equal(["refreshed"]);
  });
});

describe("Session: rooms and sends", () => {
  it("S6: send and typing need the room, and a leave ends it", () => {
    const bench = SessionBench.open();
    const typing = { t: "typing", room: "general", on: true };
    expect(bench.kindsOf(send(), typing)).to.deep.equal(["error not_joined", "error not_joined"]);
    expect(bench.kindsOf(join(), send(), typing)).to.deep.equal(["join", "send", "typing"]);
    expect(bench.kindsOf({ t: "leave", ref: 2, room: "general" })).to.deep.equal(["leave", "left"]);
    expect(bench.kindsOf(send())).to.deep.equal(["error not_joined"]);
    expect(bench.kindsOf({ t: "leave", ref: 3, room: "general" })).to.deep.equal([
      "error not_joined",
    ]);
  });

  it("S6: a failed join leaves the room not joined, unless a later join has no answer yet", () => {
    const bench = SessionBench.open();
    bench.sendFrames(join("general", 1));
    bench.sendFrames(join("general", 2));
    const refuse = (attempt: number) =>
      bench.step({
        kind: "join-refused",
        room: "general" as never,
        ref: attempt,
        attempt,
        error: "unavailable",
      });
    expect(refuse(1)[0]).to.have.nested.property("frame.ref", 1);
    expect(bench.kindsOf(send())).to.deep.equal(["send"]);
    refuse(2);
    expect(bench.kindsOf(send())).to.deep.equal(["error not_joined"]);
  });

  it("S5: more than 64 unanswered sends get `busy` with their id, and an answer makes room", () => {
    const bench = SessionBench.open();
    bench.sendFrames(join());
    for (let n = 0; n < UNANSWERED_SENDS_MAX; n++) {
      expect(bench.kindsOf(send(n))).to.deep.equal(["send"]);
    }
    const [over, next] = bench.sendFrames(send(99), send(98));
    expect(over).to.have.nested.property("frame.name", "busy");
    expect(over).to.have.nested.property("frame.id", idOf(99));
    expect(next).to.have.nested.property("frame.id", idOf(98));
    const answer = { kind: "sent", seq: 1, at: 5 } as const;
    const acks = bench.step({
      kind: "write-answered",
      id: idOf(0),
      room: "general" as never,
      answer,
    });
    const ack = { t: "ack", id: idOf(0), room: "general", seq: 1, at: 5 };
    expect(acks).to.deep.equal([{ kind: "frame", frame: ack }]);
    expect(bench.kindsOf(send(98), send(99))).to.deep.equal(["error busy", "send"]);
  });

  it("S5: more than 256 rooms get rate_limited, and another join of one of them does not", () => {
    const bench = SessionBench.open();
    for (let n = 0; n < ROOMS_PER_CONNECTION_MAX; n++) bench.sendFrames(join(`room-${n}`));
    expect(bench.kindsOf(join("one-more"))).to.deep.equal(["error rate_limited"]);
    expect(bench.kindsOf(join("room-0"))).to.deep.equal(["join"]);
  });

  it("S5: a user's rooms are counted over all their connections, and every way to leave releases them", () => {
    const admission = new Admission(true);
    const benches = Array.from({ length: 5 }, () => SessionBench.open(admission));
    let joined = 0;
    for (const [n, bench] of benches.entries()) {
      bench.monotonic = n * 1e10;
      for (let room = 0; room < 250; room++, bench.monotonic += 1_000_000) {
        if (bench.kindsOf(join(`room-${n}-${room}`))[0] === "join") joined++;
      }
    }
    expect(joined).to.equal(ROOMS_PER_USER_MAX);
    const [one, two, three] = benches;
    const more = (count: number): number =>
      Array.from({ length: count }, (_, n) => three!.kindsOf(join(`more-${n}`))[0]).filter(
        (word) => word === "join",
      ).length;
    one!.sendFrames({ t: "leave", ref: 1, room: "room-0-0" });
    const refused = { room: "room-0-1" as never, ref: 1, attempt: 2, error: "busy" } as const;
    one!.step({ kind: "join-refused", ...refused });
    three!.monotonic = 1e13;
    expect(more(3)).to.equal(2);
    two!.session.end();
    three!.monotonic = 2e13;
    expect(more(7)).to.equal(6); // Two of them again, and its own bound is 256.
    const fresh = SessionBench.open(admission);
    fresh.monotonic = 3e13;
    expect(fresh.kindsOf(join("fresh"))).to.deep.equal(["join"]);
  });

  it("S14: a hello from an address with too many refused tokens is deferred before its token is checked", () => {
    const admission = new Admission(true);
    const hello = { t: "hello", token: "t" };
    const fail = (error: "unauthorized" | "token_expired"): string[] => {
      const bench = new SessionBench(admission);
      expect(bench.kindsOf(hello)).to.deep.equal(["verify"]);
      const verification = { kind: "refused", error } as const;
      return bench.step({ kind: "verified", verification }).map(kindOf);
    };
    const postponed = new SessionBench(admission);
    postponed.sendFrames(hello);
    const verification = { kind: "refused", error: "unavailable", afterMs: 1 } as const;
    postponed.step({ kind: "verified", verification }); // Not judged, so not counted.
    const { burst, perSecond } = FAILED_TOKEN_RATE;
    for (let n = 0; n < burst; n++) {
      expect(fail(n % 2 === 0 ? "unauthorized" : "token_expired")).to.deep.equal(["close 4500"]);
    }
    const bench = new SessionBench(admission);
    expect(bench.sendFrames(hello)).to.deep.equal([
      { kind: "frame", frame: { t: "reconnect", afterMs: 1_000 / perSecond } },
      { kind: "close", reason: CLOSE.tooManyTries },
    ]);
    const later = new SessionBench(admission);
    later.monotonic = 1_000 / perSecond;
    expect(later.kindsOf(hello)).to.deep.equal(["verify"]);
  });

  it("S5: rates are per user, and the refusal names the time to retry", () => {
    const admission = new Admission(true);
    const [one, two] = [SessionBench.open(admission), SessionBench.open(admission)];
    for (const bench of [one, two]) bench.sendFrames(join());
    let passed = 0;
    const limited: number[] = [];
    for (let n = 0; n < 100; n++) {
      const bench = n % 2 === 0 ? one : two;
      const [effect] = bench.sendFrames(send(n));
      if (effect!.kind === "write") {
        passed++;
        const answer = { kind: "sent", seq: n, at: 0 } as const;
        bench.step({ kind: "write-answered", id: "", room: "general" as never, answer });
      } else {
        expect(effect).to.have.nested.property("frame.afterMs").that.is.greaterThan(0);
        if (kindOf(effect!) === "error rate_limited") limited.push(n);
      }
    }
    expect(passed).to.equal(60);
    expect(limited, "the first of each session; the others wait behind it").to.deep.equal([60, 61]);
    one.monotonic = 50;
    expect(one.kindsOf(send(60), send(100))).to.deep.equal(["send", "error busy"]);
  });

  it("session.4: after a temporarily refused send, later sends of the room wait until it is resent", () => {
    const bench = SessionBench.open();
    bench.sendFrames(join("a"), join("b"), send(1, "a"));
    const answer = { kind: "refused", error: "busy" } as const;
    bench.step({ kind: "write-answered", id: idOf(1), room: "a" as never, answer });
    expect(bench.kindsOf(send(2, "a"))).to.deep.equal(["error busy"]);
    expect(bench.kindsOf(send(3, "b"))).to.deep.equal(["send"]);
    expect(bench.kindsOf(send(1, "a"), send(2, "a"))).to.deep.equal(["send", "send"]);
    bench.step({ kind: "write-answered", id: idOf(2), room: "a" as never, answer });
    bench.monotonic += 1_000 + POSTPONED_MS - 1; // After the `afterMs` of `busy`.
    expect(bench.kindsOf(send(4, "a"))).to.deep.equal(["error busy"]);
    bench.monotonic += 1;
    expect(bench.kindsOf(send(4, "a"))).to.deep.equal(["send"]);
  });

  it("F6: a client that sends on after one refusal is soon not refused any more", () => {
    const bench = SessionBench.open();
    const answer = (n: number, error?: "busy"): SessionEffect[] => {
      const what =
        error === undefined
          ? ({ kind: "sent", seq: n, at: 0 } as const)
          : ({ kind: "refused", error } as const);
      return bench.step({
        kind: "write-answered",
        id: idOf(n),
        room: "general" as never,
        answer: what,
      });
    };
    bench.sendFrames(join(), send(1));
    const dueAt = new Map([[1, 1_000]]);
    expect(answer(1, "busy")).to.have.nested.property("[0].frame.afterMs", 1_000);
    let lastRefusalAt = 0;
    /** The client resends each send when its refusal is due, and makes a new one each 150 ms. */
    for (let made = 1; bench.monotonic < 10_000; bench.monotonic += 10) {
      const due = [...dueAt].filter(([, at]) => at <= bench.monotonic).map(([n]) => n);
      if (bench.monotonic % 150 === 70) due.push(++made);
      for (const n of due.toReversed()) {
        dueAt.delete(n);
        const [effect] = bench.sendFrames(send(n));
        if (effect?.kind === "write") answer(n);
        else if (effect?.kind === "frame" && effect.frame.t === "error") {
          dueAt.set(n, bench.monotonic + (effect.frame.afterMs ?? NaN));
          lastRefusalAt = bench.monotonic;
        }
      }
    }
    expect(dueAt.size).to.equal(0);
    expect(lastRefusalAt).to.be.within(1_000, 2_000);
  });

  it("session.4: a final refusal, a leave and a failed join delay nothing", () => {
    const refused = (error: "forbidden" | "busy") =>
      ({ kind: "refused", error }) as const satisfies object;
    const final = SessionBench.open();
    final.sendFrames(join(), send(1));
    const to = { id: idOf(1), room: "general" as never };
    final.step({ kind: "write-answered", ...to, answer: refused("forbidden") });
    expect(final.kindsOf(send(2))).to.deep.equal(["send"]);

    const left = SessionBench.open();
    left.sendFrames(join(), send(1));
    left.step({ kind: "write-answered", ...to, answer: refused("busy") });
    left.sendFrames({ t: "leave", ref: 2, room: "general" }, join());
    expect(left.kindsOf(send(2))).to.deep.equal(["send"]);

    const failed = SessionBench.open();
    failed.sendFrames(join(), send(1));
    failed.step({ kind: "write-answered", ...to, answer: refused("busy") });
    const error = "unavailable" as const;
    failed.step({ kind: "join-refused", room: to.room, ref: 1, attempt: 1, error });
    failed.sendFrames(join());
    expect(failed.kindsOf(send(2))).to.deep.equal(["send"]);
  });

  it("S5: unanswered pages are bounded", () => {
    const bench = SessionBench.open();
    const history = { t: "history", ref: 1, room: "general", limit: 10 };
    for (let n = 0; n < PAGES_PER_SESSION_MAX; n++) {
      expect(bench.kindsOf(history)).to.deep.equal(["history"]);
    }
    expect(bench.kindsOf(history)).to.deep.equal(["error busy"]);
    const outcome = { kind: "page", text: "{}" } as const;
    bench.step({ kind: "page", ref: 1, room: "general" as never, outcome });
    expect(bench.kindsOf(history)).to.deep.equal(["history"]);
  });

  it("F4: a broken frame gets one error with its ref or id, and later frames are handled", () => {
    const bench = SessionBench.open();
    const effects = bench.sendFrames({ t: "join", ref: 7 }, { ...send(), id: "x" }, join());
    expect(effects[0]).to.have.nested.property("frame.ref", 7);
    expect(effects[1]).to.deep.include({ kind: "frame" });
    expect(effects[1]).to.have.nested.property("frame.id", "x");
    expect(effects.map(kindOf)).to.deep.equal(["error bad_frame", "error bad_id", "join"]);
  });

  it("S5: a client that sends only broken frames is closed with 1008", () => {
    const bench = SessionBench.open(new Admission(true));
    const kinds = Array.from({ length: 2_000 }, () => bench.kindsOf({ t: "?" })).flat();
    expect(kinds.filter((word) => word === "error unknown_type")).to.have.length(1_000);
    expect(kinds.at(-1)).to.equal("close 1008");
  });
});
