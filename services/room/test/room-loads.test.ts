// Room loads of a partition: whose room is loaded next, and when a failed load is retried.

import { expect } from "chai";
import type { ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import {
  FAILURES_MAX,
  LOADS_MAX,
  LOADS_PER_REQUESTER_MAX,
  RETRY_CAP_MS,
} from "../core/room-loads.ts";
import { UNLOADED_MS } from "../core/room-table.ts";
import { WAITING_MAX_MS } from "../core/tenure.ts";
import {
  ADA,
  PartitionFixture,
  emptySnapshot,
  GENERAL,
  only,
  resultsOf,
  send,
} from "./partition-fixture.ts";
import type { Effect } from "../core/partition-io.ts";

const BOB = "bob" as UserId;
const roomId = (n: number): RoomId => `room-${n}` as RoomId;
let c = 0;

const loadsOf = (effects: readonly Effect[]): RoomId[] =>
  only(effects, "load-room").map(({ room }) => room);

function join(fixture: PartitionFixture, room: RoomId, user: UserId): RoomId[] {
  return loadsOf(fixture.batch([{ c: ++c, op: "join", room, user }]));
}

function unavailable(fixture: PartitionFixture, room: RoomId): RoomId[] {
  const outcome = { kind: "unavailable", reason: "away" } as const;
  return loadsOf(fixture.step({ kind: "room-loaded", tenure: fixture.tenure, room, outcome }));
}

describe("Room loads", () => {
  it("P22: a user who opens thousands of rooms delays the room of another user by one load", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    const started = Array.from({ length: 2_000 }, (_, n) => join(fixture, roomId(n), ADA)).flat();
    expect(started).to.have.length(LOADS_PER_REQUESTER_MAX);
    expect(join(fixture, GENERAL, BOB), "a free place").to.deep.equal([GENERAL]);
    // Bob opens two hundred rooms as well. From now on the two users take turns.
    const bobs = Array.from({ length: 200 }, (_, n) =>
      join(fixture, roomId(5_000 + n), BOB),
    ).flat();
    expect(bobs).to.have.length(LOADS_MAX - LOADS_PER_REQUESTER_MAX - 1);
    const next: number[] = [];
    for (const room of [...started, GENERAL, ...bobs]) {
      for (const id of loadsOf(fixture.loaded(emptySnapshot(room, 0)))) {
        next.push(Number(id.slice("room-".length)));
      }
    }
    expect(next).to.have.length(LOADS_MAX);
    const ofBob = next.filter((n) => n >= 5_000);
    expect(ofBob.length).to.be.within(LOADS_MAX / 2 - 2, LOADS_MAX / 2 + 2);
  });

  it("P22: while the archive is unavailable, one room at a time is requested, less and less often", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    const gateways = Array.from({ length: 500 }, (_, n) => `gw-${n}` as ProcessId);
    let asked: RoomId[] = [];
    // Members wait for these rooms without a command: each gateway waits for the heads.
    for (const [n, gw] of gateways.entries()) {
      const rooms = Array.from({ length: 4 }, (_, i) => [roomId(4 * n + i), 0, [ADA]] as const);
      const batch = { v: 1, gw, lane: 1, n: 1, commands: [{ c: ++c, op: "sync", rooms }] } as const;
      asked.push(...loadsOf(fixture.step({ kind: "batch", batch })));
    }
    expect(asked).to.have.length(LOADS_MAX);
    const counts: number[] = [];
    for (let second = 0; second < 60; second++) {
      let count = 0;
      for (let tick = 0; tick < 10; tick++) {
        const again = asked.flatMap((room) => unavailable(fixture, room));
        asked = [...again, ...loadsOf(fixture.tick(100))];
        count += asked.length;
        expect(asked.length).to.be.at.most(second === 0 ? LOADS_MAX : 1);
      }
      counts.push(count);
    }
    const perSecond = counts.slice(30).reduce((sum, count) => sum + count, 0) / 30;
    expect(perSecond).to.be.within(0.2, 2_000 / RETRY_CAP_MS);
  });

  it("P22: loads all requested rooms at once when the archive is available again", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    let asked = Array.from({ length: 20 }, (_, n) => join(fixture, roomId(n), ADA)).flat();
    for (let n = 0; n < 15; n++) {
      asked = [
        ...asked.flatMap((room) => unavailable(fixture, room)),
        ...loadsOf(fixture.tick(100)),
      ];
    }
    let open = asked;
    for (let n = 0; open.length === 0 && n < 30; n++) open = loadsOf(fixture.tick(100));
    expect(open).to.have.length(1);
    const rest = loadsOf(fixture.loaded(emptySnapshot(open[0] ?? GENERAL, 0)));
    expect(rest).to.have.length(19);
  });

  it("P22: stops requesting a room that no command waits for, and drops it", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    let asked = Array.from({ length: 200 }, (_, n) => join(fixture, roomId(n), ADA)).flat();
    let refused = 0;
    let lastAsked = 0;
    expect(fixture.memory.rooms).to.equal(200);
    for (let ms = 0; ms <= UNLOADED_MS + 1_000; ms += 100) {
      const again = asked.flatMap((room) => unavailable(fixture, room));
      const effects = fixture.tick(100);
      refused += resultsOf(effects).length;
      asked = [...again, ...loadsOf(effects)];
      if (asked.length > 0) lastAsked = ms;
    }
    expect(refused).to.equal(200);
    expect(lastAsked).to.be.below(WAITING_MAX_MS + 200);
    expect(fixture.memory.rooms).to.equal(0);
  });

  it("O4: a room that could not be loaded still holds back the sends after a refused one", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    const first = send();
    fixture.batch([first]);
    unavailable(fixture, GENERAL);
    fixture.tick(WAITING_MAX_MS + 100);
    expect(fixture.memory.rooms).to.equal(1);
    fixture.batch([send()]);
    fixture.tick(RETRY_CAP_MS + 100);
    const answered = resultsOf(fixture.loaded(emptySnapshot(GENERAL, 0)));
    expect(answered.map((result) => "error" in result && result.error)).to.deep.equal(["busy"]);
  });

  it("P22: fewer than FAILURES_MAX failures in a row delay only the rooms that failed", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    const asked = Array.from({ length: 20 }, (_, n) => join(fixture, roomId(n), ADA)).flat();
    for (const room of asked.slice(0, FAILURES_MAX - 1)) unavailable(fixture, room);
    expect(join(fixture, GENERAL, BOB)).to.deep.equal([GENERAL]);
    expect(loadsOf(fixture.tick(300))).to.have.length(FAILURES_MAX - 1);
  });
});
