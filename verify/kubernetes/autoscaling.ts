// Autoscaling: the metrics of pods for the HorizontalPodAutoscaler, by a real Prometheus and a real
// prometheus-adapter with the values that the repository ships.
//
// Both run beside the cluster's programs, not as pods.
//
//   autoscaling.1. The end of the adapter also ends its registration: Kubernetes deletes no
//        namespace while a registered API does not answer.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { until } from "#shared/testing/wait.ts";
import { REPOSITORY } from "#infra/embedded/service-process.ts";
import { ensureGoProgram } from "#tools/programs/go-program.ts";
import { PROMETHEUS_ADAPTER } from "#tools/programs/kubernetes.ts";
import { LOOK_EVERY_MS } from "./api.ts";
import type { KubernetesCluster } from "./cluster.ts";
import { findPrometheus, PodMetrics } from "./pod-metrics.ts";
import { NODE_ADDRESS } from "./sandbox.ts";

const ADAPTER_PORT = 6_444;
const SERVED_WITHIN_MS = 120_000;
const NAME = "prometheus-adapter";
const GROUP = "custom.metrics.k8s.io";
const API_SERVICE = `v1beta1.${GROUP}`;
const RULES = join(REPOSITORY, "infra/helm/prometheus-adapter.yaml");

/** Programs that a test of autoscaling needs beside those of the cluster. */
export async function findMetricPrograms(): Promise<{ prometheus: string; adapter: string }> {
  const prometheus = await findPrometheus();
  return { prometheus, adapter: await ensureGoProgram(PROMETHEUS_ADAPTER) };
}

export class Metrics implements AsyncDisposable {
  readonly #cluster: KubernetesCluster;
  readonly #pods: PodMetrics;

  private constructor(cluster: KubernetesCluster, pods: PodMetrics) {
    this.#cluster = cluster;
    this.#pods = pods;
  }

  /** Resolves when the API serves the metric for pods of the namespace. */
  static async serve(
    cluster: KubernetesCluster,
    namespace: string,
    metric: string,
  ): Promise<Metrics> {
    const { adapter } = await findMetricPrograms();
    const metrics = new Metrics(cluster, await PodMetrics.collect(cluster, namespace));
    const { folder, kubeconfig, processes } = cluster;
    const { rules } = parse(readFileSync(RULES, "utf8")) as { rules: { custom: unknown } };
    writeFileSync(join(folder, "adapter.json"), JSON.stringify({ rules: rules.custom }));
    const certificates = join(folder, "adapter-certificates");
    mkdirSync(certificates, { recursive: true });
    processes.start(NAME, adapter, [
      `--prometheus-url=${metrics.#pods.url}`,
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
    await until(isServed, {
      withinMs: SERVED_WITHIN_MS,
      everyMs: LOOK_EVERY_MS,
      what: `the API to serve ${metric}`,
    });
    return metrics;
  }

  /** autoscaling.1. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#pods[Symbol.dispose]();
    await this.#cluster.kubectl("delete", "apiservice", API_SERVICE);
    this.#cluster.processes.stop(NAME);
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
