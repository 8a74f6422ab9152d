// Replicas: reads each server's own copy of every log, for a comparison entry by entry.
//
// A direct read is answered by the replica of the connected server when that server reaches no
// other one. So the caller must first cut the servers from each other.

import { createHash } from "node:crypto";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { connectNats } from "#shared/adapters/nats-connect.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { until } from "#shared/testing/wait.ts";

const BATCH = 256;
const READ_WITHIN_MS = 30_000;
const REQUEST_TIMEOUT_MS = 5_000;
const NOT_FOUND = 404;

export interface Replica {
  readonly entries: number;
  readonly last: number;
  /** Over the log sequence, subject and bytes of every entry, in order. */
  readonly digest: string;
}

/** Reads the logs of one server, by partition. Waits until each has its entry of `lasts`. */
export async function dumpReplicas(
  url: string,
  lasts: readonly number[],
): Promise<readonly Replica[]> {
  const connection = await connectNats({ url, name: "replica", inboxPrefix: "_INBOX_admin" });
  try {
    const replicas: Replica[] = [];
    for (const [p, last] of lasts.entries()) {
      let replica: Replica | undefined;
      await until(
        async () => {
          // `until` asks again.
          replica = await dump(connection, subjects.stream(p)).catch(() => undefined);
          return replica !== undefined && replica.last >= last;
        },
        { withinMs: READ_WITHIN_MS, what: `${url} to have log ${p} up to ${last}` },
      );
      if (replica !== undefined) replicas.push(replica);
    }
    return replicas;
  } finally {
    await connection.close();
  }
}

async function dump(connection: NatsConnection, stream: string): Promise<Replica> {
  const options = { checkAPI: false, timeout: REQUEST_TIMEOUT_MS };
  const manager = await jetstreamManager(connection, options);
  const digest = createHash("sha256");
  let [entries, last] = [0, 0];
  const take = async (): Promise<boolean> => {
    const before = last;
    const batch = await manager.direct.getBatch(stream, { seq: last + 1, batch: BATCH });
    for await (const { seq, subject, data } of batch) {
      digest.update(`${seq} ${subject} ${data.length}\n`).update(data);
      entries += 1;
      last = seq;
    }
    return last > before;
  };
  while (await take().catch(isMissing));
  return { entries, last, digest: digest.digest("hex") };
}

/** "Not found" after the last entry is the end of the log, not an error. */
function isMissing(error: unknown): false {
  if (error instanceof Error && "code" in error && error.code === NOT_FOUND) return false;
  throw error;
}
