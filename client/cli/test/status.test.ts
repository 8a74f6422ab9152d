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

function whole(): ProcessStatus[] {
  return [
    one("gateway", { connections: 3, rooms: 2, unanswered: 0 }),
    one("room", { partitions: 2, owns: { 0: 812, 1: 7 }, rooms: 2 }),
    one("persistence", { partitions: 2, logs: [log(0), log(1)] }),
  ];
}

describe("Status", () => {
  it("E6: a whole cluster has a line for each process and partition, and no problem", () => {
    const { lines, problems } = overviewOf(whole());
    expect(problems).to.deep.equal([]);
    expect(lines).to.have.length(3 + 2 + 2);
    expect(lines[0]).to.contain("gateway").and.to.contain("3 sockets").and.to.contain("up 90 s");
    expect(lines[5]).to.contain("812").and.to.contain("room-1").and.to.contain("10.0 %");
  });

  it("E6: what is wrong is said in one line each", () => {
    const [gateway, room, persistence] = whole();
    const rival = one("room", { id: "room-2" as ProcessId, owns: { 0: 900 }, partitions: 2 });
    const bad = { ...log(0), isReachable: false, lagSeconds: 61, fill: 0.71 };
    const lost = { ...log(1), missing: 500 };
    const cases: readonly (readonly [ProcessStatus[], readonly string[]])[] = [
      [
        [],
        ["no gateway process answers", "no room process answers", "no persistence process answers"],
      ],
      [[gateway!, { ...room!, owns: { 0: 812 } }, persistence!], ["partition 1 has no owner"]],
      [[...whole(), rival], ["partition 0 is held by room-1 and room-2"]],
      [
        [gateway!, room!, { ...persistence!, logs: [log(0)] }],
        ["partition 1 is not archived by anybody"],
      ],
      [[gateway!, room!, { ...persistence!, version: "2" }], ["versions differ: 1, 2"]],
      [
        [gateway!, room!, { ...persistence!, logs: [log(0), lost] }],
        ["the log of partition 1 lacks 500 archived entries: it was lost, see parley restore"],
      ],
      [
        [gateway!, room!, { ...persistence!, logs: [bad, log(1)] }],
        [
          "the log of partition 0 does not answer",
          "partition 0 waits 61 s for the archive",
          "the log of partition 0 is 71 % full",
        ],
      ],
    ];
    for (const [processes, problems] of cases) {
      expect(overviewOf(processes).problems.toSorted()).to.deep.equal(problems.toSorted());
    }
  });
});
