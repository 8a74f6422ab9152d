// API stand-in: as much of the API of Kubernetes as Helm reads when a template looks up objects.

import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { NATS_USERS } from "../../nats/permissions.ts";

export interface ApiContents {
  /** Secret → its files. */
  readonly secrets: Readonly<Record<string, readonly string[]>>;
  /** The NATS users in keys.conf; all of them unless given. */
  readonly natsUsers?: readonly string[];
  /** Deployment → its replicas. */
  readonly deployments?: Readonly<Record<string, number>>;
}

const resource = (name: string, kind: string): object => ({
  name,
  kind,
  namespaced: true,
  verbs: ["get"],
});
const list = (groupVersion: string, ...resources: object[]): object => ({
  kind: "APIResourceList",
  groupVersion,
  resources,
});
const APPS = { groupVersion: "apps/v1", version: "v1" };
const FIXED: Readonly<Record<string, object>> = {
  "/version": { major: "1", minor: "34", gitVersion: "v1.34.0" },
  "/api": { kind: "APIVersions", versions: ["v1"] },
  "/apis": {
    kind: "APIGroupList",
    apiVersion: "v1",
    groups: [{ name: "apps", versions: [APPS], preferredVersion: APPS }],
  },
  "/api/v1": list(
    "v1",
    resource("secrets", "Secret"),
    resource("serviceaccounts", "ServiceAccount"),
  ),
  "/apis/apps/v1": list("apps/v1", resource("deployments", "Deployment")),
  "/api/v1/namespaces/chat/serviceaccounts/default": {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "default" },
  },
};

export class ApiStandIn implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async open(contents: ApiContents): Promise<ApiStandIn> {
    const server = createServer(({ url = "" }, response) => {
      const path = url.split("?", 1)[0] ?? "";
      const body = FIXED[path] ?? objectAt(path, contents);
      response.writeHead(body === undefined ? 404 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(body ?? NOT_FOUND));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new ApiStandIn(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

const NOT_FOUND = {
  apiVersion: "v1",
  kind: "Status",
  status: "Failure",
  reason: "NotFound",
  code: 404,
};

function objectAt(
  path: string,
  { secrets, natsUsers = NATS_USERS, deployments = {} }: ApiContents,
): object | undefined {
  const name = path.split("/").at(-1) ?? "";
  const files = path.includes("/secrets/") ? secrets[name] : undefined;
  if (files !== undefined) {
    const keys = natsUsers.map((user) => `${user}_key: "UX"\n`).join("");
    const data = Object.fromEntries(
      files.map((file) => [file, btoa(file === "keys.conf" ? keys : "x")]),
    );
    return { apiVersion: "v1", kind: "Secret", metadata: { name }, data };
  }
  const replicas = path.includes("/deployments/") ? deployments[name] : undefined;
  if (replicas === undefined) return undefined;
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name }, spec: { replicas } };
}
