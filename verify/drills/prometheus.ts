// Prometheus: a real Prometheus beside an embedded cluster, with given rules. Debian's package
// provides the program (apt-get install prometheus), as for promtool.
//
// Owns: the process, its configuration and its data in one folder. Does not own: the alerts'
// meaning.
//
//   prometheus.1. A missing or malformed answer is an error of the drill, never "no alert".

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isObject } from "#shared/kit/json.ts";
import { freePort } from "#shared/testing/ports.ts";
import { until } from "#shared/testing/wait.ts";
import { ToolMissing, whichOn } from "#tools/programs/programs.ts";
import type { Matrix } from "../../loadtest/plots/series.ts";
import type { SeenAlert } from "./alert-times.ts";

export interface Target {
  /** gateway, room or persistence. */
  readonly job: string;
  /** The label `instance` in alerts. */
  readonly instance: string;
  /** host:port of its /metrics. */
  readonly address: string;
}

export interface PrometheusOptions {
  readonly dir: string;
  readonly rules: string;
  readonly scrapeMs: number;
  readonly evaluateMs: number;
  readonly targets: readonly Target[];
}

const READY_WITHIN_MS = 60_000;
const ANSWER_WITHIN_MS = 20_000;

export class Prometheus implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #url: string;

  static async start(options: PrometheusOptions): Promise<Prometheus> {
    const binary = whichOn(process.env["PATH"] ?? "", "prometheus");
    if (binary === undefined) {
      throw new ToolMissing("prometheus is not on the PATH; Debian: apt-get install prometheus");
    }
    const { dir } = options;
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, "rules.yml"), options.rules);
    const config = join(dir, "prometheus.json");
    writeFileSync(config, configText(options));
    const port = await freePort();
    const output = openSync(join(dir, "prometheus.log"), "a");
    const child = spawn(
      binary,
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(dir, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: ["ignore", output, output], detached: true },
    );
    const prometheus = new Prometheus(child, `http://127.0.0.1:${port}`);
    await until(() => prometheus.#isReady(), {
      withinMs: READY_WITHIN_MS,
      what: `Prometheus to be ready; its log is ${join(dir, "prometheus.log")}`,
    });
    return prometheus;
  }

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.#url = url;
  }

  /** The alerts that are pending or firing now. */
  async alerts(): Promise<SeenAlert[]> {
    const { alerts } = await this.#ask("alerts");
    // prometheus.1
    if (!Array.isArray(alerts)) throw new Error("the answer of Prometheus has no list of alerts");
    return alerts.map((alert: unknown) => readAlert(alert));
  }

  /** The instances that answer scrapes now. */
  async up(): Promise<ReadonlySet<string>> {
    const { activeTargets } = await this.#ask("targets?state=active");
    if (!Array.isArray(activeTargets))
      throw new Error("the answer of Prometheus has no list of targets");
    const healthy = activeTargets.filter(
      (target: unknown) => isObject(target) && target["health"] === "up",
    );
    return new Set(
      healthy.map((target: unknown) =>
        isObject(target) && isObject(target["labels"]) ? String(target["labels"]["instance"]) : "",
      ),
    );
  }

  /** The values of a query over a range (seconds since 1970), one result for each label set. */
  async range(
    query: string,
    { from, to, stepSeconds }: { from: number; to: number; stepSeconds: number },
  ): Promise<readonly Matrix[]> {
    const parameters = new URLSearchParams({
      query,
      start: `${from}`,
      end: `${to}`,
      step: `${stepSeconds}`,
    });
    const { result } = await this.#ask(`query_range?${parameters.toString()}`);
    if (!Array.isArray(result)) throw new Error(`Prometheus returned no result for ${query}`);
    return result as Matrix[];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL"); // The drill deletes its data.
    await exited;
  }

  async #isReady(): Promise<boolean> {
    if (this.#child.exitCode !== null)
      throw new Error("Prometheus exited at once; its log is in its folder");
    try {
      return (await fetch(`${this.#url}/-/ready`)).ok;
    } catch {
      return false; // Not listening yet.
    }
  }

  async #ask(what: string): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.#url}/api/v1/${what}`, {
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    const answer: unknown = await response.json();
    const data = isObject(answer) ? answer["data"] : undefined;
    if (!response.ok || !isObject(data)) throw new Error(`Prometheus: ${response.status} ${what}`);
    return data;
  }
}

/** JSON is YAML. */
function configText({ scrapeMs, evaluateMs, targets }: PrometheusOptions): string {
  const jobs = Map.groupBy(targets, ({ job }) => job);
  return JSON.stringify({
    global: {
      scrape_interval: `${scrapeMs}ms`,
      scrape_timeout: `${scrapeMs}ms`,
      evaluation_interval: `${evaluateMs}ms`,
    },
    rule_files: ["rules.yml"],
    scrape_configs: Array.from(jobs, ([job, group]) => ({
      job_name: job,
      static_configs: group.map(({ address, instance }) => ({
        targets: [address],
        labels: { instance },
      })),
    })),
  });
}

function readAlert(alert: unknown): SeenAlert {
  if (!isObject(alert) || !isObject(alert["labels"])) throw new Error("an alert without labels");
  const { state, activeAt } = alert;
  if (state !== "pending" && state !== "firing")
    throw new Error(`unknown state of an alert: ${String(state)}`);
  return {
    name: String(alert["labels"]["alertname"]),
    state,
    activeAt: Date.parse(String(activeAt)),
  };
}
