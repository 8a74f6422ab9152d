// What the admin page shows of processes that stop to answer, and how often it asks.

import { expect } from "chai";
import type { ProcessStatus } from "#shared/protocol/control.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";
import { SILENT_MAX, SILENT_SHOWN_MS, WatchedProcesses } from "../core/watched-processes.ts";
import { ClusterWatch, FRESH_MS } from "../runtime/cluster-watch.ts";
import { ScriptedRequests } from "./operator-fixture.ts";

const one = (id: string): ProcessStatus => ({
  v: 1,
  id: id as ProcessId,
  kind: "gateway",
  version: "1",
  host: "h",
  pid: 1,
  upSeconds: 1,
});

describe("The watch of the admin page", () => {
  it("AP4, watched-processes.1: a silent process stays with the time of its last answer, then leaves", () => {
    const watched = new WatchedProcesses();
    watched.take([one("gw-a"), one("gw-b")], 1_000);
    const seen = (now: number) =>
      watched.take([one("gw-a")], now).map(({ id, lastAt }) => [id, lastAt]);
    expect(seen(2_000)).to.deep.equal([
      ["gw-a", 2_000],
      ["gw-b", 1_000],
    ]);
    expect(seen(1_000 + SILENT_SHOWN_MS)).to.deep.equal([["gw-a", 1_000 + SILENT_SHOWN_MS]]);
  });

  it("AP4, watched-processes.2: the processes that are silent for the longest time leave first", () => {
    const watched = new WatchedProcesses();
    for (let n = 0; n < SILENT_MAX + 3; n++) watched.take([one(`gw-${n}`)], n + 1);
    const shown = watched.take([], SILENT_MAX + 10);
    expect(shown).to.have.length(SILENT_MAX);
    expect(shown.map(({ lastAt }) => lastAt)).to.not.include.members([1, 2, 3]);
  });

  it("AP4, cluster-watch.1: many pages cost one request at a time, and none while its answer is fresh", async () => {
    const requests = new ScriptedRequests();
    let now = 10_000;
    const watch = new ClusterWatch({
      requests,
      bus: { status: "connected" },
      clock: { now: () => now },
    });
    await Promise.all(Array.from({ length: 20 }, () => watch.snapshot()));
    expect(requests.asked).to.deep.equal([["status", "admin page"]]);
    now += FRESH_MS - 1;
    await watch.snapshot();
    expect(requests.asked).to.have.length(1);
    now += 1;
    await watch.snapshot();
    expect(requests.asked).to.have.length(2);
  });
});
