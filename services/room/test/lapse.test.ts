// Lapse: what an owner does after a time in which peers may have declared it dead.

import { expect } from "chai";
import { partitionOf } from "#shared/protocol/ids.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";
import type { LastOutcome, PartitionLog } from "#shared/ports/log.ts";
import { Lapse } from "../core/lapse.ts";
import { TICK_LATE_MS } from "../core/placement.ts";
import { RETRY_MS } from "../core/partition-state.ts";
import {
  ADA,
  commitEntry,
  GENERAL,
  GW,
  linesOf,
  only,
  PartitionFixture,
  resultsOf,
  RIVAL,
} from "./partition-fixture.ts";
import { HeldLog, PARTITIONS, RoomCluster, TestLane } from "./room-cluster.ts";

const HEAD = { c: 1, op: "head", room: GENERAL, user: ADA } as const;

function serving(): PartitionFixture {
  const fixture = new PartitionFixture().withRooms([GENERAL]);
  expect(resultsOf(fixture.batch([HEAD]))).to.have.length(1);
  return fixture;
}

/** It never answers `last` before the test says so. */
class HeldReads extends HeldLog {
  readonly reads: ((outcome: LastOutcome) => void)[] = [];
  isHeld = false;
  readonly #log: PartitionLog;

  constructor(log: PartitionLog) {
    super(log);
    this.#log = log;
  }

  override last: PartitionLog["last"] = (p) => {
    if (!this.isHeld) return this.#log.last(p);
    return new Promise((resolve) => this.reads.push(resolve));
  };
}

describe("Tenure: after a lapse", () => {
  for (const input of [{ kind: "lapsed" }, { kind: "reconnected", awayMs: 1 }] as const) {
    it(`P32: after ${input.kind} an owner takes no batch before it has read the end of the log`, () => {
      const fixture = serving();
      expect(only(fixture.step(input), "read-last")).to.deep.equal([{ kind: "read-last" }]);
      expect(fixture.batch([HEAD])).to.deep.equal([]);
      expect(fixture.batch([HEAD], "gw-2" as ProcessId)).to.deep.equal([]);
      expect(fixture.last(1)).to.deep.equal(
        [GW, "gw-2"].map((gateway) => ({
          kind: "resync",
          gateway,
          epoch: 1,
          lane: fixture.lane,
        })),
      );
      expect(fixture.tick(1), "a tick of a quiet owner").to.deep.equal([]);
      fixture.restartLane();
      expect(resultsOf(fixture.batch([HEAD]))).to.have.length(1);
    });
  }

  it("P32: an owner that finds a later entry than its own ends its tenure, and a rival fences it", () => {
    const fixture = serving();
    fixture.step({ kind: "lapsed" });
    fixture.batch([HEAD]);
    const effects = fixture.last(3);
    expect(resultsOf(effects)).to.deep.equal([]);
    expect(only(effects, "resync")).to.deep.equal([]);
    expect(only(effects, "get-entry")).to.deep.equal([{ kind: "get-entry", logSeq: 3 }]);
    fixture.entryRead(3, commitEntry(2, [linesOf(GENERAL, 1, 1)], RIVAL));
    expect(fixture.partition.state).to.equal("fenced");
  });

  it("lapse.1: an answer to a read from before the newest pause ends nothing", () => {
    const fixture = serving();
    fixture.step({ kind: "lapsed" });
    fixture.step({ kind: "lapsed" });
    fixture.batch([HEAD]);
    expect(fixture.last(1)).to.deep.equal([]);
    expect(only(fixture.last(1), "resync")).to.have.length(1);
    expect(fixture.last(1), "nothing is asked any more").to.deep.equal([]);
  });

  it("lapse.1: while a read is under way no tick causes another one", () => {
    const lapse = new Lapse();
    expect(lapse.read()).to.deep.equal([{ kind: "read-last" }]);
    expect(lapse.onTick(1e12)).to.deep.equal([]);
    expect(lapse.onRead("unknown", 5)).to.equal(false);
    expect(lapse.onTick(4)).to.deep.equal([]);
    expect(lapse.onTick(5)).to.deep.equal([{ kind: "read-last" }]);
    expect(lapse.onTick(1e12)).to.deep.equal([]);
    expect(lapse.onRead("ok", 9)).to.equal(true);
  });

  it("lapse.2: a gateway that is gone is asked for nothing", () => {
    const fixture = serving();
    fixture.step({ kind: "lapsed" });
    fixture.batch([HEAD]);
    fixture.batch([HEAD], RIVAL);
    fixture.step({ kind: "gateway-gone", gateway: GW });
    expect(only(fixture.last(1), "resync").map(({ gateway }) => gateway)).to.deep.equal([RIVAL]);
  });

  it("P32: a read without an answer is repeated after RETRY_MS", () => {
    const fixture = serving();
    fixture.step({ kind: "lapsed" });
    const outcome = { kind: "unknown", reason: "no leader" } as const;
    expect(fixture.step({ kind: "last", tenure: fixture.tenure, outcome })).to.deep.equal([]);
    expect(only(fixture.tick(RETRY_MS - 1), "read-last")).to.deep.equal([]);
    expect(only(fixture.tick(1), "read-last")).to.have.length(1);
    expect(only(fixture.tick(RETRY_MS), "read-last"), "one at a time").to.deep.equal([]);
    expect(fixture.batch([HEAD])).to.deep.equal([]);
    expect(only(fixture.last(1), "resync")).to.have.length(1);
  });

  it("P32: the batch that a paused process meets first waits for the log, and none does without a pause", async () => {
    const cluster = new RoomCluster();
    const log = new HeldReads(cluster.log);
    cluster.start(log);
    await cluster.pass(2_000);
    log.isHeld = true;
    const p = partitionOf(GENERAL, PARTITIONS);
    const lane = new TestLane(cluster, p);
    const ask = async (pausedMs: number): Promise<number> => {
      cluster.clock.stall(pausedMs);
      lane.send(HEAD);
      await cluster.settle();
      return lane.open;
    };
    expect(await ask(TICK_LATE_MS), "unanswered").to.equal(0);
    await cluster.pass(250);
    expect(log.reads).to.deep.equal([]);
    expect(await ask(TICK_LATE_MS + 1), "unanswered").to.equal(1);
    expect(log.reads.length).to.be.above(0);
    log.isHeld = false;
    const last = await log.last(p);
    for (const answer of log.reads) answer(last);
    await cluster.settle();
    expect(lane.open).to.equal(0);
    expect(cluster.faults).to.deep.equal([]);
  });
});
