// Cluster: a real Kubernetes of one node, for the tests that run in a sandbox.
//
// Owns: the start of its programs, the client kubectl, images and volumes. Does not own: the
// namespaces (sandbox.ts), which end the programs.
//
//   kubernetes/cluster.1. `startCluster` resolves when the node is ready, names of Services
//        resolve, and claims get volumes.
//   kubernetes/cluster.2. In a kept sandbox it returns the cluster that already runs there.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { Resolver } from "node:dns/promises";
import { basename, join } from "node:path";
import { until } from "#shared/testing/wait.ts";
import { Api, LOOK_EVERY_MS } from "./api.ts";
import { NODE, makeCertificates } from "./certificates.ts";
import { API_SERVER, PROGRAMS, wordsOf } from "./control-plane.ts";
import type { Program } from "./control-plane.ts";
import { pathsIn, writeNodeConfig } from "./node-config.ts";
import { Processes } from "./processes.ts";
import { findPrograms } from "./programs.ts";
import type { ProgramPaths } from "./programs.ts";
import { NODE_ADDRESS, sandboxFolder } from "./sandbox.ts";
import { sayStep } from "#tools/programs/programs.ts";

const READY_WITHIN_MS = 120_000;
const COMMAND_WITHIN_MS = 600_000;
const VOLUMES = 12;
const STORAGE_CLASS = "local";

/** A command of kubectl or Helm that failed: `message` is what it printed. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
}

/** Resolves with a running cluster. Throws SandboxError outside of a sandbox. */
export async function startCluster(
  say: (line: string) => void = sayStep,
): Promise<KubernetesCluster> {
  const folder = join(sandboxFolder(), "cluster");
  const started = join(folder, "started");
  const isKept = existsSync(started);
  const cluster = new KubernetesCluster(folder, await findPrograms());
  if (isKept) return cluster; // kubernetes/cluster.2
  const began = performance.now();
  await cluster.start();
  writeFileSync(started, "");
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  say(`the cluster is ready after ${seconds} s, with ${cluster.memory()} MiB`);
  return cluster;
}

export class KubernetesCluster {
  /** Holds all files of the cluster. */
  readonly folder: string;
  readonly kubeconfig: string;
  readonly programs: ProgramPaths;
  readonly processes: Processes;
  #api: Api | undefined;

  constructor(folder: string, programs: ProgramPaths) {
    this.folder = folder;
    this.programs = programs;
    this.kubeconfig = join(pathsIn(folder).certificates, "admin.kubeconfig");
    this.processes = new Processes(folder);
  }

  /** Reads objects without kubectl. Only of a started cluster. */
  get api(): Api {
    this.#api ??= new Api(pathsIn(this.folder).certificates);
    return this.#api;
  }

  /** Resolves with the output. Throws CommandFailed. */
  async kubectl(...words: string[]): Promise<string> {
    return this.command(this.programs.kubectl, words);
  }

  /** Throws CommandFailed. */
  async helm(...words: string[]): Promise<string> {
    return this.command(this.programs.helm, words);
  }

  /** The value of kubectl's JSON output. */
  async get<T>(...words: string[]): Promise<T> {
    return JSON.parse(await this.kubectl("get", ...words, "--output=json")) as T;
  }

  async apply(...objects: object[]): Promise<void> {
    const list = { apiVersion: "v1", kind: "List", items: objects };
    await this.command(this.programs.kubectl, ["apply", "--filename=-"], JSON.stringify(list));
  }

  /** A file of `docker save` with one image or several. Imports it once. */
  async importImages(file: string): Promise<void> {
    const imported = join(this.folder, "imported");
    mkdirSync(imported, { recursive: true });
    if (existsSync(join(imported, basename(file)))) return;
    await this.containerd("images", "import", file);
    writeFileSync(join(imported, basename(file)), "");
  }

  /** Runs containerd's client on the containers and images of the cluster. */
  async containerd(...words: string[]): Promise<string> {
    const { containerdSocket } = pathsIn(this.folder);
    const where = [`--address=${containerdSocket}`, "--namespace=k8s.io"];
    return this.command("ctr", [...where, ...words]);
  }

  /** Runs a program with this cluster's kubeconfig. Throws CommandFailed. */
  async command(program: string, words: readonly string[], input = ""): Promise<string> {
    const child = spawn(program, words, {
      env: { ...process.env, KUBECONFIG: this.kubeconfig },
      timeout: COMMAND_WITHIN_MS,
    });
    let [output, errors] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    child.stdin.on("error", () => undefined); // The program ended without reading its input.
    child.stdin.end(input);
    const [status] = (await once(child, "close")) as [number | null];
    if (status !== 0)
      throw new CommandFailed(errors.trim() || output.trim() || `${program} failed`);
    return output;
  }

  /** The resident memory of all programs of the cluster in MiB, without pods. */
  memory(): number {
    return PROGRAMS.reduce((sum, name) => sum + this.processes.memory(name), 0);
  }

  /** kubernetes/cluster.1. */
  async start(): Promise<void> {
    await makeCertificates(pathsIn(this.folder).certificates);
    writeNodeConfig(this.folder);
    const words = wordsOf(this.folder);
    for (const name of PROGRAMS) {
      this.processes.start(name, this.programs[name], words[name]);
      if (name === API_SERVER) await this.#ready(name, () => this.kubectl("get", "--raw=/readyz"));
    }
    await this.#ready("kubelet", () =>
      this.kubectl("wait", "--for=condition=Ready", `node/${NODE}`, "--timeout=1s"),
    );
    await this.#ready("coredns", async () => {
      const resolver = new Resolver();
      resolver.setServers([NODE_ADDRESS]);
      await resolver.resolve4("kubernetes.default.svc.cluster.local");
    });
    await this.apply(storageClass());
    await this.renewVolumes();
  }

  /** Gives all claims of later installations empty volumes. No claim may exist. */
  async renewVolumes(): Promise<void> {
    const { volumes } = pathsIn(this.folder);
    await this.kubectl("delete", "persistentvolumes", "--all");
    rmSync(volumes, { recursive: true });
    const paths = Array.from({ length: VOLUMES }, (_, index) => join(volumes, `volume-${index}`));
    for (const path of paths) mkdirSync(path, { recursive: true });
    await this.apply(...paths.map((path) => volume(path)));
  }

  async #ready(name: Program, probe: () => Promise<unknown>): Promise<void> {
    const isReady = (): Promise<boolean> =>
      probe().then(
        () => true,
        () => false,
      );
    try {
      await until(isReady, {
        withinMs: READY_WITHIN_MS,
        everyMs: LOOK_EVERY_MS,
        what: `${name} to be ready`,
      });
    } catch (error: unknown) {
      throw new Error(`${String(error)}:\n${this.processes.end(name)}`, { cause: error });
    }
  }
}

/** Claims bind to folders of this machine, so pods keep their data when they move. */
function storageClass(): object {
  const isDefault = { "storageclass.kubernetes.io/is-default-class": "true" };
  return {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: STORAGE_CLASS, annotations: isDefault },
    provisioner: "kubernetes.io/no-provisioner",
    volumeBindingMode: "WaitForFirstConsumer",
  };
}

function volume(path: string): object {
  const here = { key: "kubernetes.io/hostname", operator: "In", values: [NODE] };
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: path.split("/").at(-1) },
    spec: {
      capacity: { storage: "16Gi" },
      accessModes: ["ReadWriteOnce"],
      storageClassName: STORAGE_CLASS,
      persistentVolumeReclaimPolicy: "Retain",
      local: { path },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [here] }] } },
    },
  };
}
