import { expect } from "chai";
import type { ProcessStatus } from "#shared/protocol/control.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";
import { forecastLines, LogReplay, replayLines, rowsOf } from "../forecast.ts";

const MIB = 1_024 * 1_024;
const BEGAN = Date.parse("2026-01-01T00:00:00Z");

function line(name: string, minute: number, live: number, more: object = {}): string {
  const time = new Date(BEGAN + minute * 60_000).toISOString();
  const known = { level: "info", time, pid: 7, name, msg: "memory" };
  return JSON.stringify({
    ...known,
    live: Math.round(live),
    limit: 400 * MIB,
    accounted: 0,
    accountedMax: 0,
    ...more,
  });
}

describe("parley forecast", () => {
  it("E12: lists the processes' own forecasts, the nearest end first", () => {
    const one = (id: string, seconds: number, resource: "heap" | "log"): ProcessStatus => ({
      v: 1,
      id: id as ProcessId,
      kind: "room",
      version: "1",
      host: "h",
      pid: 1,
      upSeconds: 1,
      forecasts: [
        { resource, earliestSeconds: 50, medianSeconds: seconds, latestSeconds: 200_000 },
      ],
    });
    const rows = rowsOf([one("room-a", 9_000, "heap"), one("pers-b", 600, "log")]);
    const [, first, second] = forecastLines(rows);
    expect(first).to.contain("pers-b").and.to.contain("log").and.to.contain("10 min");
    expect(second).to.contain("room-a").and.to.contain("3 h").and.to.contain("50 s to 2 d");
    expect(forecastLines([])[0]).to.contain("no resource");
  });

  it("cli/forecast.1, cli/forecast.2: replays a leak and a healthy process from log lines", () => {
    const replay = new LogReplay();
    replay.add("not JSON");
    replay.add(JSON.stringify({ msg: "memory", live: "much" }));
    const archive = (minute: number): object => ({
      others: { archive: { value: minute / 3, limit: 120 }, unknown: { value: 1, limit: 2 } },
    });
    for (let minute = 0; minute < 240; minute++) {
      replay.add(line("room-leaks", minute, (60 + 0.9 * minute) * MIB));
      replay.add(line("room-rests", minute, (60 + Math.sin(minute)) * MIB));
      replay.add(line("pers-lags", minute, 50 * MIB, archive(minute)));
    }
    // A restarted process has no past.
    for (let minute = 240; minute < 250; minute++) {
      replay.add(line("room-leaks", minute, (60 + 0.9 * minute) * MIB, { pid: 8 }));
    }
    const found = replay.result();
    const resources = (process: string): readonly string[] =>
      found.find((one) => one.process === process)!.rows.map(({ resource }) => resource);
    expect(resources("room-leaks/7")).to.deep.equal(["heap"]);
    expect(resources("room-leaks/8")).to.deep.equal([]);
    expect(resources("room-rests/7")).to.deep.equal([]);
    expect(resources("pers-lags/7")).to.deep.equal(["archive"]);
    const [summary, ...rest] = replayLines(found);
    expect(summary).to.equal("4 processes, 730 memory lines, 2 forecasts");
    expect(rest.join("\n")).to.match(/room-leaks\/7: exhaustion of heap foretold/);
  });
});
