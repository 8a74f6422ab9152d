// NATS mirrors: the partition logs and the settings of one region as mirrors of another region, by
// JetStream domains. The region agent uses it with the administrator's rights.
//
// JetStream guarantees: a mirror has the messages of its source under the same sequences, in order,
// and accepts no other message. Since nats-server 2.15 an update may take the mirror configuration
// away; the stream then continues behind its last message.
//
//   nats-mirror.1. A mirror has the name, the bounds and the replicas of a log, so a promoted
//        mirror is a log like any other. It has no subject, because its source has it.
//   nats-mirror.2. `makeMirrors` removes what is there. Its caller has made sure that no entry is
//        needed.
//   nats-mirror.3. A mirror whose source was trimmed further than the mirror had come goes on
//        behind the removed entries. Nothing else removes single entries of a log (`deny_delete`).

import { JetStreamApiError, jetstreamManager } from "@nats-io/jetstream";
import type { JetStreamManager, StreamConfig, StreamInfo } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { LogSeq, Partition } from "../protocol/ids.ts";
import { subjects } from "../protocol/subjects.ts";
import { BUCKETS, logConfig, provisionBuckets } from "./nats-provision.ts";
import type { ProvisionOptions } from "./nats-provision.ts";
import { whenReady } from "./nats-ready.ts";

export interface FoundStream {
  /** The first entry; last + 1 in an empty log. */
  readonly first: LogSeq;
  readonly last: LogSeq;
  readonly entries: number;
  readonly isMirror: boolean;
  /** Entries that the mirror lacks, by its own server; 0 for other streams. */
  readonly lag: number;
  /** Entries are missing between the first and the last one (nats-mirror.3). */
  readonly hasHole: boolean;
}

export interface MirrorOptions extends Pick<
  ProvisionOptions,
  "partitions" | "replicas" | "logBytesMax"
> {
  /** The domain of the region that serves. */
  readonly source: string;
  /** The logs to mirror; default: all. */
  readonly logs?: readonly Partition[] | undefined;
  /** Whether the settings are mirrored, too; default: yes. */
  readonly withSettings?: boolean | undefined;
}

const STREAM_NOT_FOUND = 10059;
const READY_WITHIN_MS = 45_000;
const CONFIG_STREAM = `KV_${BUCKETS.config}`;

/**
 * These logs of this region, or of another domain, in their order. Undefined for a stream that does
 * not exist.
 */
export async function findRegionLogs(
  connection: NatsConnection,
  partitions: readonly Partition[],
  domain?: string,
): Promise<(FoundStream | undefined)[]> {
  const manager = await managerOf(connection, domain);
  return Promise.all(
    partitions.map(async (p) => {
      const info = await infoOf(manager, subjects.stream(p));
      return info && toFound(info);
    }),
  );
}

/** nats-mirror.2. */
export async function makeMirrors(
  connection: NatsConnection,
  options: MirrorOptions,
): Promise<void> {
  const { partitions, source, logs = below(partitions), withSettings = true } = options;
  const manager = await managerOf(connection);
  const origin = await managerOf(connection, source);
  // Before anything is removed: a source that does not answer changes nothing. The connection of
  // the regions may have been lost since `managerOf`.
  const { config } = await whenReady(() => origin.streams.info(CONFIG_STREAM), READY_WITHIN_MS);
  await provisionBuckets(connection, options);
  for (const p of logs) await makeMirror(manager, logConfig(p, options), source);
  if (!withSettings) return;
  const replicas = { num_replicas: options.replicas };
  await makeMirror(manager, { ...config, ...replicas }, source);
}

/** Makes every mirror of these logs a stream that accepts entries. Idempotent. */
export async function promoteMirrors(
  connection: NatsConnection,
  partitions: readonly Partition[],
  { withSettings = true } = {},
): Promise<void> {
  const manager = await managerOf(connection);
  for (const p of partitions) {
    await promoteMirror(manager, subjects.stream(p), subjects.log(p));
  }
  if (!withSettings) return;
  await promoteMirror(manager, CONFIG_STREAM, `$KV.${BUCKETS.config}.>`);
}

/** Removes entries of a mirror up to and including `upTo`, and never the last one. */
export async function trimMirror(
  connection: NatsConnection,
  p: Partition,
  upTo: LogSeq,
): Promise<void> {
  const manager = await managerOf(connection);
  const info = await infoOf(manager, subjects.stream(p));
  if (info?.config.mirror === undefined) return;
  const { first_seq: first, last_seq: last } = info.state;
  const end = Math.min(upTo, last - 1);
  if (end >= 2 && end >= first) await manager.streams.purge(subjects.stream(p), { seq: end + 1 });
}

/** All partitions of a cluster. */
export function below(partitions: number): Partition[] {
  return Array.from({ length: partitions }, (_, p) => p);
}

async function makeMirror(
  manager: JetStreamManager,
  config: Partial<StreamConfig> & { readonly name: string },
  source: string,
): Promise<void> {
  const { name } = config;
  if ((await infoOf(manager, name)) !== undefined) await manager.streams.delete(name);
  const { subjects: _subjects, ...rest } = config;
  const mirror = { name, external: { api: `$JS.${source}.API`, deliver: "" } };
  await whenReady(() => manager.streams.add({ ...rest, mirror }), READY_WITHIN_MS);
}

async function promoteMirror(
  manager: JetStreamManager,
  name: string,
  subject: string,
): Promise<void> {
  const config = (await whenReady(() => manager.streams.info(name), READY_WITHIN_MS)).config;
  if (config.mirror === undefined) return;
  const { mirror: _mirror, ...rest } = config;
  await whenReady(
    () =>
      manager.streams.update(name, { ...rest, mirror: undefined, subjects: [subject] } as object),
    READY_WITHIN_MS,
  );
}

function managerOf(connection: NatsConnection, domain?: string): Promise<JetStreamManager> {
  const options = domain === undefined ? {} : { domain };
  return whenReady(() => jetstreamManager(connection, options), READY_WITHIN_MS);
}

async function infoOf(manager: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(name);
  } catch (error: unknown) {
    if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) return undefined;
    throw error;
  }
}

function toFound({ state, config, mirror }: StreamInfo): FoundStream {
  const { first_seq: first, last_seq: last, messages: entries } = state;
  return {
    first: entries === 0 ? last + 1 : first,
    last,
    entries,
    isMirror: config.mirror !== undefined,
    lag: mirror?.lag ?? 0,
    hasHole: entries > 0 && entries < last - first + 1,
  };
}
