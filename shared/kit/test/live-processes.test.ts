import { expect } from "chai";
import * as fc from "fast-check";
import type { ProcessId } from "#shared/protocol/ids.ts";
import { LIVE_PROCESSES_MAX, LiveProcesses } from "../live-processes.ts";

const id = (name: string): ProcessId => `room-${name}` as ProcessId;
const live = (name: string) => ({ id: id(name), state: "live" }) as const;
const leaving = (name: string) => ({ id: id(name), state: "leaving" }) as const;

describe("LiveProcesses", () => {
  it("P11: a first beat adds a process, later beats change nothing, a leaving beat removes it", () => {
    const processes = new LiveProcesses(3_500);
    expect(processes.onBeat(live("b"), 0)).to.equal(true);
    expect(processes.onBeat(live("a"), 1)).to.equal(true);
    expect(processes.onBeat(live("b"), 2)).to.equal(false);
    expect(processes.live()).to.deep.equal([id("a"), id("b")]);
    expect(processes.onBeat(leaving("a"), 3)).to.equal(true);
    expect(processes.onBeat(leaving("a"), 4)).to.equal(false);
    expect(processes.live()).to.deep.equal([id("b")]);
  });

  it("P11: a silence longer than the timeout expires a process; a silence of exactly the timeout does not", () => {
    const processes = new LiveProcesses(1_000);
    processes.onBeat(live("a"), 0);
    processes.onBeat(live("b"), 500);
    expect(processes.expire(1_000)).to.deep.equal([]);
    expect(processes.expire(1_001)).to.deep.equal([id("a")]);
    expect(processes.has(id("a"))).to.equal(false);
    expect(processes.onBeat(live("a"), 1_100)).to.equal(true);
  });

  it("P11: the next beat adds a removed process again", () => {
    const processes = new LiveProcesses(1_000);
    processes.onBeat(live("a"), 0);
    expect(processes.remove(id("a"))).to.equal(true);
    expect(processes.live()).to.deep.equal([]);
    expect(processes.onBeat(live("a"), 10)).to.equal(true);
  });

  it("P11: the table is bounded, and a free place is used again", () => {
    const processes = new LiveProcesses(1_000);
    for (let n = 0; n < LIVE_PROCESSES_MAX; n++) processes.onBeat(live(String(n)), n);
    expect(processes.onBeat(live("late"), 5)).to.equal(false);
    processes.onBeat(leaving("7"), 6);
    expect(processes.onBeat(live("late"), 7)).to.equal(true);
    expect(processes.live()).to.have.length(LIVE_PROCESSES_MAX);
  });

  it("P11: a process is live if its last beat is live and within the timeout, in any interleaving", () => {
    const step = fc.record({
      name: fc.constantFrom("a", "b", "c", "d"),
      leaves: fc.boolean(),
      afterMs: fc.integer({ min: 0, max: 700 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const processes = new LiveProcesses(1_000);
        const model = new Map<ProcessId, number>();
        let now = 0;
        for (const { name, leaves, afterMs } of steps) {
          now += afterMs;
          processes.onBeat(leaves ? leaving(name) : live(name), now);
          if (leaves) model.delete(id(name));
          else model.set(id(name), now);
          processes.expire(now);
          const expected = [...model].filter(([, at]) => now - at <= 1_000).map(([key]) => key);
          expect(processes.live()).to.deep.equal(expected.sort());
        }
      }),
    );
  });
});
