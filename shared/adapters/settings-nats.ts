// The bucket `config` for those who write settings: the `parley` command, drills and tests, as the
// administrator. Services read it as the table `settings` (table-nats.ts, table-over-bus.ts).

import { Kvm } from "@nats-io/kv";
import type { KV } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { BUCKETS } from "./nats-provision.ts";

/** Rejects when NATS or the bucket is not there. */
export function openConfigBucket(connection: NatsConnection): Promise<KV> {
  return new Kvm(connection).open(BUCKETS.config);
}
