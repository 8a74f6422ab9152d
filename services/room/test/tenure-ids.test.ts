// Ids of a tenure: repeated, late, temporarily refused, looked up and replayed ids; and all of them
// against a model.

import { expect } from "chai";
import * as fc from "fast-check";
import type { Command } from "#shared/protocol/commands.ts";
import { decodeEntry } from "#shared/protocol/entry.ts";
import { decodeEvent } from "#shared/protocol/events.ts";
import { DEDUPE_WINDOW_MS, TAKE_OVER_IDS_MS } from "#shared/protocol/limits.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import type { Effect, Input } from "../core/partition-io.ts";
import {
  ADA,
  PartitionFixture,
  commitEntry,
  emptySnapshot,
  GENERAL,
  idAt,
  linesOf,
  only,
  resultsOf,
  send,
  T0,
} from "./partition-fixture.ts";

type LookedUp = Extract<Input, { kind: "looked-up" }>;

describe("Tenure: repeated ids", () => {
  it("O5: a repeated id gets the first number, in flight and afterwards", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    const original = send();
    fixture.batch([original]);
    fixture.flush();
    const repeated = fixture.batch([{ ...original, c: 1_001 }]);
    expect(resultsOf(repeated)).to.deep.equal([]); // It waits for the same append.
    const settled = resultsOf(fixture.appended(1, { kind: "ok", seq: 2 }));
    expect(settled.map((result) => [result.c, "seq" in result && result.seq])).to.deep.equal([
      [original.c, 1],
      [1_001, 1],
    ]);
    expect(resultsOf(fixture.batch([{ ...original, c: 1_002 }]))[0]).to.include({ seq: 1 });
  });

  it("P13: a new owner loads the ids of the last minute, and looks up an older one", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    const young = send({ id: idAt(T0 - TAKE_OVER_IDS_MS, 1) });
    const old = send({ id: idAt(T0 - TAKE_OVER_IDS_MS - 1, 2) });
    const [load] = only(fixture.batch([young, old]), "load-room");
    expect(load?.since).to.equal(T0 - TAKE_OVER_IDS_MS);
    const snapshot = { ...emptySnapshot(GENERAL, 8), head: 40, floor: load?.since ?? 0 };
    const asked = only(fixture.loaded(snapshot), "look-up");
    expect(asked.map(({ id }) => id)).to.deep.equal(["id" in old && old.id]);
    expect(only(fixture.flush(), "append")).to.have.length(1);
  });

  it("O4: answers a late send from memory, or refuses it permanently", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    const known = send();
    fixture.batch([known]);
    fixture.flush();
    fixture.appended(1, { kind: "ok", seq: 2 });
    const late = { late: true } as const;
    const [again] = resultsOf(fixture.batch([{ ...known, ...late }]));
    expect(again).to.include({ ok: "sent", seq: 1, repeat: true });
    const [refused] = resultsOf(fixture.batch([{ ...send(), ...late }, send()]));
    expect(refused).to.include({ error: "conflict" });
    expect(only(fixture.flush(), "append")).to.have.length(1); // It holds nothing back.
  });

  it("O4: after a temporarily refused send, later sends of its sender are refused until it is resent", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    const old = send({ id: idAt(T0 - 10 * DEDUPE_WINDOW_MS, 1) });
    fixture.batch([old]);
    fixture.loaded({ ...emptySnapshot(GENERAL, 0), floor: T0 - DEDUPE_WINDOW_MS });
    const id = "id" in old ? old.id : undefined;
    const lost = { kind: "unavailable", reason: "test" } as const;
    const asked = { room: GENERAL, from: ADA, id: id!, outcome: lost };
    const answer = fixture.step({ kind: "looked-up", tenure: fixture.tenure, ...asked });
    expect(resultsOf(answer)[0]).to.include({ error: "unavailable" });
    const later = send();
    expect(resultsOf(fixture.batch([later]))[0]).to.include({ error: "busy" });
    const stranger = send({ from: "eve" as UserId });
    fixture.batch([stranger]);
    fixture.batch([old]);
    const value = { watermark: 0 };
    const found = { ...asked, outcome: { kind: "ok", value } as const };
    fixture.step({ kind: "looked-up", tenure: fixture.tenure, ...found });
    fixture.batch([later]);
    const [append] = only(fixture.flush(), "append");
    const lines = decodeEntry(append!.text);
    const ids =
      lines.kind === "commit" && lines.groups[0]!.lines.map((line) => decodeEvent(line).id);
    const idOf = (command: Command) => "id" in command && command.id;
    expect(ids).to.deep.equal([stranger, old, later].map(idOf));
  });

  it("O4: a send that arrived before its sender could know of a refusal stays behind the refused send, however late it is decided", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    const floor = T0 - DEDUPE_WINDOW_MS;
    const [first, second] = [1, 2].map((n) => send({ id: idAt(floor - 1, n) }));
    fixture.batch([first!]);
    fixture.loaded({ ...emptySnapshot(GENERAL, 0), floor });
    const answer = (command: Command, outcome: LookedUp["outcome"]): Effect[] => {
      const id = "id" in command ? command.id : idAt(0);
      const asked = { room: GENERAL, from: ADA, id, outcome };
      return fixture.step({ kind: "looked-up", tenure: fixture.tenure, ...asked });
    };
    const lost = answer(first!, { kind: "unavailable", reason: "test" });
    expect(resultsOf(lost)[0]).to.include({ c: first!.c, error: "unavailable" });
    fixture.now += 1_000;
    const decided = fixture.batch([second!]); // No answer of the archive could accept it.
    expect(only(decided, "look-up")).to.deep.equal([]);
    expect(resultsOf(decided)[0]).to.include({ c: second!.c, error: "busy" });
    // The second send holds nothing back: the first one is accepted.
    fixture.batch([first!]);
    answer(first!, { kind: "ok", value: { watermark: 0 } });
    expect(only(fixture.flush(), "append")).to.have.length(1);
  });

  it("O2: shows a room's birth only after its first message is in the log", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    const born = (): unknown => {
      const [head] = resultsOf(fixture.batch([{ c: 77_000, op: "head", room: GENERAL }]));
      return "born" in head! && head.born;
    };
    const first = send();
    fixture.batch([first]);
    fixture.flush();
    expect(born()).to.equal("");
    fixture.appended(1, { kind: "ok", seq: 2 });
    expect(born()).to.equal("id" in first && first.id);
  });

  it("O5: the same id from another sender is another message", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    const original = send() as Extract<ReturnType<typeof send>, { op: "send" }>;
    fixture.batch([original, { ...original, c: 2_000, from: "bob" as never }]);
    fixture.flush();
    const seqs = resultsOf(fixture.appended(1, { kind: "ok", seq: 2 }));
    expect(seqs.map((result) => "seq" in result && result.seq)).to.deep.equal([1, 2]);
  });

  it("O6: refuses an id more than a day ahead", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    const ahead = send({ id: idAt(T0 + 25 * 3_600_000) });
    expect(resultsOf(fixture.batch([ahead]))[0]).to.include({ error: "bad_id" });
  });

  it("P13: looks up an id below the floor, and later sends wait behind it", () => {
    const fixture = new PartitionFixture();
    fixture.serve({ claim: 9, watermark: 8, epoch: 1 });
    const old = send({ id: idAt(T0 - DEDUPE_WINDOW_MS - 1) });
    const next = send();
    fixture.batch([old, next]);
    const snapshot = { ...emptySnapshot(GENERAL, 8), head: 40, floor: T0 - DEDUPE_WINDOW_MS };
    const asked = fixture.loaded(snapshot);
    const [lookUp] = only(asked, "look-up");
    expect(lookUp?.id).to.equal("id" in old && old.id);
    expect(only(fixture.flush(), "append")).to.deep.equal([]);
    const { room, from, id } = lookUp!;
    const value = { found: { seq: 17, at: T0 }, watermark: 8 };
    const answered = fixture.step({
      kind: "looked-up",
      tenure: fixture.tenure,
      room,
      from,
      id,
      outcome: { kind: "ok", value },
    });
    expect(resultsOf(answered)[0]).to.include({ c: old.c, seq: 17 });
    const entry = decodeEntry(only(fixture.flush(), "append")[0]?.text ?? "");
    expect(entry.kind === "commit" && entry.groups[0]?.first).to.equal(41);
  });

  it("P25: refuses a look-up older than the watermark", () => {
    const fixture = new PartitionFixture();
    fixture.serve({ claim: 9, watermark: 8, epoch: 1 });
    fixture.batch([send({ id: idAt(T0 - DEDUPE_WINDOW_MS - 1) })]);
    const snapshot = { ...emptySnapshot(GENERAL, 8), floor: T0 - DEDUPE_WINDOW_MS };
    const [lookUp] = only(fixture.loaded(snapshot), "look-up");
    const outcome = { kind: "ok", value: { watermark: 7 } } as const;
    const { room, from, id } = lookUp!;
    const input = { kind: "looked-up", tenure: fixture.tenure, room, from, id, outcome } as const;
    expect(resultsOf(fixture.step(input))[0]).to.include({ error: "unavailable" });
  });

  it("O5: the next owner recognises an id that it replayed", () => {
    const fixture = new PartitionFixture();
    const entries = { 2: commitEntry(1, [linesOf(GENERAL, 1, 3)]) };
    fixture.serve({ claim: 3, watermark: 1, epoch: 1, entries });
    fixture.batch([send({ id: idAt(T0, 2) })]);
    expect(resultsOf(fixture.loaded(emptySnapshot(GENERAL, 1)))[0]).to.include({ seq: 2 });
  });
});

describe("Tenure against a model", () => {
  it("O4: for any mix of sends, repeats and answers each id gets one number, without gaps and in order", () => {
    const action = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          act: fc.constant("send" as const),
          id: fc.nat(12),
          room: fc.nat(2),
        }),
      },
      { weight: 2, arbitrary: fc.constant({ act: "flush" as const }) },
      { weight: 2, arbitrary: fc.constant({ act: "settle" as const }) },
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
        const rooms = ["r0", "r1", "r2"] as RoomId[];
        const fixture = new PartitionFixture().withRooms(rooms);
        const numbered = new Map<string, number>();
        const heads = new Map<RoomId, number>();
        const expected = new Map<number, number>();
        const inFlight: { n: number; expected: number }[] = [];
        const seen = new Map<number, number>();
        const note = (effects: ReturnType<PartitionFixture["flush"]>): void => {
          for (const { n, expected: at } of only(effects, "append"))
            inFlight.push({ n, expected: at });
          for (const result of resultsOf(effects)) {
            if ("ok" in result && result.ok === "sent") seen.set(result.c, result.seq);
          }
        };
        const settle = (): void => {
          const next = inFlight.shift();
          if (next) note(fixture.appended(next.n, { kind: "ok", seq: next.expected + 1 }));
        };
        for (const item of actions) {
          if (item.act === "flush") note(fixture.flush());
          else if (item.act === "settle") settle();
          else {
            const room = rooms[item.room]!;
            const command = send({ room, id: idAt(T0, item.id) });
            const name = `${room} ${item.id}`;
            if (!numbered.has(name)) {
              heads.set(room, (heads.get(room) ?? 0) + 1);
              numbered.set(name, heads.get(room)!);
            }
            expected.set(command.c, numbered.get(name)!);
            note(fixture.batch([command]));
          }
        }
        note(fixture.flush());
        while (inFlight.length > 0) settle();
        expect(byC(seen)).to.deep.equal(byC(expected));
      }),
      { numRuns: 200 },
    );
  });
});

function byC(seqs: ReadonlyMap<number, number>): [number, number][] {
  return [...seqs].sort(([a], [b]) => a - b);
}
