// RoomUses: scores of rooms that are read, their halving, their bound, and the lists to store.

import { expect } from "chai";
import type { RoomId } from "#shared/protocol/ids.ts";
import { HALF_LIFE_MS, ROOMS_MAX, RoomUses } from "../core/room-uses.ts";
import type { RoomScore } from "../core/room-uses.ts";

const T0 = 1_795_500_000_000;
const room = (n: number | string): RoomId => `room-${n}` as RoomId;
const names = (list: readonly RoomScore[]): string[] => list.map(([name]) => name);

describe("RoomUses", () => {
  it("WU3: more reads, and newer reads, are a higher score; a read counts half after an hour", () => {
    const uses = new RoomUses();
    for (let i = 0; i < 3; i++) uses.use(room("often"), T0);
    uses.use(room("once"), T0);
    uses.use(room("later"), T0 + 1.3 * HALF_LIFE_MS);
    const list = uses.take(9);
    expect(names(list)).to.deep.equal([room("often"), room("later"), room("once")]);
    const [[, often] = [], [, later] = [], [, once] = []] = list;
    expect(2 ** (often! - once!)).to.be.closeTo(3, 1e-6);
    expect(later! - once!).to.be.closeTo(1.3, 1e-6);
  });

  it("room-uses.2: each read is in one list; a list that was put back is in the next one", () => {
    const uses = new RoomUses();
    uses.use(room(1), T0);
    const first = uses.take(9);
    expect(uses.take(9)).to.deep.equal([]);
    uses.use(room(1), T0);
    uses.putBack(first);
    const [[, score] = []] = uses.take(9);
    expect(2 ** (score! - first[0]![1])).to.be.closeTo(2, 1e-6);
  });

  it("room-uses.2: only the rooms with the highest scores are in a list; the others wait", () => {
    const uses = new RoomUses();
    for (let n = 1; n <= 5; n++) for (let i = 0; i < n; i++) uses.use(room(n), T0);
    expect(names(uses.take(2))).to.deep.equal([room(5), room(4)]);
    expect(names(uses.take(9))).to.deep.equal([room(3), room(2), room(1)]);
  });

  it("WU3, room-uses.1: it knows a bounded number of rooms, and the room that was not read for the longest time goes first", () => {
    const uses = new RoomUses();
    uses.load([[room("stored"), T0 / HALF_LIFE_MS]]);
    for (let n = 0; n < ROOMS_MAX; n++) {
      uses.use(room(n), T0);
      uses.use(room(0), T0);
    }
    expect(uses.size).to.equal(ROOMS_MAX);
    const list = names(uses.take(ROOMS_MAX));
    expect(list[0]).to.equal(room(0));
    expect(list).not.to.include(room("stored"));
    uses.use(room("new"), T0);
    uses.putBack([[room(1), T0 / HALF_LIFE_MS]]); // It is not known any more.
    expect(names(uses.take(ROOMS_MAX))).to.deep.equal([room("new")]);
  });

  it("WU3: a stored score counts with the reads of this process, and is not stored again", () => {
    const uses = new RoomUses();
    const weight = T0 / HALF_LIFE_MS;
    uses.load([
      [room("a"), weight + 5],
      [room("b"), weight],
    ]);
    uses.use(room("b"), T0);
    uses.use(room("c"), T0);
    const list = uses.take(9);
    expect(names(list)).to.deep.equal([room("b"), room("c")]);
    expect(list[0]![1]).to.be.closeTo(weight, 1e-6);
  });

  it("WU3, room-uses.1: stored rooms fill the free places, the highest scores first, and change none that is known", () => {
    const uses = new RoomUses();
    const weight = T0 / HALF_LIFE_MS;
    uses.use(room("known"), T0);
    const stored = Array.from({ length: ROOMS_MAX }, (_, n): RoomScore => [
      n === 0 ? room("known") : room(n),
      weight + 10 - n / ROOMS_MAX,
    ]);
    uses.load(stored);
    expect(uses.size).to.equal(ROOMS_MAX - 1);
    expect(uses.has(room("known"))).to.equal(true);
    expect(uses.has(room(ROOMS_MAX - 2))).to.equal(true);
    expect(uses.has(room(ROOMS_MAX - 1)), "the lowest score has no place").to.equal(false);
    const [[, score] = []] = uses.take(ROOMS_MAX);
    expect(score, "the read of this process").to.be.closeTo(weight, 1e-6);
  });

  it("WU3, room-uses.1: of the stored rooms that are not read, the one with the lowest score goes first", () => {
    const uses = new RoomUses();
    const weight = T0 / HALF_LIFE_MS;
    const stored = Array.from({ length: ROOMS_MAX }, (_, n): RoomScore => [room(n), weight - n]);
    uses.load(stored);
    expect(uses.size).to.equal(ROOMS_MAX);
    uses.use(room("new"), T0);
    expect(uses.size).to.equal(ROOMS_MAX);
    expect([uses.has(room(0)), uses.has(room(ROOMS_MAX - 1))]).to.deep.equal([true, false]);
    // A stored score alone is in no list.
    expect(names(uses.take(ROOMS_MAX))).to.deep.equal([room("new")]);
  });
});
