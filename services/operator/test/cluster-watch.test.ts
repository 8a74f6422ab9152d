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
    const T0 = 1_795_500_000_000;
    watched.take([one("gw-a"), one("gw-b")], T0);
    const seen = (now: number) =>
      watched.take([one("gw-a")], now).map(({ id, lastAt }) => [id, lastAt]);
    const later = T0 + SILENT_SHOWN_MS;
    expect(seen(later - 1)).to.deep.equal([
      ["gw-a", later - 1],
      ["gw-b", T0],
    ]);
    expect(seen(later)).to.deep.equal([["gw-a", later]]);
  });

  it("AP4, watched-processes.2: the processes that are silent for the longest time leave first", () => {
    const watched = new WatchedProcesses();
    for (let n = 0; n < SILENT_MAX + 3; n++) watched.take([one(`gw-${n}`)], n + 1);
    const shown = watched.take([], SILENT_MAX + 10);
    expect(shown).to.have.length(SILENT_MAX);
    const times = shown.map(({ lastAt }) => lastAt).toSorted((a, b) => a - b);
    expect(times).to.deep.equal(Array.from({ length: SILENT_MAX }, (_, n) => n + 4));
  });

  it("AP4, watched-processes.2: processes that answer are all shown, sorted by id, however many", () => {
    const watched = new WatchedProcesses();
    const ids = Array.from({ length: SILENT_MAX + 3 }, (_, n) => `gw-${n + 100}`);
    const shown = watched.take(ids.toReversed().map(one), 5);
    expect(shown.map(({ id }) => id)).to.deep.equal(ids);
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
