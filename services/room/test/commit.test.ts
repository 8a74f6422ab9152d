// Commit window: what it counts as held.

import { expect } from "chai";
import * as fc from "fast-check";
import type { ResultWithLines } from "#shared/protocol/commands.ts";
import type { ProcessId, RoomId } from "#shared/protocol/ids.ts";
import { CommitWindow, WINDOW_BYTES_MAX } from "../core/commit.ts";
import { RoomMemory } from "../core/room-memory.ts";
import { GW } from "./vocabulary.ts";

const sent = (c: number): ResultWithLines => ({ result: { c, ok: "sent", seq: 1, at: 1 } });
const roomId = (n: number): RoomId => `room-${n}` as RoomId;

describe("Commit window", () => {
  it("P9: it is full when the lines that it holds reach its bound, however many entries came and went", () => {
    const { account } = new RoomMemory(1 << 30);
    const window = new CommitWindow(0, account);
    const line = "x".repeat(60);
    let rooms = 0;
    let held = 0;
    const inFlight: { n: number; held: number }[] = [];
    for (let cycle = 0; cycle < 1_000 && held < 2 * WINDOW_BYTES_MAX; cycle++) {
      if (window.isFull) break;
      // Two entries' worth of short lines, each of another room; then one entry leaves.
      for (let i = 0; i < 3_200; i++) {
        window.add(roomId(++rooms), 1, line, GW, sent(rooms));
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

  it("W3: what it counts is never below what it holds, and is exactly nothing when all is settled", () => {
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
            window.add(room, seq, (step.isWide ? "\u20ac" : "x").repeat(step.size), GW, sent(seq));
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
});
