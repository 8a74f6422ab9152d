// NATS restore: reads the state of the partition logs' streams, and replaces streams by empty ones
// that continue behind a given sequence. services/persistence/runtime/restore-logs.ts uses it with
// the administrator's rights.
//
//   nats-restore.1. Only a stream that is named is replaced. Between its removal and its creation
//        the stream does not exist, and owners wait. After a crash in between, the restore is run
//        again.

import { JetStreamApiError, jetstreamManager } from "@nats-io/jetstream";
import type { JetStreamManager, StreamInfo } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import type { LogSeq, Partition } from "../protocol/ids.ts";
import { subjects } from "../protocol/subjects.ts";
import { BUCKETS, logCount, PARTITIONS_KEY, provision } from "./nats-provision.ts";
import { whenReady } from "./nats-ready.ts";

export interface FoundLog {
  readonly first: LogSeq;
  readonly last: LogSeq;
  readonly entries: number;
  readonly replicas: number;
  readonly bytesMax: number;
}

const STREAM_NOT_FOUND = 10059;
/** New servers elect their leaders first. */
const READY_WITHIN_MS = 45_000;

/** Undefined for a stream that does not exist. */
export async function findLogs(
  connection: NatsConnection,
  partitions: number,
): Promise<(FoundLog | undefined)[]> {
  const manager = await whenReady(() => jetstreamManager(connection), READY_WITHIN_MS);
  const found: (FoundLog | undefined)[] = [];
  for (let p = 0; p < partitions; p++) {
    const info = await whenReady(() => infoOf(manager, subjects.stream(p)), READY_WITHIN_MS);
    found.push(info && toFound(info));
  }
  return found;
}

/** The partition count in the cluster's bucket; undefined when the bucket is lost as well. */
export async function partitionsOf(connection: NatsConnection): Promise<number | undefined> {
  return readBucket(connection, BUCKETS.cluster, async () => {
    const entry = await (await new Kvm(connection).open(BUCKETS.cluster)).get(PARTITIONS_KEY);
    const count = Number(entry?.string());
    return count > 0 ? count : undefined;
  });
}

/** The number of logs, splits included; undefined when the settings are lost. */
export async function logsOf(
  connection: NatsConnection,
  partitions: number,
): Promise<number | undefined> {
  return readBucket(connection, BUCKETS.config, () => logCount(connection, partitions));
}

/** Undefined when the bucket is lost. Waits until its stream has a leader. */
async function readBucket<T>(
  connection: NatsConnection,
  name: string,
  read: () => Promise<T>,
): Promise<T | undefined> {
  const manager = await whenReady(() => jetstreamManager(connection), READY_WITHIN_MS);
  const info = await whenReady(() => infoOf(manager, `KV_${name}`), READY_WITHIN_MS);
  return info && whenReady(read, READY_WITHIN_MS);
}

export interface ReplaceOptions {
  /** The number at creation, and the number of logs. */
  readonly partitions: number;
  readonly logs: number;
  readonly replicas: number;
  readonly logBytesMax: number;
  /** The log sequence of the first entry of each new log. */
  readonly firstSeqs: ReadonlyMap<Partition, LogSeq>;
  /** The logs to create where they are missing; default: all. */
  readonly only?: ReadonlySet<Partition>;
}

/** Also creates the other streams and buckets that are missing. */
export async function replaceLogs(
  connection: NatsConnection,
  { firstSeqs, ...options }: ReplaceOptions,
): Promise<void> {
  const manager = await whenReady(() => jetstreamManager(connection), READY_WITHIN_MS);
  for (const p of firstSeqs.keys()) {
    const name = subjects.stream(p);
    if ((await infoOf(manager, name)) !== undefined) await manager.streams.delete(name);
  }
  await provision(connection, { ...options, firstSeqOf: (p) => firstSeqs.get(p) });
}

async function infoOf(manager: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(name);
  } catch (error: unknown) {
    if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) return undefined;
    throw error;
  }
}

function toFound({ state, config }: StreamInfo): FoundLog {
  const { first_seq: first, last_seq: last, messages: entries } = state;
  const { num_replicas: replicas, max_bytes: bytesMax } = config;
  return { first: entries === 0 ? last + 1 : first, last, entries, replicas, bytesMax };
}
