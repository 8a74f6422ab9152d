// Credentials: the seeds of the NATS users of an embedded cluster, created at its first start and
// kept.
//
// A seed is a private key. Each is in a file of its own below DATA/nkeys that only its owner can
// read. Services get the path (NATS_NKEY_FILE) and read the file themselves, so that no seed is
// ever in an environment, an argument or a log. Servers get the public keys.

import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { nkeys } from "@nats-io/transport-node";
import { NATS_USERS } from "./permissions.ts";
import type { NatsUser } from "./permissions.ts";

export interface Credentials {
  /** The path of each user's seed. */
  readonly files: Readonly<Record<NatsUser, string>>;
  readonly publicKeys: Readonly<Record<NatsUser, string>>;
  /** The password by which the servers of a cluster authenticate to each other. */
  readonly routeSecret: string;
}

const OWNER_ONLY = 0o600;
const ROUTE_SECRET_BYTES = 24;

export function openCredentials(dataDir: string): Credentials {
  const dir = join(dataDir, "nkeys");
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const users = NATS_USERS.map((user) => {
    const file = join(dir, `${user}.seed`);
    const seed = readOrCreate(file, () => new TextDecoder().decode(nkeys.createUser().getSeed()));
    const key = nkeys.fromSeed(new TextEncoder().encode(seed)).getPublicKey();
    return { user, file, key };
  });
  const record = (pick: (entry: (typeof users)[number]) => string): Record<NatsUser, string> =>
    Object.fromEntries(users.map((entry) => [entry.user, pick(entry)])) as Record<NatsUser, string>;
  return {
    files: record(({ file }) => file),
    publicKeys: record(({ key }) => key),
    routeSecret: readOrCreate(join(dir, "routes.secret"), () =>
      randomBytes(ROUTE_SECRET_BYTES).toString("hex"),
    ),
  };
}

/** The content of the file. Creates the file when it does not exist. */
export function readOrCreate(file: string, make: () => string): string {
  if (!existsSync(file)) writeFileSync(file, `${make()}\n`, { mode: OWNER_ONLY, flag: "wx" });
  chmodSync(file, OWNER_ONLY); // A copy or a restored backup may have other permissions.
  return readFileSync(file, "utf8").trim();
}
