// Flagger: the real controller of canaries as a pod of the cluster, installed by its own chart, and
// what it reports about the canary of a release.
//
// Owns: its installation. Does not own: its image (canary-images.ts), the Canary and its metrics,
// which are objects of the chart of Parley.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseObject } from "#shared/kit/json.ts";
import { until } from "#shared/testing/wait.ts";
import { ensureGoModule, FLAGGER_MODULE } from "#tools/programs/go-module.ts";
import { LOOK_EVERY_MS } from "./api.ts";
import { FLAGGER_IMAGE } from "./canary-images.ts";
import type { KubernetesCluster } from "./cluster.ts";

const NAME = "flagger";
const NAMESPACE = "flagger-system";
/** Flagger's own name for a canary that runs; all other phases are before or after one. */
const RUNNING = new Set(["Progressing", "Promoting", "Finalising"]);

/** Resolves when Flagger is ready. `prometheus`: its URL for pods. */
export async function serveFlagger(cluster: KubernetesCluster, prometheus: string): Promise<void> {
  const chart = join(await ensureGoModule(FLAGGER_MODULE), "charts/flagger");
  const values = {
    image: { ...FLAGGER_IMAGE, pullPolicy: "Never" },
    meshProvider: "gatewayapi:v1",
    metricsServer: prometheus,
  };
  const file = join(cluster.folder, "flagger-values.json");
  writeFileSync(file, JSON.stringify(values));
  const where = [`--namespace=${NAMESPACE}`, "--create-namespace"];
  await cluster.helm("upgrade", "--install", NAME, chart, ...where, `--values=${file}`, "--wait");
}

export async function removeFlagger(cluster: KubernetesCluster): Promise<void> {
  const where = [`--namespace=${NAMESPACE}`, "--ignore-not-found", "--wait"];
  await cluster.helm("uninstall", NAME, ...where);
}

export interface CanaryState {
  readonly phase: string;
  readonly canaryWeight: number;
  readonly failedChecks: number;
  readonly lastAppliedSpec?: string;
  readonly lastPromotedSpec?: string;
}

interface LogLine {
  readonly canary?: string;
  readonly msg?: string;
}

/** A state, and when it began. */
export interface CanaryStep extends CanaryState {
  readonly atMs: number;
}

export class Canary {
  readonly #cluster: KubernetesCluster;
  readonly #namespace: string;
  readonly #name: string;

  constructor(cluster: KubernetesCluster, namespace: string, name: string) {
    this.#cluster = cluster;
    this.#namespace = namespace;
    this.#name = name;
  }

  async state(): Promise<CanaryState> {
    const path = `/apis/flagger.app/v1beta1/namespaces/${this.#namespace}/canaries/${this.#name}`;
    const { status } = await this.#cluster.api.get<{ status?: Partial<CanaryState> }>(path);
    return { phase: "", canaryWeight: 0, failedChecks: 0, ...status };
  }

  /**
   * Resolves with the steps of one canary when it has ended; the last step has the result. Called
   * before or while Flagger starts it.
   */
  async steps(withinMs: number): Promise<readonly CanaryStep[]> {
    const began = performance.now();
    const steps: CanaryStep[] = [];
    const hasEnded = async (): Promise<boolean> => {
      const state = await this.state();
      const isRunning = RUNNING.has(state.phase);
      const last = steps.at(-1);
      if (last === undefined && !isRunning) return false; // The result of the canary before.
      const isSame =
        last?.phase === state.phase &&
        last.canaryWeight === state.canaryWeight &&
        last.failedChecks === state.failedChecks;
      if (!isSame) steps.push({ ...state, atMs: performance.now() - began });
      return !isRunning;
    };
    await until(hasEnded, { withinMs, everyMs: LOOK_EVERY_MS, what: "the canary to end" });
    return steps;
  }

  /**
   * What Flagger said about this canary, oldest first. From its log: the client library of
   * Kubernetes drops events of an object that has many.
   */
  async messages(): Promise<readonly string[]> {
    const words = [`deployment/${NAME}`, `--namespace=${NAMESPACE}`];
    const log = await this.#cluster.kubectl("logs", ...words);
    const lines = log.split("\n").map((line) => parseObject(line) as LogLine | undefined);
    const about = `${this.#name}.${this.#namespace}`;
    return lines.flatMap((line) => (line?.canary === about ? [line.msg ?? ""] : []));
  }
}
