// Send order, by example: places, bounds and the end of an order.

import { expect } from "chai";
import type { RoomId } from "#shared/protocol/ids.ts";
import {
  DUE_MAX_MS,
  ORDER_AFTER_MAX_MS,
  ORDER_AFTER_MS,
  POSTPONED_MS,
  POSTPONED_SENDS_MAX,
} from "../core/bounds.ts";
import { SendOrder } from "../core/send-order.ts";

const A = "a" as RoomId;
const B = "b" as RoomId;

describe("Send order", () => {
  it("send-order.2: only the first refused send of a room passes, and other rooms do not wait", () => {
    const order = new SendOrder();
    expect(order.mayPass(A, "1", 0)).to.equal(true);
    order.postpone(A, "1", 0, 0);
    order.postpone(A, "2", 0, 0);
    expect(["1", "2", "3"].map((id) => order.mayPass(A, id, 1))).to.deep.equal([
      true,
      false,
      false,
    ]);
    expect(order.mayPass(B, "3", 1)).to.equal(true);
    order.pass(A, "1", 1);
    expect(["2", "3"].map((id) => order.mayPass(A, id, 1))).to.deep.equal([true, false]);
    order.pass(A, "2", 1);
    expect(order.mayPass(A, "3", 1)).to.equal(true);
  });

  it("send-order.1: a send that passed and is refused later comes before the sends after it", () => {
    const order = new SendOrder();
    order.pass(A, "1", 0);
    order.postpone(A, "2", 0, 0);
    order.returned(A, "1", 0, 0);
    expect(["1", "2"].map((id) => order.mayPass(A, id, 1))).to.deep.equal([true, false]);
    order.pass(A, "1", 1);
    order.postpone(A, "3", 1, 0);
    order.returned(A, "1", 2, 0);
    expect(["1", "2", "3"].map((id) => order.mayPass(A, id, 2))).to.deep.equal([
      true,
      false,
      false,
    ]);
  });

  it("send-order.1: a second copy of a passed send has the first one's place", () => {
    const order = new SendOrder();
    order.pass(A, "1", 0);
    order.postpone(A, "2", 0, 0);
    order.postpone(A, "1", 0, 0);
    expect(order.mayPass(A, "1", 0)).to.equal(true);
    order.pass(A, "1", 0);
    order.returned(A, "1", 0, 0);
    order.answered(A, "1", 0);
    expect(order.mayPass(A, "2", 0)).to.equal(true);
    expect(order.mayPass(A, "1", 0)).to.equal(false);
  });

  it("send-order.3: when the first one is not resent for 30 s, all places are dropped", () => {
    const order = new SendOrder();
    order.postpone(A, "1", 0, 0);
    order.postpone(A, "2", 10_000, 0);
    expect(order.mayPass(A, "2", POSTPONED_MS - 1)).to.equal(false);
    order.postpone(A, "1", 20_000, 0);
    expect(order.mayPass(A, "2", POSTPONED_MS)).to.equal(false);
    expect(order.mayPass(A, "2", 20_000 + POSTPONED_MS)).to.equal(true);
    expect(order.mayPass(A, "3", 20_000 + POSTPONED_MS)).to.equal(true);
  });

  it("send-order.3: the next one has 30 s from the time at which the one before it passed", () => {
    const order = new SendOrder();
    order.postpone(A, "1", 0, 0);
    order.postpone(A, "2", 0, 0);
    order.pass(A, "1", 20_000);
    expect(order.mayPass(A, "3", 20_000 + POSTPONED_MS - 1)).to.equal(false);
    expect(order.mayPass(A, "3", 20_000 + POSTPONED_MS)).to.equal(true);
  });

  it("send-order.5: a send behind a refused one is due when that one is, and at least a short time later", () => {
    const order = new SendOrder();
    order.postpone(A, "1", 0, 1_000);
    expect(order.afterMs(A, 0)).to.equal(1_000);
    order.postpone(A, "2", 300, order.afterMs(A, 300));
    expect(order.afterMs(A, 400)).to.equal(600);
    expect(order.afterMs(A, 990)).to.equal(ORDER_AFTER_MS);
    order.pass(A, "1", 1_000);
    order.pass(A, "2", 1_000);
    order.returned(A, "2", 1_100, 400);
    order.returned(A, "1", 1_100, 200);
    expect(order.afterMs(A, 1_100), "the first by its place").to.equal(200);
    order.postpone(A, "1", 1_300, 700);
    expect(order.afterMs(A, 1_300), "refused again").to.equal(700);
  });

  it("send-order.5: while the first one is late, the others wait longer and longer, up to a second", () => {
    const order = new SendOrder();
    order.postpone(A, "1", 0, 100);
    const waits: number[] = [];
    for (let now = 100; now < POSTPONED_MS; now += waits.at(-1) ?? 0) {
      waits.push(order.afterMs(A, now));
    }
    expect(waits.slice(0, 7)).to.deep.equal([50, 50, 100, 200, 400, 800, 1_000]);
    expect(Math.max(...waits)).to.equal(ORDER_AFTER_MAX_MS);
  });

  it("send-order.4: the places of one connection are bounded over all its rooms and are reused", () => {
    const order = new SendOrder();
    order.postpone(B, "b", 0, 0);
    for (let n = 1; n < POSTPONED_SENDS_MAX; n++) order.postpone(A, `${n}`, 0, 0);
    order.postpone(A, "over", 0, 0);
    for (let n = 1; n < POSTPONED_SENDS_MAX; n++) {
      expect(order.mayPass(A, "over", 0)).to.equal(false);
      order.pass(A, `${n}`, 0);
    }
    expect(
      order.mayPass(A, "other", 0),
      "the others do not wait for the one without a place",
    ).to.equal(true);
    order.postpone(A, "over", 0, 0);
    expect(order.mayPass(A, "other", 0)).to.equal(false);
    order.forget(A);
    for (let n = 1; n < POSTPONED_SENDS_MAX; n++) order.postpone(A, `${n}`, 0, 0);
    order.postpone(A, "over", 0, 0);
    for (let n = 1; n < POSTPONED_SENDS_MAX; n++) order.pass(A, `${n}`, 0);
    expect(order.mayPass(A, "other", 0), "the places of a left room are used").to.equal(true);
  });

  it("send-order.1: places follow the order of passing, whatever the order of the refusals", () => {
    const order = new SendOrder();
    for (const id of ["1", "2", "3"]) order.pass(A, id, 0);
    for (const id of ["2", "3", "1"]) order.returned(A, id, 0, 0);
    const passes = (...ids: string[]) => ids.filter((id) => order.mayPass(A, id, 1));
    expect(passes("1", "2", "3", "4")).to.deep.equal(["1"]);
    order.pass(A, "1", 1);
    expect(passes("1", "2", "3", "4")).to.deep.equal(["2"]);
    order.pass(A, "2", 1);
    expect(passes("1", "2", "3", "4")).to.deep.equal(["3"]);
  });

  it("send-order.6: a passed send keeps its place until its last copy is answered, and no longer", () => {
    const answered = new SendOrder();
    answered.pass(A, "1", 0);
    answered.answered(A, "1", 0);
    answered.postpone(A, "2", 0, 0);
    answered.postpone(A, "1", 0, 0);
    expect(answered.mayPass(A, "2", 1), "it gets a new place behind the other").to.equal(true);
    const twice = new SendOrder();
    twice.pass(A, "1", 0);
    twice.pass(A, "1", 0);
    twice.answered(A, "1", 0);
    twice.postpone(A, "2", 0, 0);
    twice.postpone(A, "1", 0, 0);
    expect(twice.mayPass(A, "1", 1), "a copy has no answer yet").to.equal(true);
    twice.answered(A, "1", 0);
    twice.answered(A, "1", 0);
    expect(twice.mayPass(A, "2", 1)).to.equal(true);
  });

  it("send-order.2: an answer to a send that does not wait does not change those that do", () => {
    const order = new SendOrder();
    order.pass(A, "9", 0);
    order.postpone(A, "1", 0, 0);
    order.postpone(A, "2", 0, 0);
    order.answered(A, "9", 10_000);
    order.answered(A, "never passed", 10_000);
    order.answered(B, "of an unknown room", 10_000);
    expect(["1", "2"].map((id) => order.mayPass(A, id, 1))).to.deep.equal([true, false]);
    expect(order.mayPass(A, "3", POSTPONED_MS - 1)).to.equal(false);
    order.pass(A, "1", 1);
    expect(order.mayPass(A, "3", 1), "2 still waits").to.equal(false);
    order.answered(A, "2", 1);
    expect(order.mayPass(A, "3", 1)).to.equal(true);
  });

  it("send-order.3, M10: the 30 s begin when the first one is due, so a long wait keeps the order", () => {
    const order = new SendOrder();
    order.pass(A, "1", 0);
    order.returned(A, "1", 0, 60_000);
    order.postpone(A, "2", 10, order.afterMs(A, 10));
    expect(order.mayPass(A, "3", 60_000 + POSTPONED_MS - 1)).to.equal(false);
    expect(order.mayPass(A, "1", 60_000)).to.equal(true);
    order.pass(A, "1", 60_000);
    expect(order.mayPass(A, "2", 60_000)).to.equal(true);
    order.pass(A, "2", 60_000);
    order.returned(A, "2", 60_001, 60_000);
    order.postpone(A, "3", 60_001, order.afterMs(A, 60_001));
    order.pass(A, "2", 120_001);
    order.postpone(A, "3", 120_002, 60_000);
    expect(order.mayPass(A, "4", 180_002 + POSTPONED_MS - 1)).to.equal(false);
    expect(order.mayPass(A, "4", 180_002 + POSTPONED_MS)).to.equal(true);
    order.postpone(A, "5", 0, DUE_MAX_MS + 1);
    expect(order.mayPass(A, "6", DUE_MAX_MS + POSTPONED_MS - 1)).to.equal(false);
    expect(order.mayPass(A, "6", DUE_MAX_MS + POSTPONED_MS), "it may be dropped").to.equal(true);
  });

  it("send-order.3: another refusal of a later one does not prolong the wait for the first", () => {
    const order = new SendOrder();
    order.postpone(A, "1", 0, 0);
    order.postpone(A, "2", 10_000, 0);
    order.postpone(A, "2", 20_000, 0);
    expect(order.mayPass(A, "3", POSTPONED_MS)).to.equal(true);
    order.pass(A, "3", POSTPONED_MS);
    order.returned(A, "3", POSTPONED_MS, 0);
    const now = POSTPONED_MS + 1;
    const passes = ["3", "4", "1"].filter((id) => order.mayPass(A, id, now));
    expect(passes, "1 and 2 were dropped").to.deep.equal(["3"]);
  });

  it("send-order.5: without a send to wait for the wait is the shortest; a long refusal counts fully", () => {
    const order = new SendOrder();
    expect(order.afterMs(A, 5)).to.equal(ORDER_AFTER_MS);
    order.pass(A, "1", 0);
    order.returned(A, "1", 1_000, 5_000.5);
    expect(order.afterMs(A, 1_000)).to.equal(5_001);
    expect(order.afterMs(A, 6_100), "99.5 ms late").to.equal(100);
  });

  it("send-order.4: a leave frees its places, and a room without places frees none", () => {
    const order = new SendOrder();
    for (let n = 0; n < POSTPONED_SENDS_MAX; n++) order.postpone(A, `${n}`, 0, 0);
    order.forget(B);
    order.postpone(B, "no place", 0, 0);
    expect(order.mayPass(B, "other", 0)).to.equal(true);
    order.forget(A);
    order.postpone(B, "a place", 0, 0);
    expect(order.mayPass(B, "other", 0)).to.equal(false);
    for (let n = 0; n < POSTPONED_SENDS_MAX - 1; n++) order.postpone(A, `${n}`, 0, 0);
    order.postpone("c" as RoomId, "no place", 0, 0);
    expect(order.mayPass("c" as RoomId, "other", 0)).to.equal(true);
  });
});
