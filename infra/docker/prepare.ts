// `prepare`: the first container of a compose cluster. Makes what must be there before anything starts,
// and nothing that is there already: seeds of the NATS users, the servers' configurations, the secret of
// dev tokens, the database's password. All of it stays in the volume `keys`; no secret is ever in an
// image, an environment or an argument.
//
// It is the one container that runs as root, for it gives folders of new volumes to their users.

import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { openCredentials } from "../nats/credentials.ts";
import { authorizationText } from "../nats/permissions.ts";

const KEYS = "/keys";
/** `node` of the image; the NATS servers run as the same. */
const NODE = 1_000;
const OWNER_ONLY = 0o600;
const SECRET_BYTES = 32;
const SERVERS = ["nats-1", "nats-2", "nats-3"] as const;

const partitions = Number(process.env["PARTITIONS"] ?? 64);
const credentials = openCredentials(KEYS);
for (const file of Object.values(credentials.files)) own(file);
own(`${KEYS}/nkeys`);
own(`${KEYS}/nkeys/routes.secret`);

for (const name of SERVERS) {
  write(
    `${KEYS}/${name}.conf`,
    serverConfig(name) + authorizationText(credentials.publicKeys, partitions),
  );
  mkdirSync(`/data/${name}/jetstream`, { recursive: true });
  own(`/data/${name}`);
  own(`/data/${name}/jetstream`);
}
keep(`${KEYS}/dev-secret`, () => randomBytes(SECRET_BYTES).toString("base64url"));
keep(`${KEYS}/postgres-password`, () => randomBytes(SECRET_BYTES).toString("hex"));
own(KEYS);
console.log(`prepared for ${partitions} partitions`);

function serverConfig(name: string): string {
  const others = SERVERS.map(
    (server) => `"nats-route://route:${credentials.routeSecret}@${server}:6222"`,
  );
  return `server_name: "${name}"
port: 4222
http: 8222
max_payload: 1MB
jetstream {
  store_dir: "/data/${name}/jetstream"
  # An append is confirmed only after it is on the disk.
  sync_interval: always
  max_file_store: 1TB
}
cluster {
  name: "parley"
  listen: "0.0.0.0:6222"
  authorization { user: "route", password: "${credentials.routeSecret}", timeout: 2 }
  routes: [${others.join(", ")}]
  # Writing to a server that stands still would block elections.
  write_deadline: "1s"
  write_timeout: "close"
  ping_interval: "2s"
  ping_max: 2
}
`;
}

function keep(file: string, make: () => string): string {
  if (!existsSync(file)) write(file, make());
  return readFileSync(file, "utf8");
}

function write(file: string, text: string): void {
  writeFileSync(file, text, { mode: OWNER_ONLY });
  chmodSync(file, OWNER_ONLY);
  own(file);
}

function own(path: string): void {
  chownSync(path, NODE, NODE);
}
