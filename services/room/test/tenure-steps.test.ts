// Steps of a tenure, each with all its effects: admission, loading, waiting, quiet rooms, gone
// gateways.

import { expect } from "chai";
import { RESYNC_ALL } from "#shared/protocol/results.ts";
import type { Command, CommandBatch, SendCommand } from "#shared/protocol/commands.ts";
import { decodeEntry } from "#shared/protocol/entry.ts";
import { decodeEvent, encodeEvent } from "#shared/protocol/events.ts";
import { DEDUPE_WINDOW_MS, TAKE_OVER_IDS_MS } from "#shared/protocol/limits.ts";
import type { MessageId, ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import type { Effect, Input } from "../core/partition-io.ts";
import { QUIET_MS, WAITING_MAX_MS } from "../core/tenure.ts";
import {
  ADA,
  PartitionFixture,
  commitEntry,
  DEV,
  emptySnapshot,
  GENERAL,
  GW,
} from "./partition-fixture.ts";
import { idAt, linesOf, only, resultsOf, send, T0 } from "./partition-fixture.ts";

const EVE = "eve" as UserId;
const GW2 = "gw-2" as ProcessId;
let c = 40_000;

const of = (overrides: Partial<SendCommand> = {}): SendCommand => send(overrides) as SendCommand;
const head = (room: RoomId): Command => ({ c: ++c, op: "head", room });

/** Steps a batch with its own numbers, which PartitionFixture.batch would choose. */
function batch(
  fixture: PartitionFixture,
  given: Partial<CommandBatch> & { readonly commands?: readonly Command[] },
): Effect[] {
  const whole = { v: 1, gw: GW2, lane: 1, n: 1, commands: [], ...given } as const;
  return fixture.step({ kind: "batch", batch: whole });
}

function errors(effects: readonly Effect[]): unknown[] {
  return resultsOf(effects).map((result) => [result.c, "error" in result ? result.error : "ok"]);
}

/** Flushes, settles append `n`, and returns the ids in the order of their numbers. */
function commit(fixture: PartitionFixture, n: number): MessageId[] {
  const [append] = only(fixture.flush(), "append");
  if (append === undefined) return [];
  fixture.appended(n, { kind: "ok", seq: append.expected + 1 });
  const entry = decodeEntry(append.text);
  if (entry.kind !== "commit") return [];
  return entry.groups.flatMap(({ lines }) => lines.map((line) => decodeEvent(line).id));
}

describe("Tenure steps: admission", () => {
  it("P8: answers a batch out of order with a resync, and does not take its commands", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    const resync = { kind: "resync", gateway: GW2, epoch: 1, lane: 7 } as const;
    const commands = [head(GENERAL)];
    expect(batch(fixture, { lane: 7, n: 2, commands })).to.deep.equal([resync]);
    expect(only(batch(fixture, { lane: 7, commands }), "reply")).to.have.length(1);
    expect(batch(fixture, { lane: 7, commands }), "already taken").to.deep.equal([]);
    expect(batch(fixture, { lane: 7, n: 3, commands })).to.deep.equal([resync]);
    expect(batch(fixture, { lane: 6, n: 2, commands })).to.deep.equal([
      { ...resync, lane: 6, above: 7 },
    ]);
    expect(only(batch(fixture, { lane: 7, n: 2, commands }), "reply")).to.have.length(1);
  });

  it("P8: a new incarnation drops the waiting commands of its gateway", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    const [mine, other] = [of(), of({ from: EVE })];
    batch(fixture, { commands: [mine] });
    batch(fixture, { gw: GW, commands: [other] });
    batch(fixture, { lane: 2, n: 1 });
    fixture.loaded(emptySnapshot(GENERAL, 0));
    expect(commit(fixture, 1)).to.deep.equal([other.id]);
  });

  it("P7: requests one flush, and another one after it", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    expect(fixture.batch([send(), send()])).to.deep.equal([{ kind: "flush-soon" }]);
    expect(fixture.batch([send()])).to.deep.equal([]);
    expect(fixture.flush()).to.have.length(1);
    expect(fixture.batch([send()])).to.deep.equal([{ kind: "flush-soon" }]);
  });

  it("P5: logs an answer out of order as unknown, and not as a refusal", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    fixture.batch([send()]);
    fixture.flush();
    const outcome = { kind: "unknown", reason: "an append was answered out of order" };
    const detail = { epoch: 1, outcome, expected: 2, refused: 0 };
    expect(fixture.appended(2, { kind: "ok", seq: 3 })).to.deep.equal([
      { kind: "unsubscribe" },
      { kind: "log", event: "tenure ended", detail },
      { kind: "changed" },
      { kind: "read-last" },
    ]);
  });

  it("commit.2: the first append expects the watermark when that is above the claim", () => {
    const fixture = new PartitionFixture();
    fixture.step({ kind: "claim" });
    fixture.last(3);
    fixture.appended(0, { kind: "ok", seq: 4 });
    const outcome = { kind: "ok", value: { seq: 9, epoch: 4 } } as const;
    fixture.step({ kind: "watermark-read", tenure: fixture.tenure, outcome });
    fixture.batch([send()]);
    fixture.loaded(emptySnapshot(GENERAL, 9));
    expect(only(fixture.flush(), "append")[0]).to.include({ expected: 9, n: 1, events: 1 });
  });

  it("O2: broadcasts a settled entry room by room, then answers, then appends the next entry", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL, DEV]);
    const [a, b, d] = [of(), of({ room: DEV }), of()];
    fixture.batch([a, b]);
    fixture.flush();
    fixture.batch([d]);
    fixture.flush();
    fixture.batch([of()]);
    const line = ({ room, id, from, body }: SendCommand): string =>
      encodeEvent({ t: "msg", room, seq: 1, id, from, at: T0, body });
    const effects = fixture.appended(1, { kind: "ok", seq: 2 });
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
  it("P25: a snapshot for a room that is not being loaded changes nothing", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    expect(fixture.loaded({ ...emptySnapshot(DEV, 0), head: 9 })).to.deep.equal([]);
    expect(fixture.loaded({ ...emptySnapshot(GENERAL, 0), head: 9 })).to.deep.equal([]);
    expect(resultsOf(fixture.batch([head(GENERAL)]))[0]).to.include({ head: 0 });
  });

  it("P25: logs a snapshot with a gap to the replay, but not one that is too old; loads again after both", () => {
    const entries = { 9: commitEntry(1, [linesOf(GENERAL, 5, 2)]) };
    for (const [snapshot, events] of [
      [{ ...emptySnapshot(GENERAL, 8), head: 3 }, ["snapshot ends below replay"]],
      [{ ...emptySnapshot(GENERAL, 7), head: 4 }, []],
    ] as const) {
      const fixture = new PartitionFixture();
      fixture.serve({ claim: 10, watermark: 8, epoch: 1, entries });
      fixture.batch([head(GENERAL)]);
      const effects = fixture.loaded(snapshot);
      expect(effects).to.deep.equal(
        events.map((event) => ({
          kind: "log",
          event,
          detail: { room: GENERAL, head: 3, replayFrom: 5 },
        })),
      );
      expect(only(fixture.tick(1_000), "load-room")).to.have.length(1);
      const loaded = fixture.loaded({ ...emptySnapshot(GENERAL, 8), head: 4, born: "b" });
      expect(loaded[0]).to.deep.equal({ kind: "repeat-head", room: GENERAL, head: 6, born: "b" });
      expect(resultsOf(loaded)[0]).to.include({ head: 6, born: "b" });
    }
  });

  it("P13: a load requests the ids of the last minute by the wall clock", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    const commands = [head(GENERAL)];
    const input = { kind: "batch", batch: { v: 1, gw: GW, lane: 9, n: 1, commands } } as const;
    const effects = fixture.partition.step(input, T0, T0 + 5_000);
    const since = T0 + 5_000 - TAKE_OVER_IDS_MS;
    expect(effects).to.deep.equal([{ kind: "load-room", room: GENERAL, since }]);
  });

  it("P14: a watermark that is not higher changes nothing", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    fixture.batch([of()]);
    commit(fixture, 1);
    for (const seq of [2, 2, 1]) expect(fixture.step({ kind: "watermark", seq })).to.deep.equal([]);
    expect(fixture.memory.account.usedBy("unarchived")).to.equal(0);
    expect(fixture.memory.account.usedBy("tails")).to.be.above(0);
  });

  it("P5: the end of a tenure gives the memory of presence back", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    fixture.batch([{ c: ++c, op: "join", room: GENERAL, user: ADA }, of()]);
    fixture.flush();
    expect(fixture.memory.account.usedBy("presence")).to.be.above(0);
    fixture.appended(1, { kind: "unknown", reason: "test" });
    expect([fixture.memory.account.used, fixture.memory.rooms]).to.deep.equal([0, 0]);
  });

  it("P21: a command waits exactly WAITING_MAX_MS for its room", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    const [sends, asks] = [of(), head(GENERAL)];
    fixture.batch([sends, asks]);
    expect(resultsOf(fixture.tick(WAITING_MAX_MS))).to.deep.equal([]);
    expect(errors(fixture.tick(1))).to.deep.equal([
      [sends.c, "unavailable"],
      [asks.c, "unavailable"],
    ]);
    fixture.loaded(emptySnapshot(GENERAL, 0));
    expect(errors(fixture.batch([of()])), "behind the refused send").to.have.length(1);
    expect(errors(fixture.batch([of({ from: EVE })]))).to.deep.equal([]);
  });

  it("P21: a send waits exactly WAITING_MAX_MS for its look-up", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    fixture.batch([head(GENERAL)]);
    fixture.loaded({ ...emptySnapshot(GENERAL, 0), floor: T0 });
    const old = of({ id: idAt(T0 - 1) });
    expect(only(fixture.batch([old]), "look-up")).to.have.length(1);
    expect(resultsOf(fixture.tick(WAITING_MAX_MS))).to.deep.equal([]);
    expect(errors(fixture.tick(1))).to.deep.equal([[old.c, "unavailable"]]);
  });

  it("O10: repeats each room's head after the room's own last commit, in the order of these commits", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL, DEV]);
    const put = (n: number, room: RoomId): void => {
      fixture.batch([send({ room })]);
      commit(fixture, n);
    };
    const heads = (ms: number): unknown[] =>
      only(fixture.tick(ms), "repeat-head").map(({ room, head: at }) => [room, at]);
    put(1, GENERAL);
    fixture.tick(100);
    put(2, DEV);
    fixture.tick(400);
    put(3, GENERAL);
    expect(heads(QUIET_MS - 401)).to.deep.equal([]);
    expect(heads(1)).to.deep.equal([[DEV, 1]]);
    expect(heads(399)).to.deep.equal([]);
    expect(heads(1)).to.deep.equal([[GENERAL, 2]]);
    expect(heads(QUIET_MS)).to.deep.equal([]);
  });

  it("L3: answers a sync with the loaded heads, and loads the other rooms for its gateway", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    const rooms = [
      [GENERAL, 0, [ADA]],
      [DEV, 0, [EVE]],
    ] as const;
    const effects = batch(fixture, { commands: [{ c: 1, op: "sync", rooms }] });
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
  it("A3: a gone gateway loses its commands, its users, its lane and its pending sync", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    const mine = of();
    expect(fixture.step({ kind: "gateway-back", gateway: GW2 })).to.deep.equal([
      { kind: "resync", gateway: GW2, epoch: 1, lane: RESYNC_ALL },
    ]);
    batch(fixture, { lane: 5, commands: [mine, { c: ++c, op: "join", room: GENERAL, user: ADA }] });
    fixture.step({ kind: "gateway-gone", gateway: GW2 });
    expect(resultsOf(fixture.loaded(emptySnapshot(GENERAL, 0)))).to.deep.equal([]);
    expect(commit(fixture, 1)).to.deep.equal([]);
    for (let s = 0; s < 20; s++) expect(only(fixture.tick(1_000), "resync")).to.deep.equal([]);
    // Its lane may begin again with any number.
    const back = batch(fixture, { lane: 3, commands: [head(GENERAL)] });
    expect(only(back, "reply")).to.have.length(1);
  });

  it("A3: a gone gateway loses the users of its sync", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    batch(fixture, { commands: [{ c: 1, op: "sync", rooms: [[GENERAL, 0, [ADA]]] }] });
    const gone = fixture.step({ kind: "gateway-gone", gateway: GW2 });
    expect(only(gone, "announce")[0]?.frame).to.deep.include({ leave: [ADA], here: 0 });
  });

  it("A3: a gone gateway loses its look-ups, and the sends behind them are decided", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    fixture.batch([head(GENERAL)]);
    fixture.loaded({ ...emptySnapshot(GENERAL, 0), floor: T0 });
    const [old, young] = [of({ id: idAt(T0 - 1) }), of()];
    batch(fixture, { commands: [old] });
    fixture.batch([young]);
    expect(commit(fixture, 1)).to.deep.equal([]);
    fixture.step({ kind: "gateway-gone", gateway: GW2 });
    expect(commit(fixture, 1)).to.deep.equal([young.id]);
  });

  it("A3: stops loading a room that only a gone gateway waited for", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    batch(fixture, { commands: [{ c: 1, op: "sync", rooms: [[DEV, 0, [EVE]]] }] });
    const lost = { kind: "unavailable", reason: "test" } as const;
    const failed = (): Effect[] =>
      fixture.step({ kind: "room-loaded", tenure: fixture.tenure, room: DEV, outcome: lost });
    failed();
    expect(only(fixture.tick(1_000), "load-room")).to.have.length(1);
    failed();
    fixture.step({ kind: "gateway-gone", gateway: GW2 });
    for (let s = 0; s < 5; s++) expect(only(fixture.tick(1_000), "load-room")).to.deep.equal([]);
  });
});

/** A partition whose room needs a look-up for ids before T0. */
function withFloor(): PartitionFixture {
  const fixture = new PartitionFixture();
  fixture.serve();
  fixture.batch([head(GENERAL)]);
  fixture.loaded({ ...emptySnapshot(GENERAL, 0), floor: T0 });
  return fixture;
}

function lookedUp(
  fixture: PartitionFixture,
  { id }: SendCommand,
  outcome: Extract<Input, { kind: "looked-up" }>["outcome"],
): Effect[] {
  const asked = { room: GENERAL, from: ADA, id, outcome } as const;
  return fixture.step({ kind: "looked-up", tenure: fixture.tenure, ...asked });
}

/** Without the archive `first` gets `unavailable`, and `second` waits behind it. */
function refuseFirst(fixture: PartitionFixture, first: SendCommand, second: SendCommand): void {
  fixture.batch([first]);
  expect(errors(lookedUp(fixture, first, { kind: "unavailable", reason: "test" }))).to.deep.equal([
    [first.c, "unavailable"],
  ]);
  expect(errors(fixture.batch([second]))).to.deep.equal([[second.c, "busy"]]);
}

describe("Tenure steps: sends", () => {
  it("O4: a permanently refused send holds nothing back", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    const [ahead, reply, fine] = [of({ id: idAt(T0 + 25 * 3_600_000) }), of({ replyTo: 1 }), of()];
    expect(errors(fixture.batch([ahead, reply, fine]))).to.deep.equal([
      [ahead.c, "bad_id"],
      [reply.c, "not_found"],
    ]);
    expect(commit(fixture, 1)).to.deep.equal([fine.id]);
  });

  it("O4: a send that is refused temporarily and then permanently holds nothing back any more", () => {
    const fixture = withFloor();
    const reply = of({ replyTo: 1, id: idAt(T0 - 1) });
    const [one, two] = [of(), of()];
    refuseFirst(fixture, reply, one);
    expect(errors(fixture.batch([reply, one, two]))).to.deep.equal([]);
    const answer = { kind: "ok", value: { watermark: 0 } } as const;
    expect(errors(lookedUp(fixture, reply, answer))).to.deep.equal([[reply.c, "not_found"]]);
    expect(commit(fixture, 1)).to.deep.equal([one.id, two.id]);
  });

  it("O5: a repeat waits while its number is in flight, and is answered at once afterwards", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    const first = of();
    fixture.batch([first]);
    expect(resultsOf(fixture.batch([{ ...first, c: 1 }]))).to.deep.equal([]);
    fixture.flush();
    const again = { ok: "sent", seq: 1, at: T0, repeat: true } as const;
    expect(resultsOf(fixture.appended(1, { kind: "ok", seq: 2 }))).to.deep.equal([
      { c: first.c, ok: "sent", seq: 1, at: T0 },
      { c: 1, ...again },
    ]);
    fixture.batch([of()]); // Another send is in flight.
    fixture.flush();
    expect(resultsOf(fixture.batch([{ ...first, c: 2 }]))).to.deep.equal([{ c: 2, ...again }]);
  });

  it("O4: a send that needs a look-up after all, because the floor rose, keeps its place", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    const floor = T0 - 10_000;
    fixture.batch([head(GENERAL)]);
    fixture.loaded({ ...emptySnapshot(GENERAL, 0), floor });
    const hers = of({ from: EVE, id: idAt(T0 + 900) });
    fixture.batch([hers]);
    expect(commit(fixture, 1)).to.deep.equal([hers.id]);
    fixture.step({ kind: "watermark", seq: 2 });
    const [old, second, third] = [idAt(floor - 1), idAt(T0 + 1), idAt(T0 + 2)].map((id) =>
      of({ id }),
    ) as [SendCommand, SendCommand, SendCommand];
    const asks = (effects: Effect[]): unknown => only(effects, "look-up").map(({ id }) => id);
    expect(asks(fixture.batch([old, second, third]))).to.deep.equal([old.id]);
    // The wall clock jumps ahead: the archived id of EVE is forgotten, and the floor rises above
    // it.
    fixture.partition.step({ kind: "tick" }, fixture.now, fixture.now + 3 * DEDUPE_WINDOW_MS);
    const answer = (id: MessageId): Effect[] => {
      const outcome = { kind: "ok", value: { watermark: 2 } } as const;
      const asked = { room: GENERAL, from: ADA, id, outcome } as const;
      return fixture.step({ kind: "looked-up", tenure: fixture.tenure, ...asked });
    };
    expect(asks(answer(old.id))).to.deep.equal([second.id]);
    expect(asks(answer(second.id))).to.deep.equal([third.id]);
    answer(third.id);
    expect(commit(fixture, 2)).to.deep.equal([old.id, second.id, third.id]);
  });

  it("holds.2: a send that was refused because of another one holds back later sends too", () => {
    const fixture = withFloor();
    const [first, second, third] = [of({ id: idAt(T0 - 1) }), of(), of()];
    refuseFirst(fixture, first, second);
    fixture.batch([first]);
    lookedUp(fixture, first, { kind: "ok", value: { watermark: 0 } });
    expect(errors(fixture.batch([third]))).to.deep.equal([[third.c, "busy"]]);
    fixture.batch([second, third]);
    expect(commit(fixture, 1)).to.deep.equal([first.id, second.id, third.id]);
  });

  it("partition-runner.2: compares ids with the wall clock, for a decided send and for a waiting one", () => {
    const hours = 3_600_000;
    const fixture = new PartitionFixture();
    fixture.serve();
    fixture.batch([head(GENERAL)]);
    const floors = [[EVE, T0 + 23 * hours]] as const;
    fixture.loaded({ ...emptySnapshot(GENERAL, 0), floor: T0, floors });
    const at = (wall: number, commands: readonly Command[]): Effect[] => {
      const lane = ++c;
      const input = { kind: "batch", batch: { v: 1, gw: GW, lane, n: 1, commands } } as const;
      return fixture.partition.step(input, T0, wall);
    };
    const [ahead, near] = [1, 2].map((n) => of({ id: idAt(T0 + 36 * hours, n) }));
    expect(errors(at(T0 + 11 * hours, [ahead!]))).to.deep.equal([[ahead!.c, "bad_id"]]);
    expect(errors(at(T0 + 13 * hours, [near!]))).to.deep.equal([]);
    const [old, fresh] = [
      of({ from: EVE, id: idAt(T0 - 1) }),
      of({ from: EVE, id: idAt(T0 + 12 * hours) }),
    ];
    const asked = only(at(T0 + 13 * hours, [old, fresh]), "look-up");
    expect(asked.map(({ id }) => id)).to.deep.equal([old.id, fresh.id]);
  });

  it("P25: drops a look-up for a room that is no longer in memory", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    const outcome = { kind: "ok", value: { watermark: 0 } } as const;
    const asked = { room: DEV, from: ADA, id: idAt(T0), outcome } as const;
    const input = { kind: "looked-up", tenure: fixture.tenure, ...asked } as const;
    expect(fixture.step(input)).to.deep.equal([]);
  });
});
