// NatsLeases: leases in a key-value bucket of JetStream, whose entries expire. For persistence,
// which takes leases for other processes (lease-server.ts).
//
//   leases-nats.1. A create with the expected revision 0 decides: the stream's leader accepts one.

import { Kvm } from "@nats-io/kv";
import type { KV } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Leases } from "../ports/leases.ts";
import type { LeaseOutcome, LeaseRequest } from "../protocol/leases.ts";
import { BUCKETS } from "./nats-provision.ts";

export class NatsLeases implements Leases {
  readonly #connection: NatsConnection;
  #bucket: KV | undefined;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  async take({ name, by }: LeaseRequest): Promise<LeaseOutcome> {
    try {
      this.#bucket ??= await new Kvm(this.#connection).open(BUCKETS.leases);
      return await this.#take(this.#bucket, name, by);
    } catch {
      return { kind: "unknown" }; // ports/leases.3
    }
  }

  async #take(bucket: KV, name: string, by: string): Promise<LeaseOutcome> {
    try {
      await bucket.put(name, by, { previousSeq: 0 }); // leases-nats.1
      return { kind: "held" };
    } catch (error: unknown) {
      // The create failed, or its answer was lost. The entry names the holder.
      const holder = (await bucket.get(name))?.string();
      if (holder === undefined) throw error;
      return { kind: holder === by ? "held" : "taken" };
    }
  }
}
