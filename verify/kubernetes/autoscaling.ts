// Autoscaling: the metrics of pods for the HorizontalPodAutoscaler, by a real Prometheus and a real
// prometheus-adapter with the values that the repository ships.
//
// Both run beside the cluster's programs, not as pods. Debian's Prometheus has no discovery of
// Kubernetes, so this program writes the list of its targets (file_sd).
//
//   autoscaling.1. A pod is a target from its start to its deletion, with the labels namespace and
//        pod, as the discovery of Kubernetes gives them.
//   autoscaling.2. The end of the adapter also ends its registration: Kubernetes deletes no
//        namespace while a registered API does not answer.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { until } from "#shared/testing/wait.ts";
import { REPOSITORY } from "#infra/embedded/service-process.ts";
import { ensureDebianPrograms } from "#tools/programs/debian.ts";
import { ensureGoProgram } from "#tools/programs/go-program.ts";
import { PROMETHEUS_ADAPTER } from "#tools/programs/kubernetes.ts";
import type { KubernetesCluster } from "./cluster.ts";
import { NODE_ADDRESS } from "./sandbox.ts";

const PROMETHEUS = "127.0.0.1:9090";
const ADAPTER_PORT = 6_444;
const METRICS_PORT = 9_464;
const SCRAPE_EVERY_MS = 2_000;
const SERVED_WITHIN_MS = 120_000;
const NAME = "prometheus-adapter";
const GROUP = "custom.metrics.k8s.io";
const API_SERVICE = `v1beta1.${GROUP}`;
const RULES = join(REPOSITORY, "infra/helm/prometheus-adapter.yaml");

/** Programs that a test of autoscaling needs beside those of the cluster. */
export async function findMetricPrograms(): Promise<{ prometheus: string; adapter: string }> {
  const { prometheus } = await ensureDebianPrograms({ prometheus: "prometheus" });
  return { prometheus, adapter: await ensureGoProgram(PROMETHEUS_ADAPTER) };
}

export class Metrics implements AsyncDisposable {
  readonly #cluster: KubernetesCluster;
  readonly #targets: string;
  readonly #namespace: string;
  readonly #discovery: NodeJS.Timeout;

  private constructor(cluster: KubernetesCluster, namespace: string) {
    this.#cluster = cluster;
    this.#namespace = namespace;
    this.#targets = join(cluster.folder, "targets.json");
    writeFileSync(this.#targets, "[]");
    this.#discovery = setInterval(() => void this.#discover(), SCRAPE_EVERY_MS);
  }

  /** Resolves when the API serves the metric for pods of the namespace. */
  static async serve(
    cluster: KubernetesCluster,
    namespace: string,
    metric: string,
  ): Promise<Metrics> {
    const { prometheus, adapter } = await findMetricPrograms();
    const metrics = new Metrics(cluster, namespace);
    const { folder, kubeconfig, processes } = cluster;
    writeFileSync(join(folder, "prometheus.json"), JSON.stringify(metrics.#scrapes()));
    processes.start("prometheus", prometheus, [
      `--config.file=${join(folder, "prometheus.json")}`,
      `--storage.tsdb.path=${join(folder, "prometheus")}`,
      `--web.listen-address=${PROMETHEUS}`,
    ]);
    const { rules } = parse(readFileSync(RULES, "utf8")) as { rules: { custom: unknown } };
    writeFileSync(join(folder, "adapter.json"), JSON.stringify({ rules: rules.custom }));
    const certificates = join(folder, "adapter-certificates");
    mkdirSync(certificates, { recursive: true });
    processes.start(NAME, adapter, [
      `--prometheus-url=http://${PROMETHEUS}`,
      `--config=${join(folder, "adapter.json")}`,
      "--metrics-relist-interval=5s",
      `--secure-port=${ADAPTER_PORT}`,
      `--cert-dir=${certificates}`,
      ...["lister", "authentication", "authorization"].map(
        (use) => `--${use}-kubeconfig=${kubeconfig}`,
      ),
    ]);
    await cluster.apply(...registration());
    const path = `/apis/${GROUP}/v1beta1/namespaces/${namespace}/pods/*/${metric}`;
    const isServed = (): Promise<boolean> =>
      cluster.api.get<{ items: unknown[] }>(path).then(
        ({ items }) => items.length > 0,
        () => false,
      );
    await until(isServed, { withinMs: SERVED_WITHIN_MS, what: `the API to serve ${metric}` });
    return metrics;
  }

  /** autoscaling.2. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#discovery);
    await this.#cluster.kubectl("delete", "apiservice", API_SERVICE);
    for (const name of ["prometheus", NAME]) this.#cluster.processes.stop(name);
  }

  #scrapes(): object {
    const files = [{ files: [this.#targets], refresh_interval: "1s" }];
    const every = `${SCRAPE_EVERY_MS / 1_000}s`;
    return {
      global: { scrape_interval: every, scrape_timeout: every },
      scrape_configs: [{ job_name: "pods", file_sd_configs: files }],
    };
  }

  /** autoscaling.1. */
  async #discover(): Promise<void> {
    interface Found {
      metadata: { name: string; deletionTimestamp?: string; labels: Record<string, string> };
      status: { podIP?: string; phase: string };
    }
    const path = `/api/v1/namespaces/${this.#namespace}/pods`;
    const list = await this.#cluster.api.get<{ items: Found[] }>(path).catch(() => undefined);
    if (list === undefined) return; // The next call asks again.
    const targets = list.items
      .filter(({ metadata, status }) => {
        const serves = ["gateway", "room", "persistence"].includes(
          metadata.labels["app.kubernetes.io/component"] ?? "",
        );
        return serves && status.phase === "Running" && metadata.deletionTimestamp === undefined;
      })
      .map(({ metadata, status }) => ({
        targets: [`${status.podIP}:${METRICS_PORT}`],
        labels: { namespace: this.#namespace, pod: metadata.name },
      }));
    writeFileSync(`${this.#targets}.new`, JSON.stringify(targets));
    renameSync(`${this.#targets}.new`, this.#targets);
  }
}

/** Registers the adapter, which runs on the node, and lets the autoscaler read from it. */
function registration(): object[] {
  const namespace = "kube-system";
  const reader = "read-custom-metrics";
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: NAME, namespace },
      spec: { ports: [{ port: 443, targetPort: ADAPTER_PORT }] },
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: NAME, namespace, labels: { "kubernetes.io/service-name": NAME } },
      addressType: "IPv4",
      endpoints: [{ addresses: [NODE_ADDRESS], conditions: { ready: true } }],
      ports: [{ port: ADAPTER_PORT, protocol: "TCP", name: "" }],
    },
    {
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: { name: API_SERVICE },
      spec: {
        group: GROUP,
        version: "v1beta1",
        groupPriorityMinimum: 100,
        versionPriority: 100,
        insecureSkipTLSVerify: true,
        service: { name: NAME, namespace },
      },
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: reader },
      rules: [{ apiGroups: [GROUP], resources: ["*"], verbs: ["get", "list", "watch"] }],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: reader },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: reader },
      subjects: [{ kind: "ServiceAccount", name: "horizontal-pod-autoscaler", namespace }],
    },
  ];
}
