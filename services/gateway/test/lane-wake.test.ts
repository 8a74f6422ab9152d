// Lane, by example: exact wake-up times, bounds and effects, one step at a time.

import { expect } from "chai";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import {
  COMMAND_TIMEOUT_MS,
  LANE_BYTES_MAX,
  LANE_COMMANDS_MAX,
  LANE_OLDEST_MS,
  LANE_RETRY_BASE_MS,
  LANE_STALL_MS,
} from "../core/bounds.ts";
import type { LaneEffect, LaneInput, NewCommand } from "../core/lane-io.ts";
import { SharedBound } from "../core/shared-bound.ts";
import { ADA, LaneBench, ROOM } from "./lane-bench.ts";
import { idOf } from "./owner-model.ts";

/** Steps once and performs nothing. */
function raw(bench: LaneBench, input: LaneInput<string>): LaneEffect<string>[] {
  return bench.lane.step(input, bench.now);
}

const send = (more: { from?: UserId; room?: RoomId } = {}): NewCommand => {
  const id = idOf(1) as MessageId;
  return { op: "send", room: ROOM, from: ADA, id, body: {}, ...more };
};
const submit = (context: string, command = send()): LaneInput<string> => ({
  kind: "submit",
  command,
  context,
});
const member = (op: "join" | "leave", user = ADA): NewCommand => ({ op, room: ROOM, user });
const kinds = (effects: readonly LaneEffect<string>[]) => effects.map(({ kind }) => kind);

describe("Lane: wake-up times", () => {
  it("L2: an empty lane does not wake; the first command wakes it after LANE_STALL_MS", () => {
    const bench = new LaneBench();
    expect(bench.lane.wakeAt).to.equal(undefined);
    bench.now = 7_000;
    bench.send("a");
    expect(bench.lane.wakeAt).to.equal(7_000 + LANE_STALL_MS);
    bench.now = 8_000;
    bench.send("b");
    expect(bench.lane.wakeAt, "not the second").to.equal(7_000 + LANE_STALL_MS);
    bench.sent(2);
    expect(bench.lane.wakeAt, "an answer is progress").to.equal(8_000 + LANE_STALL_MS);
    bench.sent(1);
    expect(bench.lane.wakeAt).to.equal(undefined);
  });

  it("L2: an answer to an unknown command is not progress", () => {
    const bench = new LaneBench();
    bench.send("a");
    bench.now = 1_500;
    bench.sent(99);
    expect(bench.lane.wakeAt).to.equal(LANE_STALL_MS);
    expect(bench.answers).to.deep.equal([]);
  });

  it("L2: the oldest command wakes it LANE_OLDEST_MS after it was sent; an unsent one does not", () => {
    const bench = new LaneBench();
    bench.now = 100_000;
    raw(bench, submit("a"));
    expect(bench.lane.wakeAt, "it has not left").to.equal(100_000 + LANE_STALL_MS);
    bench.now = 101_000;
    raw(bench, { kind: "flush" });
    for (let c = 2; bench.now < 105_000; c++) {
      bench.now += 500;
      bench.send("b");
      bench.sent(c);
    }
    expect(bench.lane.wakeAt).to.equal(101_000 + LANE_OLDEST_MS);
    bench.now = 101_000 + LANE_OLDEST_MS - 1;
    expect(raw(bench, { kind: "wake" })).to.deep.equal([]);
    bench.now++;
    expect(kinds(raw(bench, { kind: "wake" }))).to.deep.equal(["publish"]);
    bench.now = 108_000;
    expect(kinds(raw(bench, { kind: "wake" }))).to.deep.equal(["publish"]);
    expect(bench.lane.wakeAt, "its timeout").to.equal(100_000 + COMMAND_TIMEOUT_MS);
  });

  it("L2: a waiting lane wakes at the end of the wait, or at an earlier timeout of a command", () => {
    const bench = new LaneBench();
    raw(bench, { kind: "no-responders" });
    expect(bench.lane.wakeAt, "it has no commands").to.equal(LANE_RETRY_BASE_MS);
    const late = new LaneBench();
    late.send("a");
    late.now = COMMAND_TIMEOUT_MS - 10;
    expect(kinds(raw(late, { kind: "no-responders" }))).to.deep.equal(["suspect"]);
    expect(late.lane.wakeAt).to.equal(COMMAND_TIMEOUT_MS);
    late.now = COMMAND_TIMEOUT_MS;
    expect(kinds(raw(late, { kind: "wake" }))).to.deep.equal(["answer"]);
    expect(late.lane.wakeAt).to.equal(COMMAND_TIMEOUT_MS - 10 + LANE_RETRY_BASE_MS);
  });

  it("L3: an unanswered sync wakes it like a command, and has no timeout", () => {
    const bench = new LaneBench();
    bench.rooms = [[ROOM, 1, [ADA]]];
    bench.now = 3_000;
    expect(kinds(raw(bench, { kind: "reconnected" }))).to.deep.equal(["publish"]);
    expect(bench.lane.unanswered).to.equal(1);
    expect(bench.lane.wakeAt).to.equal(3_000 + LANE_STALL_MS);
    bench.now = 3_000 + COMMAND_TIMEOUT_MS;
    const again = raw(bench, { kind: "wake" });
    expect(kinds(again)).to.deep.equal(["publish"]);
    expect(bench.lane.unanswered).to.equal(1);
  });

  it("L2: after a stall the commands are sent again without a sync, first as one probe to any owner", () => {
    const bench = new LaneBench();
    bench.rooms = [[ROOM, 1, [ADA]]];
    raw(bench, { kind: "epoch", epoch: 5 });
    for (let n = 0; n < 10; n++) bench.send("big", "x".repeat(16_000));
    bench.left();
    bench.now = LANE_STALL_MS;
    const effects = raw(bench, { kind: "wake" });
    expect(effects.map((effect) => effect.kind === "publish" && effect.to)).to.deep.equal([0]);
    expect(bench.lane.unanswered, "no sync").to.equal(10);
    expect(bench.lane.queued).to.be.greaterThan(0);
    const more = raw(bench, submit("more"));
    expect(kinds(more)).to.deep.equal(["flush-soon"]);
    expect(raw(bench, { kind: "flush" }), "it waits for the probe").to.deep.equal([]);
    const answers = [{ result: { c: 1, ok: "sent", seq: 1, at: 0 } as const }];
    const rest = raw(bench, { kind: "results", epoch: 5, answers });
    expect(kinds(rest).filter((kind) => kind === "publish").length).to.be.greaterThan(1);
    expect(rest.every((effect) => effect.kind !== "publish" || effect.to === 5)).to.equal(true);
    expect(bench.lane.queued).to.equal(0);
  });

  it("L2: while no owner has answered, the first command waits like any other", () => {
    const bench = new LaneBench();
    raw(bench, { kind: "no-responders" });
    raw(bench, submit("a"));
    expect(raw(bench, { kind: "flush" })).to.deep.equal([]);
    expect(bench.lane.wakeAt).to.equal(LANE_RETRY_BASE_MS);
  });

  it("P8: an answer does not flush queued commands", () => {
    const bench = new LaneBench();
    bench.send("a");
    raw(bench, submit("b"));
    const answers = [{ result: { c: 1, ok: "sent", seq: 1, at: 0 } as const }];
    expect(kinds(raw(bench, { kind: "results", epoch: 1, answers }))).to.deep.equal(["answer"]);
  });

  it("L2: a command of an otherwise empty lane does not wait for a probe", () => {
    const bench = new LaneBench();
    raw(bench, { kind: "epoch", epoch: 5 });
    raw(bench, { kind: "no-responders", epoch: 5 });
    bench.now = LANE_RETRY_BASE_MS;
    expect(raw(bench, { kind: "wake" }), "there is nothing to send").to.deep.equal([]);
    const to: number[] = [];
    for (const context of ["a", "b"]) {
      raw(bench, submit(context));
      for (const effect of raw(bench, { kind: "flush" })) {
        if (effect.kind === "publish") to.push(effect.to);
      }
    }
    expect(to).to.deep.equal([5, 5]);
  });
});

describe("Lane: accepted and sent commands", () => {
  it("P8: a batch names its gateway, incarnation and number, and holds the commands as encoded", () => {
    const bench = new LaneBench();
    expect(raw(bench, submit("a"))).to.deep.equal([{ kind: "flush-soon" }]);
    expect(raw(bench, submit("b")), "requested already").to.deep.equal([]);
    expect(bench.lane.queued).to.equal(2);
    const commands = [1, 2].map((c) => ({ c, ...send() }));
    const batch = JSON.stringify({ v: 1, gw: "gw-1", lane: 1, n: 1, commands });
    const published = [{ kind: "publish", batch, to: 0 }];
    expect(raw(bench, { kind: "flush" })).to.deep.equal(published);
    expect(raw(bench, { kind: "flush" })).to.deep.equal([]);
    expect(bench.lane.queued).to.equal(0);
    expect(raw(bench, submit("c"))).to.deep.equal([{ kind: "flush-soon" }]);
  });

  it("L1: one command may fill the lane exactly, and with one byte more it is busy", () => {
    const size = (text: string): number => {
      const total = new SharedBound(Infinity);
      new LaneBench(total).send("a", text);
      return total.bytes;
    };
    const rest = LANE_BYTES_MAX - size("");
    const exact = new LaneBench();
    exact.send("exact", "x".repeat(rest));
    expect([exact.lane.unanswered, exact.answers.length]).to.deep.equal([1, 0]);
    exact.send("more");
    expect(exact.names()).to.deep.equal(["more busy"]);
    const over = new LaneBench();
    over.send("over", "x".repeat(rest + 1));
    expect(over.names()).to.deep.equal(["over busy"]);
    expect([over.lane.unanswered, over.lane.queued, over.lane.wakeAt]).to.deep.equal([
      0,
      0,
      undefined,
    ]);
  });

  it("L1: the lane is full at exactly LANE_COMMANDS_MAX commands, and an answer makes room", () => {
    const bench = new LaneBench();
    for (let n = 0; n < LANE_COMMANDS_MAX - 1; n++) bench.send("x");
    bench.send("last");
    expect(bench.answers).to.deep.equal([]);
    bench.send("over");
    expect(bench.names()).to.deep.equal(["over busy"]);
    expect(bench.lane.unanswered).to.equal(LANE_COMMANDS_MAX);
    bench.sent(5);
    bench.names();
    bench.send("again");
    expect(bench.names()).to.deep.equal([]);
  });

  it("L2: a command that timed out before it was sent takes no batch and no number", () => {
    const bench = new LaneBench();
    raw(bench, submit("a"));
    bench.now = COMMAND_TIMEOUT_MS;
    expect(kinds(raw(bench, { kind: "wake" }))).to.deep.equal(["answer"]);
    expect(raw(bench, { kind: "flush" })).to.deep.equal([]);
    bench.send("b");
    expect(bench.left()).to.deep.equal([[1, 1, ["b"]]]);
  });

  it("L2: nothing leaves during a wait, and everything leaves after it", () => {
    const bench = new LaneBench();
    bench.send("a");
    bench.left();
    bench.step({ kind: "no-responders" });
    bench.step({ kind: "no-responders" });
    expect(bench.suspects, "once per wait").to.equal(1);
    bench.send("b");
    expect([bench.left(), bench.lane.queued]).to.deep.equal([[], 1]);
    bench.now = LANE_RETRY_BASE_MS - 1;
    bench.step({ kind: "wake" });
    expect(bench.left()).to.deep.equal([]);
    bench.now++;
    bench.step({ kind: "wake" });
    expect(bench.left()).to.deep.equal([[2, 1, ["a", "b"]]]);
  });
});

describe("Lane: commands that fail together", () => {
  it("lane.6: a join that timed out fails alone", () => {
    const bench = new LaneBench();
    bench.step(submit("join", member("join")));
    bench.now = 5_000;
    bench.step(submit("other join", member("join", "bob" as UserId)));
    bench.step(submit("send"));
    bench.now = COMMAND_TIMEOUT_MS;
    bench.step({ kind: "wake" });
    expect(bench.names()).to.deep.equal(["join unavailable"]);
  });

  it("lane.6: sends of another room or another sender do not fail with it, also in between", () => {
    const other = send({ room: "other" as RoomId });
    const eve = send({ from: "eve" as UserId });
    const expired = new LaneBench();
    const refused = new LaneBench();
    for (const bench of [expired, refused]) {
      bench.step(submit("first"));
      bench.now = 1_000;
      bench.step(submit("other room", other));
      bench.step(submit("other sender", eve));
      bench.step(submit("join", member("join")));
      bench.step(submit("second"));
      bench.step(submit("third"));
      bench.step(submit("other sender again", send({ from: "eve" as UserId })));
      bench.step(submit("other join", member("join", "bob" as UserId)));
    }
    expired.now = COMMAND_TIMEOUT_MS;
    expired.step({ kind: "wake" });
    const all = ["second unavailable", "third unavailable"];
    expect(expired.names()).to.deep.equal(["first unavailable", ...all]);
    refused.refused(5, "busy");
    expect(refused.names()).to.deep.equal(["second busy", "third unavailable"]);
    refused.refused(1, "bad_id");
    refused.refused(4, "busy");
    expect(refused.names()).to.deep.equal(["first bad_id", "join busy"]);
    expect([refused.lane.unanswered, refused.suspects]).to.deep.equal([4, 0]);
  });

  it("lane.5: a leave that timed out begins an incarnation at once, with a sync first", () => {
    const bench = new LaneBench();
    bench.rooms = [[ROOM, 3, []]];
    raw(bench, { kind: "epoch", epoch: 5 });
    bench.step(submit("leave", member("leave")));
    bench.now = 1_000;
    bench.step(submit("send"));
    bench.left();
    bench.now = COMMAND_TIMEOUT_MS;
    const effects = raw(bench, { kind: "wake" });
    expect(kinds(effects)).to.deep.equal(["answer", "publish"]);
    const [, publish] = effects;
    expect(publish).to.include({ to: 0 });
    expect(publish)
      .to.have.property("batch")
      .that.matches(/"op":"sync".*"op":"send"/);
  });

  it("lane.5: during a wait, a leave that timed out makes the next incarnation begin with a sync", () => {
    const bench = new LaneBench();
    bench.rooms = [[ROOM, 3, []]];
    bench.step(submit("leave", member("leave")));
    bench.step({ kind: "resync", epoch: 1, incarnation: 1 });
    bench.now = COMMAND_TIMEOUT_MS - 10;
    bench.step({ kind: "resync", epoch: 1, incarnation: 2 }); // Waits 100 ms, without a sync.
    bench.left();
    bench.now = COMMAND_TIMEOUT_MS;
    bench.step({ kind: "wake" });
    expect([bench.names(), bench.left()]).to.deep.equal([["leave unavailable"], []]);
    bench.advance(200);
    expect(bench.left()).to.deep.equal([[3, 1, ["sync"]]]);
  });

  it("lane.7: only earlier sends of the same sender and room that were sent are asked about", () => {
    const bench = new LaneBench();
    bench.step(submit("other room", send({ room: "other" as RoomId })));
    bench.step(submit("other sender", send({ from: "eve" as UserId })));
    bench.step(submit("earlier"));
    bench.step(submit("numbered"));
    bench.step(submit("later"));
    bench.step(submit("join", member("join")));
    bench.sent(4);
    const joined = { result: { c: 6, ok: "joined", head: 1, here: 1, users: [] } };
    bench.step({ kind: "results", epoch: 1, answers: [joined as never] });
    bench.batches.length = 0;
    bench.step({ kind: "resync", epoch: 1, incarnation: 1 });
    const late = bench.batches[0]!.commands.filter((command) => "late" in command);
    expect(bench.batches[0]!.commands.map(({ c }) => c)).to.deep.equal([1, 2, 3, 5]);
    expect(late.map(({ c }) => c)).to.deep.equal([3]);

    const others = new LaneBench();
    others.step(submit("join", member("join")));
    others.step(submit("other join", member("join", "bob" as UserId)));
    others.step(submit("send"));
    others.step(submit("another"));
    const { result } = { result: { ...joined.result, c: 2 } };
    others.step({ kind: "results", epoch: 1, answers: [{ result } as never] });
    others.refused(4, "bad_id");
    others.batches.length = 0;
    others.step({ kind: "resync", epoch: 1, incarnation: 1 });
    const both = others.batches[0]!.commands;
    expect(both.map((command) => "late" in command)).to.deep.equal([false, false]);

    const unsent = new LaneBench();
    raw(unsent, submit("a"));
    raw(unsent, submit("b"));
    unsent.sent(2);
    raw(unsent, { kind: "flush" }).forEach((effect) => {
      expect(effect).to.have.property("batch").that.does.not.include("late");
    });
  });
});
