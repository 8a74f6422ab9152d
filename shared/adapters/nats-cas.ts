// Compare-and-set on the subjects of a key-value bucket, for a process with few rights to
// JetStream: it publishes to the bucket and reads the newest message of one subject.
//
//   nats-cas.1. A message is stored only when the newest message of its subject has the expected
//        sequence (0: there is none), as of the leader of the stream. All messages of a batch are
//        stored, or none, with consecutive sequences and one synchronisation to disk.
//   nats-cas.2. Without an answer the outcome is uncertain. The caller reads, and decides again.

import { headers } from "@nats-io/transport-node";
import type { MsgHdrs } from "@nats-io/transport-node";
import { randomBytes } from "node:crypto";
import { isCount, isObject, parseObject } from "../kit/json.ts";
import type { Millis } from "../protocol/ids.ts";
import type { ReplyHost } from "./nats-replies.ts";

const TIMEOUT_MS = 3_000;
const NOT_FOUND = 10037;

export interface CasWrite {
  readonly key: string;
  readonly text: string;
  /** The sequence of the newest message of the key; undefined: any. */
  readonly expected?: number | undefined;
  /** Tools then see the key as deleted. */
  readonly isDeleted?: boolean;
  /** The message is removed after this time, in whole seconds. */
  readonly ttlMs?: Millis;
}

export type CasOutcome =
  | { readonly kind: "stored"; readonly seq: number }
  /** Another message came first, or the server refuses it. */
  | { readonly kind: "refused" }
  | { readonly kind: "uncertain" };

export type NewestRead =
  | {
      readonly kind: "ok";
      readonly seq: number;
      readonly text: string;
      readonly isDeleted: boolean;
    }
  | { readonly kind: "none" }
  | { readonly kind: "unavailable" };

export class NatsCas {
  readonly #bus: Pick<ReplyHost, "connection" | "status">;
  readonly #bucket: string;

  constructor(bus: Pick<ReplyHost, "connection" | "status">, bucket: string) {
    this.#bus = bus;
    this.#bucket = bucket;
  }

  subject(key: string): string {
    return `$KV.${this.#bucket}.${key}`;
  }

  async put(write: CasWrite): Promise<CasOutcome> {
    return this.#commit(write, headersOf(write));
  }

  /** nats-cas.1. The sequence is that of the last message. */
  async putAll(writes: readonly CasWrite[]): Promise<CasOutcome> {
    const [last, ...reversed] = writes.toReversed();
    if (last === undefined) return { kind: "refused" };
    if (reversed.length === 0) return this.put(last);
    const id = randomBytes(8).toString("hex");
    let place = 0;
    const next = (write: CasWrite): MsgHdrs => {
      const head = headersOf(write);
      head.set("Nats-Batch-Id", id);
      head.set("Nats-Batch-Sequence", String(++place));
      return head;
    };
    try {
      for (const write of reversed.toReversed()) {
        this.#bus.connection.publish(this.subject(write.key), write.text, { headers: next(write) });
      }
    } catch {
      return { kind: "uncertain" }; // The connection closed. A batch without its end is dropped.
    }
    const head = next(last);
    head.set("Nats-Batch-Commit", "1");
    return this.#commit(last, head);
  }

  /** As of the leader. */
  async newest(key: string): Promise<NewestRead> {
    const request = JSON.stringify({ last_by_subj: this.subject(key) });
    const subject = `$JS.API.STREAM.MSG.GET.KV_${this.#bucket}`;
    const answer = await this.#ask(subject, request, undefined);
    if (answer === undefined) return { kind: "unavailable" };
    const { error, message } = answer;
    if (isObject(error)) {
      return { kind: error["err_code"] === NOT_FOUND ? "none" : "unavailable" };
    }
    if (!isObject(message) || !isCount(message["seq"])) return { kind: "unavailable" };
    const { seq, data, hdrs } = message;
    const isDeleted = fromBase64(hdrs).includes("KV-Operation: DEL");
    return { kind: "ok", seq, text: fromBase64(data), isDeleted };
  }

  async #commit(write: CasWrite, head: MsgHdrs): Promise<CasOutcome> {
    const answer = await this.#ask(this.subject(write.key), write.text, head);
    if (answer === undefined) return { kind: "uncertain" };
    if (isObject(answer["error"])) return { kind: "refused" };
    const { seq } = answer;
    return isCount(seq) ? { kind: "stored", seq } : { kind: "uncertain" };
  }

  async #ask(subject: string, text: string, head: MsgHdrs | undefined) {
    if (this.#bus.status === "disconnected") return undefined;
    try {
      const options = { timeout: TIMEOUT_MS, ...(head && { headers: head }) };
      const answer = await this.#bus.connection.request(subject, text, options);
      return parseObject(answer.string());
    } catch {
      return undefined; // nats-cas.2
    }
  }
}

function headersOf({ expected, isDeleted, ttlMs }: CasWrite): MsgHdrs {
  const head = headers();
  if (expected !== undefined) head.set("Nats-Expected-Last-Subject-Sequence", String(expected));
  if (isDeleted === true) head.set("KV-Operation", "DEL");
  if (ttlMs !== undefined) head.set("Nats-TTL", `${Math.ceil(ttlMs / 1_000)}s`);
  return head;
}

function fromBase64(text: unknown): string {
  return typeof text === "string" ? Buffer.from(text, "base64").toString("utf8") : "";
}
