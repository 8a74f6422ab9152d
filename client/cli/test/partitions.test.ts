// `parley partitions split`: its refusals.

import { expect } from "chai";
import { NatsUnreachable } from "#shared/adapters/nats-unreachable.ts";
import type { ProcessStatus } from "#shared/protocol/control.ts";
import type { NodeKind, ProcessId } from "#shared/protocol/ids.ts";
import { checkSplit, missingOwners, SplitError, waitForOwners } from "../partitions.ts";

function status(kind: NodeKind, more: Partial<ProcessStatus> = {}): ProcessStatus {
  const id = `${kind}-1` as ProcessId;
  const common = { v: 1, id, kind, version: "1", host: "h", pid: 1, upSeconds: 1 } as const;
  return { ...common, partitionsMax: 1_024, ...more };
}

const ALL = [status("gateway"), status("room", { owns: { 0: 1, 2: 4 } }), status("persistence")];
const NUMBERS = { first: 4, now: 8, goal: 16, limit: 64 };

function refusal(
  statuses: readonly ProcessStatus[],
  numbers: Partial<typeof NUMBERS> = {},
): string {
  try {
    checkSplit(statuses, { ...NUMBERS, ...numbers });
    return "ok";
  } catch (error: unknown) {
    if (!(error instanceof SplitError)) throw error;
    expect(error.message).to.match(new RegExp(`^${error.code}: .{10}`));
    return error.code;
  }
}

describe("parley partitions", () => {
  it("partitions.2: refuses a split that the cluster cannot serve, each time with a name", () => {
    const old = status("gateway");
    const { partitionsMax: _none, ...older } = old;
    expect(refusal(ALL)).to.equal("ok");
    expect(refusal([])).to.equal("no_processes");
    expect(refusal([...ALL, older])).to.equal("older_version");
    expect(refusal([...ALL, status("room", { partitionsMax: 8 })])).to.equal("too_many");
    for (const goal of [12, 4, 4_096]) expect(refusal(ALL, { goal })).to.equal("no_doubling");
    expect(refusal(ALL, { goal: 128 })).to.equal("no_rights");
    expect(refusal(ALL, { goal: 128, limit: 128 })).to.equal("ok");
  });

  it("T10: refuses to split a cluster of two regions", () => {
    expect(refusal([...ALL, status("region")])).to.equal("two_regions");
  });

  it("partitions.1: a doubling that is not complete is found by the partitions without an owner", () => {
    expect(missingOwners(ALL, 4)).to.deep.equal([1, 3]);
    expect(missingOwners(ALL, 1)).to.deep.equal([]);
  });

  it("partitions.1: waits for the owners also while NATS does not answer, and for no other failure", async () => {
    const said: string[] = [];
    const answers = [
      () => Promise.resolve(ALL),
      () => Promise.reject(new NatsUnreachable("timeout")),
      () => Promise.resolve([status("room", { owns: { 0: 1, 1: 2, 2: 4, 3: 5 } })]),
    ];
    await waitForOwners(
      () => answers.shift()!(),
      4,
      (line) => said.push(line),
    );
    expect(said).to.deep.equal(["2 of 4 partitions are served", "4 partitions are served"]);
    const broken = waitForOwners(
      () => Promise.reject(new Error("broken")),
      4,
      () => undefined,
    );
    expect(await broken.catch(String)).to.equal("Error: broken");
  });
});
