// The chart, rendered by the real Helm and parsed. The tests of this folder share it.
//
//   helm/chart.1. Each set of values is rendered once, and each document is parsed once. So tests
//        do not change an object.

import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { ensureGoProgram, HELM } from "#tools/programs/go-program.ts";
import { KUBERNETES } from "#tools/programs/kubernetes-schemas.ts";
import { runProgram } from "#tools/programs/short-runs.ts";
import { foundOrSkip } from "#tools/test-run/skip.ts";

export const CHART = fileURLToPath(new URL("../parley", import.meta.url));
export const RELEASE = "parley";
const NAMESPACE = "chat";

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly securityContext: object;
  readonly resources: { readonly requests: object; readonly limits: object };
  readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: string[] } } };
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly volumeMounts: readonly { name: string; mountPath: string; readOnly?: boolean }[];
}

export interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string };
  readonly exec?: { readonly command: readonly string[] };
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}

interface SecretSource {
  readonly secretName?: string;
  readonly name?: string;
  readonly items: readonly { readonly key: string; readonly path: string }[];
}

export interface PodSpec {
  readonly automountServiceAccountToken: boolean;
  readonly serviceAccountName?: string;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly terminationGracePeriodSeconds?: number;
  readonly topologySpreadConstraints?: readonly {
    readonly topologyKey: string;
    readonly whenUnsatisfiable: string;
    readonly maxSkew: number;
    readonly minDomains?: number;
  }[];
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes: readonly {
    readonly name: string;
    readonly secret?: SecretSource;
    readonly persistentVolumeClaim?: { readonly claimName: string };
    readonly projected?: { readonly sources: readonly { readonly secret?: SecretSource }[] };
  }[];
}

export interface KubernetesObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // Each test reads the fields of the kinds that it knows.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly spec: any;
  readonly data?: Readonly<Record<string, string>>;
}

export const JWKS = {
  auth: "jwks",
  jwks: { url: "https://issuer.example/keys", issuer: "https://issuer.example", audience: "chat" },
  oidc: { clientId: "web", origins: ["https://login.example"] },
} as const;
export const CANARY = {
  enabled: true,
  gateway: { name: "web", namespace: "edge" },
  hosts: ["chat.example"],
  prometheus: "http://prometheus.example:9090",
} as const;
const SCALING = { autoscaling: { enabled: true } };

/** Networks of receivers, and http. */
export const WEBHOOKS = { enabled: true, allow: ["10.20.0.0/16", "fd00::/8"], http: true } as const;

/** Its own origins, and a client at the issuer. */
export const OPERATOR = {
  enabled: true,
  origins: ["https://admin.example"],
  oidcClientId: "admin-page",
} as const;

/** One set of values for each way to install the chart. */
export const VARIANTS: Readonly<Record<string, object>> = {
  "defaults and auth=dev": { auth: "dev" },
  "auth=jwks": JWKS,
  "an own NATS and an own PostgreSQL": {
    ...JWKS,
    nats: { url: "tls://nats-a.example:4333,tls://nats-b.example" },
    postgres: {
      url: "postgres://db.example:6543/chat?sslmode=verify-full",
      replicaUrl: "postgres://copy.example:6544/chat?sslmode=verify-full",
    },
  },
  "one of two regions": {
    ...JWKS,
    nats: { url: "tls://nats-a.example:4333,tls://nats-b.example" },
    postgres: { url: "postgres://db.example:6543/chat?sslmode=verify-full" },
    region: { name: "east", peer: "west", witness: "tls://witness.example:4444" },
  },
  "one of two regions that both serve": {
    ...JWKS,
    nats: { url: "tls://nats-a.example:4333" },
    postgres: { url: "postgres://db.example:6543/chat?sslmode=verify-full" },
    region: {
      name: "east",
      peer: "west",
      witness: "tls://witness.example:4444",
      homes: true,
      peerPostgres: "postgres://db.west.example:6544/chat?sslmode=verify-full",
    },
  },
  "monitoring, tracing and autoscaling": {
    ...JWKS,
    monitoring: { enabled: true, labels: { release: "prometheus" } },
    tracing: { endpoint: "http://collector.example:4318" },
    gateway: { ...SCALING, traceRatio: 0.01 },
    room: SCALING,
  },
  "webhooks, with monitoring": { ...JWKS, webhooks: WEBHOOKS, monitoring: { enabled: true } },
  "the admin page, with monitoring": {
    ...JWKS,
    operator: OPERATOR,
    monitoring: { enabled: true },
  },
  "the admin page, with auth=dev": { auth: "dev", operator: { enabled: true } },
  "attachments in a volume": { ...JWKS, attachments: { store: "folder", claim: "files" } },
  "attachments in S3": {
    ...JWKS,
    attachments: { store: "s3", s3: { url: "https://s3.example:9443/chat", region: "eu-north-1" } },
  },
  "a canary": { ...JWKS, canary: CANARY },
  "a canary with autoscaling": { ...JWKS, canary: CANARY, gateway: SCALING },
};

/** Resolves with Helm's path. Skips the tests when it cannot be built. */
export function helmOrSkip(test: Mocha.Context): Promise<string> {
  return foundOrSkip(test, ensureGoProgram(HELM));
}

export interface HelmResult {
  readonly ok: boolean;
  readonly output: string;
  readonly errors: string;
}

function args(verb: "template" | "lint", more: readonly string[] = []): string[] {
  const release = verb === "template" ? [RELEASE] : [];
  const version = ["--kube-version", KUBERNETES, "--namespace", NAMESPACE, "--values", "-"];
  return [verb, ...release, CHART, ...version, ...more];
}

export async function runHelm(
  helm: string,
  verb: "template" | "lint",
  values: object,
  more: readonly string[] = [],
): Promise<HelmResult> {
  const { status, stdout, stderr } = await runProgram(helm, args(verb, more), {
    input: JSON.stringify(values),
    env: { KUBECONFIG: "/dev/null" },
  });
  return { ok: status === 0, output: stdout, errors: stderr };
}

/** The same against an API server of this process. */
export function templateWithServer(helm: string, values: object, url: string): Promise<HelmResult> {
  return runHelm(helm, "template", values, ["--dry-run=server", "--kube-apiserver", url]);
}

/** helm/chart.1. */
const rendered = new Map<string, Promise<KubernetesObject[]>>();
const parsed = new Map<string, KubernetesObject | null>();

/** The objects of a rendered release. Rejects with Helm's error. */
export function render(
  helm: string,
  values: object,
  more: readonly string[] = [],
): Promise<KubernetesObject[]> {
  const key = JSON.stringify([values, more]);
  const known = rendered.get(key);
  if (known !== undefined) return known;
  const objects = runHelm(helm, "template", values, more).then(({ ok, output, errors }) => {
    if (!ok) throw new Error(errors);
    return objectsOf(output);
  });
  rendered.set(key, objects);
  return objects;
}

/** The objects of Helm's output. */
export function objectsOf(output: string): KubernetesObject[] {
  return output
    .split(/^---$/m)
    .map((text) => {
      if (!parsed.has(text)) parsed.set(text, parse(text) as KubernetesObject | null);
      return parsed.get(text) ?? null;
    })
    .filter((object) => object !== null);
}

export function componentOf(object: KubernetesObject): string {
  return object.metadata.labels["app.kubernetes.io/component"] ?? "";
}

export function ofKind(objects: readonly KubernetesObject[], kind: string): KubernetesObject[] {
  return objects.filter((object) => object.kind === kind);
}

/** Each pod of a release with its component. */
export function podsOf(objects: readonly KubernetesObject[]): [string, PodSpec][] {
  return objects
    .filter(({ kind }) => ["Deployment", "StatefulSet", "Job"].includes(kind))
    .map((object) => [componentOf(object), object.spec.template.spec as PodSpec]);
}

export function containersOf({ initContainers = [], containers }: PodSpec): Container[] {
  return [...initContainers, ...containers];
}

export function environmentOf({ env = [] }: Container): Record<string, string> {
  return Object.fromEntries(env.map(({ name, value }) => [name, value ?? ""]));
}

/** Secret → its mounted files. */
export function secretsMountedBy({ volumes }: PodSpec): Record<string, string[]> {
  const sources = volumes.flatMap(({ secret, projected }) => [
    ...(secret === undefined ? [] : [secret]),
    ...(projected?.sources ?? []).flatMap((source) => source.secret ?? []),
  ]);
  return Object.fromEntries(
    sources.map(({ secretName, name, items }) => [
      secretName ?? name ?? "",
      items.map(({ path }) => path),
    ]),
  );
}
