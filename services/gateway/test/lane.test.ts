// Lane, by example: each test is one failure between a gateway and an owner.

import { expect } from "chai";
import type { MessageId, UserId } from "#shared/protocol/ids.ts";
import { COMMAND_BATCH_BYTES_MAX } from "#shared/protocol/limits.ts";
import {
  COMMAND_TIMEOUT_MS,
  LANE_BYTES_MAX,
  LANE_COMMANDS_MAX,
  LANE_OLDEST_MS,
  LANE_STALL_MS,
} from "../core/bounds.ts";
import type { LaneEffect } from "../core/lane-io.ts";
import { SharedBound } from "../core/shared-bound.ts";
import { idOf } from "./owner-model.ts";
import { ADA, LaneBench, ROOM } from "./lane-bench.ts";

describe("Lane", () => {
  it("L1: lanes share the bound of the process, and release answered and timed-out commands", () => {
    const total = new SharedBound(10_000);
    const [one, two] = [new LaneBench(total), new LaneBench(total)];
    for (let n = 0; n < 60; n++) one.send(`a${n}`, "x".repeat(500));
    expect(total.bytes).to.be.within(10_000, 11_000);
    two.send("b");
    expect(two.answers.map(({ result }) => "error" in result && result.error)).to.deep.equal([
      "busy",
    ]);
    one.sent(1);
    one.sent(2);
    expect(total.isFull).to.equal(false);
    two.send("c");
    expect(two.lane.unanswered).to.equal(1);
    for (const bench of [one, two]) bench.advance(COMMAND_TIMEOUT_MS + 1);
    expect(total.bytes).to.equal(0);
  });

  it("P8: numbers the batches of an incarnation 1, 2, 3 and keeps the order of commands", () => {
    const bench = new LaneBench();
    for (const name of ["a", "b", "c"]) bench.send(name);
    expect(bench.left()).to.deep.equal([
      [1, 1, ["a"]],
      [1, 2, ["b"]],
      [1, 3, ["c"]],
    ]);
    bench.sent(2);
    bench.sent(1);
    expect(bench.names()).to.deep.equal(["b sent", "a sent"]);
    expect(bench.lane.unanswered).to.equal(1);
  });

  it("P8: commands of one iteration leave as one batch, split at the size limit", () => {
    const bench = new LaneBench();
    const text = "x".repeat(15_000);
    const effects: LaneEffect<string>[] = [];
    for (let i = 0; i < 10; i++) {
      const id = idOf(i) as MessageId;
      const command = { op: "send", room: ROOM, from: ADA, id, body: { text } } as const;
      effects.push(...bench.lane.step({ kind: "submit", command, context: "" }, 0));
    }
    expect(effects).to.deep.equal([{ kind: "flush-soon" }]);
    const batches = bench.lane.step({ kind: "flush" }, 0);
    expect(batches.map((effect) => effect.kind)).to.deep.equal(["publish", "publish", "publish"]);
    for (const effect of batches) {
      if (effect.kind !== "publish") continue;
      expect(effect.batch.length).to.be.at.most(COMMAND_BATCH_BYTES_MAX);
    }
  });

  it("P8: a resync of this incarnation sends all unanswered commands again in order, once", () => {
    const bench = new LaneBench();
    for (const name of ["a", "b", "c"]) bench.send(name);
    bench.sent(1);
    bench.left();
    bench.step({ kind: "resync", epoch: 1, incarnation: 1 });
    // The answer to each batch after the lost one.
    bench.step({ kind: "resync", epoch: 1, incarnation: 1 });
    expect(bench.left()).to.deep.equal([[2, 1, ["b", "c"]]]);
  });

  it("P8: resyncs without an answer between them are spaced", () => {
    const bench = new LaneBench();
    bench.send("a");
    bench.step({ kind: "resync", epoch: 1, incarnation: 1 });
    bench.left();
    bench.step({ kind: "resync", epoch: 1, incarnation: 2 });
    expect(bench.left()).to.deep.equal([]);
    bench.advance(100);
    expect(bench.left()).to.deep.equal([[3, 1, ["a"]]]);
  });

  it("L2: without progress for LANE_STALL_MS all commands are sent again", () => {
    const bench = new LaneBench();
    bench.send("a");
    bench.send("b");
    bench.left();
    bench.advance(LANE_STALL_MS - 1);
    expect(bench.left()).to.deep.equal([]);
    bench.advance(1);
    expect(bench.left()).to.deep.equal([[2, 1, ["a", "b"]]]);
  });

  it("L2: one lost result is detected although other commands are answered", () => {
    const bench = new LaneBench();
    bench.send("lost");
    bench.left();
    const repeats: number[] = [];
    for (let c = 2; bench.now < LANE_OLDEST_MS + 1_000; c++) {
      bench.send("x");
      bench.sent(c);
      if (bench.left().some(([, , names]) => names.includes("lost"))) repeats.push(bench.now);
      bench.advance(LANE_STALL_MS / 4);
    }
    expect(repeats).to.deep.equal([LANE_OLDEST_MS]);
    bench.sent(1);
    expect(bench.names()).to.include("lost sent");
  });

  it("L2: a command without an answer for ten seconds gets `unavailable`, and its late answer is ignored", () => {
    const bench = new LaneBench();
    bench.send("a");
    bench.advance(COMMAND_TIMEOUT_MS - 1);
    expect(bench.names()).to.deep.equal([]);
    bench.advance(1);
    expect(bench.answers[0]?.result).to.include({ afterMs: 1_000 });
    expect(bench.names()).to.deep.equal(["a unavailable"]);
    bench.sent(1);
    expect(bench.names()).to.deep.equal([]);
  });

  it("L2: a send that timed out fails together with later sends of its sender in that room", () => {
    const bench = new LaneBench();
    bench.send("a");
    bench.advance(COMMAND_TIMEOUT_MS / 2);
    bench.send("b");
    const other = { op: "send", room: ROOM, from: "eve" as UserId, body: { text: "c" } } as const;
    const id = idOf(99) as MessageId;
    bench.step({ kind: "submit", command: { ...other, id }, context: "c" });
    bench.advance(COMMAND_TIMEOUT_MS / 2);
    // Otherwise "b" alone could be stored before an "a" that is resent through another gateway.
    expect(bench.names()).to.deep.equal(["a unavailable", "b unavailable"]);
    bench.left();
    bench.advance(LANE_STALL_MS);
    expect(new Set(bench.left().flatMap(([, , names]) => names))).to.deep.equal(new Set(["c"]));
  });

  it("L2: an expired command that was not sent is not sent later", () => {
    const bench = new LaneBench();
    bench.send("a");
    bench.step({ kind: "no-responders" });
    bench.advance(COMMAND_TIMEOUT_MS);
    bench.left();
    bench.send("b");
    bench.advance(1_000);
    expect(bench.left().flatMap(([, , names]) => names)).to.not.include("a");
  });

  it("L1: a lane full of commands answers `busy` and still accepts leaves", () => {
    const bench = new LaneBench();
    for (let i = 0; i < LANE_COMMANDS_MAX; i++) bench.send("x");
    bench.send("over");
    expect(bench.answers[0]?.result).to.include({ afterMs: 1_000 });
    expect(bench.names()).to.deep.equal(["over busy"]);
    const leave = { op: "leave", room: ROOM, user: ADA } as const;
    bench.step({ kind: "submit", command: leave, context: "leave" });
    expect(bench.names()).to.deep.equal([]);
    bench.sent(1);
    bench.sent(2);
    bench.names();
    bench.send("again");
    expect(bench.names()).to.deep.equal([]);
  });

  it("L1: a lane full of bytes answers `busy`", () => {
    const bench = new LaneBench();
    const text = "x".repeat(16_000);
    let taken = 0;
    while (bench.answers.length === 0) {
      bench.send("big", text);
      taken++;
    }
    expect(bench.names()).to.deep.equal(["big busy"]);
    expect(taken * 16_000).to.be.closeTo(LANE_BYTES_MAX, 200_000);
  });

  it("lane.6: a send with a temporary error of the owner fails later sends of its sender too", () => {
    const bench = new LaneBench();
    bench.send("a");
    bench.send("b");
    bench.refused(1, "busy");
    expect(bench.names()).to.deep.equal(["a busy", "b unavailable"]);
    bench.sent(2); // It was stored all the same; its retry gets that number.
    expect(bench.names()).to.deep.equal([]);
  });

  it("lane.7: an unanswered send before a numbered one of its room is asked about, not sent", () => {
    for (const more of [{}, { repeat: true } as const]) {
      const bench = new LaneBench();
      bench.send("refused, and the refusal was lost");
      bench.send("a repeat may have an old number");
      bench.sent(2, 1, more);
      bench.advance(LANE_OLDEST_MS + 100);
      const [command] = bench.batches.at(-1)!.commands;
      expect(command).to.include({ c: 1, op: "send" });
      expect("late" in command!).to.equal(!("repeat" in more));
    }
  });

  it("lane.6, lane.7: a write over HTTP neither fails nor is late because of another one, and makes none so", () => {
    const bench = new LaneBench();
    const http = { unordered: true } as const;
    bench.send("http a", "a", http);
    bench.send("socket", "s");
    bench.send("http b", "b", http);
    bench.refused(1, "busy");
    expect(bench.names()).to.deep.equal(["http a busy"]);
    bench.send("http c", "c", http);
    bench.sent(4);
    expect(bench.names()).to.deep.equal(["http c sent"]);
    bench.left();
    bench.step({ kind: "resync", epoch: 1, incarnation: 1 });
    const [again] = bench.batches;
    expect(again?.commands.map((command) => [command.c, "late" in command])).to.deep.equal([
      [2, false],
      [3, false],
    ]);
    bench.send("socket again", "s");
    bench.sent(5);
    bench.left();
    bench.step({ kind: "resync", epoch: 1, incarnation: 2 });
    const [last] = bench.batches;
    expect(last?.commands.map((command) => [command.c, "late" in command])).to.deep.equal([
      [2, true],
      [3, false],
    ]);
    bench.now = COMMAND_TIMEOUT_MS - 1;
    bench.send("http d", "d", http);
    bench.send("socket at last", "s");
    bench.advance(1);
    const failed = ["socket", "http b", "socket at last"].map((name) => `${name} unavailable`);
    expect(bench.names()).to.deep.equal(["socket again sent", ...failed]);
  });

  it("P9: `busy` stays `busy` for a command sent once, and becomes unavailable for one sent twice", () => {
    const bench = new LaneBench();
    bench.send("once");
    bench.refused(1, "busy");
    bench.send("twice");
    bench.step({ kind: "resync", epoch: 1, incarnation: 1 });
    bench.refused(2, "busy");
    bench.send("bad");
    bench.step({ kind: "resync", epoch: 1, incarnation: 2 });
    bench.refused(3, "bad_id");
    expect(bench.names()).to.deep.equal(["once busy", "twice unavailable", "bad bad_id"]);
  });
});
