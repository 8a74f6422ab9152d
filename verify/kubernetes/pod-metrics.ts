// Pod metrics: a real Prometheus that reads the metrics of a release's pods.
//
// It runs beside the cluster's programs, not as a pod. Debian's Prometheus has no discovery of
// Kubernetes, so this program writes the list of its targets (file_sd).
//
//   pod-metrics.1. A pod is a target from its start to its deletion, with the labels namespace and
//        pod, as the discovery of Kubernetes gives them.

import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureDebianPrograms } from "#tools/programs/debian.ts";
import type { KubernetesCluster } from "./cluster.ts";
import { NODE_ADDRESS } from "./sandbox.ts";

const ADDRESS = `${NODE_ADDRESS}:9090`;
const METRICS_PORT = 9_464;
const SCRAPE_EVERY_MS = 2_000;
const NAME = "prometheus";

/** What Prometheus answers to a query; without data for a query that it refuses. */
interface Answer {
  readonly data?: { readonly result: readonly { readonly value: readonly [number, string] }[] };
}

export async function findPrometheus(): Promise<string> {
  const { prometheus } = await ensureDebianPrograms({ prometheus: "prometheus" });
  return prometheus;
}

export class PodMetrics implements Disposable {
  /** Of Prometheus, for programs on the node and for pods. */
  readonly url = `http://${ADDRESS}`;
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

  static async collect(cluster: KubernetesCluster, namespace: string): Promise<PodMetrics> {
    const prometheus = await findPrometheus();
    const metrics = new PodMetrics(cluster, namespace);
    const { folder, processes } = cluster;
    writeFileSync(join(folder, "prometheus.json"), JSON.stringify(metrics.#scrapes()));
    processes.start(NAME, prometheus, [
      `--config.file=${join(folder, "prometheus.json")}`,
      `--storage.tsdb.path=${join(folder, `prometheus-${namespace}`)}`,
      `--web.listen-address=${ADDRESS}`,
    ]);
    return metrics;
  }

  /** The value of a query with one result; undefined without a result. */
  async valueOf(query: string): Promise<number | undefined> {
    const response = await fetch(`${this.url}/api/v1/query?query=${encodeURIComponent(query)}`);
    const { data } = (await response.json()) as Answer;
    const value = Number(data?.result[0]?.value[1] ?? Number.NaN);
    return Number.isNaN(value) ? undefined : value;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#discovery);
    this.#cluster.processes.stop(NAME);
  }

  #scrapes(): object {
    const files = [{ files: [this.#targets], refresh_interval: "1s" }];
    const every = `${SCRAPE_EVERY_MS / 1_000}s`;
    return {
      global: { scrape_interval: every, scrape_timeout: every },
      scrape_configs: [{ job_name: "pods", file_sd_configs: files }],
    };
  }

  /** pod-metrics.1. */
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
