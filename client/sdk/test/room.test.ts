// Room, by example: joins, repairs, resets, presence and typing, with exact frames.

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

class RoomFixture {
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

  static live(): RoomFixture {
    const fixture = new RoomFixture();
    fixture.take();
    fixture.joined();
    fixture.room.onCaughtUp(0, 0);
    return fixture;
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
  it("O7: it joins once, with its cursor, its tail, or neither", () => {
    const join = { t: "join", ref: 1, room: "general" };
    expect(new RoomFixture({ after: 7, tail: 3 }).take()).to.deep.equal([{ ...join, after: 7 }]);
    expect(new RoomFixture({ after: 0 }).take()).to.deep.equal([{ ...join, after: 0 }]);
    expect(new RoomFixture({ tail: 0 }).take()).to.deep.equal([{ ...join, tail: 0 }]);
    const fixture = new RoomFixture();
    expect(fixture.room.status).to.equal("joining");
    expect(fixture.take()).to.deep.equal([join]);
    expect(fixture.take()).to.deep.equal([]);
    expect([fixture.room.hasAsked(1), fixture.room.hasAsked(2)]).to.deep.equal([true, false]);
  });

  it("O8: it catches up, and is live after caught-up", () => {
    const fixture = new RoomFixture();
    fixture.take();
    expect(fixture.room.completeThrough).to.equal(0);
    expect(fixture.joined({ from: 5, head: 6, here: 3 })).to.deep.equal([status("catching-up")]);
    expect(fixture.room.roster.here).to.equal(3);
    expect(fixture.room.hasAsked(1)).to.equal(false);
    expect([fixture.room.status, fixture.room.isJoined]).to.deep.equal(["catching-up", true]);
    expect([fixture.room.head, fixture.room.completeThrough]).to.deep.equal([6, 4]);
    expect(fixture.event(5)).to.deep.equal([handed(5)]);
    expect(fixture.event(6)).to.deep.equal([handed(6)]);
    expect(fixture.room.onCaughtUp(6, 0)).to.deep.equal([status("live")]);
    expect(fixture.room.onCaughtUp(6, 0), "again").to.deep.equal([]);
    expect([fixture.room.status, fixture.room.completeThrough]).to.deep.equal(["live", 6]);
  });

  it("K1: a join without an answer is overdue after JOIN_TIMEOUT_MS", () => {
    const fixture = new RoomFixture();
    expect(fixture.room.hasOverdueJoin(Infinity)).to.equal(false);
    fixture.take(10);
    expect(fixture.room.wakeAt(10)).to.equal(10 + JOIN_TIMEOUT_MS);
    expect(fixture.room.hasOverdueJoin(10 + JOIN_TIMEOUT_MS - 1)).to.equal(false);
    expect(fixture.room.hasOverdueJoin(10 + JOIN_TIMEOUT_MS)).to.equal(true);
    fixture.joined();
    expect(fixture.room.wakeAt(10)).to.equal(undefined);
    expect(fixture.room.hasOverdueJoin(Infinity)).to.equal(false);
  });

  it("K1: a refused join is written again after the longer of both waits, without a leave", () => {
    const fixture = new RoomFixture();
    fixture.take();
    fixture.room.onPostponed(0, 100);
    expect(fixture.room.hasAsked(1)).to.equal(false);
    expect(fixture.room.wakeAt(100)).to.equal(100 + FIRST_WAIT);
    expect(fixture.take(100 + FIRST_WAIT - 1)).to.deep.equal([]);
    expect(fixture.room.wakeAt(100 + FIRST_WAIT), "its time is over").to.equal(undefined);
    expect(fixture.take(100 + FIRST_WAIT)).to.deep.equal([{ t: "join", ref: 2, room: "general" }]);
    const waits = [0, 5_000, AFTER_MS_MAX + 1].map((afterMs) => {
      fixture.room.onPostponed(afterMs, 0);
      return fixture.room.wakeAt(0);
    });
    expect(waits).to.deep.equal([2 * FIRST_WAIT, 5_000, AFTER_MS_MAX]);
  });

  it("K1: a live room has reset its backoff", () => {
    const fixture = new RoomFixture();
    for (let n = 0; n < 3; n++) fixture.room.onPostponed(0, 0);
    fixture.take(10_000);
    fixture.joined({}, 10_000);
    fixture.room.onCaughtUp(0, 10_000);
    fixture.room.onPostponed(0, 0);
    expect(fixture.room.wakeAt(0)).to.equal(FIRST_WAIT);
  });

  it("K1: after a disconnect it joins at once from its cursor, without a leave", () => {
    const fixture = RoomFixture.live();
    fixture.event(1);
    expect(fixture.room.onDisconnected()).to.deep.equal([status("joining")]);
    expect(fixture.room.onDisconnected(), "it was not joined").to.deep.equal([]);
    expect(fixture.take()).to.deep.equal([{ t: "join", ref: 2, room: "general", after: 1 }]);
  });

  it("S6: it writes `leave` only when the gateway may have it as a member", () => {
    const fixture = new RoomFixture();
    expect(fixture.room.leave(fixture.newRef)).to.deep.equal([]);
    fixture.take();
    expect(fixture.room.leave(fixture.newRef)).to.deep.equal([
      '{"t":"leave","ref":2,"room":"general"}',
    ]);
    fixture.room.onDisconnected();
    expect(fixture.room.leave(fixture.newRef)).to.deep.equal([]);
  });
});

describe("SDK room: events", () => {
  it("sdk/room.1: nothing is delivered before the join is answered", () => {
    const fixture = new RoomFixture({ after: 3 });
    fixture.take();
    expect(fixture.event(4)).to.deep.equal([]);
    expect(fixture.room.onCaughtUp(3, 0)).to.deep.equal([]);
    expect(fixture.room.onPresence({ join: ["eve"] })).to.deep.equal([]);
    expect(fixture.room.onTyping("eve", true, 0)).to.deep.equal([]);
    expect(fixture.room.type(true, 0)).to.deep.equal([]);
    expect(fixture.room.completeThrough).to.equal(3);
  });

  it("sdk/room.1: a repeat is dropped", () => {
    const fixture = RoomFixture.live();
    fixture.event(1);
    expect(fixture.event(1)).to.deep.equal([]);
    expect(fixture.room.status).to.equal("live");
  });

  it("sdk/room.2: after a gap it leaves and joins again from its cursor, the first time at once", () => {
    const fixture = RoomFixture.live();
    fixture.event(1);
    expect(fixture.event(3)).to.deep.equal([status("joining")]);
    expect(fixture.event(2), "nothing before the join is answered").to.deep.equal([]);
    expect(fixture.take(0)).to.deep.equal([
      { t: "leave", ref: 2, room: "general" },
      { t: "join", ref: 3, room: "general", after: 1 },
    ]);
  });

  it("sdk/room.2: a caught-up or joined beyond the cursor is a gap, and a backoff separates repairs without success", () => {
    const fixture = RoomFixture.live();
    expect(fixture.room.onCaughtUp(4, 0)).to.deep.equal([status("joining")]);
    fixture.take(0);
    expect(fixture.joined({ from: 3, head: 9 }, 0), "it was not joined before").to.deep.equal([]);
    expect(fixture.room.wakeAt(0)).to.equal(2 * FIRST_WAIT);
    expect(fixture.take(2 * FIRST_WAIT - 1)).to.deep.equal([]);
    expect(fixture.take(2 * FIRST_WAIT)).to.have.length(2);
    fixture.joined({ from: 3, head: 9 }, 0);
    expect(fixture.room.wakeAt(0)).to.equal(4 * FIRST_WAIT);
  });

  it("sdk/room.3: a recreated room gets a reset before its first event, and is joined with its tail", () => {
    const fixture = new RoomFixture({ after: 9, tail: 5 });
    fixture.take();
    const reset = { kind: "reset", room: GENERAL, reset: { born: "y", head: 4 } };
    expect(fixture.joined({ born: "y", head: 4, from: 5 })).to.deep.equal([reset]);
    expect([fixture.room.status, fixture.room.completeThrough]).to.deep.equal(["joining", 0]);
    expect(fixture.event(4)).to.deep.equal([]);
    expect(fixture.take()).to.deep.equal([
      { t: "leave", ref: 2, room: "general" },
      { t: "join", ref: 3, room: "general", tail: 5 },
    ]);
  });
});

describe("SDK room: a recreated room", () => {
  it("U1, sdk/room.3: a reset forgets the positions of others, and the birth until the next join", () => {
    const fixture = RoomFixture.live();
    expect(fixture.room.born).to.equal("x");
    fixture.event(1);
    fixture.room.onReads([["bob", 1]] as never);
    expect([...fixture.room.reads]).to.deep.equal([["bob", 1]]);
    fixture.room.onDisconnected();
    fixture.take();
    expect(fixture.joined({ born: "y", head: 4, from: 5 })[0]).to.include({ kind: "reset" });
    expect([...fixture.room.reads]).to.deep.equal([]);
    expect(fixture.room.born).to.equal(undefined);
    fixture.take();
    fixture.joined({ born: "y", head: 4, from: 5 });
    expect(fixture.room.born).to.equal("y");
  });
});

describe("SDK room: presence and typing", () => {
  it("A2: presence is delivered while the room is joined", () => {
    const fixture = RoomFixture.live();
    const change = { users: new Set(["ada"]), here: 1, joined: ["ada"], left: [] };
    expect(fixture.room.onPresence({ join: ["ada"], here: 1 })).to.deep.equal([
      { kind: "presence", room: GENERAL, change },
    ]);
    expect(fixture.room.onPresence({ join: ["ada"], here: 1 })).to.deep.equal([]);
  });

  it("A5: a typing user is reported until the message, or for six seconds", () => {
    const fixture = RoomFixture.live();
    const typing = (on: boolean, users: string[]) => ({
      kind: "typing",
      room: GENERAL,
      change: { user: "bob", on, users: new Set(users) },
    });
    expect(fixture.room.onTyping("bob", true, 0)).to.deep.equal([typing(true, ["bob"])]);
    expect(fixture.room.wakeAt(0)).to.equal(TYPING_SHOWN_MS);
    expect(fixture.event(1, "bob")).to.deep.equal([handed(1, "bob"), typing(false, [])]);
    fixture.room.onTyping("bob", true, 0);
    expect(fixture.room.tick(TYPING_SHOWN_MS - 1)).to.deep.equal([]);
    expect(fixture.room.tick(TYPING_SHOWN_MS)).to.deep.equal([typing(false, [])]);
    fixture.room.onTyping("bob", true, 0);
    expect(fixture.room.onDisconnected()).to.deep.equal([status("joining"), typing(false, [])]);
  });

  it("A5: the wake-up is the earlier of the join deadline and the end of a typing", () => {
    const fixture = RoomFixture.live();
    fixture.room.onTyping("bob", true, 0);
    fixture.event(5);
    fixture.take(0);
    expect(fixture.room.wakeAt(0), "typing ends before the join is overdue").to.equal(
      TYPING_SHOWN_MS,
    );
    const later = RoomFixture.live();
    later.room.onTyping("bob", true, 0);
    later.event(5);
    later.take(0);
    later.joined({ from: 9, head: 9 });
    expect(later.room.wakeAt(0), "the repair comes before the typing ends").to.equal(
      2 * FIRST_WAIT,
    );
  });

  it("A5: own typing is one frame in two seconds, and its end is one frame", () => {
    const fixture = RoomFixture.live();
    const type = (on: boolean, now: number) =>
      fixture.room.type(on, now).map((text) => JSON.parse(text) as object);
    const frame = (on: boolean) => [{ t: "typing", room: "general", on }];
    const other = RoomFixture.live();
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

  it("A5: after an own message and after a reconnect the next key is sent again", () => {
    const fixture = RoomFixture.live();
    fixture.room.type(true, 0);
    fixture.room.onSent();
    expect(fixture.room.type(true, 1)).to.have.length(1);
    fixture.room.onDisconnected();
    fixture.take();
    fixture.joined();
    expect(fixture.room.type(true, 2)).to.have.length(1);
  });
});
