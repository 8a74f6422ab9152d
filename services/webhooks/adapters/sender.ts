// HttpSender: one delivery, signed after Standard Webhooks (https://www.standardwebhooks.com).
//
// Owns: the request, its bounds, what counts as delivered. Does not own: when an event is tried
// (subscription-runner.ts), which addresses pass (addresses.ts).
//
//   sender.1. An answer 2xx within DELIVERY_TIMEOUT_MS counts as delivered; all else failed. No
//        redirect is followed.
//   sender.2. The reason of a failure has a status or a word of ours: nothing that the receiver
//        sent.

import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { IncomingMessage } from "node:http";
import { Webhook as Signer } from "standardwebhooks";
import type { Webhook } from "#shared/protocol/webhooks.ts";
import { ANSWER_BYTES_MAX, DELIVERY_TIMEOUT_MS, IDLE_SOCKETS_MAX } from "../core/bounds.ts";
import type { Attempt, Item, Sender } from "../core/ports.ts";
import { AddressRefused, isAllowed, isAllowedHost } from "./addresses.ts";
import type { AllowedNetworks } from "./addresses.ts";
import { checkedRequest } from "./checked-request.ts";
import type { Agents } from "./checked-request.ts";

export interface SenderOptions {
  readonly allowed: AllowedNetworks;
  /** Whether `http:` is allowed. */
  readonly plain: boolean;
  readonly now: () => number;
  readonly timeoutMs?: number;
}

export class HttpSender implements Sender {
  readonly #options: SenderOptions;
  readonly #agents: Agents;

  readonly #aborts = new Map<string, AbortController>();

  constructor(options: SenderOptions) {
    this.#options = options;
    // IN_FLIGHT_MAX of each subscription bounds the sockets. A bound for each host would let a
    // receiver that hangs delay others on the same host.
    const sockets = { keepAlive: true, maxFreeSockets: IDLE_SOCKETS_MAX };
    this.#agents = { "http:": new HttpAgent(sockets), "https:": new HttpsAgent(sockets) };
  }

  /** Why no request goes to this URL; undefined when one may. */
  refusalOf(text: string): string | undefined {
    const url = URL.parse(text);
    if (url === null) return "the URL cannot be read";
    if (url.protocol !== "https:" && !(url.protocol === "http:" && this.#options.plain)) {
      return "the URL is not https, and WEBHOOKS_HTTP is not set";
    }
    return isAllowedHost(url.hostname, this.#passes) ? undefined : new AddressRefused().message;
  }

  async send({ webhook, url: text, secret }: Webhook, item: Item): Promise<Attempt> {
    const refusal = this.refusalOf(text);
    if (refusal !== undefined) return { kind: "failed", reason: refusal };
    const url = new URL(text);
    const at = new Date(item.at).toISOString();
    const body = `{"type":"${item.kind}","timestamp":"${at}","data":${item.data}}`;
    const sentAt = new Date(this.#options.now());
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      "user-agent": "Parley-Webhooks/1",
      "webhook-id": item.id,
      "webhook-timestamp": String(Math.floor(sentAt.getTime() / 1_000)),
      "webhook-signature": new Signer(secret).sign(item.id, sentAt, body),
    };
    const timeoutMs = this.#options.timeoutMs ?? DELIVERY_TIMEOUT_MS;
    const deadline = AbortSignal.any([this.#signalOf(webhook), AbortSignal.timeout(timeoutMs)]);
    try {
      const response = await checkedRequest(url, {
        method: "POST",
        headers,
        body,
        agents: this.#agents,
        passes: this.#passes,
        signal: deadline,
      });
      const status = await statusOf(response);
      if (status >= 200 && status < 300) return { kind: "delivered" };
      return { kind: "failed", reason: `status ${status}` };
    } catch (error: unknown) {
      return { kind: "failed", reason: reasonOf(error, timeoutMs) };
    }
  }

  readonly #passes = (address: string): boolean => isAllowed(address, this.#options.allowed);

  abort(webhook: string): void {
    this.#aborts.get(webhook)?.abort();
    this.#aborts.delete(webhook);
  }

  #signalOf(webhook: string): AbortSignal {
    const known = this.#aborts.get(webhook) ?? new AbortController();
    this.#aborts.set(webhook, known);
    return known.signal;
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }
}

/** Reads the answer to its end, so that the socket can be used again. */
async function statusOf(response: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const part of response) {
    bytes += (part as Buffer).length;
    if (bytes > ANSWER_BYTES_MAX) break; // This destroys the socket.
  }
  return response.statusCode ?? 0;
}

/** sender.2. */
function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof AddressRefused) return error.message;
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    return error.code === "ABORT_ERR" ? `no answer in ${timeoutMs} ms` : error.code;
  }
  return "the connection failed";
}
