// NatsRevocations: stores revocations in the bucket of the settings, for persistence.
//
//   revocations-nats.1. A row ends by itself when the revocation is over. A row of an older version
//        stays; it does not count when it is over.

import type { Clock } from "../ports/clock.ts";
import type { RevocationStore, RevokeOutcome } from "../ports/revocation-store.ts";
import {
  decodeRevocation,
  encodeRevocation,
  isOver,
  revocationKey,
  REVOCATIONS_MAX,
  TOKEN_LIFE_MAX_MS,
} from "../protocol/revocations.ts";
import type { Revocation } from "../protocol/revocations.ts";
import { NatsCas } from "./nats-cas.ts";
import { readAll } from "./nats-direct-reads.ts";
import { BUCKETS } from "./nats-provision.ts";
import type { ReplyHost } from "./nats-replies.ts";

export class NatsRevocations implements RevocationStore {
  readonly #bus: ReplyHost;
  readonly #clock: Pick<Clock, "now">;
  readonly #rows: NatsCas;

  constructor(bus: ReplyHost, clock: Pick<Clock, "now">) {
    this.#bus = bus;
    this.#clock = clock;
    this.#rows = new NatsCas(bus, BUCKETS.config);
  }

  async revoke(revocation: Revocation): Promise<RevokeOutcome> {
    const key = revocationKey(revocation.user);
    const others = await this.#others(key);
    if (others === undefined) return "unavailable";
    if (others >= REVOCATIONS_MAX) return "full";
    const text = encodeRevocation(revocation);
    const stored = await this.#rows.put({ key, text, ttlMs: TOKEN_LIFE_MAX_MS });
    return stored.kind === "stored" ? "stored" : "unavailable";
  }

  /** How many other users have a revocation in force. */
  async #others(own: string): Promise<number | undefined> {
    const prefix = this.#rows.subject("");
    const stream = `KV_${BUCKETS.config}`;
    const messages = await readAll(this.#bus, stream, `${prefix}revoked.>`);
    if (messages === undefined) return undefined;
    const inForce = new Set<string>();
    for (const message of messages) {
      const key = message.headers?.get("Nats-Subject").slice(prefix.length) ?? "";
      const row = decodeRevocation(key, message.string());
      if (row === undefined || isOver(row, this.#clock.now())) inForce.delete(key);
      else inForce.add(key);
    }
    inForce.delete(own);
    return inForce.size;
  }
}
