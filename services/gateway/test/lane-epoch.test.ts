// Lane, by example: the exact effects of each sign of an owner (a beat, a result, a resync, no
// answer).

import { expect } from "chai";
import { RESYNC_ALL } from "#shared/protocol/results.ts";
import type { CommandBatch } from "#shared/protocol/commands.ts";
import type { Answer } from "#shared/protocol/results.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { LANE_RETRY_BASE_MS, LANE_STALL_MS } from "../core/bounds.ts";
import type { LaneEffect, LaneInput } from "../core/lane-io.ts";
import { ADA, LaneBench, ROOM } from "./lane-bench.ts";

/** Steps once, performs nothing, and names the effects: "[2,1] sync x x to 5". */
function effectsOf(bench: LaneBench, input: LaneInput<string>): string[] {
  return bench.lane.step(input, bench.now).map(inWords);
}

function inWords(effect: LaneEffect<string>): string {
  if (effect.kind !== "publish") return effect.kind;
  const { lane, n, commands } = JSON.parse(effect.batch) as CommandBatch;
  return `[${lane},${n}] ${commands.map(({ op }) => op).join(" ")} to ${effect.to}`;
}

/** A lane with a member in a room, `sends` unanswered sends and an owner of epoch 5. */
function bench({ sends = 1, epoch = 5 } = {}): LaneBench {
  const made = new LaneBench();
  made.rooms = [[ROOM, 7, [ADA]]];
  if (epoch > 0) made.step({ kind: "epoch", epoch });
  for (let n = 0; n < sends; n++) made.send("x");
  made.left();
  return made;
}

const results = (epoch: number, ...answers: Answer["result"][]): LaneInput<string> => ({
  kind: "results",
  epoch,
  answers: answers.map((result) => ({ result })),
});
const sent = (c: number) => ({ c, ok: "sent", seq: c, at: 0 }) as const;
const synced = (c: number) => ({ c, ok: "synced", heads: [[ROOM, 8, "b"]] }) as const;

describe("Lane: beats", () => {
  it("L3: the first known epoch changes nothing, and neither does the same or an older one", () => {
    const lane = bench({ epoch: 0 });
    expect(effectsOf(lane, { kind: "epoch", epoch: 5 })).to.deep.equal([]);
    expect(effectsOf(lane, { kind: "epoch", epoch: 5 })).to.deep.equal([]);
    expect(effectsOf(lane, { kind: "epoch", epoch: 4 })).to.deep.equal([]);
    expect(lane.lane.epoch).to.equal(5);
    expect(effectsOf(lane, { kind: "epoch", epoch: 6 })).to.deep.equal(["[2,1] sync send to 6"]);
    expect(lane.lane.epoch).to.equal(6);
  });

  it("L3: the first known epoch ends a wait for an owner", () => {
    const lane = bench({ epoch: 0 });
    expect(effectsOf(lane, { kind: "no-responders" })).to.deep.equal(["suspect"]);
    expect(effectsOf(lane, { kind: "epoch", epoch: 5 })).to.deep.equal(["[2,1] sync send to 5"]);
  });

  it("L3: all unanswered commands follow at once, without a probe", () => {
    const lane = bench({ sends: 0 });
    for (let n = 0; n < 10; n++) lane.send("big", "x".repeat(16_000));
    expect(effectsOf(lane, { kind: "epoch", epoch: 6 }).length).to.be.greaterThan(2);
    expect(lane.lane.queued).to.equal(0);
    expect(effectsOf(lane, { kind: "reconnected" }).length).to.be.greaterThan(2);
    expect(lane.lane.queued).to.equal(0);
  });
});

describe("Lane: results", () => {
  it("L3: the first epoch in a result changes nothing, a newer one syncs, and an older one is ignored", () => {
    const lane = bench({ sends: 4, epoch: 0 });
    expect(effectsOf(lane, results(5, sent(1)))).to.deep.equal(["answer"]);
    expect(effectsOf(lane, results(6, sent(2)))).to.deep.equal([
      "answer",
      "[2,1] sync send send to 6",
    ]);
    expect(effectsOf(lane, results(5, sent(3)))).to.deep.equal(["answer"]);
    expect(lane.lane.epoch).to.equal(6);
    expect(effectsOf(lane, results(7))).to.deep.equal(["[3,1] sync send to 7"]);
  });

  it("lane.4: a permanent refusal of an older owner does not count, because the newer one decides", () => {
    const lane = bench({ sends: 2 });
    expect(effectsOf(lane, { kind: "epoch", epoch: 6 })).to.deep.equal([
      "[2,1] sync send send to 6",
    ]);
    expect(effectsOf(lane, results(5, { c: 1, error: "forbidden" }))).to.deep.equal([]);
    expect(lane.lane.unanswered, "with the sync").to.equal(3);
    expect(effectsOf(lane, results(6, sent(1), { c: 2, error: "forbidden" }))).to.deep.equal([
      "answer",
      "answer",
    ]);
  });

  it("lane.4: a permanent refusal of a join counts from any owner", () => {
    const lane = bench({ sends: 0 });
    const command = { op: "join", room: ROOM, user: ADA } as const;
    lane.step({ kind: "submit", command, context: "join" });
    effectsOf(lane, { kind: "epoch", epoch: 6 });
    expect(effectsOf(lane, results(5, { c: 1, error: "forbidden" }))).to.deep.equal(["answer"]);
  });

  it("L3: an owner that answered the whole sync has the members, and one that did not gets a sync", () => {
    const lane = bench({ sends: 0 });
    const users = Array.from({ length: 400 }, (_, n) => `${n}-${"u".repeat(120)}` as UserId);
    lane.rooms = [
      [ROOM, 1, users.slice(0, 250)],
      ["other" as RoomId, 1, users.slice(0, 200)],
    ];
    effectsOf(lane, { kind: "reconnected" });
    expect(lane.lane.unanswered).to.equal(2);
    lane.now = 1_000;
    expect(effectsOf(lane, results(9, synced(1)))).to.deep.equal(["heads"]);
    expect(lane.lane.wakeAt, "it is progress").to.equal(1_000 + LANE_STALL_MS);
    const [heads, again] = effectsOf(lane, results(12, synced(2)));
    expect([heads, again], "another owner answered the other part").to.deep.equal([
      "heads",
      "[3,1] sync sync to 12",
    ]);
  });

  it("L3: a refused part of a sync stays unanswered; a join of it is answered without heads", () => {
    const lane = bench({ sends: 0 });
    const users = Array.from({ length: 300 }, (_, n) => `${n}-${"u".repeat(120)}` as UserId);
    lane.rooms = [[ROOM, 1, users]];
    effectsOf(lane, { kind: "reconnected" });
    const parts = lane.lane.unanswered;
    expect(parts).to.be.greaterThan(1);
    expect(effectsOf(lane, results(5, { c: 1, error: "busy" }))).to.deep.equal([]);
    expect(lane.lane.unanswered).to.equal(parts);
    const joined = { c: 2, ok: "joined", head: 1, here: 1, users: [] };
    expect(effectsOf(lane, results(5, joined as never))).to.deep.equal([]);
    expect(lane.lane.unanswered).to.equal(parts - 1);
    const { heads } = synced(1);
    expect(lane.lane.step(results(5, synced(1)), 0)).to.deep.equal([{ kind: "heads", heads }]);
    expect(effectsOf(lane, results(5, synced(1))), "it was answered").to.deep.equal([]);
    lane.send("x");
    expect(lane.lane.unanswered).to.equal(parts - 1);
  });

  it("P8: after progress the next resync sends at once; without progress the second one waits", () => {
    const lane = bench({ sends: 3 });
    const resync = (incarnation: number): LaneInput<string> => ({
      kind: "resync",
      epoch: 5,
      incarnation,
    });
    expect(effectsOf(lane, resync(1))).to.deep.equal(["[2,1] send send send to 5"]);
    effectsOf(lane, results(5, sent(1)));
    expect(effectsOf(lane, resync(2))).to.deep.equal(["[3,1] send send to 5"]);
    effectsOf(lane, results(5, sent(99)));
    expect(effectsOf(lane, resync(3)), "no progress").to.deep.equal([]);
    expect(lane.lane.wakeAt).to.equal(2 * LANE_RETRY_BASE_MS);
    lane.now = 2 * LANE_RETRY_BASE_MS;
    expect(effectsOf(lane, { kind: "wake" }), "without a sync").to.deep.equal([
      "[4,1] send send to 0",
    ]);
  });

  it("lane.5: a leave with a temporary error is progress", () => {
    const lane = bench({ sends: 0 });
    lane.step({
      kind: "submit",
      command: { op: "leave", room: ROOM, user: ADA },
      context: "leave",
    });
    lane.now = 1_000;
    expect(effectsOf(lane, results(5, { c: 1, error: "busy" }))).to.deep.equal([]);
    expect(lane.lane.wakeAt).to.equal(1_000 + LANE_STALL_MS);
    expect(effectsOf(lane, results(5, { c: 1, error: "forbidden" }))).to.deep.equal(["answer"]);
  });
});

describe("Lane: resyncs", () => {
  it("P8: a resync of an older incarnation only updates the epoch", () => {
    const lane = bench();
    effectsOf(lane, { kind: "resync", epoch: 5, incarnation: 1 });
    expect(effectsOf(lane, { kind: "resync", epoch: 3, incarnation: 1, above: 9 })).to.deep.equal(
      [],
    );
    expect(lane.lane.epoch).to.equal(5);
    expect(effectsOf(lane, { kind: "resync", epoch: 6, incarnation: 1 })).to.deep.equal([
      "[3,1] sync send to 6",
    ]);
  });

  it("L3: a resync that names the first known epoch causes no sync", () => {
    const lane = bench({ epoch: 0 });
    expect(effectsOf(lane, { kind: "resync", epoch: 5, incarnation: 1 })).to.deep.equal([
      "[2,1] send to 5",
    ]);
  });

  it("P8: a resync during a wait shows an owner, and the lane then does what it waited for", () => {
    const gone = bench();
    effectsOf(gone, { kind: "no-responders", epoch: 5 });
    expect(effectsOf(gone, { kind: "resync", epoch: 5, incarnation: 1 })).to.deep.equal([
      "[2,1] sync send to 5",
    ]);
    const spaced = bench({ sends: 0 });
    for (let n = 0; n < 10; n++) spaced.send("big", "x".repeat(16_000));
    effectsOf(spaced, { kind: "resync", epoch: 5, incarnation: 1 });
    expect(effectsOf(spaced, { kind: "resync", epoch: 5, incarnation: 2 })).to.deep.equal([]);
    const again = effectsOf(spaced, { kind: "resync", epoch: 5, incarnation: 2 });
    expect(again[0]).to.match(/^\[3,1\] send/);
    expect(again.length, "all of it").to.be.greaterThan(2);
  });

  it("A3: an owner without state gets a sync and all further commands at once", () => {
    const lane = bench({ sends: 0 });
    for (let n = 0; n < 10; n++) lane.send("big", "x".repeat(16_000));
    const words = effectsOf(lane, { kind: "resync", epoch: 5, incarnation: RESYNC_ALL });
    expect(words[0]).to.match(/^\[2,1\] sync send/);
    expect(words.length).to.be.greaterThan(2);
  });
});

describe("Lane: no owner, and reconnects", () => {
  it("L4: `no responders` of another epoch than the newest changes nothing, nor does one during a wait", () => {
    const lane = bench();
    expect(effectsOf(lane, { kind: "no-responders", epoch: 4 })).to.deep.equal([]);
    expect(effectsOf(lane, { kind: "no-responders", epoch: 0 })).to.deep.equal(["suspect"]);
    expect(effectsOf(lane, { kind: "no-responders", epoch: 5 })).to.deep.equal([]);
    expect(lane.lane.wakeAt).to.equal(LANE_RETRY_BASE_MS);
    lane.now = LANE_RETRY_BASE_MS;
    expect(effectsOf(lane, { kind: "wake" })).to.deep.equal(["[2,1] sync send to 0"]);
    expect(effectsOf(lane, { kind: "no-responders", epoch: 5 })).to.deep.equal(["suspect"]);
  });

  it("L3: a reconnect without commands and rooms keeps the incarnation", () => {
    const idle = bench({ sends: 0 });
    idle.rooms = [];
    expect(effectsOf(idle, { kind: "reconnected" })).to.deep.equal([]);
    idle.send("x");
    expect(idle.left()).to.deep.equal([[1, 1, ["x"]]]);
    expect(effectsOf(idle, { kind: "reconnected" }), "no rooms").to.deep.equal(["[2,1] send to 5"]);
    const members = bench({ sends: 0 });
    expect(effectsOf(members, { kind: "reconnected" }), "no sends").to.deep.equal([
      "[2,1] sync to 5",
    ]);
    expect(members.lane.unanswered).to.equal(1);
  });

  it("lane.2: the commands of an older sync are not sent again with a new one", () => {
    const lane = bench({ sends: 2 });
    expect(effectsOf(lane, { kind: "reconnected" })).to.deep.equal(["[2,1] sync send send to 5"]);
    expect(effectsOf(lane, { kind: "reconnected" })).to.deep.equal(["[3,1] sync send send to 5"]);
    expect(lane.lane.unanswered).to.equal(3);
    expect(effectsOf(lane, { kind: "resync", epoch: 5, incarnation: 3 })).to.deep.equal([]);
    lane.now = 1_000;
    expect(effectsOf(lane, { kind: "wake" })).to.deep.equal(["[4,1] sync send send to 0"]);
  });
});
