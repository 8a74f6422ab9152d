// Secrets of the compose cluster: which file each volume holds, and who owns it. Pure.
//
// The volume `keys` holds all of them and is mounted by the job `prepare` alone, which copies each into
// the volumes of those that use it. A service mounts its own volume, read-only, at /secrets: what it
// does not need is not there, so a container that was taken over cannot read another's.

/** `node` of the image; the NATS servers run as the same. */
export const NODE_UID = 1_000;
/** Of the official PostgreSQL image. Its entry reads the password as root, before it becomes this user. */
export const POSTGRES_UID = 999;

export const NATS_SERVERS = ["nats-1", "nats-2", "nats-3"] as const;

export const SECRETS = {
  "secrets-gateway": { uid: NODE_UID, files: ["gateway.seed", "dev-secret"] },
  "secrets-room": { uid: NODE_UID, files: ["room.seed"] },
  "secrets-persistence": {
    uid: NODE_UID,
    files: ["persistence.seed", "trimmer.seed", "postgres-serving-password"],
  },
  /** The job `migrate` alone: the schema's owner, and the role that it makes for persistence. */
  "secrets-migrate": { uid: NODE_UID, files: ["postgres-password", "postgres-serving-password"] },
  /** The configurations hold public keys and the secret of the routes. */
  "secrets-nats": { uid: NODE_UID, files: NATS_SERVERS.map((name) => `${name}.conf` as const) },
  /** The password of the schema's owner, which the first start sets. */
  "secrets-postgres": { uid: POSTGRES_UID, files: ["postgres-password"] },
  /** `provision` and the `parley` command; restoring logs reads PostgreSQL too. */
  "secrets-admin": { uid: NODE_UID, files: ["admin.seed", "postgres-password"] },
} as const satisfies Readonly<
  Record<string, { readonly uid: number; readonly files: readonly string[] }>
>;
