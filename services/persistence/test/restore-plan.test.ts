import { expect } from "chai";
import { partitionOf } from "#shared/protocol/ids.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { PartitionMap } from "#shared/protocol/partition-map.ts";
import { LOST_ENTRIES_MAX } from "#shared/ports/restore.ts";
import { planPartition } from "../core/restore-plan.ts";
import type { RestoreChoice } from "../core/restore-plan.ts";

const choice: RestoreChoice = {
  map: new PartitionMap(4),
  lost: "auto",
  isArchiveIntact: false,
  discard: [],
};
const settled = { p: 2, seq: 500, isSettled: true };
const open = { p: 2, seq: 500, isSettled: false };
const empty = { first: 1, last: 0, entries: 0 };

describe("Restore plan", () => {
  it("restore-plan.1: keeps a log that reaches the archive, also one that is empty by now", () => {
    for (const stream of [
      { first: 1, last: 500, entries: 500 },
      { first: 501, last: 900, entries: 400 },
      { first: 501, last: 500, entries: 0 },
    ]) {
      expect(planPartition(open, stream, { ...choice, lost: "all" }).kind).to.equal("whole");
    }
  });

  it("restore-plan.1: refuses a log that holds entries and does not fit, until the operator discards it by name", () => {
    const shorter = { first: 1, last: 20, entries: 20 };
    const holed = { first: 700, last: 900, entries: 201 };
    for (const stream of [shorter, holed]) {
      expect(planPartition(settled, stream, { ...choice, lost: "none" })).to.include({
        kind: "refused",
      });
    }
    const discard = { ...choice, lost: "none", discard: [2] } as const;
    expect(planPartition(settled, shorter, discard)).to.include({ firstSeq: 501 });
    // Entries 501 to 699 were acknowledged and exist nowhere: no option can change that.
    const plan = planPartition(settled, holed, discard);
    expect(plan).to.deep.include({
      firstSeq: 900 + LOST_ENTRIES_MAX + 1,
      lostRange: { p: 2, from: 500, to: 900 + LOST_ENTRIES_MAX },
    });
  });

  it("restore-plan.2: keeps births with proof on an archive that is no backup, and in no other case", () => {
    const kept = (end: typeof settled, more: Partial<RestoreChoice>): boolean => {
      const plan = planPartition(end, undefined, { ...choice, ...more });
      return plan.kind === "restore" && plan.lostRange === undefined;
    };
    expect(kept(settled, { isArchiveIntact: true })).to.equal(true);
    expect(kept(settled, {})).to.equal(false);
    expect(kept(open, { isArchiveIntact: true })).to.equal(false);
    expect(kept(open, { lost: "none" })).to.equal(true);
    expect(kept(settled, { isArchiveIntact: true, lost: "all" })).to.equal(false);
    // The log had entries behind the archive, and they were purged.
    const purged = planPartition(
      settled,
      { first: 601, last: 600, entries: 0 },
      { ...choice, isArchiveIntact: true },
    );
    expect(purged).to.have.property("lostRange");
  });

  it("restore-plan.3: where births are kept the log continues directly behind the archive, else far above it", () => {
    const intact = { ...choice, isArchiveIntact: true };
    expect(planPartition(settled, empty, intact)).to.include({ firstSeq: 501 });
    expect(planPartition(open, undefined, intact)).to.deep.include({
      firstSeq: 501 + LOST_ENTRIES_MAX,
      lostRange: { p: 2, from: 500, to: 500 + LOST_ENTRIES_MAX },
    });
  });

  it("restore-plan.2: recreates the rooms that the operator names, and none of other partitions", () => {
    const rooms = ["general", "dev", "ops", "random", "help"] as RoomId[];
    const here = rooms.filter((room) => partitionOf(room, 4) === 2);
    const others = rooms.filter((room) => partitionOf(room, 4) !== 2);
    expect(here).to.not.deep.equal([]);
    const plan = planPartition(open, undefined, { ...choice, lost: rooms });
    expect(plan)
      .to.have.property("lostRange")
      .that.deep.include({ rooms: new Set(here) });
    expect(planPartition(open, undefined, { ...choice, lost: others })).to.include({
      firstSeq: 501,
    });
  });

  it("R5: an upper half that has not begun is never declared lost, and its log begins with 2", () => {
    const map = new PartitionMap(4);
    const end = { p: 6, seq: 0, isSettled: true };
    const all = { ...choice, map, lost: "all" } as const;
    expect(planPartition(end, { first: 2, last: 1, entries: 0 }, all).kind).to.equal("whole");
    const plan = planPartition(end, undefined, all);
    expect(plan).to.include({ kind: "restore", firstSeq: 2 });
    expect(plan).not.to.have.any.keys("lostRange");
    // It has begun, and its log was lost with nothing behind the archive.
    const begun = planPartition({ ...end, seq: 1 }, undefined, { ...all, lost: "none" });
    expect(begun).to.include({ kind: "restore", firstSeq: 2 });
    map.learn(2, 8);
    const rooms = Array.from({ length: 200 }, (_, n) => `r-${n}` as RoomId);
    const here = rooms.filter((room) => map.partitionOf(room) === 6);
    const lost = planPartition({ ...end, seq: 9 }, undefined, { ...all, lost: rooms });
    expect(lost.kind === "restore" && [...(lost.lostRange?.rooms ?? [])]).to.deep.equal(here);
  });

  it("restore-plan.2: an empty archive proves nothing: a log that is gone may have held acknowledged messages", () => {
    const plan = planPartition({ p: 2, seq: 0, isSettled: false }, undefined, choice);
    expect(plan).to.deep.include({ lostRange: { p: 2, from: 0, to: LOST_ENTRIES_MAX } });
  });

  it("R4: each plan says what it rests on, as the operator decides by it", () => {
    const here = ["general", "dev", "ops", "random", "help"].filter(
      (room) => partitionOf(room as RoomId, 4) === 2,
    ) as RoomId[];
    const intact = { isArchiveIntact: true };
    const holed = { first: 601, last: 600, entries: 0 };
    const notBegun = { p: 6, seq: 0, isSettled: true };
    for (const [end, stream, more, why] of [
      [notBegun, undefined, {}, /not begun/],
      [open, { first: 3, last: 20, entries: 18 }, {}, /entries 3 to 20.*ends at 500/],
      [open, holed, {}, /between the archive and the log/],
      [open, undefined, { lost: "none" }, /you state that nothing is lost/],
      [open, undefined, { lost: "all" }, /you state that something is lost/],
      [open, undefined, { lost: here }, new RegExp(`you state that ${here.join(", ")} lost`)],
      [open, undefined, { lost: [] }, /no room of this partition/],
      [open, undefined, intact, /more than the archive has/],
      [settled, undefined, intact, /last owner released it/],
      [settled, undefined, {}, /--archive-intact/],
    ] as const) {
      const plan = planPartition(end, stream, { ...choice, ...more });
      expect(plan).to.have.property("why").that.matches(why);
    }
    const all = { lostRange: { p: 2, from: 500, to: 500 + LOST_ENTRIES_MAX } };
    expect(planPartition(open, undefined, { ...choice, lost: "all" })).to.deep.include(all);
    expect(planPartition(settled, undefined, choice)).to.deep.include(all);
  });
});
