// Canary steps: what the controller of canaries does with a release, step by step, and what its
// checks find. docs/decisions/027-canary.md names the controller.
//
// Owns: the copy of the gateways that is the stable version, both Services, the route with weights.
// Does not own: the decision for the next step, which is the test's.
//
//   canary-steps.1. A step changes weights, pods' templates and numbers of pods only. Kubernetes
//        starts and stops the pods, so gateways drain.

import { join } from "node:path";
import { until } from "#shared/testing/wait.ts";
import { ensureGoModule, FLAGGER_MODULE } from "#tools/programs/go-module.ts";
import type { KubernetesCluster } from "./cluster.ts";
import { EDGE, EDGE_HOST } from "./gateway-api.ts";
import type { PodMetrics } from "./pod-metrics.ts";
import type { Release } from "./release.ts";

const NAME = "parley-gateway";
const PRIMARY = `${NAME}-primary`;
const PODS = 2;
const GONE_WITHIN_MS = 300_000;

/** `no evidence`: the query has no result, which fails a canary as well. */
export type Verdict = "passes" | "fails" | "no evidence";

interface Template {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: object;
}
interface Deployment {
  readonly spec: { readonly strategy: object; readonly template: Template };
}
interface Named {
  readonly metadata: { readonly name: string };
}
interface CanaryObject {
  readonly spec: {
    readonly analysis: {
      readonly metrics: readonly { name: string; thresholdRange: { max: number } }[];
    };
  };
}
interface TemplateObject extends Named {
  readonly spec: { readonly query: string };
}

/** Lets the API accept the objects of a chart with canary.enabled. */
export async function defineCanaries(cluster: KubernetesCluster): Promise<void> {
  const definitions = join(await ensureGoModule(FLAGGER_MODULE), "artifacts/flagger/crd.yaml");
  await cluster.kubectl("apply", "--server-side", `--filename=${definitions}`);
}

export class CanarySteps {
  readonly #cluster: KubernetesCluster;
  readonly #release: Release;
  readonly #namespace: string;
  readonly #metrics: PodMetrics;

  constructor(
    cluster: KubernetesCluster,
    release: Release,
    namespace: string,
    metrics: PodMetrics,
  ) {
    this.#cluster = cluster;
    this.#release = release;
    this.#namespace = namespace;
    this.#metrics = metrics;
  }

  /** Copies the installed gateways to the stable version, and gives it all connections. */
  async begin(): Promise<void> {
    const { spec } = await this.#installed();
    const labels = { app: PRIMARY };
    await this.#apply("apps/v1", "Deployment", PRIMARY, {
      replicas: PODS,
      strategy: spec.strategy,
      selector: { matchLabels: labels },
      template: stable(spec.template),
    });
    for (const [name, app] of [
      [PRIMARY, PRIMARY],
      [`${NAME}-canary`, NAME],
    ] as const) {
      const ports = [{ name: "http", port: 80, targetPort: "http" }];
      await this.#apply("v1", "Service", name, { selector: { app }, ports });
    }
    await this.#rollout(PRIMARY);
    await this.weight(0);
    await this.#stop();
  }

  /** Starts pods of the version that `helm upgrade` installed. */
  async start(): Promise<void> {
    await this.#release.kubectl("scale", "deployment", NAME, `--replicas=${PODS}`);
    await this.#rollout(NAME);
  }

  /** The percentage of new connections that the canary gets. */
  async weight(percent: number): Promise<void> {
    const to = (name: string, weight: number): object => ({ name, port: 80, weight });
    await this.#apply("gateway.networking.k8s.io/v1", "HTTPRoute", NAME, {
      parentRefs: [EDGE],
      hostnames: [EDGE_HOST],
      rules: [{ backendRefs: [to(PRIMARY, 100 - percent), to(`${NAME}-canary`, percent)] }],
    });
  }

  /** The canary becomes the stable version. */
  async promote(): Promise<void> {
    const { spec } = await this.#installed();
    const patch = JSON.stringify({ spec: { template: stable(spec.template) } });
    await this.#release.kubectl("patch", "deployment", PRIMARY, "--type=merge", `--patch=${patch}`);
    await this.#rollout(PRIMARY);
    await this.takeBack();
  }

  async takeBack(): Promise<void> {
    await this.weight(0);
    await this.#stop();
  }

  /** The verdict of each check now, by the chart's queries. */
  async verdicts(): Promise<Readonly<Record<string, Verdict>>> {
    const path = `/apis/flagger.app/v1beta1/namespaces/${this.#namespace}`;
    const { api } = this.#cluster;
    const { spec } = await api.get<CanaryObject>(`${path}/canaries/${NAME}`);
    const verdicts: Record<string, Verdict> = {};
    for (const { name, thresholdRange } of spec.analysis.metrics) {
      const template = await api.get<TemplateObject>(`${path}/metrictemplates/${NAME}-${name}`);
      const query = template.spec.query.replaceAll("{{ interval }}", "10s");
      const value = await this.#metrics.valueOf(query);
      if (value === undefined) verdicts[name] = "no evidence";
      else verdicts[name] = value > thresholdRange.max ? "fails" : "passes";
    }
    return verdicts;
  }

  /** The images of the ready gateways, with the Deployment of each: `parley-gateway-primary …`. */
  async serving(): Promise<string[]> {
    const pods = await this.#release.pods("gateway");
    const lines = pods.map(({ metadata, spec }) => {
      const deployment = metadata.name.replace(/-[0-9a-z]+-[0-9a-z]+$/, "");
      return `${deployment} ${spec.containers.map(({ image }) => image).join()}`;
    });
    return lines.toSorted();
  }

  async #stop(): Promise<void> {
    await this.#release.kubectl("scale", "deployment", NAME, "--replicas=0");
    await until(async () => (await this.serving()).length === PODS, {
      withinMs: GONE_WITHIN_MS,
      what: "the pods of the canary to be gone",
    });
  }

  async #installed(): Promise<Deployment> {
    const path = `/apis/apps/v1/namespaces/${this.#namespace}/deployments/${NAME}`;
    return this.#cluster.api.get<Deployment>(path);
  }

  async #rollout(deployment: string): Promise<void> {
    await this.#release.kubectl("rollout", "status", `deployment/${deployment}`);
  }

  async #apply(apiVersion: string, kind: string, name: string, spec: object): Promise<void> {
    const metadata = { name, namespace: this.#namespace };
    await this.#cluster.apply({ apiVersion, kind, metadata, spec });
  }
}

/** All labels but `app` stay, so the policies and metrics of gateways cover the stable version. */
function stable({ metadata, spec }: Template): Template {
  return { metadata: { labels: { ...metadata.labels, app: PRIMARY } }, spec };
}
