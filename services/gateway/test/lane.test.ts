// Lane, by example: each test is one thing that can go wrong between a gateway and an owner.

import { expect } from "chai";
import { RESYNC_ALL } from "#shared/protocol/commands.ts";
import type { Command, CommandBatch, Result } from "#shared/protocol/commands.ts";
import type { MessageId, ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { COMMAND_BATCH_BYTES_MAX } from "#shared/protocol/limits.ts";
import {
  COMMAND_TIMEOUT_MS,
  LANE_BYTES_MAX,
  LANE_COMMANDS_MAX,
  LANE_OLDEST_MS,
  LANE_STALL_MS,
  SYNC_BYTES_MAX,
} from "../core/bounds.ts";
import { Lane } from "../core/lane.ts";
import type { LaneEffect, LaneInput } from "../core/lane-steps.ts";
import type { SyncRoom } from "../core/sync.ts";
import { idOf } from "./owner-model.ts";

const ROOM = "general" as RoomId;
const ADA = "ada" as UserId;

/** A lane with its clock and what it said so far. */
class Bench {
  now = 0;
  rooms: SyncRoom[] = [];
  readonly batches: CommandBatch[] = [];
  readonly answers: { name: string; result: Result }[] = [];
  readonly heads: unknown[] = [];
  suspects = 0;
  #number = 0;
  readonly lane = new Lane<string>({
    gw: "gw-1" as ProcessId,
    nextNumber: () => ++this.#number,
    localRooms: () => this.rooms,
  });

  step(input: LaneInput<string>): void {
    for (const effect of this.lane.step(input, this.now)) this.#perform(effect);
  }

  #perform(effect: LaneEffect<string>): void {
    if (effect.kind === "flush-soon") this.step({ kind: "flush" });
    else if (effect.kind === "publish") this.batches.push(JSON.parse(effect.batch) as CommandBatch);
    else if (effect.kind === "answer") {
      this.answers.push({ name: effect.context, result: effect.answer.result });
    } else if (effect.kind === "heads") this.heads.push(...effect.heads);
    else this.suspects++;
  }

  send(name: string, text = name): void {
    const id = idOf(this.#number) as MessageId;
    const command = { op: "send", room: ROOM, from: ADA, id, body: { text } } as const;
    this.step({ kind: "submit", command, context: name });
  }

  /** Time passes and the lane is woken as it wished. */
  pass(ms: number): void {
    const until = this.now + ms;
    for (let at = this.lane.wakeAt; at !== undefined && at <= until; at = this.lane.wakeAt) {
      this.now = Math.max(this.now, at);
      this.step({ kind: "wake" });
    }
    this.now = until;
  }

  sent(c: number, epoch = 1, more: { repeat?: true } = {}): void {
    const answers = [{ result: { c, ok: "sent", seq: c, at: 0, ...more } as const }];
    this.step({ kind: "results", epoch, answers });
  }

  refused(c: number, error: "busy" | "bad_id", epoch = 1): void {
    this.step({ kind: "results", epoch, answers: [{ result: { c, error } }] });
  }

  /** What left since the last look: [incarnation, number, commands]. */
  left(): [number, number, string[]][] {
    return this.batches.splice(0).map(({ lane, n, commands }) => [lane, n, commands.map(nameOf)]);
  }

  names(): string[] {
    return this.answers.splice(0).map(({ name, result }) => `${name} ${verdict(result)}`);
  }
}

const nameOf = (command: Command): string =>
  command.op === "send" ? String(command.body["text"]).slice(0, 8) : command.op;
const verdict = (result: Result): string => ("error" in result ? result.error : result.ok);

describe("Lane", () => {
  it("P8: numbers the batches of an incarnation 1, 2, 3 and keeps the order of commands", () => {
    const bench = new Bench();
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

  it("P8: what was submitted in one turn leaves as one batch, split at the size limit", () => {
    const bench = new Bench();
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

  it("P8: a resync of this incarnation sends all unanswered again in order, once", () => {
    const bench = new Bench();
    for (const name of ["a", "b", "c"]) bench.send(name);
    bench.sent(1);
    bench.left();
    bench.step({ kind: "resync", epoch: 1, incarnation: 1 });
    bench.step({ kind: "resync", epoch: 1, incarnation: 1 }); // Said for each batch after the lost.
    expect(bench.left()).to.deep.equal([[2, 1, ["b", "c"]]]);
  });

  it("P8: resyncs without any answer between them are spaced", () => {
    const bench = new Bench();
    bench.send("a");
    bench.step({ kind: "resync", epoch: 1, incarnation: 1 });
    bench.left();
    bench.step({ kind: "resync", epoch: 1, incarnation: 2 });
    expect(bench.left()).to.deep.equal([]);
    bench.pass(100);
    expect(bench.left()).to.deep.equal([[3, 1, ["a"]]]);
  });

  it("L2: without any progress for LANE_STALL_MS everything is sent again", () => {
    const bench = new Bench();
    bench.send("a");
    bench.send("b");
    bench.left();
    bench.pass(LANE_STALL_MS - 1);
    expect(bench.left()).to.deep.equal([]);
    bench.pass(1);
    expect(bench.left()).to.deep.equal([[2, 1, ["a", "b"]]]);
  });

  it("L2: one lost result is found although others are answered all the time", () => {
    const bench = new Bench();
    bench.send("lost");
    bench.left();
    const repeats: number[] = [];
    for (let c = 2; bench.now < LANE_OLDEST_MS + 1_000; c++) {
      bench.send("x");
      bench.sent(c);
      if (bench.left().some(([, , names]) => names.includes("lost"))) repeats.push(bench.now);
      bench.pass(LANE_STALL_MS / 4);
    }
    expect(repeats).to.deep.equal([LANE_OLDEST_MS]);
    bench.sent(1);
    expect(bench.names()).to.include("lost sent");
  });

  it("L2: a command without an answer for ten seconds gets `unavailable`, and a late one nothing", () => {
    const bench = new Bench();
    bench.send("a");
    bench.pass(COMMAND_TIMEOUT_MS - 1);
    expect(bench.names()).to.deep.equal([]);
    bench.pass(1);
    expect(bench.answers[0]?.result).to.include({ afterMs: 0 });
    expect(bench.names()).to.deep.equal(["a unavailable"]);
    bench.sent(1);
    expect(bench.names()).to.deep.equal([]);
  });

  it("L2: a send that is given up takes its sender's later ones in that room with it", () => {
    const bench = new Bench();
    bench.send("a");
    bench.pass(COMMAND_TIMEOUT_MS / 2);
    bench.send("b");
    const other = { op: "send", room: ROOM, from: "eve" as UserId, body: { text: "c" } } as const;
    const id = idOf(99) as MessageId;
    bench.step({ kind: "submit", command: { ...other, id }, context: "c" });
    bench.pass(COMMAND_TIMEOUT_MS / 2);
    // Else "b" alone could still be stored, in front of an "a" that is sent again elsewhere.
    expect(bench.names()).to.deep.equal(["a unavailable", "b unavailable"]);
    bench.left();
    bench.pass(LANE_STALL_MS);
    expect(new Set(bench.left().flatMap(([, , names]) => names))).to.deep.equal(new Set(["c"]));
  });

  it("L2: an expired command that never left is not sent any more", () => {
    const bench = new Bench();
    bench.send("a");
    bench.step({ kind: "nobody" });
    bench.pass(COMMAND_TIMEOUT_MS);
    bench.left();
    bench.send("b");
    bench.pass(1_000);
    expect(bench.left().flatMap(([, , names]) => names)).to.not.include("a");
  });

  it("L1: full in commands, it answers `busy` and takes leaves nevertheless", () => {
    const bench = new Bench();
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

  it("L1: full in bytes, it answers `busy`", () => {
    const bench = new Bench();
    const text = "x".repeat(16_000);
    let taken = 0;
    while (bench.answers.length === 0) {
      bench.send("big", text);
      taken++;
    }
    expect(bench.names()).to.deep.equal(["big busy"]);
    expect(taken * 16_000).to.be.closeTo(LANE_BYTES_MAX, 200_000);
  });

  it("L3: a new epoch in a beat makes `sync` the first command of a new incarnation", () => {
    const bench = new Bench();
    bench.rooms = [[ROOM, 7, [ADA]]];
    bench.send("a");
    bench.sent(1, 5);
    bench.send("b");
    bench.left();
    bench.step({ kind: "epoch", epoch: 9 });
    const [batch] = bench.batches;
    expect(batch!.commands[0]).to.deep.include({ op: "sync", rooms: [[ROOM, 7, [ADA]]] });
    expect(bench.left()).to.deep.equal([[2, 1, ["sync", "b"]]]);
  });

  it("L3: a new epoch in a result does too, and old answers still count", () => {
    const bench = new Bench();
    bench.rooms = [[ROOM, 7, [ADA]]];
    for (const name of ["a", "b", "c"]) bench.send(name);
    bench.sent(1, 5);
    bench.left();
    bench.sent(2, 9);
    expect(bench.left()).to.deep.equal([[2, 1, ["sync", "c"]]]);
    bench.sent(3, 5); // Committed by the owner before: committed it is.
    expect(bench.names()).to.deep.equal(["a sent", "b sent", "c sent"]);
  });

  it("L3: the answer of an older owner to `sync` does not count, that of the new one does", () => {
    const bench = new Bench();
    bench.rooms = [[ROOM, 7, [ADA]]];
    bench.send("a");
    bench.sent(1, 5);
    bench.step({ kind: "epoch", epoch: 9 });
    const c = bench.batches.at(-1)!.commands[0]!.c;
    const answers = [{ result: { c, ok: "synced", heads: [[ROOM, 8, "b"]] } as const }];
    bench.step({ kind: "results", epoch: 5, answers });
    expect(bench.heads).to.deep.equal([]);
    bench.step({ kind: "results", epoch: 9, answers });
    expect(bench.heads).to.deep.equal([[ROOM, 8, "b"]]);
    expect(bench.lane.unanswered).to.equal(0);
  });

  it("L3: rooms are split over several syncs, and users that do not fit follow as joins", () => {
    const bench = new Bench();
    const users = Array.from({ length: 400 }, (_, i) => `${i}-${"u".repeat(120)}` as UserId);
    bench.rooms = [
      [ROOM, 1, [ADA]],
      ["crowd" as RoomId, 1, users],
    ];
    bench.send("a");
    bench.sent(1, 5);
    bench.left();
    bench.step({ kind: "epoch", epoch: 6 });
    const commands = bench.batches.flatMap((batch) => batch.commands);
    const syncs = commands.filter((command) => command.op === "sync");
    const joins = commands.filter((command) => command.op === "join");
    const rooms = syncs.flatMap((sync) => sync.rooms);
    expect(rooms.map(([room]) => room)).to.deep.equal([ROOM, "crowd"]);
    for (const sync of syncs) expect(JSON.stringify(sync).length).to.be.below(SYNC_BYTES_MAX + 100);
    const named = [...rooms[1]![2], ...joins.map((join) => join.user)];
    expect(named).to.deep.equal(users);
  });

  it("L3: while nobody owns the partition one batch knocks at growing intervals", () => {
    const bench = new Bench();
    const text = "x".repeat(16_000);
    bench.rooms = [[ROOM, 0, [ADA]]];
    for (let i = 0; i < 20; i++) bench.send("x", text);
    bench.left();
    const at: number[] = [];
    bench.step({ kind: "nobody" });
    for (let i = 0; i < 6; i++) {
      while (bench.batches.length === 0) bench.pass(1);
      at.push(bench.now);
      expect(bench.left().map(([, n, [first]]) => [n, first])).to.deep.equal([[1, "sync"]]);
      bench.step({ kind: "nobody" });
    }
    const gaps = at.map((time, i) => time - (at[i - 1] ?? 0));
    expect(gaps).to.deep.equal([50, 100, 200, 400, 500, 500]);
    expect(bench.suspects).to.equal(7);
  });

  it("L3: when somebody answers the knock, the rest follows in the same incarnation", () => {
    const bench = new Bench();
    for (let i = 0; i < 10; i++) bench.send("x", "x".repeat(16_000));
    bench.step({ kind: "nobody" });
    bench.pass(50);
    bench.left();
    bench.sent(1);
    const numbers = bench.left().map(([lane, n]) => [lane, n]);
    expect(numbers.slice(0, 2)).to.deep.equal([
      [2, 2],
      [2, 3],
    ]);
  });

  it("L3: after a reconnect everything is announced and sent again", () => {
    const bench = new Bench();
    bench.rooms = [[ROOM, 3, [ADA]]];
    bench.send("a");
    bench.left();
    bench.step({ kind: "reconnected" });
    expect(bench.left()).to.deep.equal([[2, 1, ["sync", "a"]]]);
    const idle = new Bench();
    idle.step({ kind: "reconnected" });
    expect(idle.left()).to.deep.equal([]);
  });

  it("A3: an owner that had forgotten this gateway is told of its members, whatever the incarnation", () => {
    const bench = new Bench();
    bench.rooms = [[ROOM, 3, [ADA]]];
    bench.step({ kind: "resync", epoch: 1, incarnation: RESYNC_ALL });
    expect(bench.left()).to.deep.equal([[2, 1, ["sync"]]]);
  });

  it("LN7: a send that the owner postponed takes its sender's later ones with it", () => {
    const bench = new Bench();
    bench.send("a");
    bench.send("b");
    bench.refused(1, "busy");
    expect(bench.names()).to.deep.equal(["a busy", "b unavailable"]);
    bench.sent(2); // It was stored all the same; its retry will hear of it.
    expect(bench.names()).to.deep.equal([]);
  });

  it("LN8: what was answered while a later send of its room was numbered is asked about, not sent", () => {
    for (const more of [{}, { repeat: true } as const]) {
      const bench = new Bench();
      bench.send("refused, and the refusal was lost");
      bench.send("numbered, or a repeat: that one may be numbered since long ago");
      bench.sent(2, 1, more);
      bench.pass(LANE_OLDEST_MS + 100);
      const [command] = bench.batches.at(-1)!.commands;
      expect(command).to.include({ c: 1, op: "send" });
      expect("late" in command!).to.equal(!("repeat" in more));
    }
  });

  it("LN6: a leave that ran out of time is made good by a sync", () => {
    const bench = new Bench();
    bench.rooms = [[ROOM, 3, []]];
    const command = { op: "leave", room: ROOM, user: ADA } as const;
    bench.step({ kind: "submit", command, context: "leave" });
    bench.left();
    bench.step({ kind: "nobody" });
    bench.pass(COMMAND_TIMEOUT_MS + 1_000);
    expect(bench.names()).to.deep.equal(["leave unavailable"]);
    const [, , commands] = bench.left().at(-1)!;
    expect(commands).to.deep.equal(["sync"]);
  });

  it("P9: `busy` stays `busy` for what was sent once, and is doubt for what was sent twice", () => {
    const bench = new Bench();
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
