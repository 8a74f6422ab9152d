// History calls by example: frames, answers, bounds and every way in which a call ends.

import { expect } from "chai";
import { ERRORS } from "#shared/protocol/errors.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { PAGE_EVENTS_MAX } from "#shared/protocol/limits.ts";
import { AFTER_MS_MAX, PAGE_DEADLINE_MS, PAGES_MAX, RETRY } from "../core/bounds.ts";
import { Pages } from "../core/pages.ts";
import { halfRandom } from "./half-random.ts";

const A = "a" as RoomId;
const B = "b" as RoomId;
const everywhere = (): boolean => true;
const FIRST_WAIT = RETRY.baseMs / 2;

class Bench {
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

function failed(call: number, error: keyof typeof ERRORS, message: string = ERRORS[error].message) {
  return { kind: "page-failed", call, error, message };
}

const busy = (afterMs?: number) =>
  ({ name: "busy", message: "full", retry: true, afterMs }) as const;

describe("Pages", () => {
  it("O12: it is woken for the earliest call, also when that is not the first", () => {
    const bench = new Bench();
    bench.add(1);
    bench.add(2);
    bench.take();
    bench.pages.onRefused(2, busy(), 0);
    expect(bench.pages.wakeAt(0)).to.equal(FIRST_WAIT);
    expect(bench.pages.wakeAt(FIRST_WAIT), "its time is over").to.equal(PAGE_DEADLINE_MS);
  });

  it("O12: a call is written once, with its range, when its room is joined", () => {
    const bench = new Bench();
    expect(bench.add(1, { before: 9, limit: 5 })).to.deep.equal([]);
    bench.add(2, { after: 3 }, B);
    expect(bench.take(0, () => false)).to.deep.equal([]);
    expect(bench.take(0, (room) => room === B)).to.deep.equal([
      { t: "history", ref: 1, room: "b", after: 3, limit: 10 },
    ]);
    expect(bench.take()).to.deep.equal([{ t: "history", ref: 2, room: "a", before: 9, limit: 5 }]);
    expect(bench.take()).to.deep.equal([]);
  });

  it("O12: the limit is a whole number that the server takes", () => {
    const bench = new Bench();
    const limits = [0, -5, 1.9, PAGE_EVENTS_MAX, PAGE_EVENTS_MAX + 1];
    for (const [call, limit] of limits.entries()) bench.add(call, { limit });
    const written = bench.take().map((frame) => (frame as { limit: number }).limit);
    expect(written).to.deep.equal([1, 1, 1, PAGE_EVENTS_MAX, PAGE_EVENTS_MAX]);
  });

  it("sdk/pages.2: the thirty-third call fails with busy, and an answer makes room", () => {
    const bench = new Bench();
    for (let call = 1; call <= PAGES_MAX; call++) expect(bench.add(call)).to.deep.equal([]);
    expect(bench.add(99)).to.deep.equal([failed(99, "busy")]);
    bench.take();
    const page = { events: [], more: false };
    expect(bench.pages.onPage(3, page)).to.deep.equal([{ kind: "page", call: 3, page }]);
    expect(bench.pages.onPage(3, page), "it ended").to.deep.equal([]);
    expect(bench.add(99)).to.deep.equal([]);
  });

  it("sdk/pages.1: a temporary refusal is asked again after the wait, under another ref", () => {
    const bench = new Bench();
    bench.add(1);
    bench.take();
    expect(bench.pages.onRefused(1, busy(), 100)).to.deep.equal([]);
    expect(bench.pages.onRefused(1, busy(), 100), "no open question of ours").to.equal(undefined);
    expect(bench.pages.wakeAt(100)).to.equal(100 + FIRST_WAIT);
    expect(bench.take(100 + FIRST_WAIT - 1)).to.deep.equal([]);
    expect(bench.take(100 + FIRST_WAIT)).to.deep.include.members([
      { t: "history", ref: 2, room: "a", limit: 10 },
    ]);
    bench.pages.onRefused(2, busy(), 1_000);
    expect(bench.pages.wakeAt(1_000)).to.equal(1_000 + 2 * FIRST_WAIT);
  });

  it("sdk/pages.1: the server's wait counts if it is longer, up to AFTER_MS_MAX", () => {
    const until = (afterMs: number, late = 0): number => {
      const bench = new Bench();
      bench.add(1, {}, A, late);
      bench.take(late);
      bench.pages.onRefused(1, busy(afterMs), late);
      let at = late;
      while (bench.take(at).length === 0) at += FIRST_WAIT / 2;
      return at - late;
    };
    expect([0, 1_000, AFTER_MS_MAX * 2].map((ms) => until(ms))).to.deep.equal([
      FIRST_WAIT,
      1_000,
      AFTER_MS_MAX,
    ]);
  });

  it("sdk/pages.1: a final refusal fails the call, with the server's text", () => {
    const bench = new Bench();
    bench.add(1);
    bench.take();
    const refusal = { name: "forbidden", message: "no", retry: false } as const;
    expect(bench.pages.onRefused(2, refusal, 0)).to.equal(undefined);
    expect(bench.pages.onRefused(1, refusal, 0)).to.deep.equal([failed(1, "forbidden", "no")]);
    expect(bench.pages.onRefused(1, refusal, 0)).to.equal(undefined);
  });

  it("sdk/pages.1: after a disconnect the call is asked again", () => {
    const bench = new Bench();
    bench.add(1);
    bench.take();
    bench.pages.onDisconnected();
    expect(bench.pages.onPage(1, { events: [], more: false })).to.deep.equal([]);
    expect(bench.take()).to.have.length(1);
  });

  it("sdk/pages.1: a call without an answer fails at its deadline", () => {
    const bench = new Bench();
    bench.add(1);
    bench.add(2, {}, A, 5);
    expect(bench.pages.wakeAt(0)).to.equal(PAGE_DEADLINE_MS);
    expect(bench.pages.tick(PAGE_DEADLINE_MS - 1)).to.deep.equal([]);
    expect(bench.pages.tick(PAGE_DEADLINE_MS)).to.deep.equal([failed(1, "unavailable")]);
    expect(bench.pages.wakeAt(PAGE_DEADLINE_MS)).to.equal(PAGE_DEADLINE_MS + 5);
    expect(bench.pages.tick(PAGE_DEADLINE_MS + 5)).to.deep.equal([failed(2, "unavailable")]);
    expect(bench.pages.wakeAt(PAGE_DEADLINE_MS + 5)).to.equal(undefined);
  });

  it("sdk/pages.1: the deadline wakes before a wait that is longer, and the end of a wait only while it lasts", () => {
    const bench = new Bench();
    bench.add(1);
    bench.take();
    bench.pages.onRefused(1, busy(5_000), PAGE_DEADLINE_MS - 1_000);
    expect(bench.pages.wakeAt(PAGE_DEADLINE_MS - 1_000)).to.equal(PAGE_DEADLINE_MS);
    const over = new Bench();
    over.add(1);
    over.take();
    over.pages.onRefused(1, busy(), 0);
    expect(over.pages.wakeAt(FIRST_WAIT)).to.equal(PAGE_DEADLINE_MS);
  });

  it("sdk/pages.1: leaving a room fails its calls, closing fails all", () => {
    const bench = new Bench();
    bench.add(1);
    bench.add(2, {}, B);
    bench.add(3);
    expect(bench.pages.onLeft(A, "not_joined")).to.deep.equal([
      failed(1, "not_joined"),
      failed(3, "not_joined"),
    ]);
    expect(bench.pages.onClosed()).to.deep.equal([failed(2, "unavailable")]);
    expect(bench.pages.onClosed()).to.deep.equal([]);
  });
});
