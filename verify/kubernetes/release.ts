// Release: the chart of Parley, installed in a namespace of a cluster as docs/deploy-kubernetes.md
// describes it.
//
// Owns: the names of its objects, and the waits for them.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "#shared/testing/wait.ts";
import { REPOSITORY } from "#infra/embedded/service-process.ts";
import type { DumpSource } from "../dumps/dump-cluster.ts";
import { LOOK_EVERY_MS } from "./api.ts";
import type { KubernetesCluster } from "./cluster.ts";
import { IMAGE } from "./images.ts";
import { NODE_ADDRESS } from "./sandbox.ts";

export const CHART = join(REPOSITORY, "infra/helm/parley");
const NAME = "parley";
export const NAMESPACE = "chat";
/** Of the release that the test of canaries installs. */
export const CANARY_NAMESPACE = "canary";
const PARTITIONS = 8;
const HELM_TIMEOUT = "10m";
const READY_WITHIN_MS = 300_000;
const SMALL = { requests: { cpu: "20m", memory: "64Mi" }, limits: { memory: "1Gi" } };

/** The existing claim of attachments that OPTIONAL_PARTS names. */
const FILES_CLAIM = "files";

/** One node, two cores: small requests and logs. All else is the chart's default. */
export const VALUES = {
  auth: "dev",
  image: { ...IMAGE, pullPolicy: "Never" },
  partitions: PARTITIONS,
  gateway: { resources: SMALL },
  room: { resources: SMALL },
  persistence: { resources: SMALL },
  nats: {
    spread: "ScheduleAnyway",
    logSize: "64Mi",
    claim: { size: "2Gi" },
    resources: SMALL,
  },
  postgres: { claim: { size: "2Gi" }, resources: SMALL },
} as const;

/** What the chart installs only where it is switched on. */
export const OPTIONAL_PARTS = {
  webhooks: {
    enabled: true,
    replicas: 1,
    allow: [`${NODE_ADDRESS}/32`], // The receiver is in the test.
    http: true,
    resources: SMALL,
  },
  operator: { enabled: true, resources: SMALL },
  // One node has all pods, so a volume of one node is enough.
  attachments: { store: "folder", claim: FILES_CLAIM },
} as const;

export interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
  readonly status: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}
interface ContainerStatus {
  readonly containerID?: string;
  readonly restartCount: number;
}

export class Release {
  readonly #cluster: KubernetesCluster;
  readonly #keys: string;
  readonly #namespace: string;
  readonly #parts: object;

  /** `parts`: values of each installation and upgrade beside VALUES. */
  constructor(cluster: KubernetesCluster, namespace: string = NAMESPACE, parts: object = {}) {
    this.#cluster = cluster;
    this.#keys = join(cluster.folder, `parley-keys-${namespace}`);
    this.#namespace = namespace;
    this.#parts = parts;
  }

  /** The `http://…` URL of the gateways' Service. */
  get url(): string {
    return `http://${this.#host("gateway")}`;
  }

  /** The `http://…` URL of the admin page's Service. */
  get adminPage(): string {
    return `http://${this.#host("operator")}`;
  }

  /** Creates an empty namespace, and removes what an earlier run in a kept cluster left. */
  async createNamespace(): Promise<void> {
    const all = [NAMESPACE, CANARY_NAMESPACE]; // Claims of either keep their volumes.
    await this.#cluster.kubectl("delete", "namespace", ...all, "--ignore-not-found");
    await this.#cluster.renewVolumes();
    await this.#cluster.kubectl("create", "namespace", this.#namespace);
    // A controller creates it; the chart takes its absence for a render without a cluster.
    await until(() => this.exists("serviceaccount", "default"), {
      withinMs: READY_WITHIN_MS,
      everyMs: LOOK_EVERY_MS,
      what: "the service account of the namespace",
    });
  }

  /** The claim that OPTIONAL_PARTS names: the chart creates none. */
  async createFilesClaim(): Promise<void> {
    await this.#cluster.apply({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: FILES_CLAIM, namespace: this.#namespace },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    });
  }

  async createSecrets(): Promise<void> {
    const script = join(REPOSITORY, "infra/helm/secrets.ts");
    const list = await this.#cluster.command(process.execPath, [script, this.#keys, NAME]);
    const words = [this.#inNamespace, "apply", "--filename=-"];
    await this.#cluster.command(this.#cluster.programs.kubectl, words, list);
  }

  /** Throws CommandFailed with Helm's error. */
  async install(values: object = {}): Promise<void> {
    await this.#helm("install", values);
  }

  async upgrade(values: object): Promise<void> {
    await this.#helm("upgrade", values);
  }

  async rollback(revision: number): Promise<void> {
    const wait = ["--wait", `--timeout=${HELM_TIMEOUT}`];
    await this.#cluster.helm("rollback", NAME, String(revision), this.#inNamespace, ...wait);
  }

  async uninstall(): Promise<void> {
    await this.#cluster.helm("uninstall", NAME, this.#inNamespace, "--wait");
  }

  async kubectl(...words: string[]): Promise<string> {
    return this.#cluster.kubectl(this.#inNamespace, ...words);
  }

  async exists(kind: string, name: string): Promise<boolean> {
    return (await this.kubectl("get", kind, name, "--ignore-not-found")) !== "";
  }

  /** `KIND/NAME` of every object with a workload, a Service or a claim in the namespace. */
  async objects(): Promise<string[]> {
    const kinds =
      "deployments,statefulsets,jobs,pods,services,configmaps,networkpolicies," +
      "poddisruptionbudgets,horizontalpodautoscalers,persistentvolumeclaims";
    const words = ["get", kinds, "--output=name", `--selector=app.kubernetes.io/name=parley`];
    return (await this.kubectl(...words)).split("\n").filter((line) => line !== "");
  }

  async pods(component: string): Promise<Pod[]> {
    const selector = encodeURIComponent(`app.kubernetes.io/component=${component}`);
    const path = `/api/v1/namespaces/${this.#namespace}/pods?labelSelector=${selector}`;
    const { items } = await this.#cluster.api.get<{ items: Pod[] }>(path);
    return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  /** The images of the component's pods, each once. */
  async images(component: string): Promise<string[]> {
    const pods = await this.pods(component);
    return [...new Set(pods.flatMap(({ spec }) => spec.containers.map(({ image }) => image)))];
  }

  async readyPods(component: string): Promise<number> {
    return (await this.pods(component)).filter(isReady).length;
  }

  /** The replicas that the Deployment shall have: the HPA changes this number. */
  async wantedPods(component: string): Promise<number> {
    const path = `/apis/apps/v1/namespaces/${this.#namespace}/deployments/${NAME}-${component}`;
    const { spec } = await this.#cluster.api.get<{ spec: { replicas: number } }>(path);
    return spec.replicas;
  }

  /** SIGKILL for the container of the first pod. Resolves when Kubernetes has restarted it. */
  async crash(component: string): Promise<void> {
    const [pod] = await this.pods(component);
    const status = pod?.status.containerStatuses?.[0];
    const id = status?.containerID?.replace("containerd://", "");
    if (pod === undefined || status === undefined || id === undefined) {
      throw new Error(`${component} has no container to kill`);
    }
    await this.#cluster.containerd("tasks", "kill", "--signal=SIGKILL", id);
    const isBack = async (): Promise<boolean> => {
      const now = (await this.pods(component)).find(
        ({ metadata }) => metadata.name === pod.metadata.name,
      );
      const restarts = now?.status.containerStatuses?.[0]?.restartCount ?? 0;
      return now !== undefined && isReady(now) && restarts > status.restartCount;
    };
    await until(isBack, {
      withinMs: READY_WITHIN_MS,
      everyMs: LOOK_EVERY_MS,
      what: `${pod.metadata.name} to restart`,
    });
  }

  /** Where the checker reads log, archive and history. */
  dumpSource(): DumpSource {
    const password = readFileSync(join(this.#keys, "postgres-password"), "utf8").trim();
    return {
      nats: {
        url: `nats://${this.#host("nats")}:4222`,
        nkeyFile: join(this.#keys, "nkeys/admin.seed"),
      },
      databaseUrl: `postgres://parley:${password}@${this.#host("postgres")}:5432/parley`,
      gateway: this.url,
      partitions: PARTITIONS,
    };
  }

  #host(service: string): string {
    return `${NAME}-${service}.${this.#namespace}.svc.cluster.local`;
  }

  get #inNamespace(): string {
    return `--namespace=${this.#namespace}`;
  }

  async #helm(verb: "install" | "upgrade", values: object): Promise<void> {
    const files = [VALUES, this.#parts, values].map((one, index) => {
      const file = join(this.#cluster.folder, `values-${index}.json`);
      writeFileSync(file, JSON.stringify(one));
      return `--values=${file}`;
    });
    const wait = ["--wait", `--timeout=${HELM_TIMEOUT}`];
    await this.#cluster.helm(verb, NAME, CHART, this.#inNamespace, ...files, ...wait);
  }
}

function isReady({ status }: Pod): boolean {
  return (
    status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true
  );
}
