// Secrets: writes the Secrets of a release to standard output, for `kubectl apply`.
//
//   node infra/helm/secrets.ts FOLDER RELEASE | kubectl --namespace NAMESPACE apply --filename -
//   node infra/helm/secrets.ts FOLDER RELEASE --region    also the Secret of the region agent
//
// Owns: the table of files in each Secret. The folder keeps all of them, as the volume `keys` does
// in compose; back it up. Values are created at the first run and kept afterwards. So the cluster
// needs no job with the right to write Secrets.
//
//   helm/secrets.1. Each service has a Secret of its own, which holds only the files that the
//        service reads (X4). The servers of NATS get public keys.
//   helm/secrets.2. A second run with the same folder writes the same Secrets.
//   helm/secrets.3. Flagger makes no copy of a Secret (docs/operating/canary.md).
//   helm/secrets.4. With --region, the file witness.public holds the key by which the witness knows
//        this region. Its seed is in the Secret of the region agent only. The file
//        peer-postgres-password is a copy of postgres-password of the other region's folder, which
//        the operator makes where both regions serve.
//   helm/secrets.5. The Secret of attachments is there only where the folder has both keys of the
//        bucket, in files that the operator wrote.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { nkeys } from "@nats-io/transport-node";
import { openCredentials, readOrCreate } from "../nats/credentials.ts";
import { NATS_USERS } from "../nats/permissions.ts";

export const SECRETS = {
  gateway: ["gateway.seed", "dev-secret", "invite-key"],
  room: ["room.seed"],
  persistence: ["persistence.seed", "trimmer.seed", "postgres-serving-password"],
  webhooks: ["webhooks.seed", "postgres-webhooks-password"],
  /** Only with auth=dev does it read the dev secret. */
  operator: ["operator.seed", "dev-secret"],
  attachments: ["s3-access-key", "s3-secret-key"],
  migrate: ["postgres-password", "postgres-serving-password", "postgres-webhooks-password"],
  admin: ["admin.seed"],
  nats: ["keys.conf", "cluster.conf"],
  postgres: ["postgres-password"],
  region: ["admin.seed", "witness.seed", "postgres-password", "peer-postgres-password"],
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
const PEER_PASSWORD = "peer-postgres-password";
/** The chart's StatefulSet of NATS has this many servers. */
const NATS_SERVERS = 3;
/** A release's name, so that `RELEASE-persistence` is a name of Kubernetes. */
const RELEASE = /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/;

export interface SecretOptions {
  /** Also the Secret of the region agent. */
  readonly isRegion?: boolean;
}

/** The Secrets of a release. Creates the values that the folder lacks. */
export function secretsOf(
  folder: string,
  release: string,
  { isRegion = false }: SecretOptions = {},
): Secret[] {
  if (!RELEASE.test(release)) {
    throw new Error(`${release}: expected a release name of a-z, 0-9 and -, at most 40 characters`);
  }
  const values: Readonly<Record<string, string>> = {
    ...valuesOf(folder, release),
    ...(isRegion && secretsOfRegion(folder)),
    ...written(folder, SECRETS.attachments),
  };
  const isLeftOut: Partial<Record<string, boolean>> = {
    region: !isRegion,
    attachments: SECRETS.attachments.some((file) => values[file] === undefined),
  };
  const services = Object.entries(SECRETS).filter(([service]) => isLeftOut[service] !== true);
  return services.map(([service, files]) => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: `${release}-${service}`,
      labels: { "app.kubernetes.io/name": "parley", "app.kubernetes.io/instance": release },
      // Flagger would copy the Secret of gateways for the pods of the stable version.
      annotations: { "flagger.app/config-tracking": "disabled" },
    },
    type: "Opaque",
    stringData: Object.fromEntries(
      files.flatMap((file) => (values[file] === undefined ? [] : [[file, values[file]]])),
    ),
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
    "invite-key": kept("invite-key", "base64url"),
    "postgres-password": kept("postgres-password", "hex"),
    "postgres-serving-password": kept("postgres-serving-password", "hex"),
    "postgres-webhooks-password": kept("postgres-webhooks-password", "hex"),
    "keys.conf": keys.join(""),
    "cluster.conf":
      `authorization { user: "route", password: "${routeSecret}", timeout: 2 }\n` +
      `routes: [${routes.join(", ")}]\n`,
  };
}

/** helm/secrets.4. */
function secretsOfRegion(folder: string): Readonly<Record<string, string>> {
  const created = (): string => new TextDecoder().decode(nkeys.createUser().getSeed());
  const seed = readOrCreate(join(folder, "witness.seed"), created);
  const key = nkeys.fromSeed(new TextEncoder().encode(seed)).getPublicKey();
  writeFileSync(join(folder, "witness.public"), `${key}\n`);
  return { "witness.seed": seed, ...written(folder, [PEER_PASSWORD]) };
}

/** What the operator wrote into the folder. */
function written(folder: string, names: readonly string[]): Readonly<Record<string, string>> {
  const files = names.filter((name) => existsSync(join(folder, name)));
  return Object.fromEntries(
    files.map((name) => [name, readFileSync(join(folder, name), "utf8").trim()]),
  );
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { region: { type: "boolean", default: false } },
  });
  const [folder, release] = positionals;
  if (folder === undefined || release === undefined) {
    console.error("usage: node infra/helm/secrets.ts FOLDER RELEASE [--region]");
    process.exitCode = 1;
  } else {
    const items = secretsOf(folder, release, { isRegion: values.region });
    console.log(JSON.stringify({ apiVersion: "v1", kind: "List", items }, undefined, 2));
  }
}
