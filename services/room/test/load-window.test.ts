// Load window: figures of the last minute from totals.

import { expect } from "chai";
import { LoadWindow, WINDOW_SAMPLES } from "../core/load-window.ts";
import type { LoadReading } from "../core/load-window.ts";

const ZERO: LoadReading = { at: 0, cpuMs: 0, loopCpuMs: 0, loopBusyMs: 0, limit: 1 };
const reading = (seconds: number, cpu: number, more: Partial<LoadReading> = {}): LoadReading => ({
  ...ZERO,
  at: seconds * 1_000,
  cpuMs: cpu * seconds * 1_000,
  ...more,
});

describe("Load window", () => {
  it("load-window.1: divides the CPU time by the work of each partition; a partition without work has no cost", () => {
    const window = new LoadWindow(ZERO);
    expect(window.figures).to.deep.equal({ capacity: 1_000_000, busy: 0, costs: {} });
    const work = new Map([
      [0, 300],
      [3, 100],
      [4, 0],
    ]);
    window.add(reading(1, 0.4), work);
    expect(window.figures).to.deep.equal({
      capacity: 1_000_000,
      busy: 400_000,
      costs: { "0": 300_000, "3": 100_000 },
    });
    window.add(reading(2, 0.4), work);
    expect(window.figures.costs).to.deep.equal({ "0": 300_000, "3": 100_000 });
  });

  it("load-window.2: the capacity is the limit, less when a mostly busy loop gets less CPU time than it asks for", () => {
    const cases: [Partial<LoadReading>, number][] = [
      [{ loopBusyMs: 300, loopCpuMs: 100 }, 1_000_000], // Too idle for a figure.
      [{ loopBusyMs: 499, loopCpuMs: 100 }, 1_000_000],
      [{ loopBusyMs: 500, loopCpuMs: 250 }, 500_000], // Half of the time is enough.
      [{ loopBusyMs: 800, loopCpuMs: 400 }, 500_000],
      [{ loopBusyMs: 1_000, loopCpuMs: 250 }, 250_000],
      [{ loopBusyMs: 1_000, loopCpuMs: 990, limit: 0.5 }, 500_000],
      [{ loopBusyMs: 1_000, loopCpuMs: 250, limit: 0.5 }, 250_000],
      [{ loopBusyMs: 1_000, loopCpuMs: 0 }, 1], // A capacity is never 0.
    ];
    for (const [more, capacity] of cases) {
      const window = new LoadWindow(ZERO);
      window.add(reading(1, 0.1, more), new Map());
      expect(window.figures.capacity, JSON.stringify(more)).to.equal(capacity);
    }
  });

  it("load-window.1, load-window.2: the figures are those since the first sample, not since the start", () => {
    const first = { at: 10_000, cpuMs: 900, loopCpuMs: 2_000, loopBusyMs: 4_000, limit: 1 };
    const window = new LoadWindow(first);
    const more = { at: 11_000, cpuMs: 1_300, loopCpuMs: 2_400, loopBusyMs: 4_800 };
    window.add({ ...first, ...more }, new Map([[2, 0]]));
    expect(window.figures).to.deep.equal({ capacity: 500_000, busy: 400_000, costs: {} });
  });

  it("load-window.3: forgets samples after a minute, and all of them when ownership changes", () => {
    const window = new LoadWindow(ZERO);
    for (let s = 1; s <= WINDOW_SAMPLES; s++) {
      window.add({ ...ZERO, at: s * 1_000, cpuMs: 60_000 }, new Map());
    }
    expect(window.figures.busy).to.equal(1_000_000);
    window.add({ ...ZERO, at: (WINDOW_SAMPLES + 1) * 1_000, cpuMs: 60_000 }, new Map([[1, 5]]));
    expect(window.figures).to.include({ busy: 0 });
    window.clear();
    window.add(
      { ...ZERO, at: (WINDOW_SAMPLES + 2) * 1_000, cpuMs: 60_100 },
      new Map([
        [1, 5],
        [2, 1],
      ]),
    );
    expect(window.figures).to.deep.include({ busy: 100_000, costs: { "2": 100_000 } });
  });
});
