// ReplyInbox: one wildcard inbox that matches every reply to this process by a token.
//
// Requests and appends use it. The library's own request costs a timer, a promise chain and a trace
// per call; this costs a map entry. It also does one thing that the library does not: when the
// connection is lost, it answers every open request with `lost` at once instead of after its
// timeout.
//
//   nats-replies.1. `onReply` is called exactly once per `expect`, synchronously from the event
//        that decides it.
//   nats-replies.2. At most EXPECTED_MAX requests are open; one more is `lost` at once (nothing was
//        sent).
//   nats-replies.3. A late reply changes nothing: a token is removed when it was answered.

import { createInbox } from "@nats-io/transport-node";
import type { Msg, NatsConnection } from "@nats-io/transport-node";
import type { Bus } from "../ports/bus.ts";

export type Reply =
  | { readonly kind: "message"; readonly message: Msg }
  /** The server's own answer: the subject of the request has no subscribers. */
  | { readonly kind: "no-responders" }
  | { readonly kind: "lost"; readonly reason: string };

/** The parts of a bus that an inbox uses. */
export interface ReplyHost extends Pick<Bus, "status" | "onStatus"> {
  readonly connection: NatsConnection;
  readonly inboxPrefix: string;
  guard(handler: (message: Msg) => void): (error: Error | null, message: Msg) => void;
}

/** Open requests of one process. The bound is reached only when no request is answered any more. */
const EXPECTED_MAX = 100_000;

interface Expected {
  readonly deadline: number;
  readonly onReply: (reply: Reply) => void;
}

export class ReplyInbox {
  readonly #prefix: string;
  readonly #bus: Pick<Bus, "status">;
  /** token → request, per timeout in insertion order; so the first one is due first. */
  readonly #expected = new Map<number, Map<string, Expected>>();
  readonly #timers = new Map<number, NodeJS.Timeout>();
  #open = 0;
  #nextToken = 0;

  constructor(bus: ReplyHost) {
    this.#bus = bus;
    this.#prefix = createInbox(bus.inboxPrefix);
    bus.connection.subscribe(`${this.#prefix}.*`, {
      callback: bus.guard((message) => this.#onMessage(message)),
    });
    bus.onStatus((status) => {
      if (status === "disconnected") this.#loseAll("the connection was lost");
    });
  }

  /** The subject to use as `reply`; undefined when `onReply` was called with `lost` at once. */
  expect(timeoutMs: number, onReply: (reply: Reply) => void): string | undefined {
    if (this.#bus.status === "disconnected") {
      onReply({ kind: "lost", reason: "not connected" });
      return undefined;
    }
    if (this.#open >= EXPECTED_MAX) {
      onReply({ kind: "lost", reason: "too many open requests" });
      return undefined;
    }
    // The token contains the timeout, so that a reply finds its map without a second index.
    const token = `${timeoutMs.toString(36)}-${(this.#nextToken++).toString(36)}`;
    const sameTimeout = this.#expected.get(timeoutMs) ?? new Map<string, Expected>();
    this.#expected.set(timeoutMs, sameTimeout);
    sameTimeout.set(token, { deadline: performance.now() + timeoutMs, onReply });
    this.#open++;
    if (!this.#timers.has(timeoutMs)) this.#arm(timeoutMs, timeoutMs);
    return `${this.#prefix}.${token}`;
  }

  #onMessage(message: Msg): void {
    const token = message.subject.slice(this.#prefix.length + 1);
    const timeoutMs = Number.parseInt(token, 36);
    const sameTimeout = this.#expected.get(timeoutMs);
    const expected = sameTimeout?.get(token);
    if (expected === undefined) return; // Answered, lost or timed out before (nats-replies.3).
    sameTimeout?.delete(token);
    this.#open--;
    const refused = message.data.length === 0 && message.headers?.code === 503;
    expected.onReply(refused ? { kind: "no-responders" } : { kind: "message", message });
  }

  /** One timer per distinct timeout, not per request: there may be thousands of appends. */
  #arm(timeoutMs: number, delayMs: number): void {
    this.#timers.set(
      timeoutMs,
      setTimeout(() => this.#expire(timeoutMs), delayMs),
    );
  }

  #expire(timeoutMs: number): void {
    this.#timers.delete(timeoutMs);
    const sameTimeout = this.#expected.get(timeoutMs) ?? new Map<string, Expected>();
    const now = performance.now();
    for (const [token, expected] of sameTimeout) {
      if (expected.deadline > now) {
        this.#arm(timeoutMs, Math.ceil(expected.deadline - now));
        return;
      }
      sameTimeout.delete(token);
      this.#open--;
      expected.onReply({ kind: "lost", reason: `no answer within ${timeoutMs} ms` });
    }
  }

  #loseAll(reason: string): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    // Copied and emptied first: a handler may send a new request, and that one is not lost.
    const all = [...this.#expected.values()].flatMap((sameTimeout) => [...sameTimeout.values()]);
    this.#expected.clear();
    this.#open = 0;
    for (const expected of all) expected.onReply({ kind: "lost", reason });
  }
}
