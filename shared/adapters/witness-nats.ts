// NatsWitness: the witness as one bucket on a NATS server outside both regions.
//
// JetStream guarantees: a put with an expected revision is stored only if it is the newest of its
// key (ports/witness.1). Three servers as a cluster keep it through the loss of one.
// The library does not guarantee an answer. Each call here ends after TIMEOUT_MS as `unknown`.
//
//   witness-nats.1. The adapter connects by itself and again after a failure, so an agent starts
//        and runs while the witness is away.
//   witness-nats.2. The key `term` holds one term, or with homes the division of the partitions. It
//        is created once. A witness whose key is another one answers `unknown` permanently, so
//        agents that disagree about homes never hold a term together.

import { jetstream, JetStreamApiError } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { KV, KvEntry } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Witness, WitnessRead, WitnessWrite } from "../ports/witness.ts";
import { encodeHomes, isHomes } from "../protocol/homes.ts";
import type { Homes } from "../protocol/homes.ts";
import { decodeHistory, decodeTerm, encodeHistory, encodeTerm } from "../protocol/regions.ts";
import type { TermHistory, TermRecord } from "../protocol/regions.ts";
import { connectNats } from "./nats-connect.ts";
import type { NatsAccess } from "./nats-connect.ts";

export const WITNESS_BUCKET = "regions";
const TERM_KEY = "term";
/** Far below the shortest lease, so that a lost answer costs one renewal and not the term. */
const TIMEOUT_MS = 1_000;
/** A first request also connects and opens the bucket. */
const OPEN_TIMEOUT_MS = 3_000;
const HISTORY = 16;
const WRONG_LAST_SEQUENCE = 10071;

export interface NatsWitnessOptions extends NatsAccess {
  readonly name: string;
  /** The home whose term this is; left out: the one term of both regions. */
  readonly home?: { readonly name: string; readonly of: Homes } | undefined;
}

export class NatsWitness implements Witness {
  readonly #options: NatsWitnessOptions;
  readonly #key: string;
  /** Before the number of a term in the key of its history. */
  readonly #histories: string;
  #connection: NatsConnection | undefined;
  #opening: Promise<KV> | undefined;
  #bucket: KV | undefined;

  constructor(options: NatsWitnessOptions) {
    this.#options = options;
    const { home } = options;
    this.#key = home === undefined ? TERM_KEY : `${TERM_KEY}.${home.name}`;
    this.#histories = home === undefined ? "history" : `history.${home.name}`;
  }

  async read(): Promise<WitnessRead> {
    const found = await this.#call((bucket) => bucket.get(this.#key));
    if ("reason" in found) return { kind: "unknown", reason: found.reason };
    const { value: entry } = found;
    if (entry === null) return { kind: "ok", revision: 0, record: undefined };
    const record = recordOf(entry);
    // A record of another version is no reason to begin a term.
    if (record === undefined) return { kind: "unknown", reason: "the record cannot be decoded" };
    return { kind: "ok", revision: entry.revision, record };
  }

  async write(record: TermRecord, revision: number): Promise<WitnessWrite> {
    const text = encodeTerm(record);
    const done = await this.#call((bucket) =>
      revision === 0 ? bucket.create(this.#key, text) : bucket.update(this.#key, text, revision),
    );
    if ("value" in done) return { kind: "ok", revision: done.value };
    return done.isConflict ? { kind: "conflict" } : { kind: "unknown", reason: done.reason };
  }

  async history(term: number): Promise<TermHistory | undefined> {
    const found = await this.#call((bucket) => bucket.get(`${this.#histories}.${term}`));
    if ("reason" in found || found.value === null) return undefined;
    return decodeHistory(found.value.string());
  }

  async record(history: TermHistory): Promise<boolean> {
    const key = `${this.#histories}.${history.term}`;
    const done = await this.#call((bucket) => bucket.create(key, encodeHistory(history)));
    return "value" in done || done.isConflict; // Another write of this term was first.
  }

  async close(): Promise<void> {
    await this.#connection?.close();
  }

  async #call<T>(
    action: (bucket: KV) => Promise<T>,
  ): Promise<{ readonly value: T } | { readonly reason: string; readonly isConflict: boolean }> {
    try {
      const limit = this.#bucket === undefined ? OPEN_TIMEOUT_MS : TIMEOUT_MS;
      const value = await withTimeout(
        this.#open().then((bucket) => action(bucket)),
        limit,
      );
      return { value };
    } catch (error: unknown) {
      const reason = error instanceof Error ? error.message : String(error);
      return { reason, isConflict: isConflict(error) };
    }
  }

  /** witness-nats.1. */
  #open(): Promise<KV> {
    this.#opening ??= this.#openNow().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #openNow(): Promise<KV> {
    const { name, url } = this.#options;
    this.#connection ??= await connectNats({
      ...this.#options,
      name,
      inboxPrefix: "_INBOX_witness",
    });
    const replicas = url.split(",").length >= 3 ? 3 : 1;
    const manager = new Kvm(jetstream(this.#connection, { timeout: TIMEOUT_MS }));
    const bucket = await manager.create(WITNESS_BUCKET, { history: HISTORY, replicas });
    const { home } = this.#options;
    if (home !== undefined) await agree(bucket, home.of);
    this.#bucket = bucket;
    return bucket;
  }
}

/** witness-nats.2. Rejects when the witness has other homes, or one term. */
async function agree(bucket: KV, homes: Homes): Promise<void> {
  try {
    await bucket.create(TERM_KEY, encodeHomes(homes));
    return;
  } catch (error: unknown) {
    if (!isConflict(error)) throw error;
  }
  const found = await bucket.get(TERM_KEY);
  if (found?.operation === "PUT" && isHomes(found.string(), homes)) return;
  throw new Error("the witness was begun with other homes, or without homes");
}

function isConflict(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === WRONG_LAST_SEQUENCE;
}

function recordOf(entry: KvEntry): TermRecord | undefined {
  return entry.operation === "PUT" ? decodeTerm(entry.string()) : undefined;
}

function withTimeout<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the witness does not answer")), ms);
    void promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
