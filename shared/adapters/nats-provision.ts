// Provision: creates the streams and buckets of a cluster, and checks its server.
//
// Idempotent, and safe to run by several processes at once: existing streams and buckets are
// updated only where they differ, and the first writer decides the partition count (N3). It waits
// for a cluster without a leader.
//
//   nats-provision.1. It only adds replicas. A process that starts with a lower number does not
//        make stored data less safe. To reduce them, an operator edits the stream.
//
// A client connection sees the version of a server, but not `sync_interval`: only the server's
// monitoring endpoint (/varz) has that, and the system account's VARZ request answers only to the
// system account. So `checkSync` needs a monitoring URL. Without one, Parley trusts the server's
// configuration.

import { Kvm } from "@nats-io/kv";
import type { KV, KvOptions } from "@nats-io/kv";
import {
  DiscardPolicy,
  JetStreamApiError,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from "@nats-io/jetstream";
import type { JetStreamManager, StreamConfig } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { isObject } from "../kit/json.ts";
import type { LogSeq, Partition } from "../protocol/ids.ts";
import { LEASE_MS } from "../protocol/leases.ts";
import { SESSION_KEEP_MS } from "../protocol/session-records.ts";
import { firstLogSeq, isDoubling } from "../protocol/partition-map.ts";
import { decodeSetting, encodeSetting, settingKey } from "../protocol/settings.ts";
import { subjects } from "../protocol/subjects.ts";
import { whenReady } from "./nats-ready.ts";

export interface ProvisionOptions {
  /** The number of partitions at the creation of the cluster (N3). */
  readonly partitions: number;
  /**
   * The number of logs to provide. Default: as many as the setting `partitions.count` names, and at
   * least `partitions`.
   */
  readonly logs?: number;
  /** Only these logs; default: all. A region that shares homes creates its own alone. */
  readonly only?: ReadonlySet<Partition>;
  readonly replicas: number;
  /** `max_bytes` of each partition's stream; beyond it senders get `busy` (P9). */
  readonly logBytesMax: number;
  /** How long to wait for JetStream to elect a leader. */
  readonly readyWithinMs?: number;
  /**
   * The log sequence of the first entry of a log that is created now; default: firstLogSeq. A
   * restore passes a higher one.
   */
  readonly firstSeqOf?: (p: Partition) => LogSeq | undefined;
  /** How long a lease lasts; default LEASE_MS. Of a bucket that is created now. */
  readonly leaseMs?: number;
}

type BucketOptions = Pick<
  ProvisionOptions,
  "partitions" | "replicas" | "readyWithinMs" | "leaseMs"
>;

export type ServerCheck =
  | { readonly kind: "ok" }
  | { readonly kind: "refused"; readonly reason: string };

/** Thrown by `provision`; `code` names the kind of failure. */
export class ProvisionError extends Error {
  override readonly name = "ProvisionError";
  readonly code: "partitions_differ" | "unreachable";

  constructor(code: ProvisionError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Key-value buckets, by name. The partition count is `partitions` in `cluster`. */
export const BUCKETS = {
  sessions: "sessions",
  gateways: "gateways",
  config: "config",
  cluster: "cluster",
  leases: "leases",
} as const;

export const PARTITIONS_KEY = "partitions";
/** More events than a session has, unless its gateway is cut off again and again. */
const SESSION_HISTORY = 8;
/** The entries of a bucket may name the time at which they end. */
const EXPIRES = { allow_msg_ttl: true };
/** An older version had created this bucket with other bounds, before it was used. */
const SESSIONS = {
  allow_atomic: true,
  max_msgs_per_subject: SESSION_HISTORY,
  max_age: SESSION_KEEP_MS * 1_000_000,
};
const STREAM_MESSAGE_BYTES_MAX = 1_024 * 1_024;
const STREAM_NOT_FOUND = 10059;
const STREAM_NAME_IN_USE = 10058;
/** Older servers let a stale owner append in some orders of a leader change. */
const VERSION_MIN = [2, 14, 4] as const;
/** An election takes 4 to 9 s, and a new cluster has two in a row. */
const READY_WITHIN_MS = 45_000;
const MONITOR_TIMEOUT_MS = 2_000;

export async function provision(
  connection: NatsConnection,
  options: ProvisionOptions,
): Promise<void> {
  const { readyWithinMs = READY_WITHIN_MS } = options;
  try {
    const manager = await whenReady(() => jetstreamManager(connection), readyWithinMs);
    // Before any stream: a cluster with another count then keeps exactly its data.
    await provisionBuckets(connection, options);
    const config = await provisionBucket(connection, BUCKETS.config, options, { history: 8 });
    await whenReady(() => configure(manager, BUCKETS.config, EXPIRES), readyWithinMs);
    const {
      partitions,
      logs = await whenReady(() => wantedLogs(config, partitions), readyWithinMs),
    } = options;
    for (let p = 0; p < Math.max(logs, partitions); p++) {
      if (options.only?.has(p) === false) continue;
      await whenReady(() => provisionLog(manager, p, options), readyWithinMs);
    }
  } catch (error: unknown) {
    if (error instanceof ProvisionError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ProvisionError("unreachable", `NATS could not be provisioned: ${reason}`, {
      cause: error,
    });
  }
}

/** The buckets that no region mirrors: the partition count, the sessions, all leases. */
export async function provisionBuckets(
  connection: NatsConnection,
  options: BucketOptions,
): Promise<void> {
  const { partitions, readyWithinMs = READY_WITHIN_MS } = options;
  const cluster = await provisionBucket(connection, BUCKETS.cluster, options, { history: 1 });
  await whenReady(() => claimPartitions(cluster, partitions), readyWithinMs);
  const sessions = { history: SESSION_HISTORY, ttl: SESSION_KEEP_MS };
  await provisionBucket(connection, BUCKETS.sessions, options, sessions);
  await provisionBucket(connection, BUCKETS.gateways, options, { history: 1 });
  const manager = await whenReady(() => jetstreamManager(connection), readyWithinMs);
  await whenReady(() => configure(manager, BUCKETS.gateways, EXPIRES), readyWithinMs);
  await whenReady(() => configure(manager, BUCKETS.sessions, SESSIONS), readyWithinMs);
  const { leaseMs = LEASE_MS } = options;
  await provisionBucket(connection, BUCKETS.leases, options, { history: 1, ttl: leaseMs });
}

async function provisionBucket(
  connection: NatsConnection,
  name: string,
  { replicas, readyWithinMs = READY_WITHIN_MS }: BucketOptions,
  config: Partial<KvOptions>,
): Promise<KV> {
  const buckets = new Kvm(connection);
  const made = await whenReady(() => buckets.create(name, { replicas, ...config }), readyWithinMs);
  const manager = await whenReady(() => jetstreamManager(connection), readyWithinMs);
  await whenReady(() => replicate(manager, `KV_${name}`, replicas), readyWithinMs);
  return made;
}

/** Sets what a key-value bucket does not have by itself, or an older version set otherwise. */
async function configure(
  manager: JetStreamManager,
  bucket: string,
  wanted: Partial<StreamConfig>,
): Promise<void> {
  const found: object = (await manager.streams.info(`KV_${bucket}`)).config;
  const differs = Object.entries(wanted).some(
    ([name, value]) => Reflect.get(found, name) !== value,
  );
  if (differs) await manager.streams.update(`KV_${bucket}`, wanted);
}

/** nats-provision.1. */
async function replicate(manager: JetStreamManager, name: string, wanted: number): Promise<void> {
  const found = (await manager.streams.info(name)).config.num_replicas;
  if (found < wanted) await manager.streams.update(name, { num_replicas: wanted });
}

/** Refuses a server on which the fence is not safe (D7). The reason is one sentence. */
export function checkServer(connection: NatsConnection): ServerCheck {
  const version = connection.info?.version ?? "unknown";
  const minimum = VERSION_MIN.join(".");
  if (!isAtLeast(version, VERSION_MIN)) {
    return {
      kind: "refused",
      reason: `nats-server is version ${version}, but ${minimum} or newer is needed`,
    };
  }
  if (connection.info?.jetstream !== true) {
    return { kind: "refused", reason: "nats-server runs without JetStream" };
  }
  return { kind: "ok" };
}

/**
 * Whether the server behind a monitoring URL (http://host:8222) syncs to disk before it confirms.
 * Resolves, never rejects; `refused` also when the endpoint does not answer.
 */
export async function checkSync(monitorUrl: string): Promise<ServerCheck> {
  let varz: unknown;
  try {
    const response = await fetch(new URL("/varz", monitorUrl), {
      signal: AbortSignal.timeout(MONITOR_TIMEOUT_MS),
    });
    varz = await response.json();
  } catch (error: unknown) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: "refused", reason: `${monitorUrl} does not answer: ${reason}` };
  }
  const jetstream = isObject(varz) ? varz["jetstream"] : undefined;
  const config = isObject(jetstream) ? jetstream["config"] : undefined;
  if (isObject(config) && config["sync_always"] === true) return { kind: "ok" };
  return {
    kind: "refused",
    reason: "nats-server runs without `sync_interval: always`: a power cut could lose messages",
  };
}

async function claimPartitions(
  cluster: Awaited<ReturnType<Kvm["create"]>>,
  partitions: number,
): Promise<void> {
  const wanted = String(partitions);
  try {
    await cluster.create(PARTITIONS_KEY, wanted);
    return;
  } catch (error: unknown) {
    if (!(error instanceof JetStreamApiError)) throw error;
    // Another process wrote the key first; its value counts.
  }
  const found = (await cluster.get(PARTITIONS_KEY))?.string();
  if (found === wanted) return;
  throw new ProvisionError(
    "partitions_differ",
    `this cluster was created with ${found ?? "an unknown number of"} partitions, not ${wanted}; the number cannot change (N3)`,
  );
}

/** The number of logs that the setting names: those of splits that were begun. */
async function wantedLogs(config: KV, partitions: number): Promise<number> {
  const entry = await config.get(settingKey("all", "partitions.count"));
  const value = entry?.operation === "PUT" ? decodeSetting(entry.string())?.value : undefined;
  return typeof value === "number" && isDoubling(value, partitions) ? value : partitions;
}

/** Asks the processes for `count` partitions, which have their logs already. */
export async function wantPartitions(
  connection: NatsConnection,
  { count, by }: { readonly count: number; readonly by: string },
): Promise<void> {
  const config = await new Kvm(connection).open(BUCKETS.config);
  await config.put(settingKey("all", "partitions.count"), encodeSetting(count, by));
}

/** The number of logs of a cluster that was created with `partitions`. */
export async function logCount(connection: NatsConnection, partitions: number): Promise<number> {
  return wantedLogs(await new Kvm(connection).open(BUCKETS.config), partitions);
}

async function provisionLog(
  manager: JetStreamManager,
  p: number,
  options: ProvisionOptions,
): Promise<void> {
  const wanted = logConfig(p, options);
  const found = await findStream(manager, wanted.name);
  if (found === undefined) {
    try {
      const first = options.firstSeqOf?.(p) ?? firstLogSeq(p, options.partitions);
      await manager.streams.add(first > 1 ? { ...wanted, first_seq: first } : wanted);
      return;
    } catch (error: unknown) {
      if (!isApiError(error, STREAM_NAME_IN_USE)) throw error;
      // Another process created it since the check, with the same configuration.
      return;
    }
  }
  const { max_bytes, allow_direct, max_msg_size } = wanted;
  const num_replicas = Math.max(found.num_replicas, wanted.num_replicas); // nats-provision.1
  if (
    found.max_bytes !== max_bytes ||
    found.num_replicas !== num_replicas ||
    found.allow_direct !== allow_direct ||
    found.max_msg_size !== max_msg_size
  ) {
    await manager.streams.update(wanted.name, {
      max_bytes,
      num_replicas,
      allow_direct,
      max_msg_size,
    });
  }
}

async function findStream(
  manager: JetStreamManager,
  name: string,
): Promise<StreamConfig | undefined> {
  try {
    return (await manager.streams.info(name)).config;
  } catch (error: unknown) {
    if (isApiError(error, STREAM_NOT_FOUND)) return undefined;
    throw error;
  }
}

/** The configuration of a partition log. A mirror of it differs only in its subject. */
export function logConfig(p: number, options: Pick<ProvisionOptions, "logBytesMax" | "replicas">) {
  return {
    name: subjects.stream(p),
    subjects: [subjects.log(p)],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    max_bytes: options.logBytesMax,
    max_msg_size: STREAM_MESSAGE_BYTES_MAX,
    num_replicas: options.replicas,
    allow_direct: true,
    // A single deleted entry would be a gap that a reader cannot explain. Trimming is a purge.
    deny_delete: true,
  } as const satisfies Partial<StreamConfig> & { name: string };
}

function isApiError(error: unknown, code: number): boolean {
  return error instanceof JetStreamApiError && error.code === code;
}

/** Compares the number part of a version: `2.14.4`, `v2.15.0-RC.1`. */
function isAtLeast(version: string, minimum: readonly number[]): boolean {
  const numbers = (/\d+(\.\d+)*/.exec(version)?.[0] ?? "0").split(".").map(Number);
  for (const [index, wanted] of minimum.entries()) {
    const found = numbers[index] ?? 0;
    if (found !== wanted) return found > wanted;
  }
  return true;
}
