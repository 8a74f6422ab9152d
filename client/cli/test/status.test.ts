// The overview of `parley status`: its lines and its problems.

import { expect } from "chai";
import type { ProcessStatus } from "#shared/protocol/control.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";
import { overviewOf } from "../status.ts";

function one(kind: ProcessStatus["kind"], more: Partial<ProcessStatus>): ProcessStatus {
  const id = `${kind.slice(0, 4)}-1` as ProcessId;
  const known = { v: 1, id, kind, version: "1", host: "h", pid: 7, upSeconds: 90 } as const;
  return { ...known, ...more };
}

const log = (p: number) => ({ p, isReachable: true, lagEntries: 0, lagSeconds: 0, fill: 0.1 });

function healthy(): ProcessStatus[] {
  return [
    one("gateway", { connections: 3, rooms: 2, unanswered: 0 }),
    one("room", { partitions: 2, owns: { 0: 812, 1: 7 }, rooms: 2 }),
    one("persistence", { partitions: 2, logs: [log(0), log(1)] }),
  ];
}

describe("Status", () => {
  it("E6: prints one line for each process and each partition, and no problem for a healthy cluster", () => {
    const { lines, problems } = overviewOf(healthy());
    expect(problems).to.deep.equal([]);
    expect(lines).to.have.length(3 + 2 + 2);
    expect(lines[0]).to.contain("gateway").and.to.contain("3 sockets").and.to.contain("up 90 s");
    expect(lines[5]).to.contain("812").and.to.contain("room-1").and.to.contain("10.0 %");
  });

  it("P27: shows the load of a room node, and names a hot partition as a problem", () => {
    const [gateway, room, persistence] = healthy();
    const load = { capacity: 0.5, busy: 0.43, weight: 0.71, hot: [1] };
    const { lines, problems } = overviewOf([gateway!, { ...room!, load }, persistence!]);
    expect(lines[1]).to.contain("86 % of 0.50 cores, weight 0.71");
    expect(problems).to.deep.equal([
      "partition 1 is hot: it alone takes half of room-1 or more, so no move helps",
    ]);
  });

  it("E6: prints one line for each problem", () => {
    const [gateway, room, persistence] = healthy();
    const rival = one("room", { id: "room-2" as ProcessId, owns: { 0: 900 }, partitions: 2 });
    const bad = { ...log(0), isReachable: false, lagSeconds: 61, fill: 0.71 };
    const lost = { ...log(1), missing: 500 };
    const cases: readonly (readonly [ProcessStatus[], readonly string[]])[] = [
      [
        [],
        ["no gateway process answers", "no room process answers", "no persistence process answers"],
      ],
      [[gateway!, { ...room!, owns: { 0: 812 } }, persistence!], ["partition 1 has no owner"]],
      [[...healthy(), rival], ["partition 0 has several owners: room-1, room-2"]],
      [
        [gateway!, room!, { ...persistence!, logs: [log(0)] }],
        ["no persistence process archives partition 1"],
      ],
      [[gateway!, room!, { ...persistence!, version: "2" }], ["versions differ: 1, 2"]],
      [
        [gateway!, room!, { ...persistence!, logs: [log(0), lost] }],
        ["the log of partition 1 lacks 500 archived entries: it was lost, see parley restore logs"],
      ],
      [
        [gateway!, room!, { ...persistence!, logs: [bad, log(1)] }],
        [
          "the log of partition 0 does not answer",
          "the archive is 61 s behind the log of partition 0",
          "the log of partition 0 is 71 % full",
        ],
      ],
    ];
    for (const [processes, problems] of cases) {
      expect(overviewOf(processes).problems.toSorted()).to.deep.equal(problems.toSorted());
    }
  });
});
