// Pages, by example: frames, answers, bounds, and every end of a call.

import { expect } from "chai";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { PAGE_EVENTS_MAX, ROOMS_PAGE_MAX } from "#shared/protocol/limits.ts";
import { AFTER_MS_MAX, PAGE_DEADLINE_MS, PAGES_MAX, RETRY } from "../core/bounds.ts";
import { Pages } from "../core/pages.ts";
import { CLOSED, FULL, LEFT, NO_ANSWER } from "../core/refusals.ts";
import { halfRandom } from "./half-random.ts";

const A = "a" as RoomId;
const B = "b" as RoomId;
const everywhere = (): boolean => true;
const FIRST_WAIT = RETRY.baseMs / 2;

class PagesFixture {
  readonly pages = new Pages(halfRandom);
  #ref = 0;

  add(call: number, range: object = { limit: 10 }, room: RoomId = A, now = 0) {
    return this.pages.add(call, room, { limit: 10, ...range }, now);
  }

  take(now = 0, isJoined: (room: RoomId) => boolean = everywhere): object[] {
    const texts = this.pages.take(now, () => ++this.#ref, isJoined);
    return texts.map((text) => JSON.parse(text) as object);
  }
}

function failed(call: number, error: ErrorName, message: string) {
  return { kind: "page-failed", call, error, message };
}

const busy = (afterMs?: number) =>
  ({ name: "busy", message: "full", retry: true, afterMs }) as const;

describe("Pages", () => {
  it("O12: the wake-up is that of the earliest call, at any position", () => {
    const fixture = new PagesFixture();
    fixture.add(1);
    fixture.add(2);
    fixture.take();
    fixture.pages.onRefused(2, busy(), 0);
    expect(fixture.pages.wakeAt(0)).to.equal(FIRST_WAIT);
    expect(fixture.pages.wakeAt(FIRST_WAIT), "its time is over").to.equal(PAGE_DEADLINE_MS);
  });

  it("O12: a call is written once, with its range, when its room is joined", () => {
    const fixture = new PagesFixture();
    expect(fixture.add(1, { before: 9, limit: 5 })).to.deep.equal([]);
    fixture.add(2, { after: 3 }, B);
    expect(fixture.take(0, () => false)).to.deep.equal([]);
    expect(fixture.take(0, (room) => room === B)).to.deep.equal([
      { t: "history", ref: 1, room: "b", after: 3, limit: 10 },
    ]);
    expect(fixture.take()).to.deep.equal([
      { t: "history", ref: 2, room: "a", before: 9, limit: 5 },
    ]);
    expect(fixture.take()).to.deep.equal([]);
  });

  it("O12: the limit is a whole number that the server accepts", () => {
    const fixture = new PagesFixture();
    const limits = [0, -5, 1.9, PAGE_EVENTS_MAX, PAGE_EVENTS_MAX + 1];
    for (const [call, limit] of limits.entries()) fixture.add(call, { limit });
    const written = fixture.take().map((frame) => (frame as { limit: number }).limit);
    expect(written).to.deep.equal([1, 1, 1, PAGE_EVENTS_MAX, PAGE_EVENTS_MAX]);
  });

  it("sdk/pages.2: the 33rd call fails with busy, and an answer admits one more", () => {
    const fixture = new PagesFixture();
    for (let call = 1; call <= PAGES_MAX; call++) expect(fixture.add(call)).to.deep.equal([]);
    expect(fixture.add(99)).to.deep.equal([failed(99, FULL.name, FULL.message)]);
    fixture.take();
    const page = { events: [], more: false };
    expect(fixture.pages.onPage(3, page)).to.deep.equal([{ kind: "page", call: 3, page }]);
    expect(fixture.pages.onPage(3, page), "it ended").to.deep.equal([]);
    expect(fixture.add(99)).to.deep.equal([]);
  });

  it("sdk/pages.1: after a temporary refusal the call is written again after the wait, with another ref", () => {
    const fixture = new PagesFixture();
    fixture.add(1);
    fixture.take();
    expect(fixture.pages.onRefused(1, busy(), 100)).to.deep.equal([]);
    expect(fixture.pages.onRefused(1, busy(), 100), "no open question of ours").to.equal(undefined);
    expect(fixture.pages.wakeAt(100)).to.equal(100 + FIRST_WAIT);
    expect(fixture.take(100 + FIRST_WAIT - 1)).to.deep.equal([]);
    expect(fixture.take(100 + FIRST_WAIT)).to.deep.include.members([
      { t: "history", ref: 2, room: "a", limit: 10 },
    ]);
    fixture.pages.onRefused(2, busy(), 1_000);
    expect(fixture.pages.wakeAt(1_000)).to.equal(1_000 + 2 * FIRST_WAIT);
  });

  it("sdk/pages.1: a longer wait of the server counts, up to AFTER_MS_MAX", () => {
    const until = (afterMs: number, late = 0): number => {
      const fixture = new PagesFixture();
      fixture.add(1, {}, A, late);
      fixture.take(late);
      fixture.pages.onRefused(1, busy(afterMs), late);
      let at = late;
      while (fixture.take(at).length === 0) at += FIRST_WAIT / 2;
      return at - late;
    };
    expect([0, 1_000, AFTER_MS_MAX * 2].map((ms) => until(ms))).to.deep.equal([
      FIRST_WAIT,
      1_000,
      AFTER_MS_MAX,
    ]);
  });

  it("sdk/pages.1: a final refusal fails the call, with the server's text", () => {
    const fixture = new PagesFixture();
    fixture.add(1);
    fixture.take();
    const refusal = { name: "forbidden", message: "no", retry: false } as const;
    expect(fixture.pages.onRefused(2, refusal, 0)).to.equal(undefined);
    expect(fixture.pages.onRefused(1, refusal, 0)).to.deep.equal([failed(1, "forbidden", "no")]);
    expect(fixture.pages.onRefused(1, refusal, 0)).to.equal(undefined);
  });

  it("sdk/pages.1: after a disconnect the call is written again", () => {
    const fixture = new PagesFixture();
    fixture.add(1);
    fixture.take();
    fixture.pages.onDisconnected();
    expect(fixture.pages.onPage(1, { events: [], more: false })).to.deep.equal([]);
    expect(fixture.take()).to.have.length(1);
  });

  it("sdk/pages.1: a call without an answer fails at its deadline", () => {
    const fixture = new PagesFixture();
    fixture.add(1);
    fixture.add(2, {}, A, 5);
    expect(fixture.pages.wakeAt(0)).to.equal(PAGE_DEADLINE_MS);
    expect(fixture.pages.tick(PAGE_DEADLINE_MS - 1)).to.deep.equal([]);
    expect(fixture.pages.tick(PAGE_DEADLINE_MS)).to.deep.equal([
      failed(1, NO_ANSWER.name, NO_ANSWER.message),
    ]);
    expect(fixture.pages.wakeAt(PAGE_DEADLINE_MS)).to.equal(PAGE_DEADLINE_MS + 5);
    expect(fixture.pages.tick(PAGE_DEADLINE_MS + 5)).to.deep.equal([
      failed(2, NO_ANSWER.name, NO_ANSWER.message),
    ]);
    expect(fixture.pages.wakeAt(PAGE_DEADLINE_MS + 5)).to.equal(undefined);
  });

  it("sdk/pages.1: the wake-up is the deadline before a longer wait, and the end of a wait only before it is over", () => {
    const fixture = new PagesFixture();
    fixture.add(1);
    fixture.take();
    fixture.pages.onRefused(1, busy(5_000), PAGE_DEADLINE_MS - 1_000);
    expect(fixture.pages.wakeAt(PAGE_DEADLINE_MS - 1_000)).to.equal(PAGE_DEADLINE_MS);
    const over = new PagesFixture();
    over.add(1);
    over.take();
    over.pages.onRefused(1, busy(), 0);
    expect(over.pages.wakeAt(FIRST_WAIT)).to.equal(PAGE_DEADLINE_MS);
  });

  it("sdk/pages.1: leaving a room fails its calls, and a close fails all calls", () => {
    const fixture = new PagesFixture();
    fixture.add(1);
    fixture.add(2, {}, B);
    fixture.add(3);
    expect(fixture.pages.onLeft(A, LEFT)).to.deep.equal([
      failed(1, LEFT.name, LEFT.message),
      failed(3, LEFT.name, LEFT.message),
    ]);
    expect(fixture.pages.onClosed()).to.deep.equal([failed(2, CLOSED.name, CLOSED.message)]);
    expect(fixture.pages.onClosed()).to.deep.equal([]);
  });
});

describe("Pages of rooms", () => {
  it("U4: a room list needs no joined room, has a bounded limit, and repeats like a page", () => {
    const fixture = new PagesFixture();
    fixture.pages.addRooms(1, {}, 0);
    fixture.pages.addRooms(2, { after: "9.a", limit: 9_999 }, 0);
    expect(fixture.take(0, () => false)).to.deep.equal([
      { t: "rooms", ref: 1, limit: 50 },
      { t: "rooms", ref: 2, after: "9.a", limit: ROOMS_PAGE_MAX },
    ]);
    expect(fixture.pages.onLeft(A, LEFT)).to.deep.equal([]);
    const page = { rooms: [], next: "3.b" };
    expect(fixture.pages.onPage(1, page)).to.deep.equal([{ kind: "page", call: 1, page }]);
    fixture.pages.onDisconnected();
    expect(fixture.take()).to.deep.equal([
      { t: "rooms", ref: 3, after: "9.a", limit: ROOMS_PAGE_MAX },
    ]);
    expect(fixture.pages.tick(PAGE_DEADLINE_MS)).to.deep.equal([
      failed(2, NO_ANSWER.name, NO_ANSWER.message),
    ]);
  });
});
