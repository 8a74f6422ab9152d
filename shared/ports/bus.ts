// Bus: subjects with publish, subscribe and request. Processes communicate only over it.
//
// The contract (shared/testing/bus.contract.ts proves it on memory and on a real NATS server):
//   ports/bus.1. At most once: a publish may be lost (always while disconnected) and is never
//        duplicated.
//   ports/bus.2. Messages that one bus publishes to one subject arrive at each subscriber in order.
//   ports/bus.3. Exactly one subscriber of a queue group on a subject gets each message.
//   ports/bus.4. A publish with `reply` to a subject without subscribers is answered on `reply` by
//        a message whose `noResponders` names that subject. Without `reply` the publish is lost.
//   ports/bus.5. After `flush()` resolved, the server has processed all earlier subscriptions and
//        publishes.
//   ports/bus.6. After `unsubscribe()` returned, the handler is not called again.
//   ports/bus.7. A payload above BUS_PAYLOAD_BYTES_MAX is not sent: `publish` returns `too-large`,
//        `request` resolves with the same at once, and a counter records it. Every sender bounds
//        its payloads, so this is the last guard: NATS closes the connection of a client that sends
//        more.
//   ports/bus.8. `drain()` of a subscription makes the server send it nothing more. The handler
//        still gets every message that the server has sent. Then, or when the server does not
//        confirm within two seconds, the promise resolves and ports/bus.6 holds.
// Handlers run synchronously as bytes arrive. The bus logs a handler that throws; only that message
// is lost.

import { BUS_PAYLOAD_BYTES_MAX } from "../protocol/limits.ts";
import { utf8Length } from "../protocol/ids.ts";

export interface BusMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly reply?: string;
  /** Set on the server's own answer: this subject has no subscribers now. `data` is empty then. */
  readonly noResponders?: string;
}

export interface Subscription {
  unsubscribe(): void;
}

export interface BusSubscription extends Subscription {
  /** Ends the subscription without losing a message (ports/bus.8). Never rejects. */
  drain(): Promise<void>;
}

export type RequestOutcome =
  | { readonly kind: "ok"; readonly data: Uint8Array }
  | { readonly kind: "no-responders" }
  /** ports/bus.7: the request was not sent. */
  | { readonly kind: "too-large" }
  /** No answer in time, or the connection was lost: the outcome is uncertain. */
  | { readonly kind: "timeout" };

/** `sent` may still be lost (ports/bus.1); `dropped`: there is no connection now. */
export type PublishOutcome = "sent" | "dropped" | "too-large";

/** Counted since the bus was opened. */
export interface BusCounts {
  /** Publishes without a connection. */
  readonly dropped: number;
  /** Publishes that were too large (ports/bus.7). */
  readonly tooLarge: number;
}

export type BusStatus = "connected" | "disconnected";

export interface Bus {
  publish(subject: string, data: string | Uint8Array, reply?: string): PublishOutcome;
  subscribe(
    subject: string,
    handler: (message: BusMessage) => void,
    options?: { readonly queue?: string },
  ): BusSubscription;
  /** Resolves, never rejects. */
  request(
    subject: string,
    data: string | Uint8Array,
    options: { readonly timeoutMs: number },
  ): Promise<RequestOutcome>;
  /** Resolves false when the server did not confirm within two seconds. Never rejects. */
  flush(): Promise<boolean>;
  readonly status: BusStatus;
  readonly counts: BusCounts;
  /** Called on every change of `status`. */
  onStatus(handler: (status: BusStatus) => void): Subscription;
  close(): Promise<void>;
}

/** ports/bus.7. */
export function isTooLarge(data: string | Uint8Array): boolean {
  if (typeof data !== "string") return data.length > BUS_PAYLOAD_BYTES_MAX;
  // A UTF-16 unit is at most three bytes of UTF-8, so exact counting is rarely needed.
  return data.length * 3 > BUS_PAYLOAD_BYTES_MAX && utf8Length(data) > BUS_PAYLOAD_BYTES_MAX;
}
