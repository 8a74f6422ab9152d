// Secrets: writes the secrets of the hosts into a folder of the control machine.
//
//   node infra/ansible/secrets.ts FOLDER
//
// Owns: the table of files that each service gets. The folder keeps all values, like the volume
// `keys` of compose; back it up. Values are created at the first run and kept afterwards. The
// playbook copies FOLDER/hosts/<service> to the hosts of that service.
//
//   ansible/secrets.1. Each service gets a folder of its own, which holds only the files that the
//        service reads (X4).
//   ansible/secrets.2. A second run with the same folder writes the same files, and removes others.
//   ansible/secrets.3. Gateways and persistence also get s3-secret-key, the key of the bucket of
//        attachments, where the operator wrote that file into the folder.

import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { openCredentials, readOrCreate } from "../nats/credentials.ts";

export const SECRETS = {
  gateway: ["gateway.seed", "dev-secret", "invite-key"],
  room: ["room.seed"],
  persistence: ["persistence.seed", "trimmer.seed", "postgres-serving-password"],
  provision: ["admin.seed"],
  webhooks: ["webhooks.seed", "postgres-webhooks-password"],
  /** Only with parley_auth=dev does it read the dev secret. */
  operator: ["operator.seed", "dev-secret"],
  migrate: ["postgres-password", "postgres-serving-password", "postgres-webhooks-password"],
  /** The standby's server process reads the .pgpass file; only the playbook reads the others. */
  postgres: ["postgres-password", "postgres-replication-password", "replication.pgpass"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** ansible/secrets.3. */
const S3_SECRET_KEY = "s3-secret-key";
const USES_STORE = new Set(["gateway", "persistence"]);

/** The role of PostgreSQL that a standby uses. */
const REPLICATION_ROLE = "parley_replication";
const SECRET_BYTES = 32;
const OWNER_ONLY = 0o600;
const FOLDER_OWNER_ONLY = 0o700;

export function writeSecrets(folder: string): void {
  const { files } = openCredentials(folder);
  const paths: Record<string, string> = Object.fromEntries(
    Object.entries(files).map(([user, path]) => [`${user}.seed`, path]),
  );
  const keep = (name: string, encoding: "hex" | "base64url"): string => {
    paths[name] = join(folder, name);
    return readOrCreate(join(folder, name), () => randomBytes(SECRET_BYTES).toString(encoding));
  };
  keep("dev-secret", "base64url");
  keep("invite-key", "base64url");
  keep("postgres-password", "hex");
  keep("postgres-serving-password", "hex");
  keep("postgres-webhooks-password", "hex");
  const replication = keep("postgres-replication-password", "hex");
  const pgpass = join(folder, "replication.pgpass");
  paths["replication.pgpass"] = pgpass;
  writeFileSync(pgpass, `*:*:*:${REPLICATION_ROLE}:${replication}\n`, { mode: OWNER_ONLY });
  const s3 = join(folder, S3_SECRET_KEY);
  paths[S3_SECRET_KEY] = s3;
  const ofStore = existsSync(s3) ? [S3_SECRET_KEY] : [];
  const hosts = join(folder, "hosts");
  rmSync(hosts, { recursive: true, force: true }); // ansible/secrets.2
  for (const [service, names] of Object.entries(SECRETS)) {
    mkdirSync(join(hosts, service), { recursive: true, mode: FOLDER_OWNER_ONLY });
    for (const name of [...names, ...(USES_STORE.has(service) ? ofStore : [])]) {
      const copy = join(hosts, service, name);
      copyFileSync(paths[name] ?? "", copy);
      chmodSync(copy, OWNER_ONLY);
    }
  }
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) {
    console.error("usage: node infra/ansible/secrets.ts FOLDER");
    process.exitCode = 1;
  } else {
    writeSecrets(folder);
    console.log(`${folder}: secrets of ${Object.keys(SECRETS).join(", ")}`);
  }
}
