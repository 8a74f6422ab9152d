import { expect } from "chai";
import { FakeClock } from "../../testing/fake-clock.ts";
import { PeriodicWork } from "../periodic-work.ts";

function fixture(): {
  readonly clock: FakeClock;
  readonly work: PeriodicWork;
  /** The times at which `name` ran. */
  readonly runs: (name: string) => readonly number[];
  readonly run: (name: string) => () => void;
} {
  const clock = new FakeClock();
  const all: { readonly name: string; readonly at: number }[] = [];
  return {
    clock,
    work: new PeriodicWork(clock),
    runs: (name) => all.filter((one) => one.name === name).map(({ at }) => at),
    run: (name) => () => void all.push({ name, at: clock.monotonic() }),
  };
}

describe("Periodic work", () => {
  it("periodic-work.1: runs once in each period", () => {
    const { clock, work, runs, run } = fixture();
    work.add(250, run("tick"));
    clock.advance(1_000);
    expect(runs("tick")).to.deep.equal([250, 500, 750, 1_000]);
  });

  it("periodic-work.1: periods that divide each other soon run in the same turns", () => {
    const { clock, work, runs, run } = fixture();
    work.add(1_000, run("beat"));
    clock.advance(70);
    work.add(250, run("tick"));
    clock.advance(130);
    work.add(5_000, run("watch"));
    clock.advance(60_000);
    const ticks = new Set(runs("tick"));
    for (const name of ["beat", "watch"]) {
      const settled = runs(name).filter((at) => at > 20_000);
      expect(settled).not.to.equal([]);
      expect(settled.filter((at) => !ticks.has(at))).to.deep.equal([]);
    }
  });

  it("periodic-work.1: processes of a machine soon run at the same time", () => {
    const machine = new FakeClock();
    const starts = [0, 333.3, 777.7];
    const runs = starts.map((startedAt) => {
      const times: number[] = [];
      const clock = {
        monotonic: () => machine.monotonic() - startedAt,
        after: (ms: number, run: () => void) => machine.after(ms, run),
      };
      machine.advance(startedAt - machine.monotonic());
      const work = new PeriodicWork(clock, { machineAheadMs: startedAt });
      work.add(1_000, () => times.push(Math.round(machine.monotonic())));
      return times;
    });
    machine.advance(9_500 - machine.monotonic());
    for (const times of runs) {
      expect(times.filter((at) => at > 4_500)).to.deep.equal([5_000, 6_000, 7_000, 8_000, 9_000]);
    }
  });

  it("periodic-work.1: no run is late, and none is more than a quarter of its period early", () => {
    const periods = [100, 250, 400, 1_000, 3_000];
    const { clock, work, runs, run } = fixture();
    for (const period of periods) {
      work.add(period, run(`${period}`));
      clock.advance(33);
    }
    clock.advance(30_000);
    for (const period of periods) {
      const at = runs(`${period}`);
      const gaps = at.slice(1).map((time, i) => time - at[i]!);
      expect(Math.max(...gaps)).to.be.at.most(period);
      expect(Math.min(...gaps)).to.be.at.least((period * 3) / 4);
      expect(gaps.slice(4).every((gap) => gap === period)).to.equal(true);
    }
  });

  it("periodic-work.1: a process that is always late by the same time shows it in each run", () => {
    const { clock, work, runs, run } = fixture();
    work.add(250, () => {
      run("tick")();
      clock.stall(400); // The event loop is busy.
    });
    clock.advance(4_000);
    const at = runs("tick");
    expect(at.slice(1).map((time, i) => time - at[i]!)).to.deep.equal(
      Array.from({ length: at.length - 1 }, () => 400),
    );
  });

  it("periodic-work.1: runs once after a pause, and a whole period later again", () => {
    const { clock, work, runs, run } = fixture();
    work.add(250, run("tick"));
    clock.advance(250);
    clock.stall(2_000);
    clock.advance(300);
    expect(runs("tick")).to.deep.equal([250, 2_250, 2_500]);
  });

  it("periodic-work.2: work that is cancelled in its own turn does not run", () => {
    const { clock, work, runs, run } = fixture();
    work.add(100, () => other.cancel());
    const other = work.add(100, run("other"));
    clock.advance(1_000);
    expect(runs("other")).to.deep.equal([]);
  });

  it("periodic-work.3: work that throws does not stop the rest of the turn", async () => {
    const { clock, work, runs, run } = fixture();
    const thrown = new Promise((resolve) => {
      const listeners = process.listeners("uncaughtException");
      process.removeAllListeners("uncaughtException");
      process.once("uncaughtException", (error) => {
        for (const listener of listeners) process.on("uncaughtException", listener);
        resolve(error.message);
      });
    });
    work.add(100, () => {
      throw new Error("broken");
    });
    work.add(100, run("other"));
    clock.advance(100);
    expect(runs("other")).to.deep.equal([100]);
    expect(await thrown).to.equal("broken");
  });

  it("periodic-work.4: no timer is left when the last work is cancelled", () => {
    const { clock, work, runs, run } = fixture();
    const first = work.add(100, run("first"));
    const second = work.add(50, run("second"));
    first.cancel();
    first.cancel();
    second.cancel();
    expect(clock.armed).to.equal(0);
    work.add(100, run("third")); // It begins again.
    clock.advance(100);
    expect(runs("third")).to.deep.equal([100]);
  });

  it("periodic-work.5: each turn reports how late it is", () => {
    const clock = new FakeClock();
    const late: number[] = [];
    const work = new PeriodicWork(clock, { onTurn: (lateMs) => late.push(lateMs) });
    work.add(100, () => undefined);
    clock.advance(100);
    clock.stall(350);
    clock.advance(100);
    expect(late).to.deep.equal([0, 250, 0]);
  });
});
