import { expect } from "chai";
import { MemoryBroker } from "#shared/adapters/bus-memory.ts";
import { MemoryLog } from "#shared/adapters/log-memory.ts";
import type { AppendOutcome } from "#shared/ports/log.ts";
import { partitionOf } from "#shared/protocol/ids.ts";
import type { LogSeq, Partition, RoomId } from "#shared/protocol/ids.ts";
import { encodeMirrored } from "#shared/protocol/regions.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { MIRROR_TIMEOUT_MS, RegionalLog } from "../runtime/regional-log.ts";
import type { RoomNode } from "../runtime/room-node.ts";
import { FakeRight } from "./fake-right.ts";
import { idAt, send, T0 } from "./partition-fixture.ts";
import { HeldLog, PARTITIONS, RoomCluster, TestLane } from "./room-cluster.ts";

class Fixture {
  readonly clock = new FakeClock();
  readonly right: FakeRight;
  readonly inner = new MemoryLog();
  readonly held = new HeldLog(this.inner);
  readonly log: RegionalLog;
  readonly results: string[] = [];
  readonly #broker = new MemoryBroker();
  readonly #agent = this.#broker.connect();

  constructor(mirror: string | null = null) {
    this.right = new FakeRight(mirror);
    const bus = this.#broker.connect();
    this.log = new RegionalLog({ log: this.held, right: this.right, bus, clock: this.clock });
    this.right.set("everything"); // As the first answer of the agent does.
  }

  append(p: Partition, expected: LogSeq): void {
    void this.log.append(p, "entry", expected).then((outcome: AppendOutcome) => {
      this.results.push(outcome.kind === "ok" ? `ok ${outcome.seq}` : outcome.kind);
    });
  }

  async report(ends: [Partition, LogSeq][], region = "west", term = 1): Promise<void> {
    this.#agent.publish(subjects.mirrored("west"), encodeMirrored({ region, term, ends }));
    await this.settle();
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("RegionalLog", () => {
  it("T2, regional-log.1: appends nothing without a grant", async () => {
    const fixture = new Fixture();
    fixture.right.set("nothing");
    fixture.append(0, 0);
    fixture.right.set("archive");
    fixture.append(0, 0);
    await fixture.settle();
    expect(fixture.results).to.deep.equal(["unknown", "unknown"]);
    expect(await fixture.inner.last(0)).to.include({ last: 0 });
  });

  it("T2, regional-log.2: a result that arrives after the grant is uncertain", async () => {
    const fixture = new Fixture();
    fixture.held.hold();
    fixture.append(0, 0);
    fixture.right.lapse();
    fixture.held.release();
    await fixture.settle();
    expect(fixture.results).to.deep.equal(["unknown"]);
    expect(await fixture.inner.last(0)).to.include({ last: 1 });
  });

  it("T4, regional-log.3: an append waits until the mirror has it", async () => {
    const fixture = new Fixture("west");
    fixture.append(0, 0);
    fixture.append(0, 1);
    fixture.append(1, 0);
    await fixture.settle();
    expect(fixture.results).to.deep.equal([]);
    expect(fixture.log.waiting).to.equal(3);
    await fixture.report([[0, 1]]);
    expect(fixture.results).to.deep.equal(["ok 1"]);
    await fixture.report([
      [0, 2],
      [1, 1],
    ]);
    expect(fixture.results).to.deep.equal(["ok 1", "ok 2", "ok 1"]);
  });

  it("T4, regional-log.3: an append that the mirror does not confirm is uncertain", async () => {
    const fixture = new Fixture("west");
    fixture.append(0, 0);
    await fixture.settle();
    fixture.clock.advance(MIRROR_TIMEOUT_MS - 200);
    await fixture.settle();
    expect(fixture.results).to.deep.equal([]);
    fixture.clock.advance(400);
    await fixture.settle();
    expect(fixture.results).to.deep.equal(["unknown"]);
  });

  it("T4: without a mirror in the grant no append waits, and waiting ones are done", async () => {
    const fixture = new Fixture("west");
    fixture.append(0, 0);
    await fixture.settle();
    fixture.right.set("everything", { mirror: null });
    await fixture.settle();
    expect(fixture.results).to.deep.equal(["ok 1"]);
  });

  it("mirror-ends.1: reports of another region or another term confirm nothing", async () => {
    const fixture = new Fixture("west");
    fixture.append(0, 0);
    await fixture.settle();
    await fixture.report([[0, 9]], "north");
    await fixture.report([[0, 9]], "west", 2);
    expect(fixture.results).to.deep.equal([]);
    await fixture.report([[0, 9]]);
    fixture.append(0, 1);
    await fixture.settle();
    expect(fixture.results).to.deep.equal(["ok 1", "ok 2"]);
    fixture.right.set("everything", { term: 3 });
    fixture.append(0, 2);
    await fixture.settle();
    expect(fixture.results).to.deep.equal(["ok 1", "ok 2"]);
  });

  it("regional-log.4: results of a partition keep the order of its appends", async () => {
    const fixture = new Fixture("west");
    fixture.append(0, 0);
    fixture.append(0, 5); // Refused by the log, while the first waits for the mirror.
    await fixture.settle();
    expect(fixture.results).to.deep.equal([]);
    await fixture.report([[0, 1]]);
    expect(fixture.results).to.deep.equal(["ok 1", "conflict"]);
  });
});

describe("Room node with a term", () => {
  const ROOM = "alpha" as RoomId;

  it("T2, room-node.4: acknowledges and broadcasts nothing after the lapse, and serves again after it", async () => {
    const cluster = new RoomCluster();
    const right = new FakeRight();
    const held = new HeldLog(cluster.log);
    const { clock } = cluster;
    const bus = cluster.broker.connect();
    const log = new RegionalLog({ log: held, right, bus, clock });
    const mayServe = (p: number): boolean => right.allows(p) === "everything";
    const { node } = cluster.start(log, "a", { mayServe });
    right.onChange(() => node.onRightsChanged());
    await cluster.pass(1_000);
    const lane = new TestLane(cluster, partitionOf(ROOM, PARTITIONS));
    const received = cluster.listen(ROOM);
    const first = send({ room: ROOM, id: idAt(T0, 1) });
    lane.send(first);
    await cluster.pass(200);
    const before = received.length;
    expect(lane.acked.get(first.c)).to.equal(1);

    held.hold();
    const second = send({ room: ROOM, id: idAt(T0, 2) });
    lane.send(second);
    await cluster.pass(100);
    right.lapse();
    held.release();
    await cluster.pass(300);
    right.set("nothing");
    await cluster.pass(FENCE_MS);
    expect(received.length, "broadcasts without a term").to.equal(before);
    expect(lane.acked.has(second.c)).to.equal(false);
    expect(node.owns()).to.deep.equal({});
    expect(node.isSettled).to.equal(true);

    right.set("everything");
    await cluster.pass(1_000);
    lane.resend();
    await cluster.pass(300);
    expect(lane.acked.get(second.c)).to.equal(2);
    expect(cluster.lines(ROOM)).to.have.length(2);
    expect(cluster.faults).to.deep.equal([]);
  });

  it("room-node.4: a node claims nothing that its region may not serve", async () => {
    const cluster = new RoomCluster();
    const mine = new Set<number>();
    const { node } = cluster.start(cluster.log, "a", { mayServe: (p) => mine.has(p) });
    await cluster.pass(2_000);
    expect(node.owns()).to.deep.equal({});
    mine.add(1);
    node.onRightsChanged();
    await cluster.pass(1_000);
    expect(Object.keys(node.owns())).to.deep.equal(["1"]);
    expect(node.isSettled).to.equal(true);
    mine.delete(1);
    for (let p = 0; p < PARTITIONS; p++) if (p !== 1) mine.add(p);
    node.onRightsChanged();
    await cluster.pass(1_000);
    expect(Object.keys(node.owns())).to.have.length(PARTITIONS - 1);
    expect(node.owns()).to.not.have.property("1");
    expect(node.isSettled).to.equal(true);
  });

  it("T12, room-node.7: nodes of two regions serve the partitions of their own region", async () => {
    const cluster = new RoomCluster();
    const start = (region: string, home: number): RoomNode =>
      cluster.start(cluster.log, region, { region, mayServe: (p) => p % 2 === home }).node;
    const [east, west] = [start("east", 0), start("west", 1)];
    await cluster.pass(2_000);
    const ofHome = (home: number): string[] =>
      Array.from({ length: PARTITIONS }, (_, p) => p)
        .filter((p) => p % 2 === home)
        .map(String);
    expect(Object.keys(east.owns())).to.deep.equal(ofHome(0));
    expect(Object.keys(west.owns())).to.deep.equal(ofHome(1));
    expect(cluster.faults).to.deep.equal([]);
  });
});

/** Above FENCED_MS: a node that claims again on its own would have done it. */
const FENCE_MS = 4_000;
