// Restore: the streams of partition logs as they are, and their replacement by empty ones that go on
// behind a number. For whoever restores a cluster (services/persistence/runtime/restore-logs.ts); as the administrator.
//
//   nats-restore.1. Only a stream that is named is replaced. Between its removal and the new one there is none, and
//        owners wait; a run that died in between is simply run again.

import { JetStreamApiError, jetstreamManager } from "@nats-io/jetstream";
import type { JetStreamManager, StreamInfo } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import type { LogSeq, Partition } from "../protocol/ids.ts";
import { subjects } from "../protocol/subjects.ts";
import { BUCKETS, PARTITIONS_KEY, provision } from "./nats-provision.ts";
import { whenReady } from "./nats-ready.ts";

export interface FoundLog {
  readonly first: LogSeq;
  readonly last: LogSeq;
  readonly entries: number;
  readonly replicas: number;
  readonly bytesMax: number;
}

const STREAM_NOT_FOUND = 10059;
/** Servers that began a moment ago elect their leaders first. */
const READY_WITHIN_MS = 45_000;

/** Undefined for a stream that is not there. */
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

/** What the cluster's bucket says; undefined when that is lost as well. */
export async function partitionsOf(connection: NatsConnection): Promise<number | undefined> {
  const manager = await whenReady(() => jetstreamManager(connection), READY_WITHIN_MS);
  if ((await infoOf(manager, `KV_${BUCKETS.cluster}`)) === undefined) return undefined;
  const entry = await (await new Kvm(connection).open(BUCKETS.cluster)).get(PARTITIONS_KEY);
  const count = Number(entry?.string());
  return count > 0 ? count : undefined;
}

export interface ReplaceOptions {
  readonly partitions: number;
  readonly replicas: number;
  readonly logBytesMax: number;
  /** The number that the first entry of each new log will have. */
  readonly firstSeqs: ReadonlyMap<Partition, LogSeq>;
}

/** Also makes whatever else is missing of streams and buckets. */
export async function replaceLogs(
  connection: NatsConnection,
  { firstSeqs, ...options }: ReplaceOptions,
): Promise<void> {
  const manager = await whenReady(() => jetstreamManager(connection), READY_WITHIN_MS);
  for (const p of firstSeqs.keys()) {
    const name = subjects.stream(p);
    if ((await infoOf(manager, name)) !== undefined) await manager.streams.delete(name);
  }
  await provision(connection, { ...options, firstSeqOf: (p) => firstSeqs.get(p) ?? 1 });
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
