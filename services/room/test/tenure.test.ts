// Tenure, by example: an owner numbers, commits, answers, waits and repeats while it serves.

import { expect } from "chai";
import { decodeEntry } from "#shared/protocol/entry.ts";
import { decodeEvent } from "#shared/protocol/events.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import { ENTRY_BYTES_MAX } from "#shared/protocol/limits.ts";
import { QUIET_MS, WAITING_MAX_MS } from "../core/tenure.ts";
import { IDLE_MS } from "../core/room-memory.ts";
import { WAITING_MAX } from "../core/room.ts";
import {
  ADA,
  PartitionFixture,
  commitEntry,
  DEV,
  emptySnapshot,
  GENERAL,
  lineOf,
  linesOf,
  only,
  resultsOf,
  send,
  T0,
} from "./partition-fixture.ts";

describe("Tenure: numbering and committing", () => {
  it("O1: numbers the events of a room 1, 2, 3 across entries", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    fixture.batch([send(), send()]);
    fixture.flush();
    fixture.appended(1, { kind: "ok", seq: 2 });
    fixture.batch([send()]);
    const [append] = only(fixture.flush(), "append");
    const entry = decodeEntry(append?.text ?? "");
    expect(entry.kind === "commit" && entry.groups[0]?.first).to.equal(3);
    expect(append?.expected).to.equal(2);
  });

  it("O2: broadcasts and acknowledges nothing before the append is confirmed", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    const before = [...fixture.batch([send()]), ...fixture.flush()];
    expect(only(before, "broadcast")).to.deep.equal([]);
    expect(resultsOf(before)).to.deep.equal([]);
    const after = fixture.appended(1, { kind: "ok", seq: 2 });
    expect(only(after, "broadcast")[0]).to.include({ room: GENERAL, first: 1 });
    expect(resultsOf(after)[0]).to.include({ ok: "sent", seq: 1 });
    const kinds = after.map((effect) => effect.kind);
    expect(kinds.indexOf("broadcast")).to.be.lessThan(kinds.indexOf("reply"));
  });

  it("P7: commands of several rooms that arrive while appends are in flight share the next entry", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL, DEV]);
    for (let i = 0; i < 2; i++) {
      fixture.batch([send()]);
      expect(only(fixture.flush(), "append")).to.have.length(1);
    }
    fixture.batch([send(), send({ room: DEV })]);
    expect(only(fixture.flush(), "append")).to.deep.equal([]);
    fixture.batch([send()]);
    expect(only(fixture.flush(), "append")).to.deep.equal([]);
    const [append] = only(fixture.appended(1, { kind: "ok", seq: 2 }), "append");
    const entry = decodeEntry(append?.text ?? "");
    expect(
      entry.kind === "commit" && entry.groups.map(({ room, lines }) => [room, lines.length]),
    ).to.deep.equal([
      [GENERAL, 2],
      [DEV, 1],
    ]);
  });

  it("P7: an entry never exceeds 256 KiB, however much is collected", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    const text = "é".repeat(7_000);
    for (let i = 0; i < 100; i++) fixture.batch([send({ body: { text } })]);
    let appends = only(fixture.flush(), "append");
    let done = 0;
    while (appends.length > 0) {
      for (const append of appends) {
        expect(new TextEncoder().encode(append.text).length).to.be.at.most(ENTRY_BYTES_MAX);
      }
      appends = appends.flatMap(({ n, expected }) => {
        done++;
        return only(fixture.appended(n, { kind: "ok", seq: expected + 1 }), "append");
      });
    }
    expect(done).to.be.greaterThan(3);
  });

  it("O13: `at` never decreases within a room", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    fixture.batch([send()]);
    fixture.now -= 3_600_000;
    fixture.batch([send()]);
    const entry = decodeEntry(only(fixture.flush(), "append")[0]?.text ?? "");
    const at = entry.kind === "commit" ? entry.groups[0]?.lines.map((l) => decodeEvent(l).at) : [];
    expect(at).to.deep.equal([T0, T0]);
  });

  it("partition-runner.2: a wall clock that jumps changes no timeout, only the times in entries", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    fixture.batch([send()]); // The load of the room begins …
    const old = { kind: "unavailable", reason: "test" } as const;
    fixture.step({ kind: "room-loaded", tenure: fixture.tenure, room: GENERAL, outcome: old });
    const hours = 3 * 3_600_000;
    const back = fixture.partition.step(
      { kind: "tick" },
      fixture.now + 300,
      fixture.now + 300 - hours,
    );
    expect(only(back, "load-room")).to.have.length(1); // … and is retried after 250 ms.
    fixture.now += 300;
    fixture.loaded(emptySnapshot(GENERAL, 0));
    const wall = fixture.now + hours;
    const flushed = fixture.partition.step({ kind: "flush" }, fixture.now, wall);
    expect(decodeEntry(only(flushed, "append")[0]!.text)).to.include({ at: wall });
  });

  it("O10: repeats the head one second after the last commit", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    fixture.batch([send()]);
    fixture.flush();
    fixture.appended(1, { kind: "ok", seq: 2 });
    expect(only(fixture.tick(QUIET_MS - 1), "repeat-head")).to.deep.equal([]);
    expect(only(fixture.tick(1), "repeat-head")[0]).to.include({ room: GENERAL, head: 1 });
    expect(only(fixture.tick(QUIET_MS), "repeat-head")).to.deep.equal([]);
  });
});

describe("Tenure: loading and passivation", () => {
  it("P12: passivates an idle, archived room, and loads it from its snapshot again", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    fixture.batch([send()]);
    fixture.flush();
    fixture.appended(1, { kind: "ok", seq: 2 });
    fixture.tick(IDLE_MS + 1);
    // Not archived, so it stays.
    expect(only(fixture.batch([send()]), "load-room")).to.deep.equal([]);
    fixture.flush();
    fixture.appended(2, { kind: "ok", seq: 3 });
    fixture.step({ kind: "watermark", seq: 3 });
    fixture.tick(IDLE_MS + 1);
    fixture.tick(IDLE_MS + 1);
    expect(only(fixture.batch([{ c: 1, op: "head", room: GENERAL }]), "load-room")).to.have.length(
      1,
    );
    const snapshot = {
      ...emptySnapshot(GENERAL, 3),
      head: 2,
      born: "b",
      tail: linesOf(GENERAL, 1, 2).lines,
    };
    expect(resultsOf(fixture.loaded(snapshot))[0]).to.include({ head: 2, born: "b" });
  });

  it("R3: publishes a room's birth before any of its lines", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    fixture.batch([send()]);
    const loaded = fixture.loaded({ ...emptySnapshot(GENERAL, 0), head: 50, born: "b" });
    const effects = [...loaded, ...fixture.flush(), ...fixture.appended(1, { kind: "ok", seq: 2 })];
    const shown = effects.filter(({ kind }) => kind === "repeat-head" || kind === "broadcast");
    expect(shown[0]).to.deep.include({ kind: "repeat-head", head: 50, born: "b" });
    expect(shown[1]).to.include({ kind: "broadcast", first: 51 });
    expect(only(fixture.tick(2_000), "repeat-head")[0]).to.include({ head: 51, born: "b" });
  });

  it("P9: more than WAITING_MAX commands for a room that is being loaded get busy", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    fixture.batch(Array.from({ length: WAITING_MAX }, () => send()));
    const beyond = fixture.batch([send({ from: "bob" as UserId })]);
    expect(resultsOf(beyond)[0]).to.include({ error: "busy" });
    // A send of a waiting sender is refused in its turn, after its earlier sends, so that it is not
    // the first refused one (O4).
    expect(resultsOf(fixture.batch([send()]))).to.have.length(0);
    fixture.loaded(emptySnapshot(GENERAL, 0));
    fixture.flush();
    const acks = resultsOf(fixture.appended(1, { kind: "ok", seq: 2 }));
    expect(acks.filter((result) => "ok" in result).length).to.be.above(500);
  });

  it("L2: a command that waits too long for the archive gets unavailable", () => {
    const fixture = new PartitionFixture();
    fixture.serve();
    const command = send();
    fixture.batch([command]);
    const expired = resultsOf(fixture.tick(WAITING_MAX_MS + 1));
    expect(expired).to.deep.equal([{ c: command.c, error: "unavailable", afterMs: 1_000 }]);
  });

  it("O9: serves a range from memory, from the log, or leaves it to the archive", () => {
    // Memory for two of these texts: the others are dropped.
    const fixture = new PartitionFixture(13_300).withRooms([GENERAL]);
    for (let n = 1; n <= 4; n++) {
      fixture.batch([send({ body: { text: "x".repeat(4_000) } })]);
      fixture.flush();
      fixture.appended(n, { kind: "ok", seq: n + 1 });
    }
    const newest = fixture.batch([{ c: 1, op: "range", room: GENERAL, first: 4, last: 9 }]);
    expect(resultsOf(newest)[0]).to.include({ first: 4, count: 1 });
    const asked = fixture.batch([{ c: 2, op: "range", room: GENERAL, first: 1, last: 1 }]);
    expect(only(asked, "get-entry")[0]).to.include({ logSeq: 2 });
    const entry = decodeEntry(
      commitEntry(1, [{ room: GENERAL, first: 1, lines: [lineOf(GENERAL, 1)] }]),
    );
    const got = fixture.step({ kind: "entry-read", tenure: fixture.tenure, logSeq: 2, entry });
    expect(resultsOf(got)[0]).to.include({ c: 2, first: 1, count: 1 });
    const beyond = fixture.batch([{ c: 3, op: "range", room: GENERAL, first: 9, last: 9 }]);
    expect(resultsOf(beyond)[0]).to.include({ count: 0 });
  });

  it("L3: answers a sync with the heads of loaded rooms, and publishes the other heads after their load", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    const rooms = [
      [GENERAL, 0, [ADA]],
      [DEV, 0, []],
    ] as const;
    const [result] = resultsOf(fixture.batch([{ c: 1, op: "sync", rooms }]));
    expect(result).to.deep.include({ ok: "synced", heads: [[GENERAL, 0, ""]] });
    const announced = fixture.loaded({ ...emptySnapshot(DEV, 0), head: 5 });
    expect(only(announced, "repeat-head")[0]).to.include({ room: DEV, head: 5 });
  });

  it("O4, holds.2: a send behind a refused one gets busy and not a permanent refusal: both pass in order later", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    const { account } = fixture.memory;
    const [first, second] = [send(), send()];
    const filling = account.bytesMax + 1 - account.used;
    account.add("rooms", filling);
    expect(resultsOf(fixture.batch([first]))[0]).to.include({ error: "busy" });
    account.add("rooms", -filling);
    expect(resultsOf(fixture.batch([second]))[0]).to.include({ error: "busy" });
    fixture.batch([
      { ...first, c: 90_001 },
      { ...second, c: 90_002 },
    ]);
    const [append] = only(fixture.flush(), "append");
    const results = resultsOf(fixture.appended(append!.n, { kind: "ok", seq: 2 }));
    expect(results.map((result) => "seq" in result && result.seq)).to.deep.equal([1, 2]);
  });
});
