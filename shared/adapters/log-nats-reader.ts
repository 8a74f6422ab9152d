// NatsReader: reads one partition's entries in order from JetStream, across reconnects and lost
// consumers.
//
// It reads existing entries by direct reads, which any replica answers, and later entries through
// an ephemeral pull consumer in the server's memory. A consumer can be created only while JetStream
// as a whole has a leader. That leader may be absent longer than the stream's own leader, and a
// replay must not wait for it. This file uses the wire protocol rather than the library's ordered
// consumer: that consumer cannot bound a pull in messages and bytes at once, and waits up to half a
// minute while JetStream recovers slowly. The scheme:
//   - A direct read returns a batch of entries and the number of entries behind it. When there are
//     none, or no server answers direct reads, the reader creates the consumer. While that fails,
//     direct reads continue.
//   - One pull is open at a time, bounded in entries AND bytes, so the data in flight to this
//     process stays small, however far behind the reader is (a server drops a client that has 64
//     MiB pending). Between two pulls lies one round trip; the size of a pull makes it cheap.
//   - While a pull is open the server sends a heartbeat every 2 s. After silence, a refusal, a
//     sequence out of order or a reconnect, the reader begins again after the last entry that it
//     delivered.
//   - With `gatherMs` a reader at the end asks for one entry, waits that long after it arrived, and
//     then takes all existing entries without waiting for more. A busy log wakes it twice in that
//     time instead of once per entry, and an idle log costs no more than before.
//
//   log-nats-reader.1. Entries are delivered in order, each once, and none after `close`.
//   log-nats-reader.2. A sequence missing between two entries (trimmed meanwhile) ends the reader
//        with `onError`. Only the first entry may be later than requested (ports/log.4).
//   log-nats-reader.3. A handler that throws ends the reader: continuing would leave a gap in its
//        owner's state.

import { createInbox, nuid } from "@nats-io/transport-node";
import type { Msg, Subscription as NatsSubscription } from "@nats-io/transport-node";
import { isObject, parseObject } from "../kit/json.ts";
import type { Timer } from "../ports/clock.ts";
import type { LogReader, ReadHandlers, ReadOptions } from "../ports/log.ts";
import type { LogSeq, Partition } from "../protocol/ids.ts";
import { subjects } from "../protocol/subjects.ts";
import { machineNow, systemClock } from "./clock-system.ts";
import type { Reply, ReplyHost, ReplyInbox } from "./nats-replies.ts";

/** A pull must hold the largest message that a stream accepts (1 MiB), or it would never end. */
const PULL_BYTES = 1_280 * 1_024;
const PULL_ENTRIES = 512;
/**
 * All pulls of a machine end at the same multiples of this time. So the heartbeats of the next ones
 * come together, and when the processes are awake (periodic-work.ts).
 */
const PULL_EXPIRES_MS = 30_000;
/** NATS refuses a pull that has no time for two heartbeats. */
const PULL_EXPIRES_MIN_MS = 5_000;
/**
 * A batch of direct reads ends with the entry that fills it. A larger batch would put more data in
 * flight at once.
 */
const DIRECT_BYTES = 1_024 * 1_024;
const DIRECT_ENTRIES = 512;
/** The timeout of a direct read without any answer. */
const DIRECT_SILENCE_MAX_MS = 1_000;
const HEARTBEAT_MS = 2_000;
/** Allows for a late heartbeat. */
const SILENCE_MAX_MS = 5_000;
/** The wait between two attempts to create a consumer. */
const RENEW_WAIT_MS = 200;
const CREATE_TIMEOUT_MS = 1_000;
/** The server removes a consumer without pulls for this long (this process crashed). */
const CONSUMER_IDLE_MS = 30_000;
/**
 * A stream may look absent while a server recovers; after this time the reader treats it as
 * removed.
 */
const STREAM_ABSENT_MAX_MS = 10_000;
const STREAM_NOT_FOUND = 10059;

export interface ReaderOptions {
  readonly bus: ReplyHost;
  readonly replies: ReplyInbox;
  readonly p: Partition;
  readonly from: LogSeq;
  readonly handlers: ReadHandlers;
  readonly gatherMs?: ReadOptions["gatherMs"];
}

export function openNatsReader(options: ReaderOptions): LogReader {
  return new NatsReader(options);
}

/** The rest of the open pull. `all`: existing entries; `next`: entries that are still to come. */
interface Pull {
  readonly reply: string;
  readonly wants: "all" | "next";
  entries: number;
  bytes: number;
}

/**
 * One attempt to read, by direct reads or through a consumer. The reader ignores messages of an
 * earlier attempt.
 */
interface Attempt {
  readonly name: string;
  readonly inbox: string;
  readonly subscription: NatsSubscription;
  /** The last entry of the direct batch, 0 before the first; undefined once there is a consumer. */
  direct: LogSeq | undefined;
  delivered: number;
  pulls: number;
  pull: Pull | undefined;
}

class NatsReader implements LogReader {
  readonly #options: ReaderOptions;
  readonly #stream: string;
  readonly #timer: Timer;
  readonly #status: { unsubscribe(): void };
  #next: LogSeq;
  #hasBegun = false;
  #closed = false;
  #attempt: Attempt | undefined;
  #lastMessageAt = performance.now();
  #absentSince: number | undefined;
  /** The one delayed action: creating a new consumer, or the pull that gathers. */
  #retry: NodeJS.Timeout | undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#stream = subjects.stream(options.p);
    this.#next = Math.max(1, options.from);
    this.#timer = systemClock.every(HEARTBEAT_MS, () => this.#watch());
    this.#status = options.bus.onStatus((status) => {
      if (status === "connected") this.#renew();
    });
    this.#renew();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer.cancel();
    clearTimeout(this.#retry);
    this.#status.unsubscribe();
    this.#drop();
  }

  #fail(reason: string): void {
    if (this.#closed) return;
    this.close();
    this.#options.handlers.onError(reason);
  }

  /**
   * Discards the consumer. Deleting it is a courtesy: the server would remove it after
   * CONSUMER_IDLE_MS.
   */
  #drop(): void {
    const attempt = this.#attempt;
    if (attempt === undefined) return;
    this.#attempt = undefined;
    attempt.subscription.unsubscribe();
    if (attempt.direct !== undefined) return;
    this.#request(`CONSUMER.DELETE.${this.#stream}.${attempt.name}`, "", () => {});
  }

  /** The one recovery: a new attempt from the next entry on. */
  #renew(): void {
    clearTimeout(this.#retry);
    this.#drop();
    if (this.#closed || this.#options.bus.status === "disconnected") return;
    const attempt = this.#beginAttempt();
    this.#attempt = attempt;
    this.#lastMessageAt = performance.now();
    this.#readDirectly(attempt);
  }

  #readDirectly(attempt: Attempt): void {
    attempt.direct = 0;
    const request = { seq: this.#next, batch: DIRECT_ENTRIES, max_bytes: DIRECT_BYTES };
    const subject = `$JS.API.DIRECT.GET.${this.#stream}`;
    const reply = `${attempt.inbox}.direct`;
    this.#options.bus.connection.publish(subject, JSON.stringify(request), { reply });
  }

  #onDirect(attempt: Attempt, message: Msg): void {
    const seq = Number(message.headers?.get("Nats-Sequence"));
    const left = Number(message.headers?.get("Nats-Num-Pending"));
    if (seq > 0) {
      // The message names its predecessor in the batch, so a message lost on the network is not
      // mistaken for a trimmed entry.
      if (Number(message.headers?.get("Nats-Last-Sequence")) !== attempt.direct)
        return this.#renew();
      attempt.direct = seq;
      this.#onEntry(seq, message.data);
    } else if (attempt.direct !== 0 && left > 0) this.#readDirectly(attempt);
    else this.#follow(attempt);
  }

  #follow(attempt: Attempt): void {
    attempt.direct = undefined;
    const config = {
      name: attempt.name,
      deliver_policy: "by_start_sequence",
      opt_start_seq: this.#next,
      ack_policy: "none",
      replay_policy: "instant",
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: CONSUMER_IDLE_MS * 1_000_000,
    };
    this.#request(
      `CONSUMER.CREATE.${this.#stream}.${attempt.name}`,
      JSON.stringify({ stream_name: this.#stream, config, action: "create" }),
      (reply) => this.#onCreated(attempt, reply),
    );
  }

  #beginAttempt(): Attempt {
    const inbox = createInbox(this.#options.bus.inboxPrefix);
    const attempt: Attempt = {
      name: `reader-${nuid.next()}`,
      inbox,
      subscription: this.#options.bus.connection.subscribe(`${inbox}.*`, {
        callback: this.#options.bus.guard((message) => this.#onMessage(attempt, message)),
      }),
      direct: 0,
      delivered: 0,
      pulls: 0,
      pull: undefined,
    };
    return attempt;
  }

  #onCreated(attempt: Attempt, reply: Reply): void {
    if (attempt !== this.#attempt) return;
    const answer = reply.kind === "message" ? parseObject(reply.message.string()) : undefined;
    const error = answer?.["error"];
    if (answer !== undefined && error === undefined) {
      this.#absentSince = undefined;
      this.#pull(attempt, (this.#options.gatherMs ?? 0) > 0 ? "all" : "next");
      return;
    }
    if (isObject(error) && error["err_code"] === STREAM_NOT_FOUND) {
      const now = performance.now();
      this.#absentSince ??= now;
      if (now - this.#absentSince > STREAM_ABSENT_MAX_MS) {
        this.#fail(`there is no stream ${this.#stream}`);
        return;
      }
    }
    this.#renewLater();
  }

  /**
   * Unbounded in number, bounded in rate: an absent log returns, or the owner closes the reader.
   */
  #renewLater(): void {
    this.#drop();
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#renew(), RENEW_WAIT_MS);
  }

  #pull(attempt: Attempt, wants: Pull["wants"] = "next"): void {
    const gathers = (this.#options.gatherMs ?? 0) > 0;
    const entries = gathers && wants === "next" ? 1 : PULL_ENTRIES;
    const reply = `${attempt.inbox}.${attempt.pulls++}`;
    attempt.pull = { reply, wants, entries, bytes: PULL_BYTES };
    const waits = {
      expires: Math.ceil(pullExpiresMs() * 1_000_000),
      idle_heartbeat: HEARTBEAT_MS * 1_000_000,
    };
    const request = { batch: entries, max_bytes: PULL_BYTES };
    this.#options.bus.connection.publish(
      `$JS.API.CONSUMER.MSG.NEXT.${this.#stream}.${attempt.name}`,
      JSON.stringify(wants === "all" ? { ...request, no_wait: true } : { ...request, ...waits }),
      { reply },
    );
  }

  /** The pull reached one of its bounds, so there may be more. */
  #pullMore(attempt: Attempt, wants: Pull["wants"]): void {
    const { gatherMs = 0 } = this.#options;
    if (gatherMs === 0) return this.#pull(attempt);
    if (wants === "all") return this.#pull(attempt, "all");
    // The server sends "completed" for it; that must not start another pull.
    attempt.pull = undefined;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      if (attempt === this.#attempt) this.#pull(attempt, "all");
    }, gatherMs);
  }

  #onMessage(attempt: Attempt, message: Msg): void {
    if (attempt !== this.#attempt) return;
    this.#lastMessageAt = performance.now();
    if (attempt.direct !== undefined) return this.#onDirect(attempt, message);
    const place = parsePlace(message.reply);
    if (place === undefined) this.#onStatus(attempt, message);
    else if (place.delivered !== attempt.delivered + 1) this.#renew();
    else {
      attempt.delivered = place.delivered;
      this.#onEntry(place.seq, message.data);
      if (attempt === this.#attempt) this.#count(attempt, message);
    }
  }

  #onEntry(seq: LogSeq, data: Uint8Array): void {
    if (seq < this.#next) return; // A lagging replica started earlier than requested.
    if (seq > this.#next && this.#hasBegun) {
      // log-nats-reader.2
      this.#fail(`entries ${this.#next} to ${seq - 1} were trimmed before they were read`);
      return;
    }
    this.#hasBegun = true;
    this.#next = seq + 1;
    try {
      this.#options.handlers.onEntry(seq, data);
    } catch (error: unknown) {
      this.#fail(`the entry handler threw at ${seq}: ${String(error)}`); // log-nats-reader.3
    }
  }

  /** Repeats the server's accounting of the pull: it ends when either bound is used up. */
  #count(attempt: Attempt, message: Msg): void {
    const pull = attempt.pull;
    if (pull === undefined) return;
    pull.entries--;
    pull.bytes -= sizeOf(message);
    if (pull.entries <= 0 || pull.bytes <= 0) this.#pullMore(attempt, pull.wants);
  }

  #onStatus(attempt: Attempt, message: Msg): void {
    const code = message.headers?.code ?? 0;
    if (code === 100) return; // A heartbeat carries no other information.
    if (message.subject !== attempt.pull?.reply) return; // It belongs to an earlier pull.
    // 404, 408 and the 409s that count the rest are orderly ends of this pull.
    const ended = message.headers?.has("Nats-Pending-Messages") ?? false;
    if (ended || code === 404 || code === 408) this.#pull(attempt);
    else this.#renewLater();
  }

  #watch(): void {
    if (this.#options.bus.status === "disconnected" || this.#attempt === undefined) return;
    const maxMs = this.#attempt.direct === undefined ? SILENCE_MAX_MS : DIRECT_SILENCE_MAX_MS;
    if (performance.now() - this.#lastMessageAt > maxMs) this.#renew();
  }

  #request(subject: string, payload: string, onReply: (reply: Reply) => void): void {
    const reply = this.#options.replies.expect(CREATE_TIMEOUT_MS, onReply);
    if (reply === undefined) return;
    this.#options.bus.connection.publish(`$JS.API.${subject}`, payload, { reply });
  }
}

function pullExpiresMs(): number {
  const leftMs = PULL_EXPIRES_MS - (machineNow() % PULL_EXPIRES_MS);
  return leftMs < PULL_EXPIRES_MIN_MS ? leftMs + PULL_EXPIRES_MS : leftMs;
}

/**
 * Reads `$JS.ACK.<stream>.<consumer>.<tries>.<stream seq>.<consumer seq>.<time>.<pending>`, or the
 * longer form with a domain and an account before the stream. Undefined for anything else.
 */
function parsePlace(
  reply: string | undefined,
): { readonly seq: LogSeq; readonly delivered: number } | undefined {
  if (reply === undefined || !reply.startsWith("$JS.ACK.")) return undefined;
  const tokens = reply.split(".");
  const at = tokens.length === 9 ? 5 : 7;
  return { seq: Number(tokens[at]), delivered: Number(tokens[at + 1]) };
}

/**
 * The bytes that the server charges to a pull: subject, reply, headers and payload. The library's
 * message has the sum, but its type does not declare it. Without it this reader would count too
 * little, and would detect only by silence that a pull ended with exactly 0 bytes left.
 */
function sizeOf(message: Msg & { readonly size?: () => number }): number {
  return message.size?.() ?? message.data.length;
}
