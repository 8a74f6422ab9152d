// A canary of gateways on a real Kubernetes, with the real Flagger, the Gateway API and a real
// Prometheus: Flagger promotes a good version weight by weight, and takes a version back whose
// event loop stalls, by the chart's own metrics.
//
// Clients send and read through the Gateway all the time, and the checker judges their records at
// the end. The steps build on each other, so the first failure ends the run.

import { expect } from "chai";
import { until } from "#shared/testing/wait.ts";
import { printFigure } from "#tools/test-run/figure.ts";
import { reportText } from "../checker/report-text.ts";
import { LOOK_EVERY_MS } from "./api.ts";
import { startCluster } from "./cluster.ts";
import type { KubernetesCluster } from "./cluster.ts";
import { STALLED_TAG } from "./canary-images.ts";
import { Canary, removeFlagger, serveFlagger } from "./flagger.ts";
import type { CanaryStep } from "./flagger.ts";
import { EDGE, EDGE_HOST, EDGE_URL, serveGatewayApi } from "./gateway-api.ts";
import { IMAGE, imagesFile, NEXT_TAG } from "./images.ts";
import { POD_ADDRESSES } from "./node-config.ts";
import { PodMetrics } from "./pod-metrics.ts";
import { RecordedRun } from "./recorded-run.ts";
import { CANARY_NAMESPACE as NAMESPACE, Release } from "./release.ts";

const WITHIN_MS = 300_000;
const WEIGHTS = [20, 50, 100];
/** So many that a share of 20 % admits `minSends` sends in an interval. */
const GUESTS = 15;
/** The number of pods of gateways, which is the chart's default. */
const PODS = 2;
const CANARY = {
  enabled: true,
  gateway: EDGE,
  hosts: [EDGE_HOST],
  weights: WEIGHTS,
  interval: "10s", // The shortest that Flagger allows.
  minSends: 5,
  // Two cores serve all pods and the clients, so the limits are far below the fault only.
  slowSeconds: 2.5,
  maxBadSendsPercent: 50,
  maxErrorsPercent: 50,
  maxLagMilliseconds: 700,
  failedChecks: 4,
  maxFailedScrapesPercent: 60,
};
/** The connections that pods of the canary refused while their event loops stalled (L12). */
const REFUSED_BY_CANARY =
  `sum(max_over_time(parley_gateway_shed_total{namespace="${NAMESPACE}",work="connection",` +
  `pod=~"parley-gateway-[0-9a-z]+-[0-9a-z]+"}[2m]))`;

const stableOf = (tag: string): string[] =>
  Array<string>(PODS).fill(`parley-gateway-primary ${IMAGE.repository}:${tag}`);

describe("A canary of gateways on Kubernetes", function () {
  this.bail(true);
  this.timeout(900_000);

  const figures: string[] = [];
  let cluster: KubernetesCluster;
  let metrics: PodMetrics;
  let release: Release;
  let canary: Canary;
  let run: RecordedRun;
  const values = (imageTag: string): object => ({
    gateway: { imageTag, trustedProxies: [POD_ADDRESSES] },
    canary: { ...CANARY, prometheus: metrics.url },
  });

  before(async () => {
    cluster = await startCluster((line) => figures.push(line));
    await cluster.importImages(imagesFile());
    await serveGatewayApi(cluster);
    metrics = await PodMetrics.collect(cluster, NAMESPACE);
    await serveFlagger(cluster, metrics.url);
    release = new Release(cluster, NAMESPACE);
    canary = new Canary(cluster, NAMESPACE, "parley-gateway");
    await release.createNamespace();
    await release.createSecrets();
  });
  after(async () => {
    await run?.[Symbol.asyncDispose]();
    metrics?.[Symbol.dispose]();
    if (cluster !== undefined) await removeFlagger(cluster);
    cluster?.processes.stop("traefik");
    for (const line of figures) printFigure(line);
  });

  it("Flagger takes over the gateways, which serve clients through the Gateway", async () => {
    await release.install(values(""));
    const began = performance.now();
    await until(async () => (await canary.state()).phase === "Initialized", {
      withinMs: WITHIN_MS,
      everyMs: LOOK_EVERY_MS,
      what: "Flagger to initialize the canary",
    });
    figures.push(`helm install → Initialized: ${secondsSince(began)}`);
    await servingBecomes(stableOf(IMAGE.tag));
    run = await RecordedRun.begin(EDGE_URL);
  });

  it("Flagger promotes a good version, weight by weight", async () => {
    const steps = await run.step("promotion", () => upgradeTo(NEXT_TAG));
    expect(steps.at(-1)?.phase, await said()).to.equal("Succeeded");
    expect(weightsOf(steps)).to.deep.equal(WEIGHTS);
    await servingBecomes(stableOf(NEXT_TAG));
  });

  it("Flagger takes a version back whose event loop stalls, by the metrics of it", async () => {
    const steps = await run.step("rollback", () => upgradeTo(STALLED_TAG));
    expect(steps.at(-1)?.phase, await said()).to.equal("Failed");
    // One check can miss a stall (docs/operating/canary.md), so it may reach the next weight.
    expect(weightsOf(steps)).to.include(WEIGHTS[0]).and.not.include(WEIGHTS.at(-1));
    // Flagger looks at the checks in the order of their names, and says the first that fails.
    expect(await said()).to.match(/Halt parley-gateway\.canary advancement connections /);
    const refused = (await metrics.valueOf(REFUSED_BY_CANARY)) ?? 0;
    figures.push(`connections that the stalled version refused: ${refused}`);
    expect(refused).to.be.greaterThan(0);
    await servingBecomes(stableOf(NEXT_TAG));
  });

  it("helm rollback after it starts no canary", async () => {
    await run.step("helm rollback", () => release.rollback(2));
    // Flagger notes each change of the Deployment, also one that starts nothing.
    const isNoted = async (): Promise<boolean> => {
      const { lastAppliedSpec, lastPromotedSpec } = await canary.state();
      return lastAppliedSpec === lastPromotedSpec;
    };
    await until(isNoted, {
      withinMs: WITHIN_MS,
      everyMs: LOOK_EVERY_MS,
      what: "Flagger to note the stable version",
    });
    expect((await canary.state()).phase).to.equal("Failed");
    expect(await serving()).to.deep.equal(stableOf(NEXT_TAG));
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
  });

  it("leaves nothing of Flagger when the release is uninstalled", async () => {
    await release.uninstall();
    const kinds = "deployments,pods,services,httproutes,canaries,horizontalpodautoscalers";
    await until(async () => (await release.kubectl("get", kinds, "--output=name")) === "", {
      withinMs: WITHIN_MS,
      everyMs: LOOK_EVERY_MS,
      what: "the objects of Flagger to be gone",
    });
  });

  /** Resolves with the steps of the canary that the upgrade starts. */
  async function upgradeTo(tag: string): Promise<readonly CanaryStep[]> {
    const steps = canary.steps(WITHIN_MS);
    const guests = run.guestsComeAndGo(GUESTS);
    await release.upgrade(values(tag));
    const all = await steps.finally(() => guests.end());
    for (const { phase, canaryWeight, failedChecks, atMs } of all) {
      const at = `${(atMs / 1_000).toFixed(1)} s after helm upgrade began`;
      figures.push(`${tag}: ${phase}, weight ${canaryWeight}, ${failedChecks} failed, ${at}`);
    }
    return all;
  }

  async function said(): Promise<string> {
    return (await canary.messages()).join("\n");
  }

  /** The images of the gateways, with the Deployment of each: `parley-gateway-primary …`. */
  async function serving(): Promise<string[]> {
    const pods = await release.pods("gateway");
    const lines = pods.map(({ metadata, spec }) => {
      const deployment = metadata.name.replace(/-[0-9a-z]+-[0-9a-z]+$/, "");
      return `${deployment} ${spec.containers.map(({ image }) => image).join()}`;
    });
    return lines.toSorted();
  }

  async function servingBecomes(wanted: readonly string[]): Promise<void> {
    await until(async () => (await serving()).join() === wanted.join(), {
      withinMs: WITHIN_MS,
      everyMs: LOOK_EVERY_MS,
      what: `the gateways to be ${wanted.join()}`,
    });
  }
});

/** The weights of the canary above zero, each once, in their order. */
function weightsOf(steps: readonly CanaryStep[]): number[] {
  return [...new Set(steps.map(({ canaryWeight }) => canaryWeight))].filter((one) => one > 0);
}

function secondsSince(began: number): string {
  return `${((performance.now() - began) / 1_000).toFixed(1)} s`;
}
