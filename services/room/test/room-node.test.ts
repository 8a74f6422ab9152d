// Room nodes together on a memory bus and a memory log: sharing, crash, pause, leaving, random
// faults.

import { expect } from "chai";
import * as fc from "fast-check";
import { decodeEvent } from "#shared/protocol/events.ts";
import { partitionOf } from "#shared/protocol/ids.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { encodeHead } from "#shared/protocol/lines.ts";
import { GATEWAY_TIMEOUT_MS, NODE_TIMEOUT_MS } from "#shared/protocol/beat.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import type { RoomNode } from "../runtime/room-node.ts";
import { ADA, idAt, send, T0 } from "./partition-fixture.ts";
import { HeldLog, PARTITIONS, TestLane, RoomCluster } from "./room-cluster.ts";

const ROOMS = ["alpha", "beta", "gamma", "delta"] as RoomId[];
/** A beat timeout, LISTEN_MS, and a claim. */
const FAILOVER_MS = NODE_TIMEOUT_MS + 1_000;

function lanesOf(cluster: RoomCluster): TestLane[] {
  return Array.from({ length: PARTITIONS }, (_, p) => new TestLane(cluster, p));
}

function sendTo(lanes: TestLane[], room: RoomId, n: number): number {
  const command = send({ room, id: idAt(T0, n) });
  lanes[partitionOf(room, PARTITIONS)]?.send(command);
  return command.c;
}

/** Checks I1, I3, I4 and I6 for all results that the lanes received. */
function expectSound(
  cluster: RoomCluster,
  lanes: TestLane[],
  sent: ReadonlyMap<number, [RoomId, number]>,
): void {
  expect(cluster.faults).to.deep.equal([]);
  for (const room of ROOMS) {
    const events = cluster.lines(room).map(decodeEvent);
    expect(events.map((event) => event.seq)).to.deep.equal(events.map((_, i) => i + 1));
    const ids = events.map((event) => event.id);
    expect(new Set(ids).size, `${room} has an id twice`).to.equal(ids.length);
  }
  for (const lane of lanes) {
    for (const [c, seq] of lane.acked) {
      const [room, n] = sent.get(c)!;
      expect(decodeEvent(cluster.lines(room)[seq - 1]!).id).to.equal(idAt(T0, n));
    }
  }
}

describe("Room nodes", () => {
  it("P11: two nodes share the partitions, and one serves all when the other falls silent", async () => {
    const cluster = new RoomCluster();
    const a = cluster.start();
    const b = cluster.start();
    await cluster.pass(1_000);
    const owned = [a, b].flatMap(({ node }) => Object.keys(node.owns())).sort();
    expect(owned).to.deep.equal(["0", "1"]);
    const fallen = Object.keys(a.node.owns()).length > 0 ? a : b;
    const left = fallen === a ? b : a;
    fallen.node.close();
    fallen.bus.disconnect();
    await cluster.pass(FAILOVER_MS);
    expect(Object.keys(left.node.owns())).to.deep.equal(["0", "1"]);
  });

  it("A3: users of a gateway whose beats never arrived are gone after the gateway timeout", async () => {
    const cluster = new RoomCluster();
    cluster.start();
    await cluster.pass(1_000);
    const joined: unknown[] = [];
    const left: unknown[] = [];
    cluster.broker.connect().subscribe(subjects.live(ROOMS[0]!), ({ data }) => {
      const { join, leave } = JSON.parse(new TextDecoder().decode(data)) as Record<string, unknown>;
      if (join !== undefined) joined.push(join);
      if (leave !== undefined) left.push(leave);
    });
    const lane = lanesOf(cluster)[partitionOf(ROOMS[0]!, PARTITIONS)]!;
    lane.send({ c: 1, op: "join", room: ROOMS[0]!, user: ADA }); // This gateway sends no beats.
    await cluster.pass(200);
    expect([joined, left]).to.deep.equal([[[ADA]], []]);
    await cluster.pass(GATEWAY_TIMEOUT_MS + 200);
    expect(left).to.deep.equal([[ADA]]);
  });

  it("O10: repeats a head again that was lost with the owner's connection", async () => {
    const cluster = new RoomCluster();
    const { bus } = cluster.start();
    await cluster.pass(1_000);
    const lanes = lanesOf(cluster);
    const received = cluster.listen(ROOMS[0]!);
    sendTo(lanes, ROOMS[0]!, 1);
    await cluster.pass(100);
    received.length = 0;
    bus.disconnect(); // The repeated head is due during the disconnect.
    await cluster.pass(2_000);
    expect(received).to.deep.equal([]);
    bus.reconnect();
    await cluster.pass(200);
    expect(received).to.deep.equal([encodeHead(1)]);
  });

  it("P10: a leaving node releases all partitions, and its successor serves at once", async () => {
    const cluster = new RoomCluster();
    const a = cluster.start();
    await cluster.pass(1_000);
    const b = cluster.start();
    await cluster.pass(300);
    const leaving = a.node.leave();
    await cluster.pass(800); // Much shorter than a beat timeout.
    await leaving;
    expect(Object.keys(b.node.owns())).to.deep.equal(["0", "1"]);
    expect(cluster.voids()).to.equal(0);
  });

  it("P16: after one report, peers take over all partitions of a killed node", async () => {
    const cluster = new RoomCluster();
    const nodes = [cluster.start(), cluster.start(), cluster.start()];
    await cluster.pass(1_500);
    const killed = nodes.find(({ node }) => Object.keys(node.owns()).length > 0)!;
    const lost = Object.keys(killed.node.owns()).map(Number);
    killed.node.close();
    killed.bus.disconnect();
    await cluster.pass(50); // Much shorter than a late beat.
    cluster.suspect(lost[0]!);
    await cluster.pass(300);
    const left = nodes.filter((other) => other !== killed);
    const served = left.flatMap(({ node }) => Object.keys(node.owns()).map(Number));
    expect(served.toSorted((x, y) => x - y)).to.deep.equal([0, 1]);
    expect(left.map(({ node }) => node.counts.declaredDead)).to.deep.equal([1, 1]);
    expect(cluster.reports).to.not.include("partition fenced");
  });

  it("P16: peers that answer pings are not declared dead, for any number of reports", async () => {
    const cluster = new RoomCluster();
    const nodes = [cluster.start(), cluster.start()];
    await cluster.pass(1_500);
    const before = nodes.map(({ node }) => node.owns());
    for (let i = 0; i < 40; i++) {
      for (let p = 0; p < PARTITIONS; p++) cluster.suspect(p);
      await cluster.pass(50);
    }
    expect(nodes.map(({ node }) => node.owns())).to.deep.equal(before);
    expect(nodes.map(({ node }) => node.counts.declaredDead)).to.deep.equal([0, 0]);
  });

  it("P16: peers ping a killed node without reports when its beat is late", async () => {
    const cluster = new RoomCluster();
    const [a, b] = [cluster.start(), cluster.start()];
    await cluster.pass(1_500);
    a.node.close();
    a.bus.disconnect();
    await cluster.pass(NODE_TIMEOUT_MS - 1_000);
    expect(Object.keys(b.node.owns())).to.deep.equal(["0", "1"]);
  });

  it("room-node.8: a node without rooms in memory runs seldom, and pings a killed peer as early", async () => {
    const cluster = new RoomCluster();
    const turns = new Set<number>();
    const { clock } = cluster;
    const every = clock.every.bind(clock);
    clock.every = (periodMs, run) =>
      every(periodMs, () => {
        turns.add(clock.monotonic());
        run();
      });
    const a = cluster.start();
    await cluster.pass(3_000);
    turns.clear();
    await cluster.pass(4_000);
    expect(turns.size).to.be.at.most(12); // Two ticks and a beat a second.
    const b = cluster.start();
    await cluster.pass(3_000);
    a.node.close();
    a.bus.disconnect();
    await cluster.pass(1_750 + 250); // The second ping follows 200 ms after the first one.
    expect(Object.keys(b.node.owns())).to.deep.equal(["0", "1"]);
  });

  it("P10: a new node gets its share when it is ready, and each partition has an owner almost always", async () => {
    const cluster = new RoomCluster();
    const a = cluster.start(cluster.log, "first");
    await cluster.pass(1_000);
    let [waited, longest] = [0, 0];
    const newcomers = Array.from({ length: 3 }, () => cluster.start());
    for (let i = 0; i < 100; i++) {
      await cluster.pass(10);
      const owners = [a, ...newcomers].flatMap(({ node }) => Object.keys(node.owns()));
      waited = new Set(owners).size === PARTITIONS ? 0 : waited + 10;
      longest = Math.max(longest, waited);
    }
    expect(Object.keys(a.node.owns()).length).to.be.below(PARTITIONS);
    expect(longest).to.be.at.most(50);
    expect(cluster.voids()).to.equal(0);
    expect(cluster.reports).to.not.include("partition fenced");
  });

  it("P15: the pipelined appends of a paused owner after a rival's claim are void", async () => {
    const cluster = new RoomCluster();
    const held = new HeldLog(cluster.log);
    const a = cluster.start(held);
    await cluster.pass(1_000);
    const lanes = lanesOf(cluster);
    const [room] = ROOMS as [RoomId];
    const sent = new Map<number, [RoomId, number]>();
    sent.set(sendTo(lanes, room, 1), [room, 1]);
    await cluster.pass(100);
    held.hold();
    for (const n of [2, 3]) {
      sent.set(sendTo(lanes, room, n), [room, n]);
      await cluster.pass(50); // Two entries in flight: the second expects the first.
    }
    a.bus.disconnect(); // Paused: it sends no beats, and its appends are on the way.
    const b = cluster.start();
    await cluster.pass(FAILOVER_MS);
    expect(Object.keys(b.node.owns())).to.have.length(PARTITIONS);
    held.release();
    await cluster.pass(100);
    expect(cluster.voids()).to.equal(1);
    // The first resend finds the void entry, and the successor claims again. The second one is
    // committed.
    for (let i = 0; i < 2; i++) {
      for (const lane of lanes) lane.resend();
      await cluster.pass(1_000);
    }
    expect(lanes.map((lane) => lane.open)).to.deep.equal([0, 0]);
    expect(cluster.lines(room)).to.have.length(3);
    expectSound(cluster, lanes, sent);
  });

  it("O1: under random crashes, cuts, pauses and resends every message gets one number", async () => {
    const action = fc.oneof(
      { weight: 6, arbitrary: fc.record({ act: fc.constant("send" as const), room: fc.nat(3) }) },
      { weight: 3, arbitrary: fc.record({ act: fc.constant("pass" as const), ms: fc.nat(1_500) }) },
      { weight: 1, arbitrary: fc.record({ act: fc.constant("crash" as const), which: fc.nat(2) }) },
      { weight: 1, arbitrary: fc.record({ act: fc.constant("cut" as const), which: fc.nat(2) }) },
      { weight: 1, arbitrary: fc.record({ act: fc.constant("hold" as const), which: fc.nat(2) }) },
      { weight: 1, arbitrary: fc.constant({ act: "archive" as const }) },
      { weight: 1, arbitrary: fc.constant({ act: "start" as const }) },
      { weight: 2, arbitrary: fc.constant({ act: "resend" as const }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 10, maxLength: 40 }), async (actions) => {
        const cluster = new RoomCluster();
        const nodes: {
          node: RoomNode;
          bus: ReturnType<RoomCluster["start"]>["bus"];
          log: HeldLog;
        }[] = [];
        const start = (): void => {
          const log = new HeldLog(cluster.log);
          if (nodes.length < 4) nodes.push({ ...cluster.start(log), log });
        };
        start();
        start();
        await cluster.pass(800);
        const lanes = lanesOf(cluster);
        const sent = new Map<number, [RoomId, number]>();
        let n = 0;
        for (const item of actions) {
          if (item.act === "send") {
            const room = ROOMS[item.room]!;
            sent.set(sendTo(lanes, room, ++n), [room, n]);
          } else if (item.act === "pass") await cluster.pass(item.ms);
          else if (item.act === "archive") cluster.archiveAll();
          else if (item.act === "start") start();
          else if (item.act === "resend") for (const lane of lanes) lane.resend();
          else {
            const target = nodes[item.which % nodes.length]!;
            if (item.act === "hold") target.log.hold();
            else target.bus.disconnect();
            if (item.act === "crash") target.node.close();
          }
          await cluster.settle();
        }
        for (const { node, bus, log } of nodes) {
          log.release();
          bus.reconnect();
          void node;
        }
        start();
        for (let i = 0; i < 20 && lanes.some((lane) => lane.open > 0); i++) {
          await cluster.pass(1_500);
          for (const lane of lanes) lane.resend();
        }
        expect(
          lanes.map((lane) => lane.open),
          "all commands are answered after the faults",
        ).to.deep.equal([0, 0]);
        expectSound(cluster, lanes, sent);
      }),
      { numRuns: 100 },
    );
  }).timeout(120_000);
});
