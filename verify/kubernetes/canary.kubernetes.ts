// A canary of gateways on a real Kubernetes, with the Gateway API and Prometheus: clients follow
// the weights, a good version is promoted, and a version with a fault fails its check and is taken
// back.
//
// The test does the steps of the controller of canaries itself, by the chart's own checks. Clients
// send and read through the Gateway all the time, and the checker judges their records at the end.
// The steps build on each other, so the first failure ends the run.

import { expect } from "chai";
import { until } from "#shared/testing/wait.ts";
import { reportText } from "../checker/report-text.ts";
import { CanarySteps, defineCanaries } from "./canary-steps.ts";
import { startCluster } from "./cluster.ts";
import type { KubernetesCluster } from "./cluster.ts";
import { SLOW_TAG } from "./faulty-images.ts";
import { EDGE, EDGE_HOST, EDGE_URL, serveGatewayApi } from "./gateway-api.ts";
import { IMAGE, imagesFile, NEXT_TAG } from "./images.ts";
import { POD_ADDRESSES } from "./node-config.ts";
import { PodMetrics } from "./pod-metrics.ts";
import { RecordedRun } from "./recorded-run.ts";
import { CANARY_NAMESPACE as NAMESPACE, Release } from "./release.ts";

const WITHIN_MS = 300_000;
const WEIGHTS = [20, 50, 100];
const CANARY = {
  enabled: true,
  gateway: EDGE,
  hosts: [EDGE_HOST],
  weights: WEIGHTS,
  minSends: 5,
  // Two cores serve all pods and the clients, so the limits are far below the faults only.
  slowSeconds: 2.5,
  maxBadSendsPercent: 50,
  maxErrorsPercent: 50,
  maxLagMilliseconds: 800,
  maxFailedScrapesPercent: 60,
};
const stableOf = (tag: string): string[] =>
  Array<string>(2).fill(`parley-gateway-primary ${IMAGE.repository}:${tag}`);

describe("A canary of gateways on Kubernetes", function () {
  this.bail(true);
  this.timeout(900_000);

  const figures: string[] = [];
  let cluster: KubernetesCluster;
  let metrics: PodMetrics;
  let release: Release;
  let canary: CanarySteps;
  let run: RecordedRun;
  const values = (imageTag: string): object => ({
    gateway: { imageTag, trustedProxies: [POD_ADDRESSES] },
    canary: { ...CANARY, prometheus: metrics.url },
  });

  before(async () => {
    cluster = await startCluster((line) => figures.push(line));
    await cluster.importImages(imagesFile());
    await serveGatewayApi(cluster);
    await defineCanaries(cluster);
    metrics = await PodMetrics.collect(cluster, NAMESPACE);
    release = new Release(cluster, NAMESPACE);
    canary = new CanarySteps(cluster, release, NAMESPACE, metrics);
    await release.createNamespace();
    await release.createSecrets();
  });
  after(async () => {
    await run?.[Symbol.asyncDispose]();
    metrics?.[Symbol.dispose]();
    cluster?.processes.stop("traefik");
    for (const line of figures) console.log(`      ${line}`);
  });

  it("serves clients through the Gateway", async () => {
    await release.install(values(""));
    await canary.begin();
    expect(await canary.serving()).to.deep.equal(stableOf(IMAGE.tag));
    run = await RecordedRun.begin(EDGE_URL);
  });

  it("promotes a good version, weight by weight", async () => {
    await run.step("promotion", async () => {
      await release.upgrade(values(NEXT_TAG));
      await canary.start();
      const hasPassed = async (): Promise<boolean> =>
        Object.values(await canary.verdicts()).every((verdict) => verdict === "passes");
      for (const weight of WEIGHTS) {
        await canary.weight(weight);
        await until(hasPassed, {
          withinMs: WITHIN_MS,
          what: `all checks to pass at ${weight} %`,
        });
      }
      await canary.promote();
    });
    expect(await canary.serving()).to.deep.equal(stableOf(NEXT_TAG));
  });

  it("takes a version back whose acks are late, by the check of sends", async () => {
    await run.step("rollback", async () => {
      await release.upgrade(values(SLOW_TAG));
      await canary.start();
      await canary.weight(WEIGHTS[0]!);
      await until(async () => (await canary.verdicts())["sends"] === "fails", {
        withinMs: WITHIN_MS,
        what: "the check of sends to fail",
      });
      await canary.takeBack();
    });
    expect(await canary.serving()).to.deep.equal(stableOf(NEXT_TAG));
  });

  it("loses, doubles and reorders no message", async () => {
    const report = await run.judge({ ...release.dumpSource(), gateway: EDGE_URL });
    for (const { fault, ackMs } of report.faults) {
      figures.push(`${fault}: longest wait of a sender ${ackMs.max} ms, p99 ${ackMs.p99} ms`);
    }
    const { sent, acked, unknown, violations } = report.counts;
    figures.push(
      `${sent} sent, ${acked} acknowledged, ${unknown} unknown, ${violations} violations`,
    );
    expect(violations, reportText(report)).to.equal(0);
    expect(acked).to.equal(sent);
    expect(run.load.state.surprises).to.deep.equal([]);
    await release.uninstall();
  });
});
