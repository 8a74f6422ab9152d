// Secrets of the compose cluster: which files each volume holds, and which user owns them. Pure.
//
// The volume `keys` holds all of them, and only the job `prepare` mounts it. That job copies each
// secret into the volumes of the services that use it. A service mounts its own volume, read-only,
// at /secrets. A secret that it does not need is not there, so a compromised container cannot read
// another service's secrets.

/** The user `node` of the image; the NATS servers run as the same user. */
export const NODE_UID = 1_000;
/**
 * The user of the official PostgreSQL image. Its entry script reads the password as root, before it
 * becomes this user.
 */
export const POSTGRES_UID = 999;

export const NATS_SERVERS = ["nats-1", "nats-2", "nats-3"] as const;

export const SECRETS = {
  "secrets-gateway": { uid: NODE_UID, files: ["gateway.seed", "dev-secret", "invite-key"] },
  "secrets-room": { uid: NODE_UID, files: ["room.seed"] },
  "secrets-persistence": {
    uid: NODE_UID,
    files: ["persistence.seed", "trimmer.seed", "postgres-serving-password"],
  },
  "secrets-webhooks": {
    uid: NODE_UID,
    files: ["webhooks.seed", "postgres-webhooks-password"],
  },
  /** Only with AUTH=dev does it read the dev secret. */
  "secrets-operator": { uid: NODE_UID, files: ["operator.seed", "dev-secret"] },
  /**
   * For the job `migrate` only: the schema's owner, and the roles that it creates.
   */
  "secrets-migrate": {
    uid: NODE_UID,
    files: ["postgres-password", "postgres-serving-password", "postgres-webhooks-password"],
  },
  /** The configurations hold public keys and the secret of the routes. */
  "secrets-nats": { uid: NODE_UID, files: NATS_SERVERS.map((name) => `${name}.conf` as const) },
  /** The password of the schema's owner; the first start sets it. */
  "secrets-postgres": { uid: POSTGRES_UID, files: ["postgres-password"] },
  /** For `provision` and the `parley` command; restoring logs also reads PostgreSQL. */
  "secrets-admin": { uid: NODE_UID, files: ["admin.seed", "postgres-password"] },
} as const satisfies Readonly<
  Record<string, { readonly uid: number; readonly files: readonly string[] }>
>;
