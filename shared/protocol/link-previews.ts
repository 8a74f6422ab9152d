// Link previews: what a gateway and a webhooks process exchange about the page behind a link.
//
// A gateway sends a request on `link.preview`; a webhooks process answers. Does not own: who may
// ask (the route of the gateway), which addresses are reached (services/webhooks).
//
//   protocol/link-previews.1. A request names the URL only: no user and no room.
//   protocol/link-previews.2. A decoded preview keeps the bounds of limits.ts. A malformed part
//        refuses the whole.

import { z } from "zod";
import { isObject, parseObject } from "../kit/json.ts";
import { isTextWithin } from "./ids.ts";
import {
  LINK_URL_LENGTH_MAX,
  PREVIEW_DESCRIPTION_LENGTH_MAX,
  PREVIEW_SITE_LENGTH_MAX,
  PREVIEW_TITLE_LENGTH_MAX,
} from "./limits.ts";

/** As `URL` of a browser writes it, without user, password or fragment. */
const LINK_URL =
  /^https?:\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:[/?][!-"$-~]*)?$/;

export const linkUrlSchema = z
  .string()
  .max(LINK_URL_LENGTH_MAX)
  .regex(LINK_URL)
  .meta({ description: "`http` or `https`, in ASCII; without user, password or fragment." });

/** What the page says of itself. */
export interface LinkPreview {
  readonly title: string;
  readonly description?: string | undefined;
  readonly site?: string | undefined;
}

/**
 * `off`: this cluster makes none. `unavailable`: nothing can be said now. `nothing`: there is none
 * for this URL. No reason says what is behind an address (LP8).
 */
export const NO_PREVIEW_REASONS = ["off", "unavailable", "nothing"] as const;
export type NoPreviewReason = (typeof NO_PREVIEW_REASONS)[number];

export type PreviewAnswer =
  | { readonly kind: "preview"; readonly preview: LinkPreview }
  | { readonly kind: "none"; readonly reason: NoPreviewReason };

export function encodePreviewRequest(url: string): string {
  return JSON.stringify({ v: 1, url });
}

/** The URL. Undefined unless the text is a whole request of version 1. */
export function decodePreviewRequest(text: string): string | undefined {
  const { v, url } = parseObject(text) ?? {};
  const parsed = linkUrlSchema.safeParse(url);
  return v === 1 && parsed.success ? parsed.data : undefined;
}

export function encodePreviewAnswer(answer: PreviewAnswer): string {
  return JSON.stringify({ v: 1, ...answer });
}

/** Undefined unless the text is an answer of version 1. */
export function decodePreviewAnswer(text: string): PreviewAnswer | undefined {
  const { v, kind, reason, preview } = parseObject(text) ?? {};
  if (v !== 1) return undefined;
  if (kind === "none") {
    const known = NO_PREVIEW_REASONS.find((one) => one === reason);
    return known && { kind, reason: known };
  }
  if (kind !== "preview" || !isObject(preview)) return undefined;
  const { title, description, site } = preview;
  const isWhole =
    isText(title, PREVIEW_TITLE_LENGTH_MAX) &&
    isTextOrNot(description, PREVIEW_DESCRIPTION_LENGTH_MAX) &&
    isTextOrNot(site, PREVIEW_SITE_LENGTH_MAX);
  return isWhole ? { kind, preview: preview as unknown as LinkPreview } : undefined;
}

function isText(text: unknown, lengthMax: number): boolean {
  return typeof text === "string" && isTextWithin(text, lengthMax);
}

function isTextOrNot(text: unknown, lengthMax: number): boolean {
  return text === undefined || isText(text, lengthMax);
}
