// Node load: room nodes that measure their work, on a memory bus and a memory log.

import { expect } from "chai";
import { decodeEvent } from "#shared/protocol/events.ts";
import { partitionOf } from "#shared/protocol/ids.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { WEIGHT_MAX, WEIGHT_STEPS } from "#shared/protocol/load.ts";
import type { LoadReading } from "../core/load-window.ts";
import { firstWeight } from "../runtime/node-load.ts";
import type { RoomNode } from "../runtime/room-node.ts";
import { idAt, send, T0 } from "./partition-fixture.ts";
import { PARTITIONS, RoomCluster, TestLane } from "./room-cluster.ts";

/** One room in each partition. */
const ROOMS = ["alpha", "beta", "gamma", "delta", "epsilon"] as RoomId[];
const CPU_MS = 10;
const BALANCE_MS = 60_000;

/** A node whose CPU time follows from its work. */
function startNode(cluster: RoomCluster, name: string): RoomNode {
  let node: RoomNode | undefined;
  const read = (): LoadReading => {
    const work = [...(node?.work.values() ?? [])].reduce((sum, n) => sum + n, 0);
    const cpuMs = work * CPU_MS;
    return { at: cluster.clock.monotonic(), cpuMs, loopCpuMs: cpuMs, loopBusyMs: cpuMs, limit: 1 };
  };
  ({ node } = cluster.start(cluster.log, name, {
    load: { read, balanceMs: BALANCE_MS },
  }));
  return node;
}

const owned = (node: RoomNode): string => Object.keys(node.owns()).join();

describe("Node load", () => {
  it("P26, node-load.1: a node that does all the work hands one partition to an idle node after an interval, without loss", async () => {
    const cluster = new RoomCluster();
    // With these names one node owns both partitions.
    const nodes = ["two", "red"].map((name) => startNode(cluster, name));
    await cluster.pass(2_000);
    const [busy, idle] = owned(nodes[0]!) === "0,1" ? nodes : nodes.toReversed();
    expect(owned(busy!)).to.equal("0,1");
    const lanes = Array.from({ length: PARTITIONS }, (_, p) => new TestLane(cluster, p));
    const rooms = [0, 1].map((p) => ROOMS.find((room) => partitionOf(room, PARTITIONS) === p)!);
    let sent = 0;
    const work = async (seconds: number): Promise<void> => {
      for (let s = 0; s < seconds; s++) {
        for (const [p, room] of rooms.entries())
          for (let n = 0; n < 8; n++) lanes[p]!.send(send({ room, id: idAt(T0, sent++) }));
        await cluster.pass(1_000);
        for (const lane of lanes) if (lane.open > 0) lane.resend();
      }
    };
    await work(BALANCE_MS / 1_000 - 10);
    expect(owned(busy!)).to.equal("0,1");
    expect(busy!.load?.status.busy).to.be.within(0.1, 0.5);
    await work(20);
    expect([owned(busy!), owned(idle!)].sort()).to.deep.equal(["0", "1"]);
    expect(cluster.reports).to.include("partition moved by load");
    await work(BALANCE_MS / 1_000 + 10);
    expect([owned(busy!), owned(idle!)].sort()).to.deep.equal(["0", "1"]);
    const moves = [busy!, idle!].map((node) => node.load?.balance.moves ?? 0);
    expect(moves[0]! + moves[1]!).to.equal(1);
    expect(lanes.map((lane) => lane.open)).to.deep.equal([0, 0]);
    expect(cluster.faults).to.deep.equal([]);
    const ids = rooms.flatMap((room) => cluster.lines(room).map((line) => decodeEvent(line).id));
    expect(ids).to.have.length(sent);
    expect(new Set(ids).size).to.equal(sent);
  });

  it("node-load.2: the first weight is the limit in quarter octaves, within the bounds", () => {
    const cases: [number, number][] = [
      [1, 0],
      [0.5, -WEIGHT_STEPS],
      [0.49, -WEIGHT_STEPS],
      [0.25, -WEIGHT_MAX],
      [0.01, -WEIGHT_MAX],
      [0.71, -WEIGHT_STEPS / 2],
      [0.97, 0],
    ];
    for (const [limit, weight] of cases) expect(firstWeight(limit), String(limit)).to.equal(weight);
  });

  it("P27: a partition that alone takes half of its node is hot", async () => {
    const cluster = new RoomCluster();
    const node = startNode(cluster, "one");
    await cluster.pass(1_000);
    expect(node.load?.status.hot).to.deep.equal([]);
    const lane = new TestLane(cluster, 0);
    const room = ROOMS.find((one) => partitionOf(one, PARTITIONS) === 0)!;
    for (let s = 0; s < 5; s++) {
      for (let n = 0; n < 40; n++) lane.send(send({ room, id: idAt(T0, s * 40 + n) }));
      await cluster.pass(1_000);
    }
    expect(node.load?.status.hot).to.deep.equal([0]);
  });
});
