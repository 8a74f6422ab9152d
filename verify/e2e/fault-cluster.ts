// FaultCluster: the cluster of a fault test, and the final check that all these tests share.

import { expect } from "chai";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Report } from "../checker/check.ts";
import type { ClusterOptions } from "#infra/embedded/cluster-options.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { printFigure } from "#tools/test-run/figure.ts";
import type { WriterLoad } from "../drills/writer-load.ts";

export interface FaultCluster extends AsyncDisposable {
  readonly cluster: Cluster;
}

/** Starts it in a temporary folder, which it removes at the end. */
export async function openFaultCluster(options: Partial<ClusterOptions>): Promise<FaultCluster> {
  const dataDir = await mkdtemp(join(tmpdir(), "parley-faults-"));
  const cluster = await startCluster({
    dataDir,
    port: 0,
    limits: "off",
    env: { LOG_KEEP_ENTRIES: "1000000" }, // Keeps the whole log for the comparison.
    say: () => {},
    ...options,
  });
  return {
    cluster,
    async [Symbol.asyncDispose]() {
      await cluster.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Drains the load. Expects no violation, no surprise, and every sent message stored. */
export async function expectWhole(load: WriterLoad): Promise<Report["counts"]> {
  await load.drain();
  const { counts, violations } = await load.judge();
  printFigure(JSON.stringify(counts));
  expect(violations).to.deep.equal([]);
  expect(load.surprises).to.deep.equal([]);
  expect(counts.sent).to.equal(counts.acked);
  expect(counts.stored).to.equal(counts.sent);
  return counts;
}
