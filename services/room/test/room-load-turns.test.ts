// Room loads, driven alone: the turns of requesters, and the retries to the millisecond.
// room-loads.test.ts drives them through a partition.

import { expect } from "chai";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { FAILURES_MAX, LOADS_MAX, LOADS_PER_REQUESTER_MAX, RoomLoads } from "../core/room-loads.ts";
import { RoomMemory } from "../core/room-memory.ts";
import { Room } from "../core/room.ts";
import { ADA, T0 } from "./partition-fixture.ts";

const EVE = "eve" as UserId;
const roomId = (n: number): RoomId => `room-${n}` as RoomId;
const userOf = (n: number): UserId => `user-${n}` as UserId;

describe("Room loads alone", () => {
  const memory = new RoomMemory(1 << 24);
  const roomOf = (n: number): Room => new Room(roomId(n), memory, T0);

  /**
   * The times at which a room is requested while each load fails at once, in steps of one
   * millisecond.
   */
  function tries(loads: RoomLoads, room: Room, ms: number): number[] {
    const at: number[] = [];
    for (let now = 0; now <= ms; now++) {
      loads.onTick(now);
      if (loads.start(now).length === 0) continue;
      at.push(now);
      loads.failed(room, now);
    }
    return at;
  }

  it("room-loads.3: retries a room after 250 ms, 500 ms, 1 s, and then every 2 s", () => {
    const loads = new RoomLoads();
    const room = roomOf(1);
    loads.request(room, ADA);
    expect(tries(loads, room, 8_000)).to.deep.equal([0, 250, 750, 1_750, 3_750, 5_750, 7_750]);
  });

  it("room-loads.4: from the fourth failure in a row tries one room at a time, 250 ms after the failure", () => {
    const loads = new RoomLoads();
    const rooms = Array.from({ length: 10 }, (_, n) => roomOf(n));
    for (const room of rooms) loads.request(room, ADA);
    const asked = loads.start(0);
    expect(asked).to.have.length(10);
    for (const room of asked.slice(0, FAILURES_MAX - 1)) loads.failed(room, 0);
    loads.request(roomOf(50), EVE);
    expect(loads.start(0), "still available").to.have.length(1);
    loads.failed(asked[FAILURES_MAX - 1]!, 0);
    loads.request(roomOf(51), EVE);
    loads.request(roomOf(52), EVE);
    for (const room of asked.slice(FAILURES_MAX)) loads.drop(room);
    expect(loads.start(249)).to.deep.equal([]);
    expect(loads.start(250), "one load is already under way").to.deep.equal([]);
  });

  it("room-loads.4: while the archive is unavailable the waits grow, and the first success ends them", () => {
    const loads = new RoomLoads();
    const rooms = Array.from({ length: 30 }, (_, n) => roomOf(n));
    for (const room of rooms) loads.request(room, ADA);
    const first = loads.start(0);
    expect(first).to.have.length(LOADS_PER_REQUESTER_MAX);
    for (const room of first.slice(4)) loads.drop(room);
    for (const room of first.slice(0, 4)) loads.failed(room, 0);
    const at: number[] = [];
    let last: Room | undefined;
    for (let now = 0; at.length < 4; now++) {
      const started = loads.start(now);
      if (started.length === 0) continue;
      expect(started).to.have.length(1);
      at.push(now);
      last = started[0];
      if (at.length < 4) loads.failed(last!, now);
    }
    expect(at).to.deep.equal([250, 750, 1_750, 3_750]);
    loads.succeeded(last!);
    // All waiting rooms may be loaded now.
    expect(loads.start(at.at(-1)!)).to.have.length(9);
  });

  it("room-loads.3: a success makes waiting rooms ready only after the archive was unavailable", () => {
    for (const [failures, woken] of [
      [FAILURES_MAX - 1, 0],
      [FAILURES_MAX, FAILURES_MAX],
    ] as const) {
      const loads = new RoomLoads();
      const rooms = Array.from({ length: failures + 1 }, (_, n) => roomOf(n));
      for (const room of rooms) loads.request(room, ADA);
      loads.start(0);
      for (const room of rooms.slice(1)) loads.failed(room, 0);
      loads.succeeded(rooms[0]!);
      expect(loads.start(0)).to.have.length(woken);
    }
  });

  it("room-loads.1: a requester has at most LOADS_PER_REQUESTER_MAX loads, and each finished load permits one more", () => {
    const loads = new RoomLoads();
    for (let n = 0; n < 2 * LOADS_MAX; n++) loads.request(roomOf(n), ADA);
    const started = loads.start(0);
    expect(started).to.have.length(LOADS_PER_REQUESTER_MAX);
    expect(loads.start(0)).to.deep.equal([]);
    loads.succeeded(started[0]!);
    expect(loads.start(0)).to.have.length(1);
    loads.failed(started[1]!, 0);
    loads.drop(started[2]!);
    expect(loads.start(0)).to.have.length(2);
    for (const room of started.slice(3)) loads.succeeded(room);
    expect(loads.start(0)).to.have.length(LOADS_PER_REQUESTER_MAX - 3);
  });

  it("room-loads.1: after the last of its loads a requester has all of its places again", () => {
    const loads = new RoomLoads();
    const room = roomOf(0);
    loads.request(room, ADA);
    loads.start(0);
    loads.succeeded(room);
    for (let n = 1; n <= LOADS_MAX; n++) loads.request(roomOf(n), ADA);
    expect(loads.start(0)).to.have.length(LOADS_PER_REQUESTER_MAX);
  });

  it("room-table.2: a room is loaded once for all requesters, also during a load or a wait, and not after it was dropped", () => {
    const loads = new RoomLoads();
    const room = roomOf(1);
    loads.drop(room); // Not requested.
    loads.request(room, ADA);
    loads.request(room, ADA);
    expect(loads.start(0)).to.deep.equal([room]);
    loads.request(room, EVE);
    expect(loads.start(0), "being loaded").to.deep.equal([]);
    loads.failed(room, 0);
    loads.request(room, userOf(1));
    expect(loads.start(0), "waiting after a failure").to.deep.equal([]);
    loads.onTick(249);
    expect(loads.start(249)).to.deep.equal([]);
    loads.onTick(250);
    expect(loads.start(250)).to.deep.equal([room]);
    loads.failed(room, 250);
    loads.drop(room);
    loads.onTick(9_999);
    expect(loads.start(9_999)).to.deep.equal([]);
    loads.request(room, ADA);
    expect(loads.start(9_999), "requested again").to.deep.equal([room]);
    loads.drop(room);
    loads.failed(room, 9_999); // The answer to a load that is no longer needed.
    loads.onTick(99_999);
    expect(loads.start(99_999)).to.deep.equal([]);
  });

  it("room-loads.2: a room that several requesters wait for is loaded in the turn of the first, once", () => {
    const loads = new RoomLoads();
    const [shared, other] = [roomOf(1), roomOf(2)];
    for (const requester of [ADA, EVE, userOf(1)]) loads.request(shared, requester);
    loads.request(other, EVE);
    expect(loads.start(0)).to.deep.equal([shared, other]);
    expect(loads.start(0)).to.deep.equal([]);
    loads.failed(shared, 0);
    loads.onTick(250);
    expect(loads.start(250)).to.deep.equal([shared]);
    loads.failed(shared, 250);
    loads.drop(shared);
    loads.onTick(9_999);
    expect(loads.start(9_999)).to.deep.equal([]);
  });

  it("room-table.2: a room that was dropped during its wait is loaded at once when it is requested again", () => {
    const loads = new RoomLoads();
    const room = roomOf(1);
    loads.request(room, ADA);
    loads.start(0);
    loads.failed(room, 0);
    loads.drop(room);
    loads.request(room, ADA);
    expect(loads.start(1)).to.deep.equal([room]);
  });

  it("room-loads.2: requesters take turns in the order of their requests", () => {
    const loads = new RoomLoads();
    for (let n = 0; n < 3; n++) {
      for (const [i, requester] of [ADA, EVE].entries())
        loads.request(roomOf(10 * i + n), requester);
    }
    expect(loads.start(0).map(({ id }) => id)).to.deep.equal([0, 10, 1, 11, 2, 12].map(roomId));
  });

  it("room-loads.2: a requester without a room that waits has no turn from before", () => {
    const loads = new RoomLoads();
    for (const [n, requester] of [ADA, EVE].entries()) loads.request(roomOf(n), requester);
    loads.start(0);
    for (const [n, requester] of [EVE, ADA].entries()) loads.request(roomOf(10 + n), requester);
    expect(loads.start(0).map(({ id }) => id)).to.deep.equal([10, 11].map(roomId));
  });
});
