import { expect } from "chai";
import * as fc from "fast-check";
import type { ProcessId } from "#shared/protocol/ids.ts";
import { PROCESSES_MAX, LiveProcesses } from "../live-processes.ts";

const id = (name: string): ProcessId => `room-${name}` as ProcessId;
const live = (name: string) => ({ id: id(name), state: "live" }) as const;
const leaving = (name: string) => ({ id: id(name), state: "leaving" }) as const;

describe("LiveProcesses", () => {
  it("P11: a first beat adds a member, later ones change nothing, leaving removes it", () => {
    const members = new LiveProcesses(3_500);
    expect(members.onBeat(live("b"), 0)).to.equal(true);
    expect(members.onBeat(live("a"), 1)).to.equal(true);
    expect(members.onBeat(live("b"), 2)).to.equal(false);
    expect(members.live()).to.deep.equal([id("a"), id("b")]);
    expect(members.onBeat(leaving("a"), 3)).to.equal(true);
    expect(members.onBeat(leaving("a"), 4)).to.equal(false);
    expect(members.live()).to.deep.equal([id("b")]);
  });

  it("P11: silence longer than the timeout expires a member, exactly the timeout does not", () => {
    const members = new LiveProcesses(1_000);
    members.onBeat(live("a"), 0);
    members.onBeat(live("b"), 500);
    expect(members.expire(1_000)).to.deep.equal([]);
    expect(members.expire(1_001)).to.deep.equal([id("a")]);
    expect(members.has(id("a"))).to.equal(false);
    expect(members.onBeat(live("a"), 1_100)).to.equal(true);
  });

  it("P11: a member taken for dead comes back with its next beat", () => {
    const members = new LiveProcesses(1_000);
    members.onBeat(live("a"), 0);
    expect(members.remove(id("a"))).to.equal(true);
    expect(members.live()).to.deep.equal([]);
    expect(members.onBeat(live("a"), 10)).to.equal(true);
  });

  it("P11: the table is bounded, and room that was made is used", () => {
    const members = new LiveProcesses(1_000);
    for (let n = 0; n < PROCESSES_MAX; n++) members.onBeat(live(String(n)), n);
    expect(members.onBeat(live("late"), 5)).to.equal(false);
    members.onBeat(leaving("7"), 6);
    expect(members.onBeat(live("late"), 7)).to.equal(true);
    expect(members.live()).to.have.length(PROCESSES_MAX);
  });

  it("P11: live is whoever was heard last as live within the timeout, in any interleaving", () => {
    const step = fc.record({
      name: fc.constantFrom("a", "b", "c", "d"),
      leaves: fc.boolean(),
      afterMs: fc.integer({ min: 0, max: 700 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const members = new LiveProcesses(1_000);
        const model = new Map<ProcessId, number>();
        let now = 0;
        for (const { name, leaves, afterMs } of steps) {
          now += afterMs;
          members.onBeat(leaves ? leaving(name) : live(name), now);
          if (leaves) model.delete(id(name));
          else model.set(id(name), now);
          members.expire(now);
          const expected = [...model].filter(([, at]) => now - at <= 1_000).map(([key]) => key);
          expect(members.live()).to.deep.equal(expected.sort());
        }
      }),
    );
  });
});
