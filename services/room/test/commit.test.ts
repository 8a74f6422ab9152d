// Commit window: which lines leave in which entry, when they leave, and how much memory is counted.

import { expect } from "chai";
import * as fc from "fast-check";
import type { ResultWithLines } from "#shared/protocol/results.ts";
import type { ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { ENTRY_BYTES_MAX } from "#shared/protocol/limits.ts";
import { CommitWindow, toGroups, TRACES_PER_ENTRY_MAX } from "../core/commit.ts";
import { WINDOW_BYTES_MAX, WINDOW_EAGER, WINDOW_MAX } from "../core/commit.ts";
import type { PendingEntry } from "../core/commit.ts";
import { RoomMemory } from "../core/room-memory.ts";
import { GW } from "./partition-fixture.ts";

const sent = (c: number): ResultWithLines => ({ result: { c, ok: "sent", seq: 1, at: 1 } });
const roomId = (n: number): RoomId => `room-${n}` as RoomId;
const [R1, R2] = [roomId(1), roomId(2)];
const GW2 = "gw-2" as ProcessId;
/** The bytes of a first line in its entry without its text: header, group, line break. */
const FIRST_LINE_BYTES = 256 + 100 + 1;
/** The memory of a first line without its text: header, group, line, reply. */
const FIRST_LINE_HELD = 256 + 100 + 32 + 256;

function newWindow(last = 0): { window: CommitWindow; account: RoomMemory["account"] } {
  const { account } = new RoomMemory(1 << 30);
  return { window: new CommitWindow(last, account), account };
}

/** The rooms of each entry that is not settled, oldest first, with their number of lines. */
function shape(entries: readonly PendingEntry[]): unknown[] {
  return entries.map((entry) => toGroups(entry).map(({ room, lines }) => [room, lines.length]));
}

describe("Commit window: when entries leave", () => {
  it("P7: up to WINDOW_EAGER entries leave at once; a further small entry waits until one is settled", () => {
    const { window } = newWindow(40);
    expect(window.next()).to.equal(undefined);
    for (let n = 1; n <= WINDOW_EAGER; n++) {
      window.add(R1, n, ["x"], GW, sent(n));
      const next = window.next();
      expect([next?.n, next?.expected]).to.deep.equal([n, 39 + n]);
      expect(window.last).to.equal(40 + n);
    }
    window.add(R1, 3, ["x"], GW, sent(3));
    expect(window.next()).to.equal(undefined);
    window.settle(1, 41);
    expect(window.next()).to.include({ n: 3, expected: 42 });
    expect(window.next()).to.equal(undefined);
  });

  it("P7: an entry of 32 KiB leaves at once, and an entry with one byte less waits", () => {
    for (const [missing, leaves] of [
      [0, true],
      [1, false],
    ] as const) {
      const { window } = newWindow();
      for (let n = 1; n <= WINDOW_EAGER; n++) {
        window.add(R1, n, ["x"], GW, sent(n));
        window.next();
      }
      window.add(R1, 3, ["x".repeat(32 * 1024 - FIRST_LINE_BYTES - missing)], GW, sent(3));
      expect(window.next() !== undefined, `${missing} bytes below`).to.equal(leaves);
    }
  });

  it("P7: an entry with entries after it does not wait, and at most WINDOW_MAX entries are in flight", () => {
    const { window } = newWindow();
    const line = "x".repeat(20_000);
    for (let n = 1; n <= WINDOW_EAGER; n++) {
      window.add(R1, n, ["x"], GW, sent(n));
      window.next();
    }
    for (let n = 3; n < 160; n++) window.add(R1, n, [line], GW, sent(n));
    for (let n = WINDOW_EAGER; n < WINDOW_MAX; n++) expect(window.next()).to.not.equal(undefined);
    expect(window.next()).to.equal(undefined);
    window.settle(1, 1);
    expect(window.next()).to.include({ n: WINDOW_MAX + 1, expected: WINDOW_MAX });
  });

  it("P7: a small entry does not wait when another entry is after it", () => {
    const { window } = newWindow();
    for (let n = 1; n <= WINDOW_EAGER; n++) {
      window.add(R1, n, ["x"], GW, sent(n));
      window.next();
    }
    window.add(R1, 3, ["x"], GW, sent(3));
    window.add(R1, 4, ["x".repeat(ENTRY_BYTES_MAX - FIRST_LINE_BYTES)], GW, sent(4));
    expect(window.next()).to.include({ n: 3 });
    expect(window.next()).to.include({ n: 4 });
  });

  it("P7: an entry holds exactly ENTRY_BYTES_MAX, and one byte more opens the next entry", () => {
    const left = ENTRY_BYTES_MAX - FIRST_LINE_BYTES - 1_000;
    for (const [room, cost] of [
      [R1, 1],
      [R2, 101],
    ] as const) {
      for (const more of [0, 1]) {
        const { window } = newWindow();
        window.add(R1, 1, ["x".repeat(1_000)], GW, sent(1));
        window.add(room, room === R1 ? 2 : 1, ["x".repeat(left - cost + more)], GW, sent(2));
        const entries = window.unsettled(0);
        expect(entries, `${room} and ${more} more`).to.have.length(1 + more);
        if (more === 0) expect(entries[0]?.bytes).to.equal(ENTRY_BYTES_MAX);
        else expect(entries[1]?.bytes).to.equal(FIRST_LINE_BYTES + left - cost + more);
      }
    }
  });

  it("P7: a line counts its bytes in UTF-8", () => {
    for (const [text, bytes] of [
      ["\u007f", 1],
      ["\u0080", 2],
      ["x\u20ac", 4],
    ] as const) {
      const { window } = newWindow();
      window.add(R1, 1, [text], GW, sent(1));
      expect(window.unsettled(0)[0]?.bytes).to.equal(FIRST_LINE_BYTES + bytes);
    }
  });

  it("O1: the lines of a room in an entry are contiguous, and `first` is the number of the first one", () => {
    const { window } = newWindow();
    window.add(R1, 7, ["a"], GW, sent(1));
    window.add(R2, 3, ["b"], GW, sent(2));
    window.add(R1, 8, ["c"], GW, sent(3));
    const next = window.next();
    expect(next && toGroups(next.entry)).to.deep.equal([
      { room: R1, first: 7, lines: ["a", "c"] },
      { room: R2, first: 3, lines: ["b"] },
    ]);
    window.add(R1, 9, ["d"], GW, sent(4));
    expect(() => window.add(R1, 11, ["e"], GW, sent(5))).to.throw();
  });

  it("commit.2: settles only the oldest append, and only at the log sequence after its expected one", () => {
    const { window } = newWindow(4);
    expect(window.settle(1, 5)).to.equal(undefined);
    for (const n of [1, 2]) {
      window.add(R1, n, ["x"], GW, sent(n));
      window.next();
    }
    expect(window.settle(2, 6)).to.equal(undefined);
    expect(window.settle(2, 5)).to.equal(undefined);
    expect(window.settle(1, 6)).to.equal(undefined);
    expect(window.settle(1, 4)).to.equal(undefined);
    expect([window.unsettled(0).length, window.isIdle]).to.deep.equal([2, false]);
    expect(shape([window.settle(1, 5)!, window.settle(2, 6)!])).to.deep.equal([
      [[R1, 1]],
      [[R1, 1]],
    ]);
    expect([window.isIdle, window.last]).to.deep.equal([true, 6]);
  });

  it("commit.3: a reply waits for the entry that is being collected, or else for the newest in flight", () => {
    const { window } = newWindow();
    expect(window.attach(GW2, sent(9))).to.equal(false);
    window.add(R1, 1, ["x"], GW, sent(1));
    expect(window.isIdle).to.equal(false);
    window.next();
    window.add(R1, 2, ["x"], GW, sent(2));
    window.next();
    expect(window.attach(GW2, sent(3))).to.equal(true);
    window.add(R1, 3, ["x"], GW, sent(4));
    expect(window.attach(GW, sent(5))).to.equal(true);
    const cs = window
      .unsettled(0)
      .map(({ replies }) => [...replies].map(([gw, items]) => [gw, items.map((i) => i.result.c)]));
    expect(cs).to.deep.equal([
      [[GW, [1]]],
      [
        [GW, [2]],
        [GW2, [3]],
      ],
      [[GW, [4, 5]]],
    ]);
  });

  it("P9: unsettled entries are the refused append, those after it, and those being collected", () => {
    const { window } = newWindow();
    for (let n = 1; n <= WINDOW_EAGER; n++) {
      window.add(R1, n, ["x"], GW, sent(n));
      window.next();
    }
    window.add(R2, 1, ["x"], GW, sent(3));
    expect(shape(window.unsettled(2))).to.deep.equal([[[R1, 1]], [[R2, 1]]]);
    expect(shape(window.unsettled(3))).to.deep.equal([[[R2, 1]]]);
  });

  it("P7: an entry and its rooms carry the trace contexts of at most TRACES_PER_ENTRY_MAX messages", () => {
    const { window } = newWindow();
    window.trace(R1, "before"); // No line to record it for.
    window.add(R1, 1, ["x"], GW, sent(1));
    window.trace(R2, "elsewhere");
    expect(window.unsettled(0)[0]).to.not.have.property("traces");
    expect(window.unsettled(0)[0]?.groups.get(R1)).to.not.have.property("traces");
    window.trace(R1, "a");
    window.add(R2, 1, ["x"], GW, sent(2));
    window.trace(R2, "b");
    for (let n = 3; n <= TRACES_PER_ENTRY_MAX + 3; n++) window.trace(R1, `${n}`);
    const entry = window.unsettled(0)[0];
    expect(entry?.traces).to.have.length(TRACES_PER_ENTRY_MAX);
    expect(entry?.traces?.slice(0, 3)).to.deep.equal(["a", "b", "3"]);
    expect(entry?.groups.get(R2)?.traces).to.deep.equal(["b"]);
    expect(entry?.groups.get(R1)?.traces).to.have.length(TRACES_PER_ENTRY_MAX - 1);
  });
});

describe("Commit window: its memory", () => {
  it("commit.4: counts the header, the groups, the lines and the replies of an entry once each", () => {
    const { window, account } = newWindow();
    let held = 0;
    const grown = (by: number): void => {
      held += by;
      expect([window.bytes, account.usedBy("window")]).to.deep.equal([held, held]);
    };
    window.add(R1, 1, ["x".repeat(60)], GW, sent(1));
    grown(60 + FIRST_LINE_HELD);
    window.add(R1, 2, ["x".repeat(60)], GW, sent(2));
    grown(60 + 32 + 256);
    window.add(R2, 1, ["\u20ac".repeat(60)], GW, sent(3));
    grown(120 + 100 + 32 + 256);
    window.attach(GW, { ...sent(4), lines: ["y".repeat(1_000), "\u20ac"] });
    grown(256 + (32 + 1_000) + (32 + 2));
    window.next();
    grown(0);
    window.add(R1, 3, ["z"], GW, sent(5));
    grown(1 + FIRST_LINE_HELD);
    window.settle(1, 1);
    grown(-(held - 1 - FIRST_LINE_HELD));
    window.next();
    window.add(R1, 4, ["z"], GW, sent(6));
    window.clear();
    grown(-held);
    expect(window.isIdle).to.equal(true);
  });

  it("P9: is full at exactly WINDOW_BYTES_MAX, and not one byte below", () => {
    for (const missing of [0, 1]) {
      const { window } = newWindow();
      const size = WINDOW_BYTES_MAX - FIRST_LINE_HELD - missing;
      window.add(R1, 1, ["x".repeat(size)], GW, sent(1));
      expect(window.isFull).to.equal(missing === 0);
    }
  });

  it("P9: is full when its lines reach the bound, after any number of settled entries", () => {
    const { account } = new RoomMemory(1 << 30);
    const window = new CommitWindow(0, account);
    const line = "x".repeat(60);
    let rooms = 0;
    let held = 0;
    const inFlight: { n: number; held: number }[] = [];
    for (let cycle = 0; cycle < 1_000 && held < 2 * WINDOW_BYTES_MAX; cycle++) {
      if (window.isFull) break;
      // Short lines for two entries, each of another room; then one entry leaves.
      for (let i = 0; i < 3_200; i++) {
        window.add(roomId(++rooms), 1, [line], GW, sent(rooms));
        held += line.length;
      }
      const next = window.next();
      if (next !== undefined) inFlight.push({ n: next.n, held: next.entry.groups.size * 60 });
      const oldest = inFlight.shift();
      if (oldest === undefined) continue;
      window.settle(oldest.n, oldest.n);
      held -= oldest.held;
    }
    expect(window.isFull).to.equal(true);
    expect(held).to.be.below(2 * WINDOW_BYTES_MAX);
  });

  it("commit.4: counts at least the memory of its texts, and zero after all entries are settled", () => {
    const action = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          kind: fc.constant("add"),
          room: fc.nat(3),
          size: fc.nat(40_000),
          isWide: fc.boolean(),
        }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("attach"), lines: fc.nat(3) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("next") }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("settle") }) },
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), fc.boolean(), (actions, isCleared) => {
        const { account } = new RoomMemory(1 << 30);
        const window = new CommitWindow(0, account);
        const seqs = new Map<RoomId, number>();
        let settled = 0;
        let appended = 0;
        /** Bytes of the lines and of the replies' lines in each entry, oldest first. */
        const trueBytes = new Map<object, number>();
        const grow = (entry: object, bytes: number): void => {
          trueBytes.set(entry, (trueBytes.get(entry) ?? 0) + bytes);
        };
        const settle = (): void => {
          if (settled === appended) return;
          const entry = window.settle(++settled, settled);
          expect(entry).to.not.equal(undefined);
          trueBytes.delete(entry ?? {});
        };
        for (const step of actions) {
          if (step.kind === "add" && "size" in step) {
            const room = roomId(step.room);
            const seq = (seqs.get(room) ?? 0) + 1;
            seqs.set(room, seq);
            window.add(
              room,
              seq,
              [(step.isWide ? "\u20ac" : "x").repeat(step.size)],
              GW,
              sent(seq),
            );
            const entry = window.unsettled(0).at(-1);
            grow(entry ?? {}, step.size * (step.isWide ? 2 : 1));
          } else if (step.kind === "attach" && "lines" in step) {
            const lines = Array.from({ length: step.lines }, () => "y".repeat(1_000));
            const entry = window.unsettled(0).at(-1);
            if (window.attach("gw-2" as ProcessId, { ...sent(1), lines }))
              grow(entry ?? {}, 1_000 * step.lines);
          } else if (step.kind === "next") {
            if (window.next() !== undefined) appended++;
          } else settle();
          const held = [...trueBytes.values()].reduce((sum, bytes) => sum + bytes, 0);
          expect(account.usedBy("window")).to.equal(window.bytes);
          expect(window.bytes).to.be.at.least(held);
        }
        if (isCleared) window.clear();
        else {
          while (!window.isIdle) {
            if (window.next() !== undefined) appended++;
            else settle();
          }
        }
        expect(window.bytes).to.equal(0);
        expect(account.used).to.equal(0);
      }),
    );
  });

  it("P23, U6: each note counts as memory of the window until its entry is settled", () => {
    const { window, account } = newWindow();
    window.add(R1, 1, ["x"], GW, sent(1));
    const before = account.used;
    window.note([]);
    expect(account.used).to.equal(before);
    const note = { room: R1, seq: 1, user: "ben" as UserId, why: "mention" } as const;
    window.note([note, note]);
    expect(account.used - before).to.equal(2 * 160);
    window.next();
    window.settle(1, 1);
    expect(account.used).to.equal(0);
  });
});
