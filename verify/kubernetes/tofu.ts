// OpenTofu on a cluster: a root module as docs/infrastructure.md describes it, and the verbs that
// an operator runs.
//
// Owns: the folder of the root module and its state. Does not own: the cluster.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { REPOSITORY } from "#infra/embedded/service-process.ts";
import { ensureTofu, providerVersion } from "#tools/programs/tofu.ts";
import type { Tofu } from "#tools/programs/tofu.ts";
import type { DumpSource } from "../dumps/dump-cluster.ts";
import { CommandFailed } from "./cluster.ts";
import type { KubernetesCluster } from "./cluster.ts";

const MODULE = join(REPOSITORY, "infra/tofu/modules/cluster");
const WITHIN_MS = 900_000;

/** What `tofu plan -detailed-exitcode` found. */
export interface Plan {
  readonly isEmpty: boolean;
  readonly output: string;
}

export class TofuRelease {
  readonly namespace: string;
  readonly #cluster: KubernetesCluster;
  readonly #tofu: Tofu;
  readonly #folder: string;

  private constructor(cluster: KubernetesCluster, tofu: Tofu, namespace: string) {
    this.#cluster = cluster;
    this.#tofu = tofu;
    this.namespace = namespace;
    this.#folder = join(cluster.folder, `tofu-${namespace}`);
  }

  /** Makes an empty folder; `write` and `tofu init` follow. */
  static async create(cluster: KubernetesCluster, namespace: string): Promise<TofuRelease> {
    const release = new TofuRelease(cluster, await ensureTofu(), namespace);
    rmSync(release.#folder, { recursive: true, force: true });
    mkdirSync(release.#folder);
    return release;
  }

  get keys(): string {
    return join(this.#folder, "keys");
  }

  /** The `http://…` URL of the Service. */
  get url(): string {
    return `http://parley-gateway.${this.namespace}.svc.cluster.local`;
  }

  /** Replaces the inputs of the module. */
  write(inputs: object): void {
    const { programs, kubeconfig } = this.#cluster;
    const root = {
      terraform: {
        required_providers: {
          kubectl: { source: "gavinbunney/kubectl", version: providerVersion() },
        },
      },
      provider: { kubectl: { config_path: kubeconfig } },
      module: {
        chat: {
          // OpenTofu would copy a module with an absolute path, without the chart beside it.
          source: relative(this.#folder, MODULE),
          kubeconfig,
          namespace: this.namespace,
          keys_folder: this.keys,
          programs: { helm: programs.helm, kubectl: programs.kubectl, node: process.execPath },
          ...inputs,
        },
      },
    };
    writeFileSync(join(this.#folder, "main.tf.json"), JSON.stringify(root, undefined, 2));
  }

  /** Resolves with the output. Throws CommandFailed. */
  async tofu(...words: string[]): Promise<string> {
    const { status, output } = await this.#run(words);
    if (status !== 0) throw new CommandFailed(output);
    return output;
  }

  /** Throws CommandFailed. */
  async plan(): Promise<Plan> {
    const { status, output } = await this.#run(["plan", "-detailed-exitcode", "-no-color"]);
    if (status !== 0 && status !== 2) throw new CommandFailed(output);
    return { isEmpty: status === 0, output };
  }

  async apply(): Promise<string> {
    return this.tofu("apply", "-auto-approve", "-no-color");
  }

  async destroy(): Promise<string> {
    return this.tofu("destroy", "-auto-approve", "-no-color");
  }

  async kubectl(...words: string[]): Promise<string> {
    return this.#cluster.kubectl(`--namespace=${this.namespace}`, ...words);
  }

  async helm(...words: string[]): Promise<string> {
    return this.#cluster.helm(...words, `--namespace=${this.namespace}`);
  }

  /** All that OpenTofu has stored. */
  stored(): string {
    const names = readdirSync(this.#folder).filter((name) => name.includes("tfstate"));
    return names.map((name) => readFileSync(join(this.#folder, name), "utf8")).join("\n");
  }

  /** Every seed and password in the folder of keys: file → content. */
  secrets(): Map<string, string> {
    const files = readdirSync(this.keys, { recursive: true, withFileTypes: true });
    return new Map(
      files
        .filter((file) => file.isFile())
        .map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name), "utf8").trim()]),
    );
  }

  /** Where the checker reads log, archive and history. */
  dumpSource(partitions: number): DumpSource {
    const host = (name: string): string => `parley-${name}.${this.namespace}.svc.cluster.local`;
    const password = readFileSync(join(this.keys, "postgres-password"), "utf8").trim();
    return {
      nats: { url: `nats://${host("nats")}:4222`, nkeyFile: join(this.keys, "nkeys/admin.seed") },
      databaseUrl: `postgres://parley:${password}@${host("postgres")}:5432/parley`,
      gateway: this.url,
      partitions,
    };
  }

  async #run(words: readonly string[]): Promise<{ status: number | null; output: string }> {
    const child = spawn(this.#tofu.program, words, {
      cwd: this.#folder,
      env: { ...process.env, ...this.#tofu.env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: WITHIN_MS,
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    }
    const [status] = (await once(child, "close")) as [number | null];
    return { status, output };
  }
}
