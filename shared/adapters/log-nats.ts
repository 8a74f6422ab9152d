// NatsLog: PartitionLog on JetStream. Stream LOG_<p> holds the entries of partition p, one message
// each.
//
// JetStream guarantees: a publish with Nats-Expected-Last-Sequence is stored only as the next
// message after that one (ports/log.1, the fence); with `sync_interval: always` it is on disk
// before the ack; with discard "new" a full stream refuses instead of dropping old messages
// (ports/log.5).
// JetStream does not report the outcome of a publish whose ack was lost. That outcome is `unknown`
// (ports/log.3), like that of every append in flight when the connection was lost.
//
// Appends are plain publishes with a reply on this process's inbox. The library's js.publish costs
// several times the CPU for the same bytes.

import { headers } from "@nats-io/transport-node";
import type { NatsConnection } from "@nats-io/transport-node";
import { isObject, parseObject } from "../kit/json.ts";
import type { JsonObject } from "../kit/json.ts";
import { isEntryTooLarge } from "../ports/log.ts";
import type {
  AppendOutcome,
  GetOutcome,
  LastOutcome,
  LogReader,
  PartitionLog,
  ReadHandlers,
  ReadOptions,
} from "../ports/log.ts";
import type { LogSeq, Partition } from "../protocol/ids.ts";
import { subjects } from "../protocol/subjects.ts";
import { openNatsReader } from "./log-nats-reader.ts";
import { ReplyInbox } from "./nats-replies.ts";
import type { Reply, ReplyHost } from "./nats-replies.ts";

export interface NatsLogOptions {
  /** The timeout of an append, in ms; then its outcome is `unknown`. */
  readonly appendTimeoutMs?: number;
}

const APPEND_TIMEOUT_MS = 5_000;
/**
 * The timeout of a request to JetStream's API, which answers within milliseconds or has no leader.
 */
const API_TIMEOUT_MS = 2_000;
/** Until the next attempt; this is the most that it adds to the time of an election. */
const API_AGAIN_MS = 250;

/** Error codes of nats-server (jetstream_errors_generated.go). */
const WRONG_LAST_SEQUENCE = 10071;
/** The same without a sequence, from a leader that still applies earlier entries. */
const WRONG_LAST_SEQUENCE_UNNAMED = 10164;
/**
 * Not stored, with certainty, and not because of the expected sequence: account limits (10002),
 * server limits (10023, 10028, 10047), message too large (10054), store full (10077).
 */
const REFUSED_FOR_SPACE: ReadonlySet<unknown> = new Set([10002, 10023, 10028, 10047, 10054, 10077]);
const NO_MESSAGE_FOUND = 10037;

export function openNatsLog(bus: ReplyHost, options: NatsLogOptions = {}): PartitionLog {
  return new NatsLog(bus, options.appendTimeoutMs ?? APPEND_TIMEOUT_MS);
}

/**
 * `log`, but `trim` goes through `trimmer`: another NATS user has the right to remove entries.
 * `mayTrim`: where it is false, nothing is removed.
 */
export function withTrimmer(
  log: PartitionLog,
  trimmer: Pick<PartitionLog, "trim">,
  mayTrim: (p: Partition) => boolean = () => true,
): PartitionLog {
  return {
    append: (p, data, expected) => log.append(p, data, expected),
    last: (p) => log.last(p),
    read: (p, from, handlers, options) => log.read(p, from, handlers, options),
    get: (p, seq) => log.get(p, seq),
    trim: (p, upTo) =>
      mayTrim(p) ? trimmer.trim(p, upTo) : Promise.resolve({ kind: "refused" } as const),
  };
}

class NatsLog implements PartitionLog {
  readonly #bus: ReplyHost;
  readonly #connection: NatsConnection;
  readonly #replies: ReplyInbox;
  readonly #appendTimeoutMs: number;

  constructor(bus: ReplyHost, appendTimeoutMs: number) {
    this.#bus = bus;
    this.#connection = bus.connection;
    this.#replies = new ReplyInbox(bus);
    this.#appendTimeoutMs = appendTimeoutMs;
  }

  append(p: Partition, data: string | Uint8Array, expected: LogSeq): Promise<AppendOutcome> {
    if (isEntryTooLarge(data)) return Promise.resolve({ kind: "full" }); // ports/log.7
    return new Promise((resolve) => {
      const reply = this.#replies.expect(this.#appendTimeoutMs, (answer) => {
        resolve(toAppendOutcome(answer));
      });
      if (reply === undefined) return;
      const fence = headers();
      fence.set("Nats-Expected-Last-Sequence", String(expected));
      try {
        this.#connection.publish(subjects.log(p), data, { headers: fence, reply });
      } catch {
        // Only a closed connection throws, and then nothing was sent. The request left in the inbox
        // times out into a settled promise.
        resolve({ kind: "full" });
      }
    });
  }

  async last(p: Partition): Promise<LastOutcome> {
    const answer = await this.#requestJson(`STREAM.INFO.${subjects.stream(p)}`, "");
    if (answer.kind !== "ok") return answer;
    const { state, config, cluster } = answer.value;
    if (!isObject(state)) return { kind: "unknown", reason: describe(answer.value) };
    const { first_seq: first, last_seq: last, bytes } = state;
    const firstAt = Date.parse(String(state["first_ts"]));
    const bytesMax = isObject(config) ? Number(config["max_bytes"]) : 0;
    // An empty stream reports 0 as its first; the first entry that can arrive is then last + 1.
    return {
      kind: "ok",
      first: Number(first) || Number(last) + 1,
      last: Number(last),
      bytes: Number(bytes),
      ...(firstAt > 0 && { firstAt }), // The year 1 in an empty stream.
      ...(bytesMax > 0 && { bytesMax }),
      // Without a quorum a replica still answers with its state, but without the leader's name.
      ...(isObject(cluster) && { hasLeader: Boolean(cluster["leader"]) }),
    };
  }

  read(p: Partition, from: LogSeq, handlers: ReadHandlers, options: ReadOptions = {}): LogReader {
    const ports = { bus: this.#bus, replies: this.#replies };
    return openNatsReader({ ...ports, p, from, handlers, ...options });
  }

  async get(p: Partition, seq: LogSeq): Promise<GetOutcome> {
    const direct = await this.#request(`DIRECT.GET.${subjects.stream(p)}`, `{"seq":${seq}}`);
    if (direct.kind === "message" && (direct.message.headers?.code ?? 0) === 0) {
      return { kind: "ok", data: direct.message.data };
    }
    // Any replica may have answered, also a lagging one. Only the leader can confirm that an entry
    // is gone.
    const answer = await this.#requestJson(
      `STREAM.MSG.GET.${subjects.stream(p)}`,
      `{"seq":${seq}}`,
    );
    if (answer.kind !== "ok") return answer;
    const { message, error } = answer.value;
    if (isObject(message) && typeof message["data"] === "string") {
      return { kind: "ok", data: Buffer.from(message["data"], "base64") };
    }
    if (isObject(error) && error["err_code"] === NO_MESSAGE_FOUND) return { kind: "gone" };
    return { kind: "unknown", reason: describe(answer.value) };
  }

  async trim(p: Partition, upTo: LogSeq): Promise<{ readonly kind: "ok" | "refused" | "unknown" }> {
    // Old servers empty the stream on `seq: 1`, and on a `seq` that is missing or not a number.
    if (!Number.isSafeInteger(upTo) || upTo < 2) return { kind: "refused" };
    const state = await this.last(p);
    if (state.kind !== "ok") return { kind: "unknown" };
    // ports/log.6. `last` only grows, so there is no race.
    if (upTo >= state.last) return { kind: "refused" };
    if (upTo < state.first) return { kind: "ok" };
    const answer = await this.#requestJson(
      `STREAM.PURGE.${subjects.stream(p)}`,
      JSON.stringify({ seq: upTo + 1 }),
    );
    return { kind: answer.kind === "ok" && answer.value["success"] === true ? "ok" : "unknown" };
  }

  /** One request to JetStream's API; its answer is a JSON object. */
  async #requestJson(
    subject: string,
    payload: string,
  ): Promise<
    | { readonly kind: "ok"; readonly value: JsonObject }
    | { readonly kind: "unknown"; readonly reason: string }
  > {
    const reply = await this.#request(subject, payload);
    if (reply.kind === "lost") return { kind: "unknown", reason: reply.reason };
    if (reply.kind === "no-responders")
      return { kind: "unknown", reason: "JetStream is not ready" };
    const value = parseObject(reply.message.string());
    if (value === undefined) return { kind: "unknown", reason: "JetStream's answer is not JSON" };
    return { kind: "ok", value };
  }

  /**
   * Repeats the request until it is answered. A stream without a leader does not answer, and a
   * request sent during an election would wait for its whole timeout. All requests here are
   * idempotent; the first answer counts.
   */
  #request(subject: string, payload: string): Promise<Reply> {
    return new Promise((resolve) => {
      let again: NodeJS.Timeout | undefined;
      const reply = this.#replies.expect(API_TIMEOUT_MS, (answer) => {
        clearInterval(again);
        resolve(answer);
      });
      if (reply === undefined) return;
      const send = (): void => this.#connection.publish(`$JS.API.${subject}`, payload, { reply });
      again = setInterval(send, API_AGAIN_MS);
      send();
    });
  }
}

function toAppendOutcome(reply: Reply): AppendOutcome {
  if (reply.kind === "lost") return { kind: "unknown", reason: reply.reason };
  // log.<p> has no subscribers: the stream does not exist, or is electing its leader. Nothing is
  // stored now, but interest spreads through a cluster with a delay, so the outcome stays
  // uncertain.
  if (reply.kind === "no-responders") return { kind: "unknown", reason: "the log has no leader" };
  const ack = parseObject(reply.message.string());
  const error = ack?.["error"];
  if (isObject(error)) return toRefusal(error);
  const seq = ack?.["seq"];
  if (typeof seq === "number" && seq > 0) return { kind: "ok", seq };
  return { kind: "unknown", reason: "the ack cannot be decoded" };
}

function toRefusal(error: JsonObject): AppendOutcome {
  const code = error["err_code"];
  if (code === WRONG_LAST_SEQUENCE) {
    // "wrong last sequence: 812". The answer has the sequence only in this text.
    const last = /(\d+)\s*$/.exec(String(error["description"]))?.[1];
    return last === undefined ? { kind: "conflict" } : { kind: "conflict", last: Number(last) };
  }
  if (code === WRONG_LAST_SEQUENCE_UNNAMED) return { kind: "conflict" };
  if (REFUSED_FOR_SPACE.has(code)) return { kind: "full" };
  return { kind: "unknown", reason: `the log refused with ${String(code)}` };
}

function describe(answer: JsonObject): string {
  const error = answer["error"];
  return isObject(error) ? String(error["description"]) : "JetStream's answer cannot be decoded";
}
