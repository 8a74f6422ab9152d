// Replicas: what each server of a NATS cluster holds of every log, compared entry by entry.
//
// A direct read is answered by the replica of the server that the connection stands on, when that
// server has no other one in reach. So the caller cuts the servers from each other first.

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
  /** Over the number, subject and bytes of every entry, in their order. */
  readonly digest: string;
}

/** The logs of one server, by partition; `lasts` says up to which entry each has to be there. */
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
          replica = await dump(connection, subjects.stream(p)).catch(() => undefined); // Asked again.
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

/** Behind the last entry there is none: the end, and no failure. */
function isMissing(error: unknown): false {
  if (error instanceof Error && "code" in error && error.code === NOT_FOUND) return false;
  throw error;
}
