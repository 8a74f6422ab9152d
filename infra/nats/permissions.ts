// Permissions: which subjects each NATS user may publish and subscribe to. Everything else is
// refused.
//
// The servers' configuration and the tests are both made from this one table. Pure.
//
//   permissions.1. A service has the subjects that it uses and no others. Only room nodes write to
//        the log, only the trimmer removes from it, and only the administrator creates or changes
//        streams.
//   permissions.2. Each kind of service receives replies on an inbox prefix of its own, on which no
//        other kind can subscribe. A service replies on the prefixes of its clients. NATS could
//        allow every reply subject that a request names (allow_responses); but then a request with
//        the reply subject `log.3` would make the service write to the log.
//   permissions.3. JetStream has exactly that weakness: its API publishes a reply to any subject,
//        and a consumer delivers to any subject, whatever the requester may publish. So gateways
//        have no right to JetStream or a bucket, and the other users have only the rights that they
//        use (docs/decisions/015).

import type { Partition } from "#shared/protocol/ids.ts";
import { PERMITTED_PARTITIONS } from "#shared/protocol/partition-map.ts";
import { subjects } from "#shared/protocol/subjects.ts";

export const NATS_USERS = [
  "gateway",
  "room",
  "persistence",
  "trimmer",
  "webhooks",
  "operator",
  "admin",
] as const;
export type NatsUser = (typeof NATS_USERS)[number];

export interface Permissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** The clients of room nodes and persistence: room nodes, gateways, the `parley` command. */
const REQUESTERS = ["_INBOX_gw.>", "_INBOX_room.>", "_INBOX_ctl.>"] as const;
const EVERYTHING: Permissions = { publish: [">"], subscribe: [">"] };

const GATEWAY: Permissions = {
  publish: [
    "cmd.*",
    "cmd.*.*",
    "live.*",
    "hist.*",
    "suspect.*",
    "node.gateway",
    "table.get.*",
    "lease.take",
    "sess",
    "att",
    "region.grant",
    "hook.manage",
    "link.preview",
    "_INBOX_ctl.>",
  ],
  subscribe: [
    "gw.*",
    "sess.*",
    "out.*",
    "live.*",
    "note.*",
    "node.room",
    "node.gateway",
    "table.changed.*",
    "ctl.>",
    "_INBOX_gw.>",
  ],
};

/** The rights of a room node beside those on its logs. */
const ROOM: Permissions = {
  publish: [
    "gw.*",
    "out.*",
    "live.*",
    "note.*",
    "hist.*",
    "node.room",
    "node.*.ping",
    "table.get.*",
    "lease.take",
    "region.grant",
    ...REQUESTERS,
  ],
  subscribe: [
    "cmd.*",
    "cmd.*.*",
    "watermark.*",
    "suspect.*",
    "node.room",
    "node.gateway",
    "node.*.ping",
    "table.changed.*",
    "region.mirrored.*",
    "ctl.>",
    "_INBOX_room.>",
  ],
};

/**
 * The rights of persistence beside reading logs. Like the others it follows the tables that it
 * serves.
 */
const PERSISTENCE: Permissions = {
  publish: [
    "watermark.*",
    "node.persistence",
    "pers.*.ping",
    "table.get.*",
    "table.changed.*",
    "sess.*",
    "region.grant",
    ...REQUESTERS,
    "_INBOX_pers.>",
    "_INBOX_hook.>", // The webhooks service reads tables.
    ...readTable("config"),
    ...takeLeases("leases"),
    "$KV.config.revoked.*",
    ...writeKeys("gateways", ["*", "*.*"]),
    ...writeKeys("sessions", ["*.*.*"]),
  ],
  subscribe: [
    "hist.*",
    "node.persistence",
    "pers.*.ping",
    "table.get.*",
    "table.changed.*",
    "lease.take",
    "sess",
    "att",
    "ctl.>",
    "_INBOX_pers.>",
  ],
};

/** Webhooks speak with strangers: they read sessions, and have no right to logs or commands. */
const WEBHOOKS: Permissions = {
  publish: ["table.get.*", "_INBOX_gw.>", "_INBOX_ctl.>", ...readTable("sessions")],
  subscribe: [
    "watermark.*",
    "hook.manage",
    "link.preview",
    "table.changed.*",
    "ctl.>",
    "_INBOX_hook.>",
  ],
};

/**
 * The admin page does what the `parley` command does to a running cluster, and no more: it has no
 * right to logs, streams and buckets. The processes answer both on `_INBOX_ctl`; the part `op` of
 * it is the page's.
 */
const OPERATOR: Permissions = {
  publish: ["ctl.*", "sess", "hook.manage", "table.get.*", "_INBOX_ctl.>"],
  subscribe: ["table.changed.*", "ctl.>", "_INBOX_ctl.op.>"],
};

/** Stream names are whole tokens, so the streams of partitions are listed one by one. */
export function permissionsOf(user: NatsUser, partitions: number): Permissions {
  const each = (make: (p: Partition) => readonly string[]): string[] =>
    Array.from({ length: partitions }, (_, p) => make(p)).flat();
  const withLogs = ({ publish, subscribe }: Permissions, logs: string[]): Permissions => ({
    publish: [...publish, ...logs],
    subscribe,
  });
  switch (user) {
    case "gateway":
      return GATEWAY;
    case "room":
      return withLogs(
        ROOM,
        each((p) => [subjects.log(p), ...readLog(p)]),
      );
    case "persistence":
      return withLogs(PERSISTENCE, each(readLog));
    case "trimmer":
      return {
        publish: each((p) => ["INFO", "PURGE"].map((act) => streamApi(act, p))),
        subscribe: ["_INBOX_trim.>"],
      };
    case "webhooks":
      return WEBHOOKS;
    case "operator":
      return OPERATOR;
    case "admin":
      return EVERYTHING;
    default:
      return user;
  }
}

/** Whether one of the patterns covers the subject, by the server's rules. */
export function isAllowed(patterns: readonly string[], subject: string): boolean {
  return patterns.some((pattern) => covers(pattern.split("."), subject.split(".")));
}

/**
 * `authorization { … }` of a server's configuration. It permits PERMITTED_PARTITIONS logs or more,
 * so that a cluster can be split. Rights on a log that does not exist give nothing.
 */
export function authorizationText(
  publicKeys: Readonly<Record<NatsUser, string>>,
  partitions: number,
): string {
  const permitted = Math.max(partitions, PERMITTED_PARTITIONS);
  const users = NATS_USERS.map((user) => {
    const { publish, subscribe } = permissionsOf(user, permitted);
    const lists = `publish: ${JSON.stringify(publish)}, subscribe: ${JSON.stringify(subscribe)}`;
    return `    # ${user}\n    { nkey: ${publicKeys[user]}, permissions: { ${lists} } }\n`;
  });
  return `authorization {\n  users: [\n${users.join("")}  ]\n}\n`;
}

function streamApi(act: string, p: Partition): string {
  return `$JS.API.STREAM.${act}.${subjects.stream(p)}`;
}

/** For reading a partition's log (log-nats.ts, log-nats-reader.ts). */
function readLog(p: Partition): string[] {
  const stream = subjects.stream(p);
  return [
    `$JS.API.STREAM.INFO.${stream}`,
    `$JS.API.STREAM.MSG.GET.${stream}`,
    `$JS.API.DIRECT.GET.${stream}`,
    `$JS.API.CONSUMER.CREATE.${stream}.*`,
    `$JS.API.CONSUMER.DELETE.${stream}.*`,
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.*`,
  ];
}

/** For reading a whole bucket without a consumer (table-nats.ts). */
function readTable(bucket: string): string[] {
  const stream = `KV_${bucket}`;
  return [`$JS.API.STREAM.INFO.${stream}`, `$JS.API.DIRECT.GET.${stream}`];
}

/** For creating an entry of a bucket, and reading it (leases-nats.ts). */
function takeLeases(bucket: string): string[] {
  const stream = `KV_${bucket}`;
  return [
    `$KV.${bucket}.*`,
    `$JS.API.STREAM.INFO.${stream}`,
    `$JS.API.STREAM.MSG.GET.${stream}`,
    `$JS.API.DIRECT.GET.${stream}.>`,
  ];
}

/** For reading the keys of a bucket, and writing them in view of the newest one (nats-cas.ts). */
function writeKeys(bucket: string, keys: readonly string[]): string[] {
  const stream = `KV_${bucket}`;
  return [
    ...keys.map((key) => `$KV.${bucket}.${key}`),
    `$JS.API.STREAM.MSG.GET.${stream}`,
    `$JS.API.DIRECT.GET.${stream}`,
  ];
}

function covers(pattern: readonly string[], subject: readonly string[]): boolean {
  for (const [index, token] of pattern.entries()) {
    if (token === ">") return subject.length > index;
    if (index >= subject.length || (token !== "*" && token !== subject[index])) return false;
  }
  return pattern.length === subject.length;
}
