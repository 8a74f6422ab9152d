// Steps of a tenure, each with all its effects: admission, loading, waiting, quiet rooms, and goodbyes.

import { expect } from "chai";
import { RESYNC_ALL } from "#shared/protocol/commands.ts";
import type { Command, CommandBatch, SendCommand } from "#shared/protocol/commands.ts";
import { decodeEntry } from "#shared/protocol/entry.ts";
import { decodeEvent, encodeEvent } from "#shared/protocol/events.ts";
import { DEDUPE_WINDOW_MS, TAKE_OVER_IDS_MS } from "#shared/protocol/limits.ts";
import type { MessageId, ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import type { Effect } from "../core/effects.ts";
import { QUIET_MS, WAITING_MAX_MS } from "../core/tenure.ts";
import { ADA, Bench, commitEntry, DEV, emptySnapshot, GENERAL, GW } from "./partition-fixture.ts";
import { idAt, linesOf, only, resultsOf, send, T0 } from "./partition-fixture.ts";

const EVE = "eve" as UserId;
const GW2 = "gw-2" as ProcessId;
let c = 40_000;

const of = (overrides: Partial<SendCommand> = {}): SendCommand => send(overrides) as SendCommand;
const head = (room: RoomId): Command => ({ c: ++c, op: "head", room });

/** Names its own batches, which Bench numbers by itself. */
function batch(
  bench: Bench,
  given: Partial<CommandBatch> & { readonly commands?: readonly Command[] },
): Effect[] {
  const whole = { v: 1, gw: GW2, lane: 1, n: 1, commands: [], ...given } as const;
  return bench.step({ kind: "batch", batch: whole });
}

function errors(effects: readonly Effect[]): unknown[] {
  return resultsOf(effects).map((result) => [result.c, "error" in result ? result.error : "ok"]);
}

/** Flushes, settles append `n`, and returns the ids in the order of their numbers. */
function commit(bench: Bench, n: number): MessageId[] {
  const [append] = only(bench.flush(), "append");
  if (append === undefined) return [];
  bench.appended(n, { kind: "ok", seq: append.expected + 1 });
  const entry = decodeEntry(append.text);
  if (entry.kind !== "commit") return [];
  return entry.groups.flatMap(({ lines }) => lines.map((line) => decodeEvent(line).id));
}

describe("Tenure steps: admission", () => {
  it("P8: a batch out of step is answered with a resync, and its commands are not taken", () => {
    const bench = new Bench().withRooms([GENERAL]);
    const resync = { kind: "resync", gateway: GW2, epoch: 1, lane: 7 } as const;
    const commands = [head(GENERAL)];
    expect(batch(bench, { lane: 7, n: 2, commands })).to.deep.equal([resync]);
    expect(only(batch(bench, { lane: 7, commands }), "reply")).to.have.length(1);
    expect(batch(bench, { lane: 7, commands }), "it was taken").to.deep.equal([]);
    expect(batch(bench, { lane: 7, n: 3, commands })).to.deep.equal([resync]);
    expect(batch(bench, { lane: 6, n: 2, commands })).to.deep.equal([
      { ...resync, lane: 6, above: 7 },
    ]);
    expect(only(batch(bench, { lane: 7, n: 2, commands }), "reply")).to.have.length(1);
  });

  it("P8: a new incarnation drops what its gateway had waiting, for rooms and for look-ups", () => {
    const bench = new Bench();
    bench.serve();
    const [mine, other] = [of(), of({ from: EVE })];
    batch(bench, { commands: [mine] });
    batch(bench, { gw: GW, commands: [other] });
    batch(bench, { lane: 2, n: 1 });
    bench.loaded(emptySnapshot(GENERAL, 0));
    expect(commit(bench, 1)).to.deep.equal([other.id]);
  });

  it("P7: a flush is asked for once, and again after it", () => {
    const bench = new Bench().withRooms([GENERAL]);
    expect(bench.batch([send(), send()])).to.deep.equal([{ kind: "flush-soon" }]);
    expect(bench.batch([send()])).to.deep.equal([]);
    expect(bench.flush()).to.have.length(1);
    expect(bench.batch([send()])).to.deep.equal([{ kind: "flush-soon" }]);
  });

  it("P5: an answer out of order says so in the log, and is no conflict", () => {
    const bench = new Bench().withRooms([GENERAL]);
    bench.batch([send()]);
    bench.flush();
    const outcome = { kind: "unknown", reason: "an append was answered out of order" };
    const detail = { epoch: 1, outcome, expected: 2, refused: 0 };
    expect(bench.appended(2, { kind: "ok", seq: 3 })).to.deep.equal([
      { kind: "unsubscribe" },
      { kind: "log", event: "partition in doubt", detail },
      { kind: "changed" },
      { kind: "read-last" },
    ]);
  });

  it("commit.2: the first append expects what the archive has, when that is above the claim", () => {
    const bench = new Bench();
    bench.step({ kind: "claim" });
    bench.last(3);
    bench.appended(0, { kind: "ok", seq: 4 });
    const outcome = { kind: "ok", value: { seq: 9, epoch: 4 } } as const;
    bench.step({ kind: "watermark", tenure: bench.tenure, outcome });
    bench.batch([send()]);
    bench.loaded(emptySnapshot(GENERAL, 9));
    expect(only(bench.flush(), "append")[0]).to.include({ expected: 9, n: 1, events: 1 });
  });

  it("O2: a settled entry is broadcast room by room, then answered, then the next one leaves", () => {
    const bench = new Bench().withRooms([GENERAL, DEV]);
    const [a, b, d] = [of(), of({ room: DEV }), of()];
    bench.batch([a, b]);
    bench.flush();
    bench.batch([d]);
    bench.flush();
    bench.batch([of()]);
    const line = ({ room, id, from, body }: SendCommand): string =>
      encodeEvent({ t: "msg", room, seq: 1, id, from, at: T0, body });
    const effects = bench.appended(1, { kind: "ok", seq: 2 });
    expect(effects.map(({ kind }) => kind)).to.deep.equal([
      "broadcast",
      "broadcast",
      "append",
      "reply",
    ]);
    expect(effects.slice(0, 2)).to.deep.equal([
      { kind: "broadcast", room: GENERAL, first: 1, lines: [line(a)] },
      { kind: "broadcast", room: DEV, first: 1, lines: [line(b)] },
    ]);
    expect(only(effects, "reply")[0]).to.deep.equal({
      kind: "reply",
      gateway: GW,
      epoch: 1,
      results: [a, b].map((command) => ({
        result: { c: command.c, ok: "sent", seq: 1, at: T0 },
      })),
    });
  });
});

describe("Tenure steps: rooms", () => {
  it("P25: an answer for a room that is not being loaded changes nothing", () => {
    const bench = new Bench().withRooms([GENERAL]);
    expect(bench.loaded({ ...emptySnapshot(DEV, 0), head: 9 })).to.deep.equal([]);
    expect(bench.loaded({ ...emptySnapshot(GENERAL, 0), head: 9 })).to.deep.equal([]);
    expect(resultsOf(bench.batch([head(GENERAL)]))[0]).to.include({ head: 0 });
  });

  it("P25: a snapshot that misses the replay is logged, one that is too old is not; both are asked again", () => {
    const entries = { 9: commitEntry(1, [linesOf(GENERAL, 5, 2)]) };
    for (const [snapshot, events] of [
      [{ ...emptySnapshot(GENERAL, 8), head: 3 }, ["snapshot misses the replay"]],
      [{ ...emptySnapshot(GENERAL, 7), head: 4 }, []],
    ] as const) {
      const bench = new Bench();
      bench.serve({ claim: 10, watermark: 8, epoch: 1, entries });
      bench.batch([head(GENERAL)]);
      const effects = bench.loaded(snapshot);
      expect(effects).to.deep.equal(
        events.map((event) => ({ kind: "log", event, detail: { room: GENERAL } })),
      );
      expect(only(bench.tick(1_000), "load-room")).to.have.length(1);
      const loaded = bench.loaded({ ...emptySnapshot(GENERAL, 8), head: 4, born: "b" });
      expect(loaded[0]).to.deep.equal({ kind: "repeat-head", room: GENERAL, head: 6, born: "b" });
      expect(resultsOf(loaded)[0]).to.include({ head: 6, born: "b" });
    }
  });

  it("P13: a load asks for the ids of the last minute by the wall clock", () => {
    const bench = new Bench();
    bench.serve();
    const commands = [head(GENERAL)];
    const input = { kind: "batch", batch: { v: 1, gw: GW, lane: 9, n: 1, commands } } as const;
    const effects = bench.partition.step(input, T0, T0 + 5_000);
    const since = T0 + 5_000 - TAKE_OVER_IDS_MS;
    expect(effects).to.deep.equal([{ kind: "load-room", room: GENERAL, since }]);
  });

  it("P14: a mark that was told already changes nothing", () => {
    const bench = new Bench().withRooms([GENERAL]);
    bench.batch([of()]);
    commit(bench, 1);
    for (const seq of [2, 2, 1]) expect(bench.step({ kind: "mark", seq })).to.deep.equal([]);
    expect(bench.memory.account.usedBy("unarchived")).to.equal(0);
    expect(bench.memory.account.usedBy("tails")).to.be.above(0);
  });

  it("P5: the end of a tenure gives back who was here", () => {
    const bench = new Bench().withRooms([GENERAL]);
    bench.batch([{ c: ++c, op: "join", room: GENERAL, user: ADA }, of()]);
    bench.flush();
    expect(bench.memory.account.usedBy("presence")).to.be.above(0);
    bench.appended(1, { kind: "unknown", reason: "test" });
    expect([bench.memory.account.used, bench.memory.rooms]).to.deep.equal([0, 0]);
  });

  it("P21: a command waits WAITING_MAX_MS for its room, and not one millisecond more", () => {
    const bench = new Bench();
    bench.serve();
    const [sends, asks] = [of(), head(GENERAL)];
    bench.batch([sends, asks]);
    expect(resultsOf(bench.tick(WAITING_MAX_MS))).to.deep.equal([]);
    expect(errors(bench.tick(1))).to.deep.equal([
      [sends.c, "unavailable"],
      [asks.c, "unavailable"],
    ]);
    bench.loaded(emptySnapshot(GENERAL, 0));
    expect(errors(bench.batch([of()])), "behind the refused one").to.have.length(1);
    expect(errors(bench.batch([of({ from: EVE })]))).to.deep.equal([]);
  });

  it("P21: so does a send for its look-up", () => {
    const bench = new Bench();
    bench.serve();
    bench.batch([head(GENERAL)]);
    bench.loaded({ ...emptySnapshot(GENERAL, 0), floor: T0 });
    const old = of({ id: idAt(T0 - 1) });
    expect(only(bench.batch([old]), "look-up")).to.have.length(1);
    expect(resultsOf(bench.tick(WAITING_MAX_MS))).to.deep.equal([]);
    expect(errors(bench.tick(1))).to.deep.equal([[old.c, "unavailable"]]);
  });

  it("O10: each room's head is repeated after its own last commit, the one that went quiet first before", () => {
    const bench = new Bench().withRooms([GENERAL, DEV]);
    const put = (n: number, room: RoomId): void => {
      bench.batch([send({ room })]);
      commit(bench, n);
    };
    const heads = (ms: number): unknown[] =>
      only(bench.tick(ms), "repeat-head").map(({ room, head: at }) => [room, at]);
    put(1, GENERAL);
    bench.tick(100);
    put(2, DEV);
    bench.tick(400);
    put(3, GENERAL);
    expect(heads(QUIET_MS - 401)).to.deep.equal([]);
    expect(heads(1)).to.deep.equal([[DEV, 1]]);
    expect(heads(399)).to.deep.equal([]);
    expect(heads(1)).to.deep.equal([[GENERAL, 2]]);
    expect(heads(QUIET_MS)).to.deep.equal([]);
  });

  it("L3: a sync is answered with the loaded heads, and loads the others for its gateway", () => {
    const bench = new Bench().withRooms([GENERAL]);
    const rooms = [
      [GENERAL, 0, [ADA]],
      [DEV, 0, [EVE]],
    ] as const;
    const effects = batch(bench, { commands: [{ c: 1, op: "sync", rooms }] });
    expect(only(effects, "load-room").map(({ room }) => room)).to.deep.equal([DEV]);
    expect(only(effects, "announce").map(({ frame }) => frame)).to.deep.equal([
      { t: "presence", room: GENERAL, join: [ADA], here: 1 },
      { t: "presence", room: DEV, join: [EVE], here: 1 },
    ]);
    expect(effects.at(-1)).to.deep.equal({
      kind: "reply",
      gateway: GW2,
      epoch: 1,
      results: [{ result: { c: 1, ok: "synced", heads: [[GENERAL, 0, ""]] } }],
    });
  });
});

describe("Tenure steps: gateways", () => {
  it("A3: a gateway that is gone takes its commands, its users, its lane and its owed sync with it", () => {
    const bench = new Bench();
    bench.serve();
    const mine = of();
    expect(bench.step({ kind: "gateway-back", gateway: GW2 })).to.deep.equal([
      { kind: "resync", gateway: GW2, epoch: 1, lane: RESYNC_ALL },
    ]);
    batch(bench, { lane: 5, commands: [mine, { c: ++c, op: "join", room: GENERAL, user: ADA }] });
    bench.step({ kind: "gateway-gone", gateway: GW2 });
    expect(resultsOf(bench.loaded(emptySnapshot(GENERAL, 0)))).to.deep.equal([]);
    expect(commit(bench, 1)).to.deep.equal([]);
    for (let s = 0; s < 20; s++) expect(only(bench.tick(1_000), "resync")).to.deep.equal([]);
    // Its lane begins anew, below its old number as well.
    const back = batch(bench, { lane: 3, commands: [head(GENERAL)] });
    expect(only(back, "reply")).to.have.length(1);
  });

  it("A3: a gateway that is gone takes the users of its sync with it", () => {
    const bench = new Bench().withRooms([GENERAL]);
    batch(bench, { commands: [{ c: 1, op: "sync", rooms: [[GENERAL, 0, [ADA]]] }] });
    const gone = bench.step({ kind: "gateway-gone", gateway: GW2 });
    expect(only(gone, "announce")[0]?.frame).to.deep.include({ leave: [ADA], here: 0 });
  });

  it("A3: a gateway that is gone takes its look-ups with it, and the sends behind them are decided", () => {
    const bench = new Bench();
    bench.serve();
    bench.batch([head(GENERAL)]);
    bench.loaded({ ...emptySnapshot(GENERAL, 0), floor: T0 });
    const [old, young] = [of({ id: idAt(T0 - 1) }), of()];
    batch(bench, { commands: [old] });
    bench.batch([young]);
    expect(commit(bench, 1)).to.deep.equal([]);
    bench.step({ kind: "gateway-gone", gateway: GW2 });
    expect(commit(bench, 1)).to.deep.equal([young.id]);
  });

  it("A3: a room that only a gone gateway is owed is not asked for again", () => {
    const bench = new Bench();
    bench.serve();
    batch(bench, { commands: [{ c: 1, op: "sync", rooms: [[DEV, 0, [EVE]]] }] });
    const lost = { kind: "unavailable", reason: "test" } as const;
    const failed = (): Effect[] =>
      bench.step({ kind: "room-loaded", tenure: bench.tenure, room: DEV, outcome: lost });
    failed();
    expect(only(bench.tick(1_000), "load-room")).to.have.length(1);
    failed();
    bench.step({ kind: "gateway-gone", gateway: GW2 });
    for (let s = 0; s < 5; s++) expect(only(bench.tick(1_000), "load-room")).to.deep.equal([]);
  });
});

describe("Tenure steps: sends", () => {
  it("O4: a send that is refused for good holds nothing back", () => {
    const bench = new Bench().withRooms([GENERAL]);
    const [ahead, reply, fine] = [of({ id: idAt(T0 + 25 * 3_600_000) }), of({ replyTo: 1 }), of()];
    expect(errors(bench.batch([ahead, reply, fine]))).to.deep.equal([
      [ahead.c, "bad_id"],
      [reply.c, "not_found"],
    ]);
    expect(commit(bench, 1)).to.deep.equal([fine.id]);
  });

  it("O5: a repeat waits while its number is in flight, and is answered at once afterwards", () => {
    const bench = new Bench().withRooms([GENERAL]);
    const first = of();
    bench.batch([first]);
    expect(resultsOf(bench.batch([{ ...first, c: 1 }]))).to.deep.equal([]);
    bench.flush();
    const again = { ok: "sent", seq: 1, at: T0, repeat: true } as const;
    expect(resultsOf(bench.appended(1, { kind: "ok", seq: 2 }))).to.deep.equal([
      { c: first.c, ok: "sent", seq: 1, at: T0 },
      { c: 1, ...again },
    ]);
    bench.batch([of()]); // Something else is in flight.
    bench.flush();
    expect(resultsOf(bench.batch([{ ...first, c: 2 }]))).to.deep.equal([{ c: 2, ...again }]);
  });

  it("O4: a send that needs an answer after all, because the floor rose, keeps its place", () => {
    const bench = new Bench();
    bench.serve();
    const floor = T0 - 10_000;
    bench.batch([head(GENERAL)]);
    bench.loaded({ ...emptySnapshot(GENERAL, 0), floor });
    const hers = of({ from: EVE, id: idAt(T0 + 900) });
    bench.batch([hers]);
    expect(commit(bench, 1)).to.deep.equal([hers.id]);
    bench.step({ kind: "mark", seq: 2 });
    const [old, second, third] = [idAt(floor - 1), idAt(T0 + 1), idAt(T0 + 2)].map((id) =>
      of({ id }),
    ) as [SendCommand, SendCommand, SendCommand];
    const asks = (effects: Effect[]): unknown => only(effects, "look-up").map(({ id }) => id);
    expect(asks(bench.batch([old, second, third]))).to.deep.equal([old.id]);
    // The wall clock jumps ahead: her archived id is forgotten, and the floor rises past it.
    bench.partition.step({ kind: "tick" }, bench.now, bench.now + 3 * DEDUPE_WINDOW_MS);
    const answer = (id: MessageId): Effect[] => {
      const outcome = { kind: "ok", value: { watermark: 2 } } as const;
      const asked = { room: GENERAL, from: ADA, id, outcome } as const;
      return bench.step({ kind: "looked-up", tenure: bench.tenure, ...asked });
    };
    expect(asks(answer(old.id))).to.deep.equal([second.id]);
    expect(asks(answer(second.id))).to.deep.equal([third.id]);
    answer(third.id);
    expect(commit(bench, 2)).to.deep.equal([old.id, second.id, third.id]);
  });

  it("holds.2: a send that was refused because of another one holds back what follows it, too", () => {
    const bench = new Bench().withRooms([GENERAL]);
    const [first, second, third] = [of({ late: true }), of(), of()];
    expect(errors(bench.batch([first, second]))).to.deep.equal([
      [first.c, "unavailable"],
      [second.c, "busy"],
    ]);
    const { late: _, ...again } = first;
    bench.batch([again]);
    expect(errors(bench.batch([third]))).to.deep.equal([[third.c, "busy"]]);
    bench.batch([second, third]);
    expect(commit(bench, 1)).to.deep.equal([first.id, second.id, third.id]);
  });

  it("partition-runner.2: ids are compared with the wall clock, of a send that is decided and of one that waits", () => {
    const hours = 3_600_000;
    const bench = new Bench();
    bench.serve();
    bench.batch([head(GENERAL)]);
    const floors = [[EVE, T0 + 23 * hours]] as const;
    bench.loaded({ ...emptySnapshot(GENERAL, 0), floor: T0, floors });
    const at = (wall: number, commands: readonly Command[]): Effect[] => {
      const lane = ++c;
      const input = { kind: "batch", batch: { v: 1, gw: GW, lane, n: 1, commands } } as const;
      return bench.partition.step(input, T0, wall);
    };
    const ahead = of({ id: idAt(T0 + 36 * hours) });
    expect(errors(at(T0 + 11 * hours, [ahead]))).to.deep.equal([[ahead.c, "bad_id"]]);
    expect(errors(at(T0 + 13 * hours, [ahead]))).to.deep.equal([]);
    const [old, fresh] = [
      of({ from: EVE, id: idAt(T0 - 1) }),
      of({ from: EVE, id: idAt(T0 + 12 * hours) }),
    ];
    const asked = only(at(T0 + 13 * hours, [old, fresh]), "look-up");
    expect(asked.map(({ id }) => id)).to.deep.equal([old.id, fresh.id]);
  });

  it("P25: a look-up of a room that is not in memory any more is dropped", () => {
    const bench = new Bench().withRooms([GENERAL]);
    const outcome = { kind: "ok", value: { watermark: 0 } } as const;
    const asked = { room: DEV, from: ADA, id: idAt(T0), outcome } as const;
    const input = { kind: "looked-up", tenure: bench.tenure, ...asked } as const;
    expect(bench.step(input)).to.deep.equal([]);
  });
});
