// Lane, by example: syncs with owners that start, stop and lose their state.

import { expect } from "chai";
import { RESYNC_ALL } from "#shared/protocol/results.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { COMMAND_TIMEOUT_MS, LANE_STALL_MS, SYNC_BYTES_MAX } from "../core/bounds.ts";
import { ADA, LaneBench, ROOM } from "./lane-bench.ts";

describe("Lane: sync with owners", () => {
  it("L3: a new epoch in a beat makes `sync` the first command of a new incarnation", () => {
    const bench = new LaneBench();
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

  it("L3: a new epoch in a result does so too, and old answers still count", () => {
    const bench = new LaneBench();
    bench.rooms = [[ROOM, 7, [ADA]]];
    for (const name of ["a", "b", "c"]) bench.send(name);
    bench.sent(1, 5);
    bench.left();
    bench.sent(2, 9);
    expect(bench.left()).to.deep.equal([[2, 1, ["sync", "c"]]]);
    bench.sent(3, 5); // The old owner committed it, so it stays committed.
    expect(bench.names()).to.deep.equal(["a sent", "b sent", "c sent"]);
  });

  it("L3: the answer of an older owner to `sync` does not count, and that of the new one does", () => {
    const bench = new LaneBench();
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
    const bench = new LaneBench();
    const users = Array.from({ length: 400 }, (_, i) => `${i}-${"u".repeat(120)}` as UserId);
    bench.rooms = [
      [ROOM, 1, [ADA]],
      ["large" as RoomId, 1, users],
    ];
    bench.send("a");
    bench.sent(1, 5);
    bench.left();
    bench.step({ kind: "epoch", epoch: 6 });
    const commands = bench.batches.flatMap((batch) => batch.commands);
    const syncs = commands.filter((command) => command.op === "sync");
    const joins = commands.filter((command) => command.op === "join");
    const rooms = syncs.flatMap((sync) => sync.rooms);
    expect(rooms.map(([room]) => room)).to.deep.equal([ROOM, "large"]);
    for (const sync of syncs) expect(JSON.stringify(sync).length).to.be.below(SYNC_BYTES_MAX + 100);
    const named = [...rooms[1]![2], ...joins.map((join) => join.user)];
    expect(named).to.deep.equal(users);
  });

  it("L3: while the partition has no owner, one batch probes at growing intervals", () => {
    const bench = new LaneBench();
    const text = "x".repeat(16_000);
    bench.rooms = [[ROOM, 0, [ADA]]];
    for (let i = 0; i < 20; i++) bench.send("x", text);
    bench.left();
    const at: number[] = [];
    bench.step({ kind: "no-responders" });
    for (let i = 0; i < 6; i++) {
      while (bench.batches.length === 0) bench.advance(1);
      at.push(bench.now);
      expect(bench.left().map(([, n, [first]]) => [n, first])).to.deep.equal([[1, "sync"]]);
      bench.step({ kind: "no-responders" });
    }
    const gaps = at.map((time, i) => time - (at[i - 1] ?? 0));
    expect(gaps).to.deep.equal([50, 100, 200, 400, 500, 500]);
    expect(bench.suspects).to.equal(7);
  });

  it("L3: when an owner answers the probe, the rest follows in the same incarnation", () => {
    const bench = new LaneBench();
    for (let i = 0; i < 10; i++) bench.send("x", "x".repeat(16_000));
    bench.step({ kind: "no-responders" });
    bench.advance(50);
    bench.left();
    bench.sent(1);
    const numbers = bench.left().map(([lane, n]) => [lane, n]);
    expect(numbers.slice(0, 2)).to.deep.equal([
      [2, 2],
      [2, 3],
    ]);
  });

  it("L3: after a reconnect all members are announced and all commands sent again", () => {
    const bench = new LaneBench();
    bench.rooms = [[ROOM, 3, [ADA]]];
    bench.send("a");
    bench.left();
    bench.step({ kind: "reconnected" });
    expect(bench.left()).to.deep.equal([[2, 1, ["sync", "a"]]]);
    const idle = new LaneBench();
    idle.step({ kind: "reconnected" });
    expect(idle.left()).to.deep.equal([]);
  });

  it("A3: an owner that lost this gateway's state gets its members, whatever the incarnation", () => {
    const bench = new LaneBench();
    bench.rooms = [[ROOM, 3, [ADA]]];
    bench.step({ kind: "resync", epoch: 1, incarnation: RESYNC_ALL });
    expect(bench.left()).to.deep.equal([[2, 1, ["sync"]]]);
  });

  it("lane.5: a leave that timed out is repaired by a sync", () => {
    const bench = new LaneBench();
    bench.rooms = [[ROOM, 3, []]];
    const command = { op: "leave", room: ROOM, user: ADA } as const;
    bench.step({ kind: "submit", command, context: "leave" });
    bench.left();
    bench.step({ kind: "no-responders" });
    bench.advance(COMMAND_TIMEOUT_MS + 1_000);
    expect(bench.names()).to.deep.equal(["leave unavailable"]);
    const [, , commands] = bench.left().at(-1)!;
    expect(commands).to.deep.equal(["sync"]);
  });

  it("lane.5: a leave that an owner refuses stays behind the join or sync that it reverses", () => {
    const leave = { op: "leave", room: ROOM, user: ADA } as const;
    const joins = new LaneBench();
    joins.step({ kind: "submit", command: { ...leave, op: "join" }, context: "join" });
    joins.step({ kind: "submit", command: leave, context: "leave" });
    joins.refused(2, "busy"); // The answer to the join was lost.
    joins.left();
    joins.advance(LANE_STALL_MS);
    expect(joins.left()).to.deep.equal([[2, 1, ["join", "leave"]]]);
    expect(joins.names()).to.deep.equal([]);

    const syncs = new LaneBench();
    syncs.rooms = [[ROOM, 3, [ADA]]];
    syncs.step({ kind: "reconnected" });
    syncs.refused(1, "busy");
    syncs.rooms = [[ROOM, 3, []]];
    syncs.step({ kind: "submit", command: leave, context: "leave" });
    syncs.refused(2, "busy");
    syncs.left();
    syncs.step({ kind: "resync", epoch: 1, incarnation: 2 });
    expect(syncs.left()).to.deep.equal([[3, 1, ["sync", "leave"]]]);
    const left = { c: 2, ok: "left" } as const;
    syncs.step({ kind: "results", epoch: 1, answers: [{ result: left }] });
    expect(syncs.names()).to.deep.equal(["leave left"]);
  });
});
