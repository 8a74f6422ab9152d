// Config bucket: access to the bucket `config` for the writers of settings: the `parley` command,
// drills and tests, with the administrator's rights. Services read it as the table `settings`
// (table-nats.ts, table-over-bus.ts).

import { Kvm } from "@nats-io/kv";
import type { KV } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { BUCKETS } from "./nats-provision.ts";

/** Rejects when NATS or the bucket does not exist. */
export function openConfigBucket(connection: NatsConnection): Promise<KV> {
  return new Kvm(connection).open(BUCKETS.config);
}
