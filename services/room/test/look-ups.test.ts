// Look-ups: sends whose ids memory may have forgotten, while the archive answers late, out of order
// or not at all.

import { expect } from "chai";
import type { Command, SendCommand } from "#shared/protocol/commands.ts";
import type { Result } from "#shared/protocol/results.ts";
import { decodeEntry } from "#shared/protocol/entry.ts";
import { decodeEvent } from "#shared/protocol/events.ts";
import { DEDUPE_WINDOW_MS } from "#shared/protocol/limits.ts";
import type { Found } from "#shared/ports/archive.ts";
import type { LogSeq, MessageId, ProcessId, UserId } from "#shared/protocol/ids.ts";
import type { Effect } from "../core/partition-io.ts";
import { HOLD_MS } from "../core/holds.ts";
import { LOOK_UPS_MAX, LOOK_UPS_PER_SENDER_MAX } from "../core/look-ups.ts";
import { WAITING_SENDS_MAX, WAITING_SENDS_PER_SENDER_MAX } from "../core/look-ups.ts";
import { WAITING_MAX_MS } from "../core/tenure.ts";
import { WAITING_MAX } from "../core/room.ts";
import {
  ADA,
  PartitionFixture,
  emptySnapshot,
  GENERAL,
  GW,
  idAt,
  only,
} from "./partition-fixture.ts";
import { resultsOf, send, T0 } from "./partition-fixture.ts";

const EVE = "eve" as UserId;
const GW2 = "gw-2" as ProcessId;
/** The maximum time that an owner waits for an answer of the archive. */
const BUS_TIMEOUT_MS = 3_000;
const FLOOR = T0 - DEDUPE_WINDOW_MS;

function old(n: number, overrides: Partial<SendCommand> = {}): SendCommand {
  return send({ id: idAt(FLOOR - 1, n), ...overrides }) as SendCommand;
}

function young(overrides: Partial<SendCommand> = {}): SendCommand {
  return send(overrides) as SendCommand;
}

/** A partition with one room whose memory has no ids before FLOOR. */
class LookUpFixture extends PartitionFixture {
  #counter = 50_000;
  readonly #batches = new Map<ProcessId, { lane: number; n: number }>();

  constructor(watermark: LogSeq = 0) {
    super();
    this.serve(watermark === 0 ? {} : { claim: watermark + 1, watermark, epoch: 1 });
    this.from(GW, [{ c: ++this.#counter, op: "head", room: GENERAL }]);
    this.loaded({ ...emptySnapshot(GENERAL, watermark), floor: FLOOR });
  }

  /** Steps the next batch of this gateway. `lane`: its incarnation. */
  from(gw: ProcessId, commands: readonly Command[], lane = 1): Effect[] {
    const last = this.#batches.get(gw);
    const n = last?.lane === lane ? last.n + 1 : 1;
    this.#batches.set(gw, { lane, n });
    return this.step({ kind: "batch", batch: { v: 1, gw, lane, n, commands } });
  }

  join(user: UserId): Command {
    return { c: ++this.#counter, op: "join", room: GENERAL, user };
  }

  leave(user: UserId): Command {
    return { c: ++this.#counter, op: "leave", room: GENERAL, user };
  }

  answer({ from, id }: SendCommand, value: { found?: Found; watermark: LogSeq }): Effect[] {
    const asked = { room: GENERAL, from, id, outcome: { kind: "ok", value } } as const;
    return this.step({ kind: "looked-up", tenure: this.tenure, ...asked });
  }

  lost({ from, id }: SendCommand): Effect[] {
    const outcome = { kind: "unavailable", reason: "test" } as const;
    const asked = { room: GENERAL, from, id, outcome } as const;
    return this.step({ kind: "looked-up", tenure: this.tenure, ...asked });
  }

  /** The lines that a flush appends, as [id, seq]. */
  appends(): [MessageId, number][] {
    return only(this.flush(), "append").flatMap(({ text }) => {
      const entry = decodeEntry(text);
      if (entry.kind !== "commit") return [];
      return entry.groups.flatMap(({ first, lines }) =>
        lines.map((line, i): [MessageId, number] => [decodeEvent(line).id, first + i]),
      );
    });
  }
}

const asks = (effects: readonly Effect[]): MessageId[] =>
  only(effects, "look-up").map(({ id }) => id);
const byC = (results: readonly Result[]): unknown[] =>
  results.map((result) => [result.c, "error" in result ? result.error : result.ok]);

describe("Look-ups", () => {
  it("P21: answers all other commands of the room while the archive is asked for one sender", () => {
    const fixture = new LookUpFixture();
    const [first, behind] = [old(1), young()];
    expect(asks(fixture.from(GW, [first, behind]))).to.deep.equal([first.id]);
    const join = fixture.join(EVE);
    const leave = fixture.leave(EVE);
    const head = { c: 60_000, op: "head", room: GENERAL } as const;
    const range = { c: 60_001, op: "range", room: GENERAL, first: 1, last: 9 } as const;
    const hers = young({ from: EVE });
    const served = fixture.from(GW, [join, head, range, hers, leave]);
    expect(byC(resultsOf(served))).to.have.deep.members([
      [join.c, "joined"],
      [leave.c, "left"],
      [head.c, "head"],
      [range.c, "range"],
    ]);
    expect(fixture.appends()).to.deep.equal([[hers.id, 1]]);
    fixture.answer(first, { watermark: 0 });
    expect(fixture.appends()).to.deep.equal([
      [first.id, 2],
      [behind.id, 3],
    ]);
  });

  it("P21: a silent archive delays its sender by at most WAITING_MAX_MS in all, and no other sender", () => {
    const fixture = new LookUpFixture();
    const sends = Array.from({ length: 10 }, (_, n) => old(n));
    const unanswered = new Map<MessageId, number>();
    const answeredAt = new Map<number, number>();
    const note = (effects: readonly Effect[]): void => {
      for (const id of asks(effects)) unanswered.set(id, fixture.now + BUS_TIMEOUT_MS);
      for (const { c } of resultsOf(effects)) answeredAt.set(c, fixture.now - T0);
    };
    note(fixture.from(GW, sends));
    const hers = young({ from: EVE });
    fixture.from(GW, [hers]);
    expect(fixture.appends()).to.deep.equal([[hers.id, 1]]);
    for (let ms = 0; ms < 10 * BUS_TIMEOUT_MS; ms += 250) {
      note(fixture.tick(250));
      for (const send of sends) {
        if (fixture.now < (unanswered.get(send.id) ?? Infinity)) continue;
        unanswered.delete(send.id);
        note(fixture.lost(send));
      }
    }
    expect(sends.map(({ c }) => answeredAt.has(c))).to.not.include(false);
    expect(Math.max(...answeredAt.values())).to.be.at.most(WAITING_MAX_MS + 250);
    expect(fixture.appends()).to.deep.equal([]);
  });

  it("P21: the timeout of a command counts from its arrival and not from the loading of its room", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    const waits = old(1);
    fixture.batch([waits]);
    fixture.tick(WAITING_MAX_MS - 100);
    const loaded = fixture.loaded({ ...emptySnapshot(GENERAL, 0), floor: FLOOR });
    expect(asks(loaded)).to.deep.equal([waits.id]);
    expect(byC(resultsOf(fixture.tick(200)))).to.deep.equal([[waits.c, "unavailable"]]);
  });

  it("P21: a send behind an expired one is decided at that time, and does not overtake it", () => {
    const fixture = new LookUpFixture();
    const [first, behind] = [old(1), young()];
    fixture.from(GW, [first]);
    fixture.tick(WAITING_MAX_MS - 1_000);
    fixture.from(GW, [behind]);
    const answers = byC(resultsOf(fixture.tick(1_001)));
    expect(answers).to.deep.equal([
      [first.c, "unavailable"],
      [behind.c, "busy"],
    ]);
    expect(fixture.appends()).to.deep.equal([]);
  });

  it("O4: decides the sends of one sender in their order, for any order of the archive's answers", () => {
    const fixture = new LookUpFixture();
    const [a, b, c] = [old(1), old(2), young()];
    expect(asks(fixture.from(GW, [a, b, c]))).to.deep.equal([a.id, b.id]);
    fixture.answer(b, { watermark: 0 });
    expect(fixture.appends()).to.deep.equal([]);
    fixture.answer(a, { watermark: 0 });
    expect(fixture.appends().map(([id]) => id)).to.deep.equal([a.id, b.id, c.id]);
  });

  it("O5: an id that arrives twice during its look-up causes one look-up and gets one number", () => {
    const fixture = new LookUpFixture();
    const first = old(1);
    fixture.from(GW, [first]);
    expect(asks(fixture.from(GW, [first], 2))).to.deep.equal([]); // The lane resent it.
    const again = { ...first, c: 70_000 };
    expect(asks(fixture.from(GW2, [again]))).to.deep.equal([]);
    fixture.answer(first, { watermark: 0 });
    expect(fixture.appends()).to.deep.equal([[first.id, 1]]);
    const settled = resultsOf(fixture.appended(1, { kind: "ok", seq: 2 }));
    const numbers = settled.map((result) => [result.c, "seq" in result && result.seq]);
    expect(numbers).to.have.deep.members([
      [first.c, 1],
      [again.c, 1],
    ]);
  });

  it("look-ups.4: an answer from before an id was numbered does not give the id a second number, for any clock", () => {
    const fixture = new LookUpFixture();
    const [first, between] = [old(1), old(2)];
    fixture.from(GW, [first, between]);
    const again = { ...first, c: 70_000 };
    fixture.from(GW2, [again]);
    fixture.answer(first, { watermark: 0 }); // The copy waits behind `between`.
    expect(fixture.appends()).to.deep.equal([[first.id, 1]]);
    fixture.appended(1, { kind: "ok", seq: 2 });
    fixture.step({ kind: "watermark", seq: 2 });
    // The wall clock jumps ahead, so memory may forget archived ids.
    fixture.partition.step({ kind: "tick" }, fixture.now, fixture.now + 3 * DEDUPE_WINDOW_MS);
    const [repeat] = resultsOf(fixture.answer(between, { watermark: 0 }));
    expect(repeat).to.include({ c: again.c, seq: 1, repeat: true });
    expect(fixture.appends()).to.deep.equal([[between.id, 2]]);
    // After the last waiting send the id is forgotten, and the next copy causes a look-up.
    fixture.partition.step({ kind: "tick" }, fixture.now, fixture.now + 3 * DEDUPE_WINDOW_MS);
    fixture.partition.step({ kind: "tick" }, fixture.now, fixture.now + 3 * DEDUPE_WINDOW_MS);
    expect(asks(fixture.from(GW, [{ ...first, c: 70_001 }]))).to.deep.equal([first.id]);
  });

  it("look-ups.3: refuses an answer that is older than the watermark at the time of its request", () => {
    const fixture = new LookUpFixture(8);
    const [first, second] = [old(1), old(2)];
    fixture.from(GW, [first]);
    const refused = resultsOf(fixture.answer(first, { watermark: 7 }));
    expect(byC(refused)).to.deep.equal([[first.c, "unavailable"]]);
    fixture.run(HOLD_MS + 1);
    fixture.from(GW, [second]);
    fixture.answer(second, { watermark: 8 });
    expect(fixture.appends()).to.deep.equal([[second.id, 1]]);
  });

  it("O4, running-time.1: a send that waited in a paused process does not overtake a refused one", () => {
    const fixture = new LookUpFixture(8);
    const [first, second] = [old(1), young()];
    fixture.from(GW, [first]);
    fixture.answer(first, { watermark: 7 }); // Refused, and the process is paused.
    fixture.now += 2 * HOLD_MS;
    fixture.step({ kind: "tick" });
    const refused = resultsOf(fixture.from(GW, [second]));
    expect(byC(refused)).to.deep.equal([[second.c, "busy"]]);
    expect(fixture.appends()).to.deep.equal([]);
    fixture.run(HOLD_MS + 1);
    fixture.from(GW, [{ ...second, c: 70_000 }]);
    expect(fixture.appends()).to.deep.equal([[second.id, 1]]);
  });

  it("look-ups.5: look-ups are bounded for each sender and in all, and senders take turns", () => {
    const fixture = new LookUpFixture();
    const greedy = Array.from({ length: 2 * LOOK_UPS_MAX }, (_, n) => old(n));
    const asked = asks(fixture.from(GW, greedy));
    expect(asked).to.deep.equal(greedy.slice(0, LOOK_UPS_PER_SENDER_MAX).map(({ id }) => id));
    const others = Array.from({ length: LOOK_UPS_MAX }, (_, n) => old(n, { from: userOf(n) }));
    const free = LOOK_UPS_MAX - LOOK_UPS_PER_SENDER_MAX;
    expect(asks(fixture.from(GW, others))).to.have.length(free);
    // The first sender had its turn, so the next place is for a sender without a turn so far.
    expect(asks(fixture.answer(greedy[0]!, { watermark: 0 }))).to.deep.equal([others[free]!.id]);
  });

  it("look-ups.5: sends beyond the bound of their sender get busy in their turn, and other senders still find places", () => {
    const fixture = new LookUpFixture();
    const sends = Array.from({ length: WAITING_SENDS_PER_SENDER_MAX + 1 }, (_, n) => old(n));
    expect(resultsOf(fixture.from(GW, sends))).to.deep.equal([]);
    const others: SendCommand[] = [];
    for (let n = 0; others.length < WAITING_SENDS_MAX; n++) {
      others.push(old(n, { from: userOf(n % 64) }));
    }
    expect(resultsOf(fixture.from(GW, others))).to.deep.equal([]);
    const last = old(9_999, { from: EVE });
    expect(byC(resultsOf(fixture.from(GW, [last])))).to.deep.equal([[last.c, "busy"]]);
  });

  it("C4, P21: a change of an old message waits for its own look-up, later writes of its sender wait, and others do not", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    const edit = (target: number, n: number, from = ADA): Command => ({
      c: 500 + n,
      op: "edit",
      room: GENERAL,
      from,
      id: idAt(T0, 500 + n),
      target,
      body: { text: "better" },
    });
    fixture.batch([edit(7, 1)]);
    const asked = fixture.loaded({ ...emptySnapshot(GENERAL, 0), head: 500, lastAt: T0 });
    const [first] = only(asked, "look-up");
    expect(first).to.deep.include({ room: GENERAL, from: ADA, target: 7 });
    // A copy of the id with another target does not share the answer.
    const copy = { ...edit(8, 1), c: 600 } as Command;
    const others = fixture.batch([copy, send(), send({ from: "eve" as UserId })]);
    expect(only(others, "look-up")).to.deep.equal([{ ...first, target: 8 }]);
    const [append] = only(fixture.flush(), "append");
    expect(append?.text.match(/"from":"\w+"/g)).to.deep.equal(['"from":"eve"']);
    const answer = (target: number, from: UserId): Effect[] => {
      const value = { watermark: 0, target: { seq: target, message: { from } } };
      const outcome = { kind: "ok", value } as const;
      const asks = { room: GENERAL, from: ADA, id: first!.id, target, outcome };
      return fixture.step({ kind: "looked-up", tenure: fixture.tenure, ...asks });
    };
    expect(resultsOf(answer(8, ADA))).to.deep.equal([]); // It waits behind the first one.
    const decided = answer(7, "eve" as UserId);
    expect(resultsOf(decided)).to.deep.equal([
      { c: 501, error: "forbidden" },
      { c: 600, error: "forbidden" }, // refused-writes.1: its id was refused.
    ]);
    const [later] = only(fixture.flush(), "append");
    expect(later?.text.match(/"t":"\w+"/g)).to.deep.equal(['"t":"msg"']);
  });

  it("O4: refuses the sends behind a refused send together with it, before the archive answers for them", () => {
    const fixture = new LookUpFixture();
    const [first, second, third] = [old(1), old(2), young()];
    fixture.from(GW, [first, second, third]);
    expect(byC(resultsOf(fixture.lost(first)))).to.deep.equal([
      [first.c, "unavailable"],
      [second.c, "busy"],
      [third.c, "busy"],
    ]);
  });

  it("O4: a send beyond the bound does not delay the earlier sends of its queue", () => {
    const fixture = new LookUpFixture();
    const sends = Array.from({ length: WAITING_SENDS_PER_SENDER_MAX + 1 }, (_, n) => old(n));
    fixture.from(GW, sends);
    const answers = sends.flatMap((send) => resultsOf(fixture.answer(send, { watermark: 0 })));
    expect(byC(answers)).to.deep.equal([[sends.at(-1)!.c, "busy"]]);
    const ids = fixture.appends().map(([id]) => id);
    expect(ids).to.deep.equal(sends.slice(0, -1).map(({ id }) => id));
  });

  it("O4: a send that must be refused after its room is loaded is refused behind a look-up of its sender", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    const sends = [old(1), ...Array.from({ length: WAITING_MAX - 1 }, () => young({ from: EVE }))];
    const last = old(2);
    fixture.batch([...sends, last]);
    const loaded = fixture.loaded({ ...emptySnapshot(GENERAL, 0), floor: FLOOR });
    expect(resultsOf(loaded)).to.deep.equal([]);
    expect(asks(loaded), "no look-up for the refused one").to.deep.equal([sends[0]!.id]);
    const outcome = { kind: "ok", value: { watermark: 0 } } as const;
    const { from, id } = sends[0]!;
    const asked = { room: GENERAL, from, id, outcome } as const;
    const answer = fixture.step({ kind: "looked-up", tenure: fixture.tenure, ...asked });
    expect(byC(resultsOf(answer))).to.deep.equal([[last.c, "busy"]]);
  });

  it("P24: a new owner looks up only the sends of the sender whose ids from the future did not fit in the snapshot", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    const [hers, his] = [young({ from: EVE }), young()];
    fixture.batch([hers, his]);
    const floors = [[EVE, T0 + 23 * 3_600_000]] as const;
    const loaded = fixture.loaded({ ...emptySnapshot(GENERAL, 0), floor: FLOOR, floors });
    expect(asks(loaded)).to.deep.equal([hers.id]);
    const entry = decodeEntry(only(fixture.flush(), "append")[0]!.text);
    expect(entry.kind === "commit" && entry.groups[0]!.lines).to.have.length(1);
  });

  it("P8: when a new incarnation drops sends, the sends of other gateways behind them are decided", () => {
    const fixture = new LookUpFixture();
    const [first, second] = [old(1), young()];
    fixture.from(GW, [first]);
    fixture.from(GW2, [second]);
    fixture.from(GW, [], 2);
    expect(fixture.appends()).to.deep.equal([[second.id, 1]]);
  });
});

const userOf = (n: number): UserId => `user-${n}` as UserId;
