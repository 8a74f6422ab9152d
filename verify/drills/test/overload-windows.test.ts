// Overload windows: which message counts in which window, and when a phase is back.

import { expect } from "chai";
import { Windows, WINDOW_MS } from "../overload-windows.ts";

describe("Overload windows", () => {
  it("overload-windows.1: counts a message in the window in which it was due, with infinite latency without an acknowledgement", () => {
    const windows = new Windows(1_000, 3_000);
    for (const dueAt of [1_000, 1_100, 1_600]) windows.due(dueAt, dueAt + 7);
    // From an earlier phase: it counts as acknowledged, and its latency does not count.
    windows.acked(500, 1_050);
    windows.acked(1_000, 1_040);
    windows.acked(1_100, 3_500); // Too late to count as goodput.
    const { offered, acked, p50, p99, slipMax } = windows.figures(1_000);
    expect({ offered, acked, p50, p99, slipMax }).to.deep.equal({
      offered: 3,
      acked: 2,
      p50: 2_400,
      p99: Infinity,
      slipMax: 7,
    });
  });

  it("overload-windows.1: counts a skipped message neither as late nor as written", () => {
    const windows = new Windows(0, 1_000);
    windows.due(10, 10);
    windows.skipped(10);
    const { skipped, written, p99 } = windows.figures(1_000);
    expect({ skipped, written, p99 }).to.deep.equal({ skipped: 1, written: 0, p99: 0 });
  });

  it("overload-windows.2: a phase is back at the end of its last slow window", () => {
    const windows = new Windows(0, 5 * WINDOW_MS);
    for (const [n, ms] of [900, 10, 900, 10, 10].entries()) {
      windows.due(n * WINDOW_MS, n * WINDOW_MS);
      windows.acked(n * WINDOW_MS, n * WINDOW_MS + ms);
    }
    expect(windows.figures(500).backMs).to.equal(3 * WINDOW_MS);
    expect(windows.figures(1_000).backMs).to.equal(0);
    expect(windows.figures(5).backMs).to.equal(5 * WINDOW_MS);
  });
});
