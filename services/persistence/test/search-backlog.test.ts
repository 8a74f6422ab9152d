// SearchBacklog and SearchRunner: which rooms are indexed when, on a clock of the test.

import { expect } from "chai";
import { seededRandom } from "#shared/kit/random.ts";
import type { Read } from "#shared/ports/archive.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import {
  BATCH_EVENTS,
  BATCH_ROOMS_MAX,
  FULL_BATCH_EVENTS,
  GIVE_WAY_MS,
  PASS_EVERY_MS,
  REST_MS,
} from "../core/search-backlog.ts";
import { ROOMS_WAITING_MAX, SearchBacklog } from "../core/search-backlog.ts";
import type { IndexedRoom, RoomsBehind } from "../core/search-backlog.ts";
import { isRoomOf, SearchRunner } from "../runtime/search-runner.ts";
import type { SearchReport } from "../runtime/search-runner.ts";

const A = "a" as RoomId;
const B = "b" as RoomId;
const archived = (...rooms: (readonly [RoomId, number])[]) => new Map(rooms);
const indexed = (room: RoomId, to: number, head = to): IndexedRoom => ({
  room,
  to,
  head,
  events: 1,
});

describe("SearchBacklog", () => {
  it("search-backlog.1: the room that waits longest is first, and the lag is its time", () => {
    const backlog = new SearchBacklog();
    backlog.onArchived(archived([A, 3]), 0);
    backlog.onArchived(archived([B, 1], [A, 2]), 100);
    expect([backlog.rooms, backlog.events, backlog.lagMs(150)]).to.deep.equal([2, 6, 150]);
    expect(backlog.take(200)).to.deep.equal([A, B]);
    backlog.onArchived(archived([B, 1]), 250); // During the batch.
    backlog.onIndexed([indexed(A, 4, 5), indexed(B, 1)]);
    expect([backlog.events, backlog.lagMs(300)]).to.deep.equal([2, 300]);
    expect(backlog.take(300)).to.deep.equal([A, B]);
    backlog.onIndexed([indexed(A, 5), indexed(B, 2)]);
    expect([backlog.rooms, backlog.lagMs(400), backlog.batchDue(400)]).to.deep.equal([
      0,
      0,
      undefined,
    ]);
  });

  it("search-backlog.1: rooms that a batch did not finish keep their order and their lag", () => {
    const answers = [indexed(A, 1, 2), indexed(B, 1, 3)];
    for (const answer of [answers, answers.toReversed()]) {
      const backlog = new SearchBacklog();
      backlog.onArchived(archived([A, 3]), 0);
      backlog.onArchived(archived([B, 3]), 5);
      backlog.take(6);
      backlog.onArchived(archived(["c" as RoomId, 1]), 7);
      backlog.onIndexed(answer);
      expect([backlog.events, backlog.lagMs(10)]).to.deep.equal([4, 10]);
      expect(backlog.take(10)).to.deep.equal([A, B, "c"]);
      backlog.onIndexed([A, B, "c" as RoomId].map((room) => indexed(room, 9)));
      expect([backlog.rooms, backlog.events]).to.deep.equal([0, 0]);
    }
  });

  it("search-backlog.1: a batch has a bounded number of rooms", () => {
    const backlog = new SearchBacklog();
    const rooms = Array.from(
      { length: BATCH_ROOMS_MAX + 1 },
      (_, i) => [`r${i}` as RoomId, 1] as const,
    );
    backlog.onArchived(archived(...rooms), 0);
    expect(backlog.take(0)).to.have.length(BATCH_ROOMS_MAX);
  });

  it("search-backlog.1: a batch has about BATCH_EVENTS events, and a room with many leaves room for others", () => {
    const backlog = new SearchBacklog();
    const long = Array.from({ length: 100 }, (_, i) => [`r${i}` as RoomId, 1_000_000] as const);
    backlog.onArchived(archived(...long), 0);
    const taken = backlog.take(0);
    expect(taken).to.have.length(32); // 64 events of each count.
    expect(taken[0]).to.equal("r0");
    expect(backlog.events).to.equal(100_000_000);
    const size = BATCH_EVENTS / 40;
    const short = Array.from({ length: 41 }, (_, i) => [`s${i}` as RoomId, size] as const);
    const even = new SearchBacklog();
    even.onArchived(archived(...short), 0);
    expect(even.take(0), "exactly BATCH_EVENTS").to.have.length(40);
  });

  it("search-backlog.5: a batch begins a rest after the one before, or when a whole batch waits", () => {
    const backlog = new SearchBacklog();
    backlog.onArchived(archived([A, 1]), 10_000);
    expect(backlog.batchDue(10_000)).to.equal(10_000);
    backlog.take(10_000);
    backlog.onIndexed([indexed(A, 1)]);
    backlog.onArchived(archived([A, BATCH_EVENTS / 2]), 10_100);
    backlog.onArchived(archived([A, BATCH_EVENTS / 2 - 1]), 10_100);
    expect(backlog.batchDue(10_200)).to.equal(10_000 + REST_MS);
    expect(backlog.batchDue(10_000 + REST_MS + 50)).to.equal(10_000 + REST_MS + 50);
    backlog.onArchived(archived([B, 1]), 10_300);
    expect(backlog.batchDue(10_300)).to.equal(10_300);
    backlog.take(10_300);
    backlog.onIndexed([indexed(A, 1, BATCH_EVENTS), indexed(B, 1)]); // All but one are left.
    expect(backlog.batchDue(10_400)).to.equal(10_300 + REST_MS);
    backlog.onArchived(archived([B, 1]), 10_400);
    expect(backlog.batchDue(10_400)).to.equal(10_400);
  });

  it("search-backlog.2: rooms beyond the bound are found by a pass, which begins at once", () => {
    const backlog = new SearchBacklog();
    backlog.onFound({ rooms: [{ room: A, events: 2 }] }, 0);
    expect(backlog.passDue).to.equal(PASS_EVERY_MS);
    const rooms = Array.from(
      { length: ROOMS_WAITING_MAX },
      (_, i) => [`r${i}` as RoomId, 1] as const,
    );
    backlog.onArchived(archived(...rooms), 10);
    expect(backlog.rooms).to.equal(ROOMS_WAITING_MAX);
    expect(backlog.passDue).to.equal(-Infinity);
    // A room that waits already needs no pass.
    backlog.onFound({ rooms: [] }, 20);
    const { events, passDue } = backlog;
    backlog.onArchived(archived([A, 4]), 30);
    expect([backlog.events, backlog.passDue]).to.deep.equal([events + 4, passDue]);
  });

  it("search-backlog.3: waits while the archive is behind, for GIVE_WAY_MS at most", () => {
    const backlog = new SearchBacklog();
    const full = archived([A, FULL_BATCH_EVENTS]);
    backlog.onArchived(full, 10_000);
    expect(backlog.batchDue(10_000)).to.equal(10_500); // 500 ms without a full batch.
    for (let now = 10_400; now < 10_000 + GIVE_WAY_MS; now += 400) backlog.onArchived(full, now);
    const first = 10_000 + GIVE_WAY_MS;
    expect(backlog.batchDue(first - 100)).to.equal(first);
    backlog.take(first);
    backlog.onIndexed([indexed(A, 5, 9)]);
    for (let now = first; now < first + GIVE_WAY_MS; now += 400) backlog.onArchived(full, now);
    expect(backlog.batchDue(first + GIVE_WAY_MS - 100)).to.equal(first + GIVE_WAY_MS);
    backlog.onArchived(archived([A, 3]), first + 60_000);
    expect(backlog.batchDue(first + 60_000)).to.equal(first + 60_000);
  });

  it("search-backlog.4: a failed batch waits at its old place", () => {
    const backlog = new SearchBacklog();
    backlog.onArchived(archived([A, 1]), 0);
    backlog.take(5);
    backlog.onArchived(archived([B, 1], [A, 1]), 10);
    backlog.onFailed();
    expect([backlog.events, backlog.lagMs(20)]).to.deep.equal([3, 20]);
    expect(backlog.take(20)).to.deep.equal([A, B]);
    backlog.onIndexed([indexed(A, 2), indexed(B, 1)]);
    expect(backlog.events).to.equal(0);
  });

  it("search-backlog.2: what a pass finds is not counted again while it waits or is in a batch", () => {
    const backlog = new SearchBacklog();
    backlog.onArchived(archived([A, 3]), 0);
    backlog.take(1);
    backlog.onArchived(archived([B, 2]), 2);
    expect([backlog.rooms, backlog.events]).to.deep.equal([2, 5]);
    const rooms = [A, B, "c" as RoomId].map((room) => ({ room, events: 9 }));
    backlog.onFound({ rooms }, 3);
    expect([backlog.rooms, backlog.events]).to.deep.equal([3, 14]);
  });

  it("search-backlog.2: the next pass is due a while after the end of the one before, and not later", () => {
    const backlog = new SearchBacklog();
    backlog.onFound({ rooms: [], next: A }, 0);
    expect(backlog.passDue).to.equal(-Infinity);
    backlog.onFound({ rooms: [] }, 10);
    expect(backlog.passDue).to.equal(10 + PASS_EVERY_MS);
    backlog.onFound({ rooms: [] }, 500);
    expect(backlog.passDue).to.equal(10 + PASS_EVERY_MS);
  });

  it("search-backlog.3: the time that the archive is behind ends 500 ms after its last full batch", () => {
    const backlog = new SearchBacklog();
    const full = archived([A, FULL_BATCH_EVENTS]);
    backlog.onArchived(full, 0);
    for (let now = 500; now < 500 + GIVE_WAY_MS; now += 400) backlog.onArchived(full, now);
    expect(backlog.batchDue(GIVE_WAY_MS)).to.equal(500 + GIVE_WAY_MS);
  });

  it("search-backlog.4: a room that was in no batch is not waiting behind it", () => {
    const backlog = new SearchBacklog();
    backlog.onArchived(archived([A, 1]), 0);
    backlog.take(1);
    backlog.onIndexed([indexed(B, 1, 5)]);
    expect([backlog.rooms, backlog.events]).to.deep.equal([0, 0]);
  });
});

/** An index whose answers the test gives. */
class ScriptedIndex {
  readonly calls: string[] = [];
  behind: Read<RoomsBehind> = { kind: "ok", value: { rooms: [] } };
  answer: (rooms: readonly RoomId[]) => Read<readonly IndexedRoom[]> = (rooms) => ({
    kind: "ok",
    value: rooms.map((room) => indexed(room, 1)),
  });

  roomsBehind({ after }: { readonly after: string }): Promise<Read<RoomsBehind>> {
    this.calls.push(`pass ${after}`);
    return Promise.resolve(this.behind);
  }

  indexRooms(rooms: readonly RoomId[]): Promise<Read<readonly IndexedRoom[]>> {
    this.calls.push(rooms.join(" "));
    return Promise.resolve(this.answer(rooms));
  }
}

function openRunner() {
  const clock = new FakeClock();
  const index = new ScriptedIndex();
  const reports: SearchReport["kind"][] = [];
  const runner = new SearchRunner({
    index,
    clock,
    random: seededRandom(1),
    isMine: (room) => room !== "other",
    onReport: ({ kind }) => void reports.push(kind),
  });
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 50) {
      clock.advance(50);
      for (let i = 0; i < 20; i++) await Promise.resolve();
    }
  };
  const event = (room: RoomId) => ({ room }) as never;
  const onArchived = (...rooms: RoomId[]): void => runner.onArchived({ events: rooms.map(event) });
  return { index, reports, runner, pass, onArchived };
}

describe("SearchRunner", () => {
  it("search-runner.1, search-runner.3: passes over all rooms at its start, then indexes what was archived", async () => {
    const { index, runner, pass, onArchived } = openRunner();
    const rooms = [A, "other" as RoomId].map((room) => ({ room, events: 1 }));
    index.behind = { kind: "ok", value: { rooms, next: B } };
    runner.start();
    await pass(50);
    index.behind = { kind: "ok", value: { rooms: [] } };
    await pass(100);
    expect(index.calls).to.deep.equal(["pass ", "a", "pass b"]);
    onArchived(A, A);
    onArchived(B);
    expect(runner.lagEvents).to.equal(3);
    await pass(REST_MS);
    expect(index.calls.slice(3)).to.deep.equal(["a b"]);
    expect([runner.lagEvents, runner.lagMs]).to.deep.equal([0, 0]);
    await pass(PASS_EVERY_MS);
    expect(index.calls.slice(4)).to.deep.equal(["pass "]);
    await runner.stop();
    onArchived(A);
    await pass(1_000);
    expect(index.calls).to.have.length(5);
  });

  it("search-runner.2: repeats with backoff while PostgreSQL is away, and loses no room", async () => {
    const { index, reports, runner, pass, onArchived } = openRunner();
    runner.start();
    await pass(50);
    index.answer = () => ({ kind: "unavailable", reason: "away" });
    onArchived(A);
    await pass(5_000);
    expect(reports.length).to.be.within(2, 20);
    expect(reports).to.not.include("indexed");
    expect(runner.lagMs).to.be.at.least(4_900);
    index.answer = () => ({ kind: "ok", value: [indexed(A, 1)] });
    await pass(11_000);
    expect(reports.at(-1)).to.equal("indexed");
    expect(runner.lagEvents).to.equal(0);
  });

  it("search-runner.1: a process indexes the rooms of the partitions that it archives", () => {
    const map = { partitionOf: (room: RoomId) => (room === A ? 1 : 2) };
    const isMine = isRoomOf(map, () => [[1, 0]] as const);
    expect([isMine(A), isMine(B)]).to.deep.equal([true, false]);
  });
});
