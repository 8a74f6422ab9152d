// One room of the SDK by example: joins, repairs, resets, presence and typing, with exact frames.

import { expect } from "chai";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { RoomId, Seq } from "#shared/protocol/ids.ts";
import {
  AFTER_MS_MAX,
  JOIN_TIMEOUT_MS,
  RETRY,
  TYPING_REPEAT_MS,
  TYPING_SHOWN_MS,
} from "../core/bounds.ts";
import { Room } from "../core/room.ts";
import { halfRandom } from "./half-random.ts";

const GENERAL = "general" as RoomId;
const FIRST_WAIT = RETRY.baseMs / 2;

class Bench {
  readonly room: Room;
  #ref = 0;

  constructor(options: { after?: Seq; tail?: number } = {}) {
    this.room = new Room({ room: GENERAL, random: halfRandom, ...options });
  }

  readonly newRef = (): number => ++this.#ref;

  take(now = 0): object[] {
    return this.room.take(now, this.newRef).map((text) => JSON.parse(text) as object);
  }

  joined(position: { from?: number; head?: number; born?: string; here?: number } = {}, now = 0) {
    return this.room.onJoined({ from: 1, head: 0, born: "x", here: 1, ...position }, now);
  }

  event(seq: number, from = "bob", now = 0) {
    return this.room.onEvent(eventOf(seq, from), now);
  }

  static live(): Bench {
    const bench = new Bench();
    bench.take();
    bench.joined();
    bench.room.onCaughtUp(0, 0);
    return bench;
  }
}

function eventOf(seq: number, from = "bob"): RoomEvent {
  return {
    t: "msg",
    room: GENERAL,
    seq,
    id: `id-${seq}`,
    from,
    at: 5,
    body: {},
  } as unknown as RoomEvent;
}

const status = (value: string) => ({ kind: "status", room: GENERAL, status: value });
const handed = (seq: number, from?: string) => ({
  kind: "event",
  room: GENERAL,
  event: eventOf(seq, from),
});

describe("SDK room: joining", () => {
  it("O7: it joins with its cursor, its tail, or neither, once", () => {
    const join = { t: "join", ref: 1, room: "general" };
    expect(new Bench({ after: 7, tail: 3 }).take()).to.deep.equal([{ ...join, after: 7 }]);
    expect(new Bench({ after: 0 }).take()).to.deep.equal([{ ...join, after: 0 }]);
    expect(new Bench({ tail: 0 }).take()).to.deep.equal([{ ...join, tail: 0 }]);
    const bench = new Bench();
    expect(bench.room.status).to.equal("joining");
    expect(bench.take()).to.deep.equal([join]);
    expect(bench.take()).to.deep.equal([]);
    expect([bench.room.hasAsked(1), bench.room.hasAsked(2)]).to.deep.equal([true, false]);
  });

  it("O8: it catches up, and is live at caught-up", () => {
    const bench = new Bench();
    bench.take();
    expect(bench.room.completeThrough).to.equal(0);
    expect(bench.joined({ from: 5, head: 6, here: 3 })).to.deep.equal([status("catching-up")]);
    expect(bench.room.roster.here).to.equal(3);
    expect(bench.room.hasAsked(1)).to.equal(false);
    expect([bench.room.status, bench.room.isJoined]).to.deep.equal(["catching-up", true]);
    expect([bench.room.head, bench.room.completeThrough]).to.deep.equal([6, 4]);
    expect(bench.event(5)).to.deep.equal([handed(5)]);
    expect(bench.event(6)).to.deep.equal([handed(6)]);
    expect(bench.room.onCaughtUp(6, 0)).to.deep.equal([status("live")]);
    expect(bench.room.onCaughtUp(6, 0), "again").to.deep.equal([]);
    expect([bench.room.status, bench.room.completeThrough]).to.deep.equal(["live", 6]);
  });

  it("K1: a join without an answer is overdue after JOIN_TIMEOUT_MS", () => {
    const bench = new Bench();
    expect(bench.room.hasOverdueJoin(Infinity)).to.equal(false);
    bench.take(10);
    expect(bench.room.wakeAt(10)).to.equal(10 + JOIN_TIMEOUT_MS);
    expect(bench.room.hasOverdueJoin(10 + JOIN_TIMEOUT_MS - 1)).to.equal(false);
    expect(bench.room.hasOverdueJoin(10 + JOIN_TIMEOUT_MS)).to.equal(true);
    bench.joined();
    expect(bench.room.wakeAt(10)).to.equal(undefined);
    expect(bench.room.hasOverdueJoin(Infinity)).to.equal(false);
  });

  it("K1: a postponed join comes again after the longer of both waits, without a leave", () => {
    const bench = new Bench();
    bench.take();
    bench.room.onPostponed(0, 100);
    expect(bench.room.hasAsked(1)).to.equal(false);
    expect(bench.room.wakeAt(100)).to.equal(100 + FIRST_WAIT);
    expect(bench.take(100 + FIRST_WAIT - 1)).to.deep.equal([]);
    expect(bench.room.wakeAt(100 + FIRST_WAIT), "its time is over").to.equal(undefined);
    expect(bench.take(100 + FIRST_WAIT)).to.deep.equal([{ t: "join", ref: 2, room: "general" }]);
    const waits = [0, 5_000, AFTER_MS_MAX + 1].map((afterMs) => {
      bench.room.onPostponed(afterMs, 0);
      return bench.room.wakeAt(0);
    });
    expect(waits).to.deep.equal([2 * FIRST_WAIT, 5_000, AFTER_MS_MAX]);
  });

  it("K1: a room that went live begins its backoff anew", () => {
    const bench = new Bench();
    for (let n = 0; n < 3; n++) bench.room.onPostponed(0, 0);
    bench.take(10_000);
    bench.joined({}, 10_000);
    bench.room.onCaughtUp(0, 10_000);
    bench.room.onPostponed(0, 0);
    expect(bench.room.wakeAt(0)).to.equal(FIRST_WAIT);
  });

  it("K1: after a disconnect it joins at once from its cursor, without a leave", () => {
    const bench = Bench.live();
    bench.event(1);
    expect(bench.room.onDisconnected()).to.deep.equal([status("joining")]);
    expect(bench.room.onDisconnected(), "it was not joined").to.deep.equal([]);
    expect(bench.take()).to.deep.equal([{ t: "join", ref: 2, room: "general", after: 1 }]);
  });

  it("S6: it takes leave only of a gateway that may know it", () => {
    const bench = new Bench();
    expect(bench.room.leave(bench.newRef)).to.deep.equal([]);
    bench.take();
    expect(bench.room.leave(bench.newRef)).to.deep.equal([
      '{"t":"leave","ref":2,"room":"general"}',
    ]);
    bench.room.onDisconnected();
    expect(bench.room.leave(bench.newRef)).to.deep.equal([]);
  });
});

describe("SDK room: events", () => {
  it("sdk/room.1: before the join is answered nothing is handed over", () => {
    const bench = new Bench({ after: 3 });
    bench.take();
    expect(bench.event(4)).to.deep.equal([]);
    expect(bench.room.onCaughtUp(3, 0)).to.deep.equal([]);
    expect(bench.room.onPresence({ join: ["eve"] })).to.deep.equal([]);
    expect(bench.room.onTyping("eve", true, 0)).to.deep.equal([]);
    expect(bench.room.type(true, 0)).to.deep.equal([]);
    expect(bench.room.completeThrough).to.equal(3);
  });

  it("sdk/room.1: a repeat is dropped", () => {
    const bench = Bench.live();
    bench.event(1);
    expect(bench.event(1)).to.deep.equal([]);
    expect(bench.room.status).to.equal("live");
  });

  it("sdk/room.2: a gap makes it leave and join again from its cursor, at once the first time", () => {
    const bench = Bench.live();
    bench.event(1);
    expect(bench.event(3)).to.deep.equal([status("joining")]);
    expect(bench.event(2), "nothing before the join is answered").to.deep.equal([]);
    expect(bench.take(0)).to.deep.equal([
      { t: "leave", ref: 2, room: "general" },
      { t: "join", ref: 3, room: "general", after: 1 },
    ]);
  });

  it("sdk/room.2: a caught-up or a joined beyond the cursor is a gap, too, and repairs that do not help are spaced", () => {
    const bench = Bench.live();
    expect(bench.room.onCaughtUp(4, 0)).to.deep.equal([status("joining")]);
    bench.take(0);
    expect(bench.joined({ from: 3, head: 9 }, 0), "it was not joined before").to.deep.equal([]);
    expect(bench.room.wakeAt(0)).to.equal(2 * FIRST_WAIT);
    expect(bench.take(2 * FIRST_WAIT - 1)).to.deep.equal([]);
    expect(bench.take(2 * FIRST_WAIT)).to.have.length(2);
    bench.joined({ from: 3, head: 9 }, 0);
    expect(bench.room.wakeAt(0)).to.equal(4 * FIRST_WAIT);
  });

  it("sdk/room.3: a reborn room is reset before anything of its new life, and joined with its tail", () => {
    const bench = new Bench({ after: 9, tail: 5 });
    bench.take();
    const reset = { kind: "reset", room: GENERAL, reset: { born: "y", head: 4 } };
    expect(bench.joined({ born: "y", head: 4, from: 5 })).to.deep.equal([reset]);
    expect([bench.room.status, bench.room.completeThrough]).to.deep.equal(["joining", 0]);
    expect(bench.event(4)).to.deep.equal([]);
    expect(bench.take()).to.deep.equal([
      { t: "leave", ref: 2, room: "general" },
      { t: "join", ref: 3, room: "general", tail: 5 },
    ]);
  });
});

describe("SDK room: presence and typing", () => {
  it("A2: presence is handed over while it is joined", () => {
    const bench = Bench.live();
    const change = { users: new Set(["ada"]), here: 1, joined: ["ada"], left: [] };
    expect(bench.room.onPresence({ join: ["ada"], here: 1 })).to.deep.equal([
      { kind: "presence", room: GENERAL, change },
    ]);
    expect(bench.room.onPresence({ join: ["ada"], here: 1 })).to.deep.equal([]);
  });

  it("A5: who types is shown until their message, or for six seconds", () => {
    const bench = Bench.live();
    const typing = (on: boolean, users: string[]) => ({
      kind: "typing",
      room: GENERAL,
      change: { user: "bob", on, users: new Set(users) },
    });
    expect(bench.room.onTyping("bob", true, 0)).to.deep.equal([typing(true, ["bob"])]);
    expect(bench.room.wakeAt(0)).to.equal(TYPING_SHOWN_MS);
    expect(bench.event(1, "bob")).to.deep.equal([handed(1, "bob"), typing(false, [])]);
    bench.room.onTyping("bob", true, 0);
    expect(bench.room.tick(TYPING_SHOWN_MS - 1)).to.deep.equal([]);
    expect(bench.room.tick(TYPING_SHOWN_MS)).to.deep.equal([typing(false, [])]);
    bench.room.onTyping("bob", true, 0);
    expect(bench.room.onDisconnected()).to.deep.equal([status("joining"), typing(false, [])]);
  });

  it("A5: the earlier of a join's deadline and the end of a typing wakes it", () => {
    const bench = Bench.live();
    bench.room.onTyping("bob", true, 0);
    bench.event(5);
    bench.take(0);
    expect(bench.room.wakeAt(0), "typing ends before the join is overdue").to.equal(
      TYPING_SHOWN_MS,
    );
    const later = Bench.live();
    later.room.onTyping("bob", true, 0);
    later.event(5);
    later.take(0);
    later.joined({ from: 9, head: 9 });
    expect(later.room.wakeAt(0), "the repair comes before the typing ends").to.equal(
      2 * FIRST_WAIT,
    );
  });

  it("A5: our typing costs one frame in two seconds, and its end one", () => {
    const bench = Bench.live();
    const type = (on: boolean, now: number) =>
      bench.room.type(on, now).map((text) => JSON.parse(text) as object);
    const frame = (on: boolean) => [{ t: "typing", room: "general", on }];
    const other = Bench.live();
    expect(other.room.type(true, 50_000)).to.have.length(1);
    expect(other.room.type(true, 50_001), "far from zero").to.deep.equal([]);
    expect(type(false, 0), "no member got it").to.deep.equal([]);
    expect(type(true, 0)).to.deep.equal(frame(true));
    expect(type(true, TYPING_REPEAT_MS - 1)).to.deep.equal([]);
    expect(type(true, TYPING_REPEAT_MS)).to.deep.equal(frame(true));
    expect(type(false, TYPING_REPEAT_MS + 1)).to.deep.equal(frame(false));
    expect(type(false, TYPING_REPEAT_MS + 2)).to.deep.equal([]);
    expect(type(true, TYPING_REPEAT_MS + 3)).to.deep.equal(frame(true));
  });

  it("A5: a message of ours and a new connection let the next key tell it anew", () => {
    const bench = Bench.live();
    bench.room.type(true, 0);
    bench.room.onSent();
    expect(bench.room.type(true, 1)).to.have.length(1);
    bench.room.onDisconnected();
    bench.take();
    bench.joined();
    expect(bench.room.type(true, 2)).to.have.length(1);
  });
});
