// PersistenceNode: which partitions it archives while peers come, are killed, and are cut off.

import { expect } from "chai";
import { MemoryBroker } from "#shared/adapters/bus-memory.ts";
import type { MemoryBus } from "#shared/adapters/bus-memory.ts";
import { BEAT_MS, encodeBeat, NODE_TIMEOUT_MS } from "#shared/protocol/beat.ts";
import type { Partition, ProcessId } from "#shared/protocol/ids.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import type { ArchiveRunner } from "../runtime/archive-runner.ts";
import { PersistenceNode } from "../runtime/persistence-node.ts";

const PARTITIONS = 16;
const PEER = "pers-b" as ProcessId;

class NodeFixture {
  readonly clock = new FakeClock();
  readonly broker = new MemoryBroker();
  readonly bus: MemoryBus = this.broker.connect();
  readonly peer: MemoryBus = this.broker.connect();
  readonly archives = new Set<Partition>();
  readonly node: PersistenceNode;
  /** Of all partitions that this process archives. */
  isBegun = true;

  constructor() {
    this.node = new PersistenceNode({
      id: "pers-a" as ProcessId,
      partitions: PARTITIONS,
      version: "1",
      bus: this.bus,
      clock: this.clock,
      createRunner: (p) => {
        const isBegun = (): boolean => this.isBegun;
        const runner = {
          get isBegun() {
            return isBegun();
          },
          start: () => void this.archives.add(p),
          stop: () => Promise.resolve(void this.archives.delete(p)),
        };
        return runner as unknown as ArchiveRunner;
      },
    });
    this.node.start();
  }

  beat(): void {
    const beat = encodeBeat({ id: PEER, state: "live", version: "1" });
    this.peer.publish(subjects.beat("persistence"), beat);
  }

  answerPings(): void {
    this.peer.subscribe(subjects.archivePing(PEER), ({ reply }) => {
      if (reply !== undefined) this.peer.publish(reply, "pong");
    });
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 50) {
      this.clock.advance(50);
      for (let i = 0; i < 20; i++) await Promise.resolve();
    }
  }
}

describe("PersistenceNode", () => {
  it("D15: takes over the partitions of a killed peer soon after its beat is late", async () => {
    const fixture = new NodeFixture();
    fixture.beat();
    await fixture.pass(100);
    expect(fixture.archives.size).to.be.within(1, PARTITIONS - 1);
    await fixture.pass(BEAT_MS + 500);
    expect(fixture.archives.size).to.equal(PARTITIONS);
  });

  it("D15, persistence-node.2: after the number of partitions has grown a killed peer is found without its beat", async () => {
    const fixture = new NodeFixture();
    fixture.beat();
    await fixture.pass(100);
    fixture.node.grow(2 * PARTITIONS);
    fixture.beat();
    await fixture.pass(450);
    expect(fixture.archives.size).to.equal(2 * PARTITIONS);
  });

  it("D15, persistence-node.2: the same while an upper half has not begun, and no longer", async () => {
    const fixture = new NodeFixture();
    fixture.isBegun = false;
    fixture.beat();
    await fixture.pass(450);
    expect(fixture.archives.size).to.equal(PARTITIONS);
    fixture.isBegun = true;
    fixture.beat();
    await fixture.pass(450);
    expect(fixture.archives.size).to.be.within(1, PARTITIONS - 1);
  });

  it("D15, persistence-node.2: a peer that answers keeps its partitions during a split", async () => {
    const fixture = new NodeFixture();
    fixture.answerPings();
    fixture.node.grow(2 * PARTITIONS);
    fixture.beat();
    await fixture.pass(NODE_TIMEOUT_MS - 300);
    expect(fixture.archives.size).to.be.within(1, 2 * PARTITIONS - 1);
  });

  it("D15: leaves the partitions of a slow peer to it until the beat timeout", async () => {
    const fixture = new NodeFixture();
    fixture.answerPings();
    fixture.beat();
    await fixture.pass(NODE_TIMEOUT_MS - 300);
    expect(fixture.archives.size).to.be.within(1, PARTITIONS - 1);
    await fixture.pass(600);
    expect(fixture.archives.size).to.equal(PARTITIONS);
  });

  it("persistence-node.2: a peer that was declared dead wrongly returns with its next beat", async () => {
    const fixture = new NodeFixture();
    fixture.beat();
    await fixture.pass(BEAT_MS + 500);
    expect(fixture.archives.size).to.equal(PARTITIONS);
    fixture.beat();
    await fixture.pass(50);
    expect(fixture.archives.size).to.be.within(1, PARTITIONS - 1);
  });

  it("persistence-node.5: looks at peers only while there are some", async () => {
    const fixture = new NodeFixture();
    await fixture.pass(1_000);
    const alone = fixture.clock.armed;
    fixture.beat();
    await fixture.pass(100);
    expect(fixture.clock.armed).to.equal(alone + 1);
    await fixture.pass(2 * NODE_TIMEOUT_MS);
    expect(fixture.clock.armed).to.equal(alone);
  });

  it("persistence-node.3: the time of its own disconnect is no silence of its peers", async () => {
    const fixture = new NodeFixture();
    fixture.answerPings();
    fixture.beat();
    await fixture.pass(100);
    const mine = fixture.archives.size;
    fixture.bus.disconnect();
    await fixture.pass(2 * NODE_TIMEOUT_MS);
    expect(fixture.archives.size).to.equal(mine);
    fixture.bus.reconnect();
    await fixture.pass(500);
    expect(fixture.archives.size).to.equal(mine);
  });
});
