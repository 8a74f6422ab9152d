// Reader: one partition's entries in order from JetStream, across reconnects and lost consumers.
//
// First what is there, by direct reads that any replica answers; then what comes, by an ephemeral pull
// consumer in the server's memory. A consumer can only be made while JetStream as a whole has a
// leader, which may be away longer than the stream's own: a replay must not wait for it. Both are
// written on the wire here rather than with the library's ordered consumer: that one cannot bound a
// pull in messages and bytes at once, and waits up to half a minute where JetStream is slow to come
// back. The scheme:
//   - A direct read gives a batch of entries and how many there are behind it. When there are none,
//     or nobody reads directly, the consumer is made; while it cannot be, direct reads go on.
//   - One pull is open at a time, bounded in entries AND bytes, so what is in flight to this process
//     stays small however far behind it is (a server drops a client that has 64 MiB pending).
//     Between two pulls lies one round trip, which the size of a pull makes cheap.
//   - While a pull is open the server beats once a second. Any doubt (silence, a refusal, a number
//     out of turn, a reconnect) has one cure: to begin anew after the last entry seen.
//   - With `gatherMs` a reader at the end asks for one entry, waits that long after it came, and then
//     takes all that is there without waiting for more. A busy log wakes it twice in that time, not
//     once an entry, and an idle log costs no more than before.
//
//   log-nats-reader.1. Entries are handed on in order, each once, and none after `close`.
//   log-nats-reader.2. A number missing between two entries (trimmed meanwhile) ends the reader with `onError`;
//        only the first entry may be later than what was asked for (ports/log.4).
//   log-nats-reader.3. A handler that throws ends the reader: to go on would leave a hole in what its owner knows.

import { createInbox, nuid } from "@nats-io/transport-node";
import type { Msg, Subscription as NatsSubscription } from "@nats-io/transport-node";
import { isObject, parseObject } from "../kit/json.ts";
import type { LogReader, ReadHandlers, ReadOptions } from "../ports/log.ts";
import type { LogSeq, Partition } from "../protocol/ids.ts";
import { subjects } from "../protocol/subjects.ts";
import type { Reply, ReplyHost, ReplyInbox } from "./nats-replies.ts";

/** A pull must hold the largest message a stream takes (1 MiB), or it would never end. */
const PULL_BYTES = 1_280 * 1_024;
const PULL_ENTRIES = 512;
const PULL_EXPIRES_MS = 30_000;
/** A batch of direct reads stops behind the entry that fills it; more would be in flight at once. */
const DIRECT_BYTES = 1_024 * 1_024;
const DIRECT_ENTRIES = 512;
/** A direct read that nobody answers at all. */
const DIRECT_SILENCE_MAX_MS = 1_000;
const HEARTBEAT_MS = 1_000;
/** Two heartbeats may be late. */
const SILENCE_MAX_MS = 3_000;
/** Between two tries to make a consumer. */
const RENEW_WAIT_MS = 200;
const CREATE_TIMEOUT_MS = 1_000;
/** The server forgets a consumer that nobody pulls from for this long (we died). */
const CONSUMER_IDLE_MS = 30_000;
/** A stream may look absent while a server recovers; beyond this it is gone. */
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

/** What is left of the open pull. `all`: of what is there; `next`: of what is yet to come. */
interface Pull {
  readonly reply: string;
  readonly asks: "all" | "next";
  entries: number;
  bytes: number;
}

/** One way of reading. Messages of an earlier one are not ours any more. */
interface Source {
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
  readonly #timer: NodeJS.Timeout;
  readonly #status: { unsubscribe(): void };
  #next: LogSeq;
  #hasBegun = false;
  #closed = false;
  #source: Source | undefined;
  #heardAt = performance.now();
  #absentSince: number | undefined;
  /** The one thing that is put off: a new consumer, or the pull that gathers. */
  #retry: NodeJS.Timeout | undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#stream = subjects.stream(options.p);
    this.#next = Math.max(1, options.from);
    this.#timer = setInterval(() => this.#watch(), HEARTBEAT_MS);
    this.#status = options.bus.onStatus((status) => {
      if (status === "connected") this.#renew();
    });
    this.#renew();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#retry);
    this.#status.unsubscribe();
    this.#drop();
  }

  #fail(reason: string): void {
    if (this.#closed) return;
    this.close();
    this.#options.handlers.onError(reason);
  }

  /** Forgets the consumer; the server is told as a courtesy and would find out by itself. */
  #drop(): void {
    const source = this.#source;
    if (source === undefined) return;
    this.#source = undefined;
    source.subscription.unsubscribe();
    if (source.direct !== undefined) return;
    this.#request(`CONSUMER.DELETE.${this.#stream}.${source.name}`, "", () => {});
  }

  /** The one cure: a new source from the next entry on. */
  #renew(): void {
    clearTimeout(this.#retry);
    this.#drop();
    if (this.#closed || this.#options.bus.status === "disconnected") return;
    const source = this.#openSource();
    this.#source = source;
    this.#heardAt = performance.now();
    this.#readDirectly(source);
  }

  #readDirectly(source: Source): void {
    source.direct = 0;
    const request = { seq: this.#next, batch: DIRECT_ENTRIES, max_bytes: DIRECT_BYTES };
    const subject = `$JS.API.DIRECT.GET.${this.#stream}`;
    const reply = `${source.inbox}.direct`;
    this.#options.bus.connection.publish(subject, JSON.stringify(request), { reply });
  }

  #onDirect(source: Source, message: Msg): void {
    const seq = Number(message.headers?.get("Nats-Sequence"));
    const left = Number(message.headers?.get("Nats-Num-Pending"));
    if (seq > 0) {
      // It names the entry before it in its batch, so one that was lost on the way is not mistaken
      // for one that was trimmed.
      if (Number(message.headers?.get("Nats-Last-Sequence")) !== source.direct)
        return this.#renew();
      source.direct = seq;
      this.#onEntry(seq, message.data);
    } else if (source.direct !== 0 && left > 0) this.#readDirectly(source);
    else this.#follow(source);
  }

  #follow(source: Source): void {
    source.direct = undefined;
    const config = {
      name: source.name,
      deliver_policy: "by_start_sequence",
      opt_start_seq: this.#next,
      ack_policy: "none",
      replay_policy: "instant",
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: CONSUMER_IDLE_MS * 1_000_000,
    };
    this.#request(
      `CONSUMER.CREATE.${this.#stream}.${source.name}`,
      JSON.stringify({ stream_name: this.#stream, config, action: "create" }),
      (reply) => this.#onCreated(source, reply),
    );
  }

  #openSource(): Source {
    const inbox = createInbox(this.#options.bus.inboxPrefix);
    const source: Source = {
      name: `reader-${nuid.next()}`,
      inbox,
      subscription: this.#options.bus.connection.subscribe(`${inbox}.*`, {
        callback: this.#options.bus.guard((message) => this.#onMessage(source, message)),
      }),
      direct: 0,
      delivered: 0,
      pulls: 0,
      pull: undefined,
    };
    return source;
  }

  #onCreated(source: Source, reply: Reply): void {
    if (source !== this.#source) return;
    const answer = reply.kind === "message" ? parseObject(reply.message.string()) : undefined;
    const error = answer?.["error"];
    if (answer !== undefined && error === undefined) {
      this.#absentSince = undefined;
      this.#pull(source, (this.#options.gatherMs ?? 0) > 0 ? "all" : "next");
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

  /** Unbounded in number, bounded in rate: a log that is away comes back or the owner closes us. */
  #renewLater(): void {
    this.#drop();
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#renew(), RENEW_WAIT_MS);
  }

  #pull(source: Source, asks: Pull["asks"] = "next"): void {
    const gathers = (this.#options.gatherMs ?? 0) > 0;
    const entries = gathers && asks === "next" ? 1 : PULL_ENTRIES;
    const reply = `${source.inbox}.${source.pulls++}`;
    source.pull = { reply, asks, entries, bytes: PULL_BYTES };
    const waits = {
      expires: PULL_EXPIRES_MS * 1_000_000,
      idle_heartbeat: HEARTBEAT_MS * 1_000_000,
    };
    const request = { batch: entries, max_bytes: PULL_BYTES };
    this.#options.bus.connection.publish(
      `$JS.API.CONSUMER.MSG.NEXT.${this.#stream}.${source.name}`,
      JSON.stringify(asks === "all" ? { ...request, no_wait: true } : { ...request, ...waits }),
      { reply },
    );
  }

  /** The bounds of a pull are used up, so there may be more. */
  #pullMore(source: Source, asks: Pull["asks"]): void {
    const { gatherMs = 0 } = this.#options;
    if (gatherMs === 0) return this.#pull(source);
    if (asks === "all") return this.#pull(source, "all");
    source.pull = undefined; // The server says "completed" of it; that must not ask anew.
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      if (source === this.#source) this.#pull(source, "all");
    }, gatherMs);
  }

  #onMessage(source: Source, message: Msg): void {
    if (source !== this.#source) return;
    this.#heardAt = performance.now();
    if (source.direct !== undefined) return this.#onDirect(source, message);
    const place = parsePlace(message.reply);
    if (place === undefined) this.#onStatus(source, message);
    else if (place.delivered !== source.delivered + 1) this.#renew();
    else {
      source.delivered = place.delivered;
      this.#onEntry(place.seq, message.data);
      if (source === this.#source) this.#count(source, message);
    }
  }

  #onEntry(seq: LogSeq, data: Uint8Array): void {
    if (seq < this.#next) return; // A lagging replica started earlier than it was asked to.
    if (seq > this.#next && this.#hasBegun) {
      this.#fail(`entries ${this.#next} to ${seq - 1} were trimmed before they were read`); // log-nats-reader.2
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

  /** Mirrors the server's account of the pull: it ends when either bound is used up. */
  #count(source: Source, message: Msg): void {
    const pull = source.pull;
    if (pull === undefined) return;
    pull.entries--;
    pull.bytes -= sizeOf(message);
    if (pull.entries <= 0 || pull.bytes <= 0) this.#pullMore(source, pull.asks);
  }

  #onStatus(source: Source, message: Msg): void {
    const code = message.headers?.code ?? 0;
    if (code === 100) return; // A heartbeat; that it came is all it says.
    if (message.subject !== source.pull?.reply) return; // About a pull that is over.
    // 404, 408 and the 409s that count what was left ended this pull in good order.
    const ended = message.headers?.has("Nats-Pending-Messages") ?? false;
    if (ended || code === 404 || code === 408) this.#pull(source);
    else this.#renewLater();
  }

  #watch(): void {
    if (this.#options.bus.status === "disconnected" || this.#source === undefined) return;
    const maxMs = this.#source.direct === undefined ? SILENCE_MAX_MS : DIRECT_SILENCE_MAX_MS;
    if (performance.now() - this.#heardAt > maxMs) this.#renew();
  }

  #request(subject: string, payload: string, onReply: (reply: Reply) => void): void {
    const reply = this.#options.replies.expect(CREATE_TIMEOUT_MS, onReply);
    if (reply === undefined) return;
    this.#options.bus.connection.publish(`$JS.API.${subject}`, payload, { reply });
  }
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
 * message knows the sum but its type does not say so. Without it we would count too little, and a
 * pull whose bytes come out at exactly 0 would end unnoticed until the silence is.
 */
function sizeOf(message: Msg & { readonly size?: () => number }): number {
  return message.size?.() ?? message.data.length;
}
