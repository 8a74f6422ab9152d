// Gateway API: a real controller of it, Traefik, with one Gateway that routes of every namespace
// may use.
//
// Traefik runs on the node beside the cluster's programs, not as a pod. It reaches the pods
// themselves.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { until } from "#shared/testing/wait.ts";
import { ensureGoModule, FLAGGER_MODULE, GATEWAY_API } from "#tools/programs/go-module.ts";
import { ensureTraefik } from "#tools/programs/traefik.ts";
import { LOOK_EVERY_MS } from "./api.ts";
import type { KubernetesCluster } from "./cluster.ts";

/** The Gateway that a release names. */
export const EDGE = { name: "web", namespace: "edge" } as const;
/** The host name of its clients, and where they connect. */
export const EDGE_HOST = "localhost";
const PORT = 8_000;
export const EDGE_URL = `http://${EDGE_HOST}:${PORT}`;
const CLASS = "traefik";
const READY_WITHIN_MS = 60_000;

interface Status {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** What a test of canaries needs beside the programs of the cluster. */
export async function findGatewayApi(): Promise<void> {
  await ensureTraefik();
  await ensureGoModule(GATEWAY_API);
  await ensureGoModule(FLAGGER_MODULE);
}

/** Resolves when the Gateway accepts connections. */
export async function serveGatewayApi(cluster: KubernetesCluster): Promise<void> {
  const definitions = join(await ensureGoModule(GATEWAY_API), "config/crd/standard");
  const files = readdirSync(definitions).filter((name) => /_[a-z]+\.yaml$/.test(name));
  const named = files.map((name) => `--filename=${join(definitions, name)}`);
  await cluster.kubectl("apply", "--server-side", ...named);
  cluster.processes.start("traefik", "env", [
    `KUBECONFIG=${cluster.kubeconfig}`,
    await ensureTraefik(),
    `--entrypoints.web.address=:${PORT}`,
    "--providers.kubernetesgateway=true",
    "--global.checknewversion=false",
    "--global.sendanonymoususage=false",
  ]);
  const group = "gateway.networking.k8s.io";
  const listener = { name: "web", port: PORT, protocol: "HTTP" };
  await cluster.apply(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: EDGE.namespace } },
    {
      apiVersion: `${group}/v1`,
      kind: "GatewayClass",
      metadata: { name: CLASS },
      spec: { controllerName: "traefik.io/gateway-controller" },
    },
    {
      apiVersion: `${group}/v1`,
      kind: "Gateway",
      metadata: EDGE,
      spec: {
        gatewayClassName: CLASS,
        listeners: [{ ...listener, allowedRoutes: { namespaces: { from: "All" } } }],
      },
    },
  );
  const path = `/apis/${group}/v1/namespaces/${EDGE.namespace}/gateways/${EDGE.name}`;
  const isProgrammed = async (): Promise<boolean> => {
    const { status } = await cluster.api.get<Status>(path);
    const conditions = status?.conditions ?? [];
    return conditions.some((one) => one.type === "Programmed" && one.status === "True");
  };
  await until(isProgrammed, {
    withinMs: READY_WITHIN_MS,
    everyMs: LOOK_EVERY_MS,
    what: "Traefik to serve the Gateway",
  });
}
