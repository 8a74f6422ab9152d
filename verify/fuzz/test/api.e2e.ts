// The HTTP API under an external fuzzer: the gateway behaves as /openapi.json describes.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { devToken } from "../../wire-client/dev-token.ts";
import { foundOrSkip } from "#tools/test-run/skip.ts";
import { printFigure } from "#tools/test-run/figure.ts";
import { ensureSchemathesis, fuzzApi } from "../schemathesis.ts";

/** `make fuzz-api` runs longer, with a seed of its own in each run. */
const SECONDS = 20;
/** Each run makes the same requests, so a change of the code is the cause of a new finding. */
const SEED = 1;

describe("The API under an external fuzzer", () => {
  let cluster: Cluster;
  let dataDir: string;
  before(async function () {
    this.timeout(120_000);
    dataDir = mkdtempSync(join(tmpdir(), "parley-fuzz-"));
    const say = (): void => undefined;
    cluster = await startCluster({
      dataDir,
      port: 0,
      partitions: 4,
      limits: "off",
      webhooks: 1,
      restart: false,
      say,
    });
  });
  after(async function () {
    this.timeout(60_000);
    await cluster.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it("H5: every answer, to valid and invalid requests, fits the API description", async function () {
    this.timeout(400_000);
    const program = await foundOrSkip(this, ensureSchemathesis());
    const token = await devToken(cluster.url, "fuzzer", { svc: true });
    const options = { url: cluster.url, token, seconds: SECONDS, seed: SEED };
    const result = await fuzzApi(program, options);
    printFigure(`${result.cases} requests`);
    expect(result.code, result.report).to.equal(0);
    expect(result.cases).to.be.above(5); // A busy machine makes few in its seconds.
  });
});
