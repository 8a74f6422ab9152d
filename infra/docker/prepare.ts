// `prepare`: the first container of a compose cluster. It creates what the other containers need
// and keeps what exists: the seeds of the NATS users, the servers' configurations, the secret of
// dev tokens, the key of invites, the passwords of the database's roles. All of it is stored in
// the volume `keys`, which no other container mounts. Each volume of secrets.ts gets a copy of its
// files. No secret is ever in an image, an environment or an argument.
//
// Only this container runs as root, because it changes the owner of folders in new volumes.

import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { randomBytes } from "node:crypto";
import { openCredentials } from "../nats/credentials.ts";
import { authorizationText } from "../nats/permissions.ts";
import { serverConfig } from "../nats/server-config.ts";
import { NATS_SERVERS, NODE_UID, SECRETS } from "./secrets.ts";

const KEYS = "/keys";
/** The files of messages; gateways and persistence mount it. */
const ATTACHMENTS = "/data/attachments";
const OWNER_ONLY = 0o600;
const FOLDER_OWNER_ONLY = 0o700;
const SECRET_BYTES = 32;

const partitions = Number(process.env["PARTITIONS"] ?? 64);
const credentials = openCredentials(KEYS);
const secrets = new Map<string, string>();
for (const [user, file] of Object.entries(credentials.files)) {
  secrets.set(`${user}.seed`, readFileSync(file, "utf8"));
}
for (const name of NATS_SERVERS) {
  const config = serverConfig({
    name,
    address: "0.0.0.0",
    storeDir: `/data/${name}/jetstream`,
    fileStoreMax: "1TB",
    hosts: NATS_SERVERS,
    routeSecret: credentials.routeSecret,
    authorization: authorizationText(credentials.publicKeys, partitions),
  });
  secrets.set(`${name}.conf`, config);
  for (const folder of [`/data/${name}`, `/data/${name}/jetstream`]) {
    mkdirSync(folder, { recursive: true });
    chownSync(folder, NODE_UID, NODE_UID);
  }
}
mkdirSync(ATTACHMENTS, { recursive: true });
chownSync(ATTACHMENTS, NODE_UID, NODE_UID);
for (const name of ["dev-secret", "invite-key"]) {
  keep(name, () => randomBytes(SECRET_BYTES).toString("base64url"));
}
for (const name of [
  "postgres-password",
  "postgres-serving-password",
  "postgres-webhooks-password",
]) {
  keep(name, () => randomBytes(SECRET_BYTES).toString("hex"));
}
for (const [volume, { uid, files }] of Object.entries(SECRETS)) handOut(volume, uid, files);
console.log(`prepared for ${partitions} partitions`);

function keep(name: string, make: () => string): void {
  const file = `${KEYS}/${name}`;
  if (!existsSync(file)) writeFileSync(file, make(), { mode: OWNER_ONLY });
  secrets.set(name, readFileSync(file, "utf8"));
}

/** Afterwards the volume holds exactly these files: a secret that moved elsewhere is removed. */
function handOut(volume: string, uid: number, files: readonly string[]): void {
  const folder = `/to/${volume}`;
  for (const name of readdirSync(folder)) {
    if (!files.includes(name)) rmSync(`${folder}/${name}`, { recursive: true });
  }
  for (const name of files) {
    const text = secrets.get(name);
    if (text === undefined)
      throw new Error(`secrets.ts names the secret ${name}, but this job does not create it`);
    const file = `${folder}/${name}`;
    writeFileSync(file, text, { mode: OWNER_ONLY });
    chmodSync(file, OWNER_ONLY);
    chownSync(file, uid, uid);
  }
  chmodSync(folder, FOLDER_OWNER_ONLY);
  chownSync(folder, uid, uid);
}
