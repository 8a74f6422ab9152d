// RangeReader: reads of many users through one gateway, and their waits.

import { expect } from "chai";
import type { ArchiveReader } from "#shared/ports/archive.ts";
import { partitionOf } from "#shared/protocol/ids.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { PartitionMap } from "#shared/protocol/partition-map.ts";
import { READS_MAX, READS_PER_PARTITION_MAX, READS_PER_USER_MAX } from "../core/bounds.ts";
import { RangeReader } from "../runtime/range-reader.ts";

const PARTITIONS = 16;

/** An owner without lines, and an archive that answers when the test requests it. */
function openReader() {
  const waiting: { room: RoomId; answer: () => void }[] = [];
  const asked: RoomId[] = [];
  const archive: Pick<ArchiveReader, "range"> = {
    range: (_p, room, first) =>
      new Promise((resolve) => {
        asked.push(room);
        const value = { first, lines: ["{}"], head: 1 };
        waiting.push({ room, answer: () => resolve({ kind: "ok", value }) });
      }),
  };
  const lanes = {
    submit: (command: { op: string }, onAnswer: (answer: object) => void) => {
      if (command.op === "range") onAnswer({ result: { c: 1, error: "internal" } });
    },
  };
  const ranges = new RangeReader(
    lanes as never,
    archive as ArchiveReader,
    new PartitionMap(PARTITIONS),
  );
  const read = (user: string, room: string, first = 1): Promise<unknown> =>
    ranges.read({ room: room as RoomId, first, last: first, head: 1 }, user as UserId);
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  /** Answers the oldest waiting read. False: none waited. */
  const answer = async (): Promise<boolean> => {
    const next = waiting.shift();
    next?.answer();
    await settle();
    return next !== undefined;
  };
  return { asked, waiting, read, settle, answer };
}

/** `count` rooms of one partition. */
function roomsOf(p: number, count: number): string[] {
  const rooms: string[] = [];
  for (let n = 0; rooms.length < count; n++) {
    if (partitionOf(`r-${n}` as RoomId, PARTITIONS) === p) rooms.push(`r-${n}`);
  }
  return rooms;
}

describe("RangeReader: reads of many users", () => {
  it("L8: a user with many reads does not delay another user's read", async () => {
    const fixture = openReader();
    for (let n = 0; n < 1_000; n++) void fixture.read("mallory", `cold-${n}`);
    void fixture.read("bob", "bobs");
    await fixture.settle();
    expect(fixture.waiting.length).to.equal(READS_PER_USER_MAX + 1);
    expect(fixture.asked).to.include("bobs");
  });

  it("L8: waiting users get one read each in turn", async () => {
    const fixture = openReader();
    for (let user = 0; user < READS_MAX; user++) {
      for (let n = 0; n < 3; n++) void fixture.read(`user-${user}`, `room-${user}-${n}`);
    }
    for (let n = 0; n < 100; n++) void fixture.read("mallory", `cold-${n}`);
    for (const user of ["ada", "bob", "eve"]) void fixture.read(user, `${user}s`);
    await fixture.settle();
    let answers = 0;
    while (!["adas", "bobs", "eves"].every((room) => fixture.asked.includes(room as RoomId))) {
      expect(await fixture.answer()).to.equal(true);
      answers++;
    }
    expect(answers).to.be.at.most(READS_MAX + 4);
    while (await fixture.answer());
    expect(new Set(fixture.asked).size).to.equal(READS_MAX * 3 + 103);
  });

  it("L8: a partition whose reads do not return does not take the places of the others", async () => {
    const fixture = openReader();
    for (const [n, room] of roomsOf(0, 500).entries()) void fixture.read(`user-${n}`, room);
    const [other] = roomsOf(1, 1);
    void fixture.read("bob", other!);
    await fixture.settle();
    expect(fixture.waiting.length).to.equal(READS_PER_PARTITION_MAX + 1);
    expect(fixture.asked).to.include(other);
  });

  it("L8: a second user of a waiting read does not wait as long as the first", async () => {
    const fixture = openReader();
    const hogged: Promise<unknown>[] = [];
    for (let n = 0; n < 200; n++) hogged.push(fixture.read("mallory", `cold-${n}`));
    const shared = fixture.read("bob", "cold-199");
    await fixture.settle();
    expect(fixture.asked).to.include("cold-199");
    while (await fixture.answer());
    expect(await shared).to.equal(await hogged[199]);
    expect(new Set(fixture.asked).size).to.equal(200);
    expect(fixture.asked).to.have.length(200);
  });

  it("L8: beyond the bound a user's reads are refused, and another user's are not", async () => {
    const fixture = openReader();
    const outcomes: unknown[] = [];
    for (let n = 0; n < 2_000; n++) {
      void fixture.read("mallory", `cold-${n}`).then((block) => outcomes.push(block));
    }
    void fixture.read("bob", "bobs");
    await fixture.settle();
    expect(outcomes.length).to.be.greaterThan(1_000);
    expect(outcomes.every((block) => block === undefined)).to.equal(true);
    expect(fixture.asked).to.include("bobs");
  });
});
