// Secrets: writes the Secrets of a release to standard output, for `kubectl apply`.
//
//   node infra/helm/secrets.ts FOLDER RELEASE | kubectl --namespace NAMESPACE apply --filename -
//
// Owns: the table of files in each Secret. The folder keeps all of them, as the volume `keys` does
// in compose; back it up. Values are created at the first run and kept afterwards. So the cluster
// needs no job with the right to write Secrets.
//
//   helm/secrets.1. Each service has a Secret of its own, which holds only the files that the
//        service reads (X4). The servers of NATS get public keys.
//   helm/secrets.2. A second run with the same folder writes the same Secrets.
//   helm/secrets.3. Flagger makes no copy of a Secret (docs/operating/canary.md).

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { openCredentials, readOrCreate } from "../nats/credentials.ts";
import { NATS_USERS } from "../nats/permissions.ts";

export const SECRETS = {
  gateway: ["gateway.seed", "dev-secret"],
  room: ["room.seed"],
  persistence: ["persistence.seed", "trimmer.seed", "postgres-serving-password"],
  migrate: ["postgres-password", "postgres-serving-password"],
  admin: ["admin.seed"],
  nats: ["keys.conf", "cluster.conf"],
  postgres: ["postgres-password"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export interface Secret {
  readonly apiVersion: "v1";
  readonly kind: "Secret";
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly type: "Opaque";
  readonly stringData: Readonly<Record<string, string>>;
}

const SECRET_BYTES = 32;
/** The chart's StatefulSet of NATS has this many servers. */
const NATS_SERVERS = 3;
/** A release's name, so that `RELEASE-persistence` is a name of Kubernetes. */
const RELEASE = /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/;

/** The Secrets of a release. Creates the values that the folder lacks. */
export function secretsOf(folder: string, release: string): Secret[] {
  if (!RELEASE.test(release)) {
    throw new Error(`${release}: expected a release name of a-z, 0-9 and -, at most 40 characters`);
  }
  const values = valuesOf(folder, release);
  return Object.entries(SECRETS).map(([service, files]) => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: `${release}-${service}`,
      labels: { "app.kubernetes.io/name": "parley", "app.kubernetes.io/instance": release },
      // Flagger would copy the Secret of gateways for the pods of the stable version.
      annotations: { "flagger.app/config-tracking": "disabled" },
    },
    type: "Opaque",
    stringData: Object.fromEntries(files.map((file) => [file, values[file] ?? ""])),
  }));
}

function valuesOf(folder: string, release: string): Readonly<Record<string, string>> {
  const { files, publicKeys, routeSecret } = openCredentials(folder);
  const kept = (name: string, encoding: "hex" | "base64url"): string =>
    readOrCreate(join(folder, name), () => randomBytes(SECRET_BYTES).toString(encoding));
  const seeds = NATS_USERS.map((user) => [`${user}.seed`, readFileSync(files[user], "utf8")]);
  const keys = NATS_USERS.map((user) => `${user}_key: "${publicKeys[user]}"\n`);
  const routes = Array.from({ length: NATS_SERVERS }, (_, index) => {
    const host = `${release}-nats-${index}.${release}-nats`;
    return `"nats-route://route:${routeSecret}@${host}:6222"`;
  });
  return {
    ...Object.fromEntries(seeds),
    "dev-secret": kept("dev-secret", "base64url"),
    "postgres-password": kept("postgres-password", "hex"),
    "postgres-serving-password": kept("postgres-serving-password", "hex"),
    "keys.conf": keys.join(""),
    "cluster.conf":
      `authorization { user: "route", password: "${routeSecret}", timeout: 2 }\n` +
      `routes: [${routes.join(", ")}]\n`,
  };
}

if (import.meta.main) {
  const [folder, release] = process.argv.slice(2);
  if (folder === undefined || release === undefined) {
    console.error("usage: node infra/helm/secrets.ts FOLDER RELEASE");
    process.exitCode = 1;
  } else {
    const items = secretsOf(folder, release);
    console.log(JSON.stringify({ apiVersion: "v1", kind: "List", items }, undefined, 2));
  }
}
