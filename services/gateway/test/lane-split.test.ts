// Lanes over a split: the commands of moved rooms continue in the lane of the upper half.

import { expect } from "chai";
import { MemoryBroker } from "#shared/adapters/bus-memory.ts";
import type { MemoryBus } from "#shared/adapters/bus-memory.ts";
import { assert } from "#shared/kit/assert.ts";
import { Refusals } from "#shared/kit/refusals.ts";
import type { CommandBatch } from "#shared/protocol/commands.ts";
import type { MessageId, Partition, ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { isRoomOf, PartitionMap } from "#shared/protocol/partition-map.ts";
import { encodeResync, encodeResults } from "#shared/protocol/results.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { LANE_RETRY_CAP_MS } from "../core/bounds.ts";
import type { Entry, LaneEffect } from "../core/lane-io.ts";
import { SharedBound } from "../core/shared-bound.ts";
import { FlushScheduler } from "../runtime/flush-scheduler.ts";
import { GatewayStats } from "../runtime/gateway-stats.ts";
import { Lanes } from "../runtime/lanes.ts";
import { ADA, LaneBench, ROOM } from "./lane-bench.ts";
import { idOf } from "./owner-model.ts";

const GW = "gw-1" as ProcessId;

function roomIn(p: number, of: number): RoomId {
  for (let n = 0; ; n++) if (isRoomOf(`r-${n}` as RoomId, p, of)) return `r-${n}` as RoomId;
}

const STAYS = roomIn(0, 4);
const MOVES = roomIn(2, 4);

function movedOf(effects: readonly LaneEffect<string>[]): readonly Entry<string>[] {
  return effects.flatMap((effect) => (effect.kind === "moved" ? effect.entries : []));
}

describe("Lane: a split", () => {
  it("lane.10: gives up the commands of moved rooms, and begins a new incarnation with the others", () => {
    const total = new SharedBound(Infinity);
    const bench = new LaneBench(total);
    bench.step({ kind: "epoch", epoch: 5 });
    for (const name of ["a", "b"]) bench.send(name);
    bench.left();
    const effects = bench.lane.step({ kind: "split", isMoved: (room) => room === ROOM }, 0);
    expect(movedOf(effects).map(({ c }) => c)).to.deep.equal([1, 2]);
    expect([bench.lane.unanswered, total.bytes]).to.deep.equal([0, 0]);
    expect(effects.filter(({ kind }) => kind === "answer")).to.deep.equal([]);
  });

  it("lane.10: adopts commands in the order of their numbers, behind a sync, with their copies", () => {
    const from = new LaneBench();
    for (const name of ["a", "b", "c"]) from.send(name);
    const moved = movedOf(from.lane.step({ kind: "split", isMoved: () => true }, 0));
    const to = new LaneBench();
    to.rooms = [[ROOM, 0, [ADA]]];
    to.step({ kind: "adopt", entries: moved.slice(2) });
    to.left();
    to.step({ kind: "adopt", entries: moved.slice(0, 2) });
    expect(to.left()).to.deep.equal([[3, 1, ["sync", "a", "b", "c"]]]);
    // lane.3: it was sent through the other lane too.
    to.refused(1, "busy");
    expect(to.names()).to.deep.equal(["a unavailable", "b unavailable", "c unavailable"]);
  });

  it("lane.10: both halves go on at once with all of their batches, to the owner of the newer epoch", () => {
    for (const [epoch, newest] of [
      [7, 7],
      [3, 5],
      [undefined, 5],
    ] as const) {
      const from = new LaneBench();
      const to = new LaneBench();
      for (const { lane } of [from, to]) lane.step({ kind: "epoch", epoch: 5 }, 0);
      for (let n = 0; n < 20; n++) from.send(`${n}`, "x".repeat(16_000));
      let asked = 0;
      const isMoved = (): boolean => asked++ % 2 === 0;
      const effects = from.lane.step({ kind: "split", isMoved, ...(epoch && { epoch }) }, 0);
      expect([from.lane.epoch, from.lane.unanswered]).to.deep.equal([newest, 10]);
      const adopted = to.lane.step({ kind: "adopt", entries: movedOf(effects) }, 0);
      expect([to.lane.epoch, to.lane.unanswered]).to.deep.equal([5, 10]);
      for (const [half, expected] of [
        [effects, newest],
        [adopted, 5],
      ] as const) {
        const sent = half.flatMap((one) => (one.kind === "publish" ? [one.to] : []));
        expect(sent.length, "more than a probe").to.be.above(1);
        expect([...new Set(sent)]).to.deep.equal([expected]);
      }
      expect([from.lane.queued, to.lane.queued]).to.deep.equal([0, 0]);
    }
  });

  it("lane.10: moved commands are counted in the lane that has them", () => {
    const [lower, upper] = [new SharedBound(Infinity), new SharedBound(Infinity)];
    const [from, to] = [new LaneBench(lower), new LaneBench(upper)];
    for (const name of ["a", "b"]) from.send(name);
    const { bytes } = lower;
    expect(bytes).to.be.above(0);
    const moved = movedOf(from.lane.step({ kind: "split", isMoved: () => true }, 0));
    to.lane.step({ kind: "adopt", entries: moved }, 0);
    expect([lower.bytes, upper.bytes]).to.deep.equal([0, bytes]);
    for (const c of [1, 2]) to.sent(c);
    expect(upper.bytes).to.equal(0);
  });

  it("lane.10: a lane that waits without need of a sync gets one by a split and by an adoption", () => {
    const other = new LaneBench();
    other.send("b");
    const entries = movedOf(other.lane.step({ kind: "split", isMoved: () => true }, 0));
    for (const [input, expected] of [
      [{ kind: "wake" }, []],
      [{ kind: "split", isMoved: () => false }, [{ kind: "moved", entries: [] }]],
      [{ kind: "adopt", entries }, []],
    ] as const) {
      const bench = new LaneBench();
      bench.rooms = [[ROOM, 0, [ADA]]];
      bench.send("a");
      // The second one without progress begins a wait.
      for (const incarnation of [1, 2]) bench.step({ kind: "resync", epoch: 5, incarnation });
      bench.left();
      expect(bench.lane.step(input, 0), input.kind).to.deep.equal(expected);
      bench.advance(LANE_RETRY_CAP_MS);
      const names = bench.left()[0]?.[2];
      expect(names?.[0] === "sync", input.kind).to.equal(input.kind !== "wake");
    }
  });

  it("lane.10: a lane that waits for an owner keeps waiting, and then begins with a sync", () => {
    const bench = new LaneBench();
    bench.rooms = [[ROOM, 0, [ADA]]];
    bench.send("a");
    bench.step({ kind: "no-responders" });
    bench.left();
    const moved = movedOf(bench.lane.step({ kind: "split", isMoved: () => false }, 0));
    expect(moved).to.deep.equal([]);
    expect(bench.left()).to.deep.equal([]);
    bench.advance(LANE_RETRY_CAP_MS);
    expect(bench.left()[0]?.[2]).to.deep.equal(["sync", "a"]);
  });
});

/** Lanes of a gateway over 2 partitions, and the batches that arrive on each subject. */
class LanesFixture {
  readonly clock = new FakeClock();
  readonly broker = new MemoryBroker();
  readonly owner: MemoryBus = this.broker.connect();
  readonly map = new PartitionMap(2);
  readonly stats = new GatewayStats();
  readonly batches = new Map<Partition, CommandBatch[]>();
  readonly splits: (readonly Partition[])[] = [];
  readonly answers: string[] = [];
  readonly lanes: Lanes;

  constructor() {
    const bus = this.broker.connect();
    const report = (): void => undefined;
    this.lanes = new Lanes({
      gw: GW,
      map: this.map,
      bus,
      clock: this.clock,
      scheduler: new FlushScheduler(this.clock),
      report,
      refusals: new Refusals(report, this.clock),
      stats: this.stats,
      total: new SharedBound(Infinity),
      localRooms: (p) =>
        [STAYS, MOVES]
          .filter((room) => this.map.partitionOf(room) === p)
          .map((room) => [room, 0, [ADA]] as const),
      onSplit: (split) => this.splits.push(split),
      onHeads: () => undefined,
    });
    this.lanes.start();
    for (const p of [0, 1, 2, 3]) {
      this.batches.set(p, []);
      this.owner.subscribe(`cmd.${p}`, ({ data }) => {
        this.batches.get(p)?.push(JSON.parse(Buffer.from(data).toString()) as CommandBatch);
      });
    }
  }

  send(n: number, room: RoomId): void {
    const id = idOf(n) as MessageId;
    const command = { op: "send", room, from: "ada" as UserId, id, body: { n } } as const;
    this.lanes.submit(command, ({ result }) => {
      this.answers.push(`${n} ${"ok" in result ? result.ok : result.error}`);
    });
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < 8; turn++) {
      await new Promise((resolve) => void setImmediate(resolve));
      this.clock.advance(20);
    }
  }

  /** The commands of the newest batch on `cmd.<p>`. */
  last(p: Partition): string[] {
    return this.newest(p).commands.map((command) =>
      "body" in command ? `${command.body["n"] as number}` : command.op,
    );
  }

  newest(p: Partition): CommandBatch {
    const batch = this.batches.get(p)?.at(-1);
    assert(batch !== undefined, "the partition has received a batch");
    return batch;
  }

  publish(text: string): void {
    this.owner.publish(`gw.${GW}`, text);
  }
}

describe("Lanes: a split", () => {
  it("P29: after a resync with another number, moved commands go to the upper half in their order, and the others stay", async () => {
    const fixture = new LanesFixture();
    for (const [n, room] of [STAYS, MOVES, MOVES, STAYS].entries()) fixture.send(n, room);
    await fixture.settle();
    expect(fixture.last(0)).to.deep.equal(["0", "1", "2", "3"]);
    const { lane } = fixture.newest(0);
    fixture.publish(encodeResync(0, 0, lane, { of: 4 }));
    await fixture.settle();
    expect(fixture.splits).to.deep.equal([[0]]);
    expect(fixture.last(0)).to.deep.equal(["sync", "0", "3"]);
    expect(fixture.last(2)).to.deep.equal(["sync", "1", "2"]);
    // A late answer of the old owner is no answer to the moved command.
    const c = fixture.newest(2).commands[1]?.c ?? 0;
    const [late = ""] = encodeResults(0, 1, [{ result: { c, error: "busy", afterMs: 50 } }]);
    fixture.publish(late);
    await fixture.settle();
    expect(fixture.answers).to.deep.equal([]);
    const sent = [{ result: { c, ok: "sent", seq: 9, at: 0, repeat: true } as const }];
    fixture.publish(encodeResults(2, 2, sent)[0] ?? "");
    await fixture.settle();
    expect(fixture.answers).to.deep.equal(["1 sent"]);
  });

  it("runtime/lanes.1: a beat or a result of an upper half proves the split, also to a gateway without commands", async () => {
    const byBeat = new LanesFixture();
    const beat = { v: 1, id: "room-1", state: "live", version: "test", owns: { 2: 7 } };
    byBeat.owner.publish("node.room", JSON.stringify(beat));
    await byBeat.settle();
    expect(byBeat.splits).to.deep.equal([[0]]);
    const byResult = new LanesFixture();
    byResult.publish(encodeResync(3, 7, 0));
    await byResult.settle();
    expect(byResult.splits).to.deep.equal([[1]]);
    expect(byResult.map.of(1)).to.equal(4);
  });

  it("N5: a result or a beat of a partition that doubling cannot reach is refused or ignored", async () => {
    const fixture = new LanesFixture();
    fixture.publish(encodeResync(2_048, 7, 0));
    const beat = { v: 1, id: "room-1", state: "live", version: "test", owns: { 5_000: 7 } };
    fixture.owner.publish("node.room", JSON.stringify(beat));
    await fixture.settle();
    expect(fixture.splits).to.deep.equal([]);
    expect(fixture.stats.refused.get("results")).to.equal(1);
  });
});
