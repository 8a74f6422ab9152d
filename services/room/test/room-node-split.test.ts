// Room nodes in a split: which partitions they split, when, and how they learn of upper halves.

import { expect } from "chai";
import type { RoomNode } from "../runtime/room-node.ts";
import { PARTITIONS, RoomCluster } from "./room-cluster.ts";

function owned(...nodes: readonly RoomNode[]): string[] {
  return nodes.flatMap((node) => Object.keys(node.owns())).sort();
}

const ALL = Array.from({ length: 2 * PARTITIONS }, (_, p) => String(p));

describe("Room nodes: a split", () => {
  it("room-node.6: a node splits one partition after the other", async () => {
    const cluster = new RoomCluster();
    const { node } = cluster.start();
    await cluster.pass(2_000);
    cluster.archiveAll();
    cluster.createUpperHalves();
    node.split(2 * PARTITIONS);
    const splits = (): number =>
      cluster.reports.filter((event) => event === "partition split").length;
    let most = 0;
    for (let turn = 0; turn < 60; turn++) {
      const before = splits();
      await cluster.pass(50); // Less than a tick.
      cluster.archiveAll();
      most = Math.max(most, splits() - before);
    }
    expect(owned(node)).to.deep.equal(ALL);
    expect([splits(), most], "splits in all, and in one tick").to.deep.equal([2, 1]);
    expect(node.isSettled).to.equal(true);
    expect(cluster.faults).to.deep.equal([]);
  });

  it("P31: without the archive nothing is split, and the request alone makes no partition exist", async () => {
    const cluster = new RoomCluster();
    const { node } = cluster.start();
    await cluster.pass(2_000);
    cluster.createUpperHalves();
    node.split(2 * PARTITIONS);
    await cluster.pass(4_000);
    expect(owned(node)).to.deep.equal(ALL.slice(0, PARTITIONS));
    expect(node.isSettled, "unbegun upper halves do not count").to.equal(true);
    for (const count of [PARTITIONS, 3, 5 * PARTITIONS]) node.split(count);
    expect([node.partitions, node.begun]).to.deep.equal([2 * PARTITIONS, PARTITIONS]);
  });

  it("room-node.5: a node without the request learns of upper halves from its peers and from the archive", async () => {
    const cluster = new RoomCluster();
    const [a, b] = [cluster.start().node, cluster.start().node];
    await cluster.pass(2_000);
    cluster.archiveAll();
    cluster.createUpperHalves();
    a.split(2 * PARTITIONS);
    b.split(2 * PARTITIONS);
    for (let turn = 0; turn < 60; turn++) {
      await cluster.pass(100);
      cluster.archiveAll();
    }
    expect(owned(a, b)).to.deep.equal(ALL);
    const late = cluster.start().node;
    await cluster.pass(2_000);
    expect([late.partitions, late.begun]).to.deep.equal([2 * PARTITIONS, 2 * PARTITIONS]);
    for (const node of [a, b, late]) node.close();
    await cluster.pass(5_000);
    const alone = cluster.start().node;
    await cluster.pass(3_000);
    expect(owned(alone)).to.deep.equal(ALL);
    expect(cluster.faults).to.deep.equal([]);
  });
});
