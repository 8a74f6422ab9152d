// Webhooks: subscriptions of back ends, and both halves of the requests that manage them.
//
// A gateway sends a request on `hook.manage`; a webhooks process answers. Does not own: who may
// manage (the routes of the gateway), the addresses that are allowed (services/webhooks).

import { z } from "zod";
import { parseObject } from "../kit/json.ts";
import { isRoomId } from "./ids.ts";
import { DEAD_PAGE_MAX, WEBHOOK_ID, WEBHOOK_KINDS } from "./webhook-names.ts";

export type WebhookKind = (typeof WEBHOOK_KINDS)[number];

/** Subscriptions of a cluster. A further one gets `conflict`. */
export const WEBHOOKS_MAX = 100;
export const WEBHOOK_ROOMS_MAX = 100;
export const WEBHOOK_URL_LENGTH_MAX = 1_024;
/** 24 to 64 bytes in base64, as Standard Webhooks has them. */
const SECRET = /^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/;

/** Without user, password or fragment. The service judges the host (services/webhooks). */
const WEB_URL =
  /^https?:\/\/(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:[/?][!-"$-~]*)?$/;

export const webhookUrlSchema = z
  .string()
  .max(WEBHOOK_URL_LENGTH_MAX)
  .regex(WEB_URL)
  .meta({ description: "https; without user, password or fragment." });
export const webhookSecretSchema = z
  .string()
  .regex(SECRET)
  .meta({ description: "`whsec_` and 24 to 64 bytes in base64." });
export const webhookKindsSchema = z.array(z.enum(WEBHOOK_KINDS)).min(1).max(WEBHOOK_KINDS.length);
export const webhookRoomsSchema = z
  .array(z.string().regex(/^[A-Za-z0-9_-]{1,64}$/))
  .max(WEBHOOK_ROOMS_MAX);
export const webhookIdSchema = z.string().regex(WEBHOOK_ID);

export interface Webhook {
  readonly webhook: string;
  readonly url: string;
  readonly secret: string;
  readonly kinds: readonly string[];
  /** Empty: all rooms. */
  readonly rooms: readonly string[];
}

export interface NewWebhook extends Webhook {
  readonly author: string;
}

/** Without the secret. */
export interface ListedWebhook extends Omit<NewWebhook, "secret"> {
  /** In ms since 1970. */
  readonly created: number;
  /** Events that are tried again. */
  readonly waiting: number;
  readonly dead: number;
  /** The age of the oldest event that was not tried yet, in ms. */
  readonly behindMs: number;
  /** Why the newest failed delivery failed. */
  readonly reason?: string | undefined;
}

export interface DeadLetter {
  readonly n: number;
  readonly id: string;
  readonly kind: string;
  readonly at: number;
  readonly attempts: number;
  readonly reason: string;
}

const request = z.discriminatedUnion("op", [
  z.object({
    op: z.literal("add"),
    webhook: webhookIdSchema,
    url: webhookUrlSchema,
    secret: webhookSecretSchema,
    kinds: webhookKindsSchema,
    rooms: webhookRoomsSchema,
    author: z.string().max(512),
  }),
  z.object({ op: z.literal("list") }),
  z.object({ op: z.literal("remove"), webhook: webhookIdSchema }),
  z.object({
    op: z.literal("dead"),
    webhook: webhookIdSchema,
    after: z.number().int().min(0),
    limit: z.number().int().min(1).max(DEAD_PAGE_MAX),
  }),
  z.object({
    op: z.literal("replay"),
    webhook: webhookIdSchema,
    ids: z.array(z.string().max(256)).max(DEAD_PAGE_MAX).optional(),
  }),
]);
export type WebhookRequest = z.output<typeof request>;

export type WebhookAnswer =
  | { readonly kind: "done" }
  | { readonly kind: "webhooks"; readonly webhooks: readonly ListedWebhook[] }
  | { readonly kind: "dead"; readonly dead: readonly DeadLetter[] }
  | { readonly kind: "replayed"; readonly count: number }
  | {
      readonly kind: "refused";
      readonly error: "not_found" | "conflict" | "forbidden" | "unavailable";
      readonly detail?: string | undefined;
    };

const count = z.number().int().min(0);
/** Strings that only a reader shows have no bound here: a newer version may name further kinds. */
const answer = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("done") }),
  z.object({
    kind: z.literal("webhooks"),
    webhooks: z.array(
      z.object({
        webhook: webhookIdSchema,
        url: z.string(),
        kinds: z.array(z.string()),
        rooms: z.array(z.string()),
        author: z.string(),
        created: count,
        waiting: count,
        dead: count,
        behindMs: count,
        reason: z.string().optional(),
      }),
    ),
  }),
  z.object({
    kind: z.literal("dead"),
    dead: z.array(
      z.object({
        n: count,
        id: z.string(),
        kind: z.string(),
        at: count,
        attempts: count,
        reason: z.string(),
      }),
    ),
  }),
  z.object({ kind: z.literal("replayed"), count }),
  z.object({
    kind: z.literal("refused"),
    error: z.enum(["not_found", "conflict", "forbidden", "unavailable"]).catch("unavailable"), // N6
    detail: z.string().optional(),
  }),
]);

export function encodeWebhookRequest(asked: WebhookRequest): string {
  return JSON.stringify({ v: 1, ...asked });
}

/** Undefined unless the text is a whole request of version 1. */
export function decodeWebhookRequest(text: string): WebhookRequest | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1) return undefined;
  const parsed = request.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

export function encodeWebhookAnswer(answer: WebhookAnswer): string {
  return JSON.stringify({ v: 1, ...answer });
}

/** Undefined unless the text is a whole answer of version 1 (N5). */
export function decodeWebhookAnswer(text: string): WebhookAnswer | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1) return undefined;
  const parsed = answer.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

/** Whether a subscription gets the events of a room. */
export function wantsRoom({ rooms }: Pick<Webhook, "rooms">, room: string): boolean {
  return isRoomId(room) && (rooms.length === 0 || rooms.includes(room));
}
