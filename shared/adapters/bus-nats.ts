// NatsBus: the Bus port on NATS core subjects, by @nats-io/transport-node.
//
// The library guarantees order per subject and connection, endless reconnects, and new
// subscriptions after a reconnect. It does not reuse a payload's bytes after delivery: each chunk
// of the socket is a buffer of its own, and payloads are views into it, so this bus passes them on
// without a copy. Code that keeps a small payload for long keeps its chunk of up to 64 KiB in
// memory and should copy it.
// The library does not guarantee three things. A handler that throws ends its read loop, hence
// `guard`. It keeps publishes made while disconnected for a moment and then drops them; this bus
// drops them at once (ports/bus.1). An open request detects a lost connection only by its timeout;
// see nats-replies.ts.
//
//   bus-nats.1. A subscription needs less than 1,000 bytes: a gateway has one for each user and two
//        for each room.

import type {
  Msg,
  NatsConnection,
  Subscription as NatsSubscription,
} from "@nats-io/transport-node";
import { isTooLarge } from "../ports/bus.ts";
import type {
  Bus,
  BusCounts,
  BusMessage,
  BusStatus,
  BusSubscription,
  PublishOutcome,
  RequestOutcome,
  Subscription,
} from "../ports/bus.ts";
import type { Millis } from "../protocol/ids.ts";
import { BUS_PAYLOAD_BYTES_MAX } from "../protocol/limits.ts";
import type { Timer } from "../ports/clock.ts";
import type { Logger } from "../process/logger.ts";
import { systemClock } from "./clock-system.ts";
import { connectNats, PING_INTERVAL_MS, PINGS_OUT_MAX } from "./nats-connect.ts";
import type { NatsOptions } from "./nats-connect.ts";
import { ReplyInbox } from "./nats-replies.ts";

export interface NatsBusOptions extends NatsOptions {
  readonly logger: Logger;
  /** Default: PING_INTERVAL_MS. Longer for a connection whose loss may be noticed later. */
  readonly pingMs?: Millis | undefined;
}

/** A subscription callback of the library. */
type Callback = (error: Error | null, message: Msg) => void;

const FLUSH_TIMEOUT_MS = 2_000;

const UNUSED = Object.assign(Promise.resolve(), {
  resolve: () => undefined,
  reject: () => undefined,
});
/**
 * bus-nats.1. The library makes three promises for the iterator of each subscription, 0.8 KB, also
 * for one with a callback, which has no iterator.
 */
const WITHOUT_ITERATOR = { signal: UNUSED, iterClosed: UNUSED, closed: UNUSED, yields: [] };

/** The server's max_payload is below ours: its configuration must change. */
export class NatsPayloadTooSmall extends Error {
  override readonly name = "NatsPayloadTooSmall";
  readonly code = "nats_payload_too_small";
}

/**
 * Rejects with NatsUnreachable within a few seconds when no server answers, and with
 * NatsPayloadTooSmall when the server's max_payload is below BUS_PAYLOAD_BYTES_MAX (ports/bus.7).
 */
export async function openNatsBus(options: NatsBusOptions): Promise<NatsBus> {
  const connection = await connectNats({ ...options, hasOwnPings: true });
  const bytesMax = connection.info?.max_payload ?? 0;
  if (bytesMax >= BUS_PAYLOAD_BYTES_MAX) return new NatsBus(connection, options);
  await connection.close();
  throw new NatsPayloadTooSmall(
    `max_payload of NATS is ${bytesMax}; set it to at least ${BUS_PAYLOAD_BYTES_MAX}`,
  );
}

export class NatsBus implements Bus {
  readonly connection: NatsConnection;
  readonly inboxPrefix: string;
  readonly #logger: Logger;
  readonly #replies: ReplyInbox;
  readonly #listeners = new Set<(status: BusStatus) => void>();
  /** By handler: a gateway has one handler for the subscriptions of all its users. */
  readonly #callbacks = new WeakMap<(message: BusMessage) => void, Callback>();
  readonly #pings: Timer;
  #unanswered = 0;
  #status: BusStatus = "connected";
  #handlerErrors = 0;
  #dropped = 0;
  #refused = 0;
  #tooLarge = 0;

  constructor(connection: NatsConnection, options: NatsBusOptions) {
    this.connection = connection;
    this.inboxPrefix = options.inboxPrefix;
    this.#logger = options.logger.child({ part: "bus" });
    this.#replies = new ReplyInbox(this);
    const { pingMs = PING_INTERVAL_MS } = options;
    // The library sends a ping at once. So it waits for the messages of the other works of this
    // turn: one write wakes the server once.
    this.#pings = systemClock.every(pingMs, () => queueMicrotask(() => void this.#ping()));
    void this.#watch();
  }

  get status(): BusStatus {
    return this.#status;
  }

  /**
   * In addition to the counts of every bus: handlers that threw, and messages refused because of
   * their subject (X3) or because JetStream sent them (X5).
   */
  get counts(): BusCounts & { readonly handlerErrors: number; readonly refused: number } {
    return {
      handlerErrors: this.#handlerErrors,
      dropped: this.#dropped,
      refused: this.#refused,
      tooLarge: this.#tooLarge,
    };
  }

  publish(subject: string, data: string | Uint8Array, reply?: string): PublishOutcome {
    if (this.#status === "disconnected") {
      this.#dropped++;
      return "dropped";
    }
    if (isTooLarge(data)) {
      this.#tooLarge++;
      // ports/bus.7
      this.#logger.error({ subject, size: data.length }, "publish refused: too large");
      return "too-large";
    }
    try {
      this.connection.publish(subject, data, reply === undefined ? undefined : { reply });
      return "sent";
    } catch (error: unknown) {
      // The connection closed at this moment, and the status does not show it yet.
      this.#dropped++;
      this.#logger.error({ error, subject, size: data.length }, "publish refused");
      return "dropped";
    }
  }

  subscribe(
    subject: string,
    handler: (message: BusMessage) => void,
    options: { readonly queue?: string } = {},
  ): BusSubscription {
    let callback = this.#callbacks.get(handler);
    if (callback === undefined) {
      callback = this.guard((message) => {
        if (isByJetStream(message)) this.#refuse(message, "message from JetStream refused"); // X5
        else handler(toBusMessage(message));
      });
      this.#callbacks.set(handler, callback);
    }
    const subscription = this.connection.subscribe(subject, { ...options, callback });
    Object.assign(subscription, WITHOUT_ITERATOR);
    return new CallbackSubscription(this, subscription);
  }

  request(
    subject: string,
    data: string | Uint8Array,
    options: { readonly timeoutMs: number },
  ): Promise<RequestOutcome> {
    return new Promise((resolve) => {
      if (isTooLarge(data)) {
        this.publish(subject, data); // This call counts and logs it.
        resolve({ kind: "too-large" });
        return;
      }
      const reply = this.#replies.expect(options.timeoutMs, (answer) => {
        if (answer.kind === "message") resolve({ kind: "ok", data: answer.message.data });
        else resolve({ kind: answer.kind === "lost" ? "timeout" : "no-responders" });
      });
      if (reply !== undefined) this.publish(subject, data, reply);
    });
  }

  async flush(): Promise<boolean> {
    if (this.#status === "disconnected") return false;
    const confirmed = this.connection.flush().then(
      () => true,
      () => false, // The connection was lost while waiting: not confirmed.
    );
    return inTime(confirmed, false);
  }

  onStatus(handler: (status: BusStatus) => void): Subscription {
    this.#listeners.add(handler);
    return { unsubscribe: () => void this.#listeners.delete(handler) };
  }

  async close(): Promise<void> {
    await this.flush();
    await this.connection.close();
    this.#setStatus("disconnected");
  }

  /**
   * A subscription callback that contains a handler's throw: only this message is lost. Without it
   * the library's read loop ends without an error, and the process receives nothing more.
   */
  guard(handler: (message: Msg) => void): Callback {
    return (error, message) => {
      if (!this.#accepts(error, message)) return;
      try {
        handler(message);
      } catch (thrown: unknown) {
        this.#onThrown(thrown, message);
      }
    };
  }

  #accepts(error: Error | null, message: Msg): boolean {
    if (error !== null) {
      this.#logger.error({ error }, "subscription refused by the server");
      return false;
    }
    const { subject, reply } = message;
    if (isLiteral(subject) && (reply === undefined || isLiteral(reply))) return true;
    this.#refuse(message, "message with a wildcard subject refused"); // X3
    return false;
  }

  #onThrown(thrown: unknown, { subject }: Msg): void {
    this.#handlerErrors++;
    this.#logger.error({ error: thrown, subject }, "message handler threw");
  }

  /** A connection that does not answer is closed, and the library connects again. */
  async #ping(): Promise<void> {
    if (this.#status === "disconnected") return;
    if (this.#unanswered >= PINGS_OUT_MAX) {
      this.#unanswered = 0;
      this.#logger.warn("NATS stopped answering pings");
      await this.connection.reconnect().catch(() => undefined); // It was closed meanwhile.
      return;
    }
    this.#unanswered++;
    await this.connection.flush().catch(() => undefined); // The connection was lost.
    this.#unanswered = 0;
  }

  #refuse({ subject }: Msg, text: string): void {
    this.#refused++;
    this.#logger.warn({ subject }, text);
  }

  async #watch(): Promise<void> {
    for await (const event of this.connection.status()) {
      if (event.type === "disconnect" || event.type === "close") this.#setStatus("disconnected");
      else if (event.type === "reconnect") this.#setStatus("connected");
      else if (event.type === "error") this.#logger.error({ error: event.error }, "NATS error");
    }
    // The iterator ends when the library gave up (refused twice by the server) or was closed.
    this.#pings.cancel();
    this.#setStatus("disconnected");
  }

  #setStatus(status: BusStatus): void {
    if (this.#status === status) return;
    this.#status = status;
    this.#logger.info({ status }, "bus status changed");
    for (const listener of this.#listeners) {
      try {
        listener(status);
      } catch (thrown: unknown) {
        this.#handlerErrors++;
        this.#logger.error({ error: thrown }, "status handler threw");
      }
    }
  }
}

class CallbackSubscription implements BusSubscription {
  readonly #bus: NatsBus;
  readonly #subscription: NatsSubscription;

  constructor(bus: NatsBus, subscription: NatsSubscription) {
    this.#bus = bus;
    this.#subscription = subscription;
  }

  unsubscribe(): void {
    this.#subscription.unsubscribe();
  }

  /** ports/bus.8. */
  async drain(): Promise<void> {
    const subscription = this.#subscription;
    if (this.#bus.status === "disconnected") return subscription.unsubscribe();
    const drained = subscription.drain().catch(() => undefined); // The connection closed.
    await inTime(drained, undefined);
    if (!subscription.isClosed()) subscription.unsubscribe();
  }
}

/** The outcome of `work`, or `late` when the server does not confirm within FLUSH_TIMEOUT_MS. */
async function inTime<T>(work: Promise<T>, late: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(late), FLUSH_TIMEOUT_MS);
  });
  const outcome = await Promise.race([work, timeout]);
  clearTimeout(timer);
  return outcome;
}

/**
 * Parley's subjects contain no wildcard. A server that is not in pedantic mode forwards such
 * subjects.
 */
function isLiteral(subject: string): boolean {
  return !subject.includes("*") && !subject.includes(">");
}

/**
 * A request to JetStream may name any subject for its reply, and the server checks no permission
 * there. A stored message that JetStream publishes in this way carries headers (a direct read) or a
 * reply subject of `$JS` (a consumer's delivery). Processes of Parley put neither on a message to
 * each other.
 */
function isByJetStream({ reply, headers, data }: Msg): boolean {
  if (reply?.startsWith("$JS.") === true) return true;
  return headers !== undefined && !(data.length === 0 && headers.code === 503);
}

function toBusMessage(message: Msg): BusMessage {
  const { subject, data } = message;
  const reply = message.reply === undefined || message.reply === "" ? {} : { reply: message.reply };
  if (data.length === 0 && message.headers?.code === 503) {
    // The server names the subject without subscribers, so one inbox can serve many requests.
    return { subject, data, ...reply, noResponders: message.headers.get("Nats-Subject") };
  }
  return { subject, data, ...reply };
}
