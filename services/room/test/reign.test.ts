// What an owner does for its rooms while it serves: number, commit, answer, wait, repeat.

import { expect } from "chai";
import * as fc from "fast-check";
import type { Command } from "#shared/protocol/commands.ts";
import { decodeEntry } from "#shared/protocol/entry.ts";
import { decodeEvent } from "#shared/protocol/events.ts";
import { DEDUPE_WINDOW_MS, ENTRY_BYTES_MAX } from "#shared/protocol/limits.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { QUIET_MS, WAITING_MAX_MS } from "../core/reign.ts";
import { IDLE_MS } from "../core/room-table.ts";
import { WAITING_MAX } from "../core/room.ts";
import {
  ADA,
  Bench,
  commitEntry,
  DEV,
  emptySnapshot,
  GENERAL,
  idAt,
  lineOf,
  linesOf,
  only,
  resultsOf,
  send,
  T0,
} from "./vocabulary.ts";

describe("Reign: numbering and committing", () => {
  it("O1: events of a room are numbered 1, 2, 3 across entries", () => {
    const bench = new Bench().withRooms([GENERAL]);
    bench.batch([send(), send()]);
    bench.flush();
    bench.appended(1, { kind: "ok", seq: 2 });
    bench.batch([send()]);
    const [append] = only(bench.flush(), "append");
    const entry = decodeEntry(append?.text ?? "");
    expect(entry.kind === "commit" && entry.groups[0]?.first).to.equal(3);
    expect(append?.expected).to.equal(2);
  });

  it("O2: nothing is broadcast or acknowledged before the append is confirmed", () => {
    const bench = new Bench().withRooms([GENERAL]);
    const before = [...bench.batch([send()]), ...bench.flush()];
    expect(only(before, "broadcast")).to.deep.equal([]);
    expect(resultsOf(before)).to.deep.equal([]);
    const after = bench.appended(1, { kind: "ok", seq: 2 });
    expect(only(after, "broadcast")[0]).to.include({ room: GENERAL, first: 1 });
    expect(resultsOf(after)[0]).to.include({ ok: "sent", seq: 1 });
    const kinds = after.map((effect) => effect.kind);
    expect(kinds.indexOf("broadcast")).to.be.lessThan(kinds.indexOf("reply"));
  });

  it("P7: commands of several rooms that arrive while appends are in flight share the next entry", () => {
    const bench = new Bench().withRooms([GENERAL, DEV]);
    for (let i = 0; i < 2; i++) {
      bench.batch([send()]);
      expect(only(bench.flush(), "append")).to.have.length(1);
    }
    bench.batch([send(), send({ room: DEV })]);
    expect(only(bench.flush(), "append")).to.deep.equal([]);
    bench.batch([send()]);
    expect(only(bench.flush(), "append")).to.deep.equal([]);
    const [append] = only(bench.appended(1, { kind: "ok", seq: 2 }), "append");
    const entry = decodeEntry(append?.text ?? "");
    expect(
      entry.kind === "commit" && entry.groups.map(({ room, lines }) => [room, lines.length]),
    ).to.deep.equal([
      [GENERAL, 2],
      [DEV, 1],
    ]);
  });

  it("P7: an entry never exceeds 256 KiB, however much is collected", () => {
    const bench = new Bench().withRooms([GENERAL]);
    const text = "é".repeat(7_000);
    for (let i = 0; i < 100; i++) bench.batch([send({ body: { text } })]);
    let appends = only(bench.flush(), "append");
    let done = 0;
    while (appends.length > 0) {
      for (const append of appends) {
        expect(new TextEncoder().encode(append.text).length).to.be.at.most(ENTRY_BYTES_MAX);
      }
      appends = appends.flatMap(({ n, expected }) => {
        done++;
        return only(bench.appended(n, { kind: "ok", seq: expected + 1 }), "append");
      });
    }
    expect(done).to.be.greaterThan(3);
  });

  it("O13: at never goes backwards within a room", () => {
    const bench = new Bench().withRooms([GENERAL]);
    bench.batch([send()]);
    bench.now -= 3_600_000;
    bench.batch([send()]);
    const entry = decodeEntry(only(bench.flush(), "append")[0]?.text ?? "");
    const at = entry.kind === "commit" ? entry.groups[0]?.lines.map((l) => decodeEvent(l).at) : [];
    expect(at).to.deep.equal([T0, T0]);
  });

  it("DR3: a wall clock that is set back or ahead moves no deadline, only what is written down", () => {
    const bench = new Bench();
    bench.serve();
    bench.batch([send()]); // The room begins to load …
    const old = { kind: "unavailable", reason: "test" } as const;
    bench.step({ kind: "room-loaded", reign: bench.reign, room: GENERAL, outcome: old });
    const hours = 3 * 3_600_000;
    const back = bench.partition.step({ kind: "tick" }, bench.now + 300, bench.now + 300 - hours);
    expect(only(back, "load-room")).to.have.length(1); // … and is tried again after 250 ms.
    bench.now += 300;
    bench.loaded(emptySnapshot(GENERAL, 0));
    const wall = bench.now + hours;
    const flushed = bench.partition.step({ kind: "flush" }, bench.now, wall);
    expect(decodeEntry(only(flushed, "append")[0]!.text)).to.include({ at: wall });
  });

  it("O10: the head is repeated one second after the room went quiet", () => {
    const bench = new Bench().withRooms([GENERAL]);
    bench.batch([send()]);
    bench.flush();
    bench.appended(1, { kind: "ok", seq: 2 });
    expect(only(bench.tick(QUIET_MS - 1), "repeat-head")).to.deep.equal([]);
    expect(only(bench.tick(1), "repeat-head")[0]).to.include({ room: GENERAL, head: 1 });
    expect(only(bench.tick(QUIET_MS), "repeat-head")).to.deep.equal([]);
  });
});

describe("Reign: repeated ids", () => {
  it("O5: a repeated id answers the first number, in flight and later", () => {
    const bench = new Bench().withRooms([GENERAL]);
    const original = send();
    bench.batch([original]);
    bench.flush();
    const repeated = bench.batch([{ ...original, c: 1_001 }]);
    expect(resultsOf(repeated)).to.deep.equal([]); // It waits for the same outcome.
    const settled = resultsOf(bench.appended(1, { kind: "ok", seq: 2 }));
    expect(settled.map((result) => [result.c, "seq" in result && result.seq])).to.deep.equal([
      [original.c, 1],
      [1_001, 1],
    ]);
    expect(resultsOf(bench.batch([{ ...original, c: 1_002 }]))[0]).to.include({ seq: 1 });
  });

  it("O4: a late send is answered from memory, or refused and its later ones with it", () => {
    const bench = new Bench().withRooms([GENERAL]);
    const known = send();
    bench.batch([known]);
    bench.flush();
    bench.appended(1, { kind: "ok", seq: 2 });
    const late = { late: true } as const;
    const [again] = resultsOf(bench.batch([{ ...known, ...late }]));
    expect(again).to.include({ ok: "sent", seq: 1, repeat: true });
    const [refused, later] = resultsOf(bench.batch([{ ...send(), ...late }, send()]));
    expect(refused).to.include({ error: "unavailable" });
    expect(later).to.include({ error: "busy" }); // Until the late one is back.
    expect(only(bench.flush(), "append")).to.have.length(0);
  });

  it("O4: after a send that was postponed its sender's later ones wait until it is back", () => {
    const bench = new Bench();
    bench.serve();
    const old = send({ id: idAt(T0 - 10 * DEDUPE_WINDOW_MS, 1) });
    bench.batch([old]);
    bench.loaded({ ...emptySnapshot(GENERAL, 0), floor: T0 - DEDUPE_WINDOW_MS });
    const id = "id" in old ? old.id : undefined;
    const lost = { kind: "unavailable", reason: "test" } as const;
    const asked = { room: GENERAL, from: ADA, id: id!, outcome: lost };
    const answer = bench.step({ kind: "looked-up", reign: bench.reign, ...asked });
    expect(resultsOf(answer)[0]).to.include({ error: "unavailable" });
    const later = send();
    expect(resultsOf(bench.batch([later]))[0]).to.include({ error: "busy" });
    const stranger = send({ from: "eve" as UserId });
    bench.batch([stranger]);
    bench.batch([old]);
    const value = { watermark: 0 };
    const found = { ...asked, outcome: { kind: "ok", value } as const };
    bench.step({ kind: "looked-up", reign: bench.reign, ...found });
    bench.batch([later]);
    const [append] = only(bench.flush(), "append");
    const lines = decodeEntry(append!.text);
    const ids =
      lines.kind === "commit" && lines.groups[0]!.lines.map((line) => decodeEvent(line).id);
    const idOf = (command: Command) => "id" in command && command.id;
    expect(ids).to.deep.equal([stranger, old, later].map(idOf));
  });

  it("O2: a room's birth is told only when its first message is in the log", () => {
    const bench = new Bench().withRooms([GENERAL]);
    const born = (): unknown => {
      const [head] = resultsOf(bench.batch([{ c: 77_000, op: "head", room: GENERAL }]));
      return "born" in head! && head.born;
    };
    const first = send();
    bench.batch([first]);
    bench.flush();
    expect(born()).to.equal("");
    bench.appended(1, { kind: "ok", seq: 2 });
    expect(born()).to.equal("id" in first && first.id);
  });

  it("O5: the same id from another sender is another message", () => {
    const bench = new Bench().withRooms([GENERAL]);
    const original = send() as Extract<ReturnType<typeof send>, { op: "send" }>;
    bench.batch([original, { ...original, c: 2_000, from: "bob" as never }]);
    bench.flush();
    const seqs = resultsOf(bench.appended(1, { kind: "ok", seq: 2 }));
    expect(seqs.map((result) => "seq" in result && result.seq)).to.deep.equal([1, 2]);
  });

  it("O6: an id more than a day ahead is refused", () => {
    const bench = new Bench().withRooms([GENERAL]);
    const ahead = send({ id: idAt(T0 + 25 * 3_600_000) });
    expect(resultsOf(bench.batch([ahead]))[0]).to.include({ error: "bad_id" });
  });

  it("P13: an id below the floor is looked up, and what follows waits behind it", () => {
    const bench = new Bench();
    bench.serve({ claim: 9, watermark: 8, epoch: 1 });
    const old = send({ id: idAt(T0 - DEDUPE_WINDOW_MS - 1) });
    const next = send();
    bench.batch([old, next]);
    const snapshot = { ...emptySnapshot(GENERAL, 8), head: 40, floor: T0 - DEDUPE_WINDOW_MS };
    const asked = bench.loaded(snapshot);
    const [lookUp] = only(asked, "look-up");
    expect(lookUp?.id).to.equal("id" in old && old.id);
    expect(only(bench.flush(), "append")).to.deep.equal([]);
    const { room, from, id } = lookUp!;
    const value = { found: { seq: 17, at: T0 }, watermark: 8 };
    const answered = bench.step({
      kind: "looked-up",
      reign: bench.reign,
      room,
      from,
      id,
      outcome: { kind: "ok", value },
    });
    expect(resultsOf(answered)[0]).to.include({ c: old.c, seq: 17 });
    const entry = decodeEntry(only(bench.flush(), "append")[0]?.text ?? "");
    expect(entry.kind === "commit" && entry.groups[0]?.first).to.equal(41);
  });

  it("P14: a look-up older than the mark is not believed", () => {
    const bench = new Bench();
    bench.serve({ claim: 9, watermark: 8, epoch: 1 });
    bench.batch([send({ id: idAt(T0 - DEDUPE_WINDOW_MS - 1) })]);
    const snapshot = { ...emptySnapshot(GENERAL, 8), floor: T0 - DEDUPE_WINDOW_MS };
    const [lookUp] = only(bench.loaded(snapshot), "look-up");
    const outcome = { kind: "ok", value: { watermark: 7 } } as const;
    const { room, from, id } = lookUp!;
    const input = { kind: "looked-up", reign: bench.reign, room, from, id, outcome } as const;
    expect(resultsOf(bench.step(input))[0]).to.include({ error: "unavailable" });
  });

  it("O5: an id replayed from the log is known to the next owner", () => {
    const bench = new Bench();
    const entries = { 2: commitEntry(1, [linesOf(GENERAL, 1, 3)]) };
    bench.serve({ claim: 3, watermark: 1, epoch: 1, entries });
    bench.batch([send({ id: idAt(T0, 2) })]);
    expect(resultsOf(bench.loaded(emptySnapshot(GENERAL, 1)))[0]).to.include({ seq: 2 });
  });
});

describe("Reign: rooms come and go", () => {
  it("P12: an idle, archived room is dropped and comes back from its snapshot", () => {
    const bench = new Bench().withRooms([GENERAL]);
    bench.batch([send()]);
    bench.flush();
    bench.appended(1, { kind: "ok", seq: 2 });
    bench.tick(IDLE_MS + 1);
    expect(only(bench.batch([send()]), "load-room")).to.deep.equal([]); // Not archived: it stays.
    bench.flush();
    bench.appended(2, { kind: "ok", seq: 3 });
    bench.step({ kind: "mark", seq: 3 });
    bench.tick(IDLE_MS + 1);
    bench.tick(IDLE_MS + 1);
    expect(only(bench.batch([{ c: 1, op: "head", room: GENERAL }]), "load-room")).to.have.length(1);
    const snapshot = {
      ...emptySnapshot(GENERAL, 3),
      head: 2,
      born: "b",
      tail: linesOf(GENERAL, 1, 2).lines,
    };
    expect(resultsOf(bench.loaded(snapshot))[0]).to.include({ head: 2, born: "b" });
  });

  it("P9: more than WAITING_MAX commands for a room that loads get busy", () => {
    const bench = new Bench();
    bench.serve();
    const effects = bench.batch(Array.from({ length: WAITING_MAX + 1 }, () => send()));
    expect(resultsOf(effects)).to.have.length(1);
    expect(resultsOf(effects)[0]).to.include({ error: "busy" });
  });

  it("L2: a command that waits too long for the archive gets unavailable", () => {
    const bench = new Bench();
    bench.serve();
    const command = send();
    bench.batch([command]);
    const expired = resultsOf(bench.tick(WAITING_MAX_MS + 1));
    expect(expired).to.deep.equal([{ c: command.c, error: "unavailable", afterMs: 0 }]);
  });

  it("O9: a range is served from memory, read back from the log, or left to the archive", () => {
    const bench = new Bench(400).withRooms([GENERAL]); // 400 bytes: texts are given up at once.
    for (let n = 1; n <= 4; n++) {
      bench.batch([send()]);
      bench.flush();
      bench.appended(n, { kind: "ok", seq: n + 1 });
    }
    const newest = bench.batch([{ c: 1, op: "range", room: GENERAL, first: 4, last: 9 }]);
    expect(resultsOf(newest)[0]).to.include({ first: 4, count: 1 });
    const asked = bench.batch([{ c: 2, op: "range", room: GENERAL, first: 1, last: 1 }]);
    expect(only(asked, "get-entry")[0]).to.include({ logSeq: 2 });
    const entry = decodeEntry(
      commitEntry(1, [{ room: GENERAL, first: 1, lines: [lineOf(GENERAL, 1)] }]),
    );
    const got = bench.step({ kind: "got", reign: bench.reign, logSeq: 2, entry });
    expect(resultsOf(got)[0]).to.include({ c: 2, first: 1, count: 1 });
    const beyond = bench.batch([{ c: 3, op: "range", room: GENERAL, first: 9, last: 9 }]);
    expect(resultsOf(beyond)[0]).to.include({ count: 0 });
  });

  it("L3: a sync gives the heads of loaded rooms at once and announces the others later", () => {
    const bench = new Bench().withRooms([GENERAL]);
    const rooms = [
      [GENERAL, 0, [ADA]],
      [DEV, 0, []],
    ] as const;
    const [result] = resultsOf(bench.batch([{ c: 1, op: "sync", rooms }]));
    expect(result).to.deep.include({ ok: "synced", heads: [[GENERAL, 0, ""]] });
    const announced = bench.loaded({ ...emptySnapshot(DEV, 0), head: 5 });
    expect(only(announced, "repeat-head")[0]).to.include({ room: DEV, head: 5 });
  });
});

describe("Reign against a model", () => {
  it("O4: any mix of sends, repeats and answers numbers each id once, densely, in order", () => {
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
        const bench = new Bench().withRooms(rooms);
        const numbered = new Map<string, number>();
        const heads = new Map<RoomId, number>();
        const expected = new Map<number, number>();
        const inFlight: { n: number; expected: number }[] = [];
        const seen = new Map<number, number>();
        const note = (effects: ReturnType<Bench["flush"]>): void => {
          for (const { n, expected: at } of only(effects, "append"))
            inFlight.push({ n, expected: at });
          for (const result of resultsOf(effects)) {
            if ("ok" in result && result.ok === "sent") seen.set(result.c, result.seq);
          }
        };
        const settle = (): void => {
          const next = inFlight.shift();
          if (next) note(bench.appended(next.n, { kind: "ok", seq: next.expected + 1 }));
        };
        for (const item of actions) {
          if (item.act === "flush") note(bench.flush());
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
            note(bench.batch([command]));
          }
        }
        note(bench.flush());
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
