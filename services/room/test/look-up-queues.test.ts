// Look-up queues, driven alone: which sends wait, which look-ups are requested, and which sends an
// answer returns.

import { expect } from "chai";
import type { SendCommand } from "#shared/protocol/commands.ts";
import type { Found } from "#shared/ports/archive.ts";
import type { LogSeq, MessageId, ProcessId, UserId } from "#shared/protocol/ids.ts";
import { LOOK_UPS_MAX, LOOK_UPS_PER_SENDER_MAX, LookUps } from "../core/look-ups.ts";
import { WAITING_SENDS_MAX, WAITING_SENDS_PER_SENDER_MAX } from "../core/look-ups.ts";
import { Room } from "../core/room.ts";
import type { Arrival } from "../core/room.ts";
import { RoomMemory } from "../core/room-memory.ts";
import { ADA, DEV, GENERAL, GW, idAt, send, T0 } from "./partition-fixture.ts";

const EVE = "eve" as UserId;
const GW2 = "gw-2" as ProcessId;
const userOf = (n: number): UserId => `user-${n}` as UserId;
type Sent = Arrival<SendCommand>;

/** Look-ups of two rooms. Requested and returned sends appear as ids. */
class LookUpFixture {
  readonly lookUps = new LookUps();
  readonly memory = new RoomMemory(1 << 24);
  readonly general = new Room(GENERAL, this.memory, T0);
  readonly dev = new Room(DEV, this.memory, T0);

  /** Queues a send that waits for the look-up of id `n`. */
  wait(n: number, { from = ADA, gateway = GW, arrivedAt = T0, room = this.general } = {}): boolean {
    return this.lookUps.wait(room, sent(n, { from, gateway, arrivedAt }), true);
  }

  asks(watermark = 0): MessageId[] {
    return this.lookUps
      .request(watermark)
      .map((effect) => (effect.kind === "look-up" ? effect.id : idAt(0)));
  }

  answer(n: number, value: { found?: Found; watermark: LogSeq } | undefined, from = ADA): void {
    const outcome =
      value === undefined
        ? ({ kind: "unavailable", reason: "test" } as const)
        : ({ kind: "ok", value } as const);
    const asked = { room: GENERAL, from, id: idAt(T0, n) } as const;
    this.lookUps.answer({ kind: "looked-up", tenure: 1, ...asked, outcome });
  }

  /** All sends that the queue of `from` in GENERAL returns now, with the kinds of the answers. */
  takes(from = ADA, isHeld = false): unknown[] {
    const taken: unknown[] = [];
    for (;;) {
      const next = this.lookUps.take(GENERAL, from, () => isHeld);
      if (next === undefined) return taken;
      taken.push([next.arrival.command.id, next.answer?.kind]);
    }
  }
}

function sent(n: number, { from = ADA, gateway = GW, arrivedAt = T0 } = {}): Sent {
  const command = send({ id: idAt(T0, n), from }) as SendCommand;
  return { gateway, command, arrivedAt, ranMs: 0 };
}

const ids = (...ns: number[]): MessageId[] => ns.map((n) => idAt(T0, n));

describe("Look-up queues", () => {
  it("look-ups.1: a queue belongs to one room and one sender, and exists until all its sends are returned", () => {
    const fixture = new LookUpFixture();
    const isWaiting = (): boolean[] =>
      (
        [
          [GENERAL, ADA],
          [GENERAL, EVE],
          [DEV, ADA],
        ] as const
      ).map(([room, from]) => fixture.lookUps.isWaiting(room, from));
    expect(isWaiting()).to.deep.equal([false, false, false]);
    fixture.wait(1);
    fixture.lookUps.wait(fixture.general, sent(2), false);
    expect(isWaiting()).to.deep.equal([true, false, false]);
    expect(fixture.takes()).to.deep.equal([]);
    expect(fixture.takes(EVE)).to.deep.equal([]);
    fixture.asks();
    fixture.answer(1, { watermark: 0 });
    expect(fixture.lookUps.take(GENERAL, ADA, () => false)).to.deep.include({
      answer: { kind: "known", watermark: 0 },
    });
    expect(isWaiting()).to.deep.equal([true, false, false]);
    expect(fixture.takes()).to.deep.equal([[idAt(T0, 2), undefined]]);
    expect(isWaiting()).to.deep.equal([false, false, false]);
  });

  it("look-ups.1: puts a send that needs a look-up after all first, and a send to be refused last", () => {
    const fixture = new LookUpFixture();
    fixture.wait(1);
    fixture.lookUps.waitRefused(fixture.general, sent(2));
    fixture.lookUps.waitFirst(fixture.general, sent(0));
    expect(fixture.asks()).to.deep.equal(ids(1, 0));
    fixture.answer(1, { watermark: 0 });
    expect(fixture.takes()).to.deep.equal([]);
    fixture.answer(0, { watermark: 0 });
    const known = ids(0, 1).map((id) => [id, "known"]);
    expect(fixture.takes()).to.deep.equal([...known, [idAt(T0, 2), undefined]]);
  });

  it("O4: a held send does not wait for its look-up", () => {
    const fixture = new LookUpFixture();
    fixture.wait(1);
    fixture.asks();
    expect(fixture.takes(ADA, true)).to.deep.equal([[idAt(T0, 1), undefined]]);
  });

  it("look-ups.2: copies of a send share one look-up and its answer", () => {
    const fixture = new LookUpFixture();
    fixture.wait(1);
    fixture.wait(1, { gateway: GW2 });
    fixture.wait(1, { from: EVE });
    fixture.wait(1, { room: fixture.dev });
    const asked = fixture.lookUps.request(0);
    expect(asked).to.deep.equal([
      { kind: "look-up", room: GENERAL, from: ADA, id: idAt(T0, 1) },
      { kind: "look-up", room: GENERAL, from: EVE, id: idAt(T0, 1) },
      { kind: "look-up", room: DEV, from: ADA, id: idAt(T0, 1) },
    ]);
    fixture.answer(1, undefined);
    const lost = [idAt(T0, 1), "unavailable"];
    expect(fixture.takes()).to.deep.equal([lost, lost]);
    expect(fixture.takes(EVE)).to.deep.equal([]);
  });

  it("look-ups.3: an answer counts from the watermark of its request on, and only the first answer counts", () => {
    for (const [watermark, kind] of [
      [6, "unavailable"],
      [7, "known"],
    ] as const) {
      const fixture = new LookUpFixture();
      fixture.wait(1);
      fixture.answer(1, { watermark: 9 }); // Not requested yet.
      expect(fixture.takes()).to.deep.equal([]);
      expect(fixture.asks(7)).to.have.length(1);
      fixture.answer(2, { watermark: 9 }); // For another id.
      fixture.answer(1, { watermark });
      fixture.answer(1, watermark === 7 ? undefined : { watermark: 7 });
      expect(fixture.takes()).to.deep.equal([[idAt(T0, 1), kind]]);
    }
  });

  it("look-ups.3: returns what the archive found together with the send", () => {
    const fixture = new LookUpFixture();
    fixture.wait(1);
    fixture.asks();
    const found = { seq: 4, at: T0 };
    fixture.answer(1, { found, watermark: 0 });
    const next = fixture.lookUps.take(GENERAL, ADA, () => false);
    expect(next?.answer).to.deep.include({ kind: "known", found });
  });

  it("look-ups.4: a room keeps an id until the last send that waits for its look-up is returned", () => {
    const fixture = new LookUpFixture();
    fixture.wait(1);
    fixture.wait(2);
    fixture.wait(1, { gateway: GW2 });
    expect([...fixture.general.pins].map(({ archived }) => archived)).to.deep.equal([0, 0]);
    fixture.asks();
    fixture.answer(1, { watermark: 0 });
    fixture.lookUps.take(GENERAL, ADA, () => false);
    expect(fixture.general.pins.size).to.equal(2);
    fixture.answer(2, { watermark: 0 });
    expect(fixture.takes()).to.have.length(2);
    expect(fixture.general.pins.size).to.equal(0);
    expect(fixture.dev.pins.size).to.equal(0);
  });

  it("look-ups.5: bounds the waiting sends of a sender and of the partition", () => {
    const fixture = new LookUpFixture();
    const senders = WAITING_SENDS_MAX / WAITING_SENDS_PER_SENDER_MAX;
    for (let s = 0; s < senders; s++) {
      const from = userOf(s);
      for (let n = 0; n < WAITING_SENDS_PER_SENDER_MAX; n++) {
        expect(fixture.lookUps.wait(fixture.general, sent(n, { from }), n === 0)).to.equal(true);
      }
      if (s === 0) expect(fixture.wait(9_999, { from })).to.equal(false);
    }
    expect(fixture.wait(1, { from: EVE })).to.equal(false);
    fixture.asks();
    fixture.answer(0, { watermark: 0 }, userOf(3));
    fixture.lookUps.take(GENERAL, userOf(3), () => false);
    expect(fixture.wait(1, { from: EVE })).to.equal(true);
    expect(fixture.wait(2, { from: EVE })).to.equal(false);
    expect(fixture.takes(userOf(3))).to.have.length(WAITING_SENDS_PER_SENDER_MAX - 1);
    for (let n = 0; n < WAITING_SENDS_PER_SENDER_MAX; n++) {
      expect(fixture.wait(n, { from: userOf(3) }), `${n}`).to.equal(
        n < WAITING_SENDS_PER_SENDER_MAX - 1,
      );
    }
  });

  it("look-ups.5: a sender whose sends were all returned has all places again", () => {
    const fixture = new LookUpFixture();
    fixture.wait(0);
    fixture.asks();
    fixture.answer(0, { watermark: 0 });
    expect(fixture.takes()).to.have.length(1);
    for (let n = 1; n <= WAITING_SENDS_PER_SENDER_MAX; n++) {
      expect(fixture.wait(n), `${n}`).to.equal(true);
    }
    expect(fixture.wait(9_999)).to.equal(false);
  });

  it("look-ups.5: a sender has at most LOOK_UPS_PER_SENDER_MAX requested look-ups; each answer permits the next", () => {
    const fixture = new LookUpFixture();
    expect(fixture.asks()).to.deep.equal([]);
    const all = LOOK_UPS_PER_SENDER_MAX + 3;
    for (let n = 0; n < all; n++) fixture.wait(n);
    expect(fixture.asks()).to.deep.equal(ids(...Array(LOOK_UPS_PER_SENDER_MAX).keys()));
    expect(fixture.asks()).to.deep.equal([]);
    for (let n = LOOK_UPS_PER_SENDER_MAX; n < all; n++) {
      fixture.answer(n - 1, { watermark: 0 });
      expect(fixture.asks()).to.deep.equal(ids(n));
    }
    expect(fixture.asks()).to.deep.equal([]);
  });

  it("look-ups.5: a look-up of a sender at its bound waits for an answer to that sender", () => {
    const fixture = new LookUpFixture();
    for (let n = 0; n < LOOK_UPS_PER_SENDER_MAX; n++) fixture.wait(n);
    fixture.asks();
    fixture.wait(100);
    fixture.wait(101);
    fixture.wait(1, { from: EVE });
    expect(fixture.asks(), "another sender's").to.deep.equal(ids(1));
    fixture.answer(1, { watermark: 0 }, EVE);
    expect(fixture.asks()).to.deep.equal([]);
    fixture.answer(3, { watermark: 0 });
    expect(fixture.asks()).to.deep.equal(ids(100));
    fixture.answer(4, { watermark: 0 });
    expect(fixture.asks()).to.deep.equal(ids(101));
  });

  it("look-ups.5: a sender whose look-ups were all answered may request more", () => {
    const fixture = new LookUpFixture();
    for (let n = 0; n < LOOK_UPS_PER_SENDER_MAX; n++) fixture.wait(n);
    fixture.asks();
    for (let n = 0; n < LOOK_UPS_PER_SENDER_MAX; n++) fixture.answer(n, { watermark: 0 });
    fixture.wait(100);
    expect(fixture.asks()).to.deep.equal(ids(100));
  });

  it("look-ups.5: loses no look-up of a sender that was at its bound before", () => {
    const fixture = new LookUpFixture();
    for (let n = 0; n < LOOK_UPS_PER_SENDER_MAX; n++) fixture.wait(n);
    fixture.asks();
    fixture.wait(100);
    fixture.answer(0, { watermark: 0 });
    expect(fixture.asks()).to.deep.equal(ids(100));
    fixture.answer(1, { watermark: 0 });
    expect(fixture.asks()).to.deep.equal([]);
    fixture.wait(200);
    fixture.answer(2, { watermark: 0 });
    expect(fixture.asks()).to.deep.equal(ids(200));
  });

  it("look-ups.5: a sender is at its bound with the last look-up that it may request", () => {
    const fixture = new LookUpFixture();
    for (let n = 0; n < LOOK_UPS_PER_SENDER_MAX - 1; n++) fixture.wait(n);
    fixture.asks();
    fixture.wait(100);
    fixture.wait(101);
    expect(fixture.asks()).to.deep.equal(ids(100));
    fixture.answer(0, { watermark: 0 });
    expect(fixture.asks()).to.deep.equal(ids(101));
  });

  it("look-ups.5: at most LOOK_UPS_MAX look-ups are requested in all, and senders take turns", () => {
    const fixture = new LookUpFixture();
    for (const n of [1, 2]) {
      for (let s = 0; s <= LOOK_UPS_MAX; s++) fixture.wait(1_000 * n + s, { from: userOf(s) });
    }
    const first = Array.from({ length: LOOK_UPS_MAX }, (_, s) => 1_000 + s);
    expect(fixture.asks()).to.deep.equal(ids(...first));
    fixture.answer(1_000, { watermark: 0 }, userOf(0));
    expect(fixture.asks(), "the sender without a turn so far").to.deep.equal(
      ids(1_000 + LOOK_UPS_MAX),
    );
    fixture.answer(1_001, { watermark: 0 }, userOf(1));
    expect(fixture.asks()).to.deep.equal(ids(2_000));
  });

  it("look-ups.5: a sender without a waiting look-up has no turn, and comes after those that wait", () => {
    const fixture = new LookUpFixture();
    for (let s = 0; s < LOOK_UPS_MAX; s++) fixture.wait(s, { from: userOf(s) });
    expect(fixture.asks()).to.have.length(LOOK_UPS_MAX);
    fixture.wait(100);
    fixture.wait(101, { from: userOf(1) });
    fixture.answer(0, { watermark: 0 }, userOf(0));
    expect(fixture.asks()).to.deep.equal(ids(100));
  });

  it("look-ups.5: a sender whose waiting look-up was dropped has no turn", () => {
    const fixture = new LookUpFixture();
    for (let s = 0; s < LOOK_UPS_MAX; s++) fixture.wait(s, { from: userOf(s) });
    fixture.asks();
    fixture.wait(100, { gateway: GW2 });
    fixture.lookUps.dropOf(GW2);
    fixture.wait(101, { from: EVE });
    fixture.wait(102);
    fixture.answer(0, { watermark: 0 }, userOf(0));
    expect(fixture.asks()).to.deep.equal(ids(101));
  });

  it("look-ups.5: does not request a look-up whose sends were dropped before its turn", () => {
    const fixture = new LookUpFixture();
    fixture.wait(1, { gateway: GW2 });
    fixture.wait(2);
    fixture.wait(3, { gateway: GW2 });
    fixture.lookUps.dropOf(GW2);
    expect(fixture.general.pins.size).to.equal(1);
    expect(fixture.asks()).to.deep.equal(ids(2));
    fixture.wait(3);
    expect(fixture.asks()).to.deep.equal(ids(3));
  });

  it("look-ups.5: does not request a dropped look-up of a sender at its bound", () => {
    const fixture = new LookUpFixture();
    for (let n = 0; n < LOOK_UPS_PER_SENDER_MAX; n++) fixture.wait(n);
    fixture.asks();
    fixture.wait(100, { gateway: GW2 });
    fixture.lookUps.dropOf(GW2);
    fixture.answer(1, { watermark: 0 });
    expect(fixture.asks()).to.deep.equal([]);
    expect(fixture.general.pins.size).to.equal(LOOK_UPS_PER_SENDER_MAX);
  });

  it("look-ups.2: a copy of a dropped send shares the look-up that is already requested", () => {
    const fixture = new LookUpFixture();
    fixture.wait(1);
    fixture.asks();
    expect(fixture.lookUps.dropOf(GW)).to.deep.equal([]);
    expect(fixture.general.pins.size).to.equal(1);
    fixture.wait(1);
    expect(fixture.asks()).to.deep.equal([]);
    fixture.answer(1, { watermark: 0 });
    expect(fixture.takes()).to.deep.equal([[idAt(T0, 1), "known"]]);
    expect(fixture.general.pins.size).to.equal(0);
    // A look-up that is answered without a waiting send is forgotten.
    fixture.wait(2);
    fixture.asks();
    fixture.lookUps.dropOf(GW);
    fixture.answer(2, { watermark: 0 });
    expect(fixture.general.pins.size).to.equal(0);
    fixture.wait(2);
    expect(fixture.asks()).to.deep.equal(ids(2));
  });

  it("P21: sends from before the limit expire, and sends from the limit on stay", () => {
    const fixture = new LookUpFixture();
    fixture.wait(1, { arrivedAt: 99 });
    fixture.wait(2, { arrivedAt: 100 });
    fixture.wait(3, { arrivedAt: 98, from: EVE });
    fixture.wait(4, { arrivedAt: 101, from: userOf(1) });
    const { expired, queues: changed } = fixture.lookUps.expire(100);
    expect(expired.map(({ command }) => command.id)).to.deep.equal(ids(1, 3));
    expect(changed.map(({ from }) => from)).to.deep.equal([ADA]);
    expect(fixture.lookUps.isWaiting(GENERAL, EVE)).to.equal(false);
    expect(fixture.lookUps.isWaiting(GENERAL, userOf(1))).to.equal(true);
    expect(fixture.asks()).to.deep.equal(ids(2, 4));
    expect(fixture.lookUps.expire(102).expired.map(({ command }) => command.id)).to.deep.equal(
      ids(2, 4),
    );
    expect(fixture.lookUps.isWaiting(GENERAL, ADA)).to.equal(false);
  });

  it("P8: drops the sends of one gateway and keeps the order of the others", () => {
    const fixture = new LookUpFixture();
    fixture.wait(1);
    fixture.wait(2, { gateway: GW2 });
    fixture.wait(3);
    fixture.wait(4, { gateway: GW2, from: EVE });
    fixture.wait(5, { from: userOf(1) });
    const changed = fixture.lookUps.dropOf(GW2);
    expect(changed.map(({ from }) => from)).to.deep.equal([ADA]);
    expect(fixture.lookUps.isWaiting(GENERAL, EVE)).to.equal(false);
    fixture.asks();
    for (const n of [1, 3]) fixture.answer(n, { watermark: 0 });
    expect(fixture.takes()).to.deep.equal(ids(1, 3).map((id) => [id, "known"]));
  });
});
