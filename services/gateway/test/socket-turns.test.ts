// SocketTurns, by example: the order and the time of turns.

import { expect } from "chai";
import { TURN_LATE_MS, TURNS_LATE_MAX, TURNS_PER_SOCKET_MAX } from "../core/bounds.ts";
import { SocketTurns } from "../core/socket-turns.ts";

function bench() {
  const turns = new SocketTurns<string>();
  const ran: string[] = [];
  const want = (...keys: string[]): void => {
    for (const key of keys) turns.request(key, () => ran.push(key));
  };
  const give = (now: number): string[] => {
    const before = ran.length;
    for (let run = turns.next(now); run !== undefined; run = turns.next(now)) run();
    return ran.slice(before);
  };
  return { turns, want, give };
}

const names = (count: number) => Array.from({ length: count }, (_, n) => `room-${n}`);

describe("SocketTurns", () => {
  it("L7: turns are given in order, and a next request goes behind all others", () => {
    const { turns, want, give } = bench();
    want(...names(6));
    expect(give(0)).to.deep.equal(names(TURNS_PER_SOCKET_MAX));
    want("room-0");
    turns.end("room-1");
    expect(give(0)).to.deep.equal(["room-4", "room-5"]);
    turns.end("room-2");
    expect(give(0)).to.deep.equal(["room-0"]);
  });

  it("L7: a key that ended gets no turn", () => {
    const { turns, want, give } = bench();
    want("a", "b");
    turns.end("a");
    expect(give(0)).to.deep.equal(["b"]);
    want("c");
    turns.end("c");
    expect([turns.isRequested, give(0)]).to.deep.equal([false, []]);
  });

  it("L7: late turns make room for others, up to TURNS_LATE_MAX", () => {
    const { turns, want, give } = bench();
    want(...names(100));
    let given = give(0).length;
    expect(turns.wakeAt(0)).to.equal(TURN_LATE_MS);
    for (let now = TURN_LATE_MS - 1; now < 10 * TURN_LATE_MS; now += TURN_LATE_MS / 2) {
      given += give(now).length;
      expect(given).to.be.at.most(TURNS_PER_SOCKET_MAX * (1 + Math.floor(now / TURN_LATE_MS)));
    }
    expect(given).to.equal(TURNS_LATE_MAX);
    expect(turns.wakeAt(10 * TURN_LATE_MS)).to.equal(undefined);
    turns.end("room-0");
    expect(give(10 * TURN_LATE_MS)).to.deep.equal([`room-${TURNS_LATE_MAX}`]);
  });

  it("L7: it wakes only when a turn is requested, none is free, and a late one will free a place", () => {
    const { turns, want, give } = bench();
    expect([turns.isRequested, turns.wakeAt(0)]).to.deep.equal([false, undefined]);
    want(...names(TURNS_PER_SOCKET_MAX));
    expect([turns.isRequested, turns.wakeAt(0)], "a place is free").to.deep.equal([
      true,
      undefined,
    ]);
    expect(give(5)).to.have.length(TURNS_PER_SOCKET_MAX);
    expect([turns.isRequested, turns.wakeAt(5)], "none waits").to.deep.equal([false, undefined]);
    want("more");
    expect(turns.wakeAt(6)).to.equal(5 + TURN_LATE_MS);
    expect(give(5 + TURN_LATE_MS - 1)).to.deep.equal([]);
    expect(turns.wakeAt(5 + TURN_LATE_MS)).to.equal(undefined);
    expect(give(5 + TURN_LATE_MS)).to.deep.equal(["more"]);
  });

  it("L7: it is empty when no key waits and none has a turn", () => {
    const { turns, want, give } = bench();
    expect(turns.isEmpty).to.equal(true);
    want("a");
    expect(turns.isEmpty, "one waits").to.equal(false);
    give(0);
    expect(turns.isEmpty, "one has a turn").to.equal(false);
    want("b");
    expect(turns.isEmpty, "one waits, one has a turn").to.equal(false);
    turns.end("b");
    turns.end("a");
    expect(turns.isEmpty).to.equal(true);
  });
});
