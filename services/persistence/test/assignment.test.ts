// Which of several persistence processes archives which partitions.

import { expect } from "chai";
import type { ProcessId } from "#shared/protocol/ids.ts";
import { Assignment } from "../core/assignment.ts";

const [A, B, C] = ["pers-a", "pers-b", "pers-c"] as [ProcessId, ProcessId, ProcessId];
const PARTITIONS = 16;
const ALL = Array.from({ length: PARTITIONS }, (_, p) => p);

describe("Assignment", () => {
  it("D2: a single process takes every partition once, and repeating the update changes nothing", () => {
    const assignment = new Assignment(A, PARTITIONS);
    expect([...assignment.mine]).to.deep.equal([]);
    expect(assignment.update([])).to.deep.equal({ take: ALL, drop: [] });
    expect([...assignment.mine]).to.deep.equal(ALL);
    expect(assignment.update([A])).to.deep.equal({ take: [], drop: [] });
  });

  it("D2: processes that see the same live processes divide the partitions without gap or overlap", () => {
    const members = [A, B, C];
    const shares = members.map((self) => new Assignment(self, PARTITIONS).update(members).take);
    expect(shares.flat().toSorted((a, b) => a - b)).to.deep.equal(ALL);
    for (const share of shares) expect(share).to.not.be.empty;
  });

  it("D2: a new process takes its share, and a process that leaves returns it", () => {
    const assignment = new Assignment(A, PARTITIONS);
    assignment.update([]);
    const { take, drop } = assignment.update([B]);
    expect(take).to.deep.equal([]);
    expect(drop).to.deep.equal(new Assignment(B, PARTITIONS).update([A]).take);
    expect(drop).to.not.be.empty;
    expect([...assignment.mine]).to.deep.equal(ALL.filter((p) => !drop.includes(p)));
    expect(assignment.update([])).to.deep.equal({ take: drop, drop: [] });
  });

  it("D2: the share of a process is fixed by the hash, since processes of two versions must agree", () => {
    const share = [2, 3, 5, 10, 11, 15];
    expect(new Assignment(A, PARTITIONS).update([B, C]).take).to.deep.equal(share);
  });

  it("D2: more partitions are assigned with the next update", () => {
    const assignment = new Assignment(A, 2);
    assignment.update([]);
    assignment.partitions = 4;
    expect([...assignment.mine]).to.deep.equal([0, 1]);
    expect(assignment.update([])).to.deep.equal({ take: [2, 3], drop: [] });
  });
});
