// Attachments: the files that a message names, and what a client sends of each.
//
// A client uploads a file to a gateway, and gets it back as an `UploadedFile`. A `send` names it.
// The gateway checks the proof, and the event has the `Attachment`. Owns: the fields, their checks.
// Does not own: where the bytes are (ports/attachment-store.ts), who may read them (the owner), the
// proof (services/gateway/adapters/attachment-proof.ts).
//
//   attachments.1. The id is chosen by the client, so that a repeated upload is recognised. It
//        names the file permanently, in one room.
//   attachments.2. `width` and `height` mean: the file is an image with a thumbnail.
//   attachments.3. A name is for display only. No store and no path is made of it.

import { isCount, isObject } from "../kit/json.ts";
import { isMessageId, isTextWithin } from "./ids.ts";
import type { MessageId, Millis } from "./ids.ts";
import { ATTACHMENT_NAME_LENGTH_MAX, ATTACHMENTS_MAX } from "./limits.ts";

/** A file of a message. */
export interface Attachment {
  readonly id: MessageId;
  /** For display; at most ATTACHMENT_NAME_LENGTH_MAX characters. */
  readonly name: string;
  /** The media type by the content, for example `image/png`. */
  readonly type: string;
  readonly bytes: number;
  /** In pixels, as the image is shown (attachments.2). */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
}

/** The answer to an upload, and what a `send` names. */
export interface UploadedFile extends Attachment {
  /** In ms since 1970. A message that is sent later is refused with `not_found`. */
  readonly until: Millis;
  /** The gateway's signature of all of it, with the room and the user. */
  readonly proof: string;
}

/**
 * What a refused upload says beside its error: the cluster takes no files, the file is too large,
 * the files of the user are, or the type is not accepted.
 */
export const UPLOAD_REFUSALS = ["off", "size", "quota", "type"] as const;
export type UploadRefusal = (typeof UPLOAD_REFUSALS)[number];

/** A signed number is not larger. */
export const PIXELS_MAX = 1_000_000;
export const MEDIA_TYPE = /^[a-z0-9][a-z0-9.+-]{0,62}\/[a-z0-9][a-z0-9.+-]{0,126}$/;
/** HMAC-SHA256 in base64url. */
export const PROOF = /^[A-Za-z0-9_-]{43}$/;

/** The name of the thumbnail's bytes. */
export function thumbnailOf(id: MessageId): string {
  return `${id}.thumbnail`;
}

/** The fields of an event, in their order on the wire. */
export function attachmentOf({ id, name, type, bytes, width, height }: Attachment): Attachment {
  return { id, name, type, bytes, width, height };
}

export function isAttachment(value: unknown): value is Attachment {
  if (!isObject(value)) return false;
  const { id, name, type, bytes, width, height } = value;
  if (!isMessageId(id) || typeof name !== "string" || typeof type !== "string") return false;
  if (name === "" || !isTextWithin(name, ATTACHMENT_NAME_LENGTH_MAX)) return false;
  if (!MEDIA_TYPE.test(type) || !isCount(bytes)) return false;
  return width === undefined ? height === undefined : isPixels(width) && isPixels(height);
}

/** What a `msg` may have. */
export function isAttachmentsOrNot(value: unknown): boolean {
  if (value === undefined) return true;
  if (!Array.isArray(value) || value.length === 0 || value.length > ATTACHMENTS_MAX) return false;
  return value.every(isAttachment);
}

function isPixels(value: unknown): boolean {
  return isCount(value) && value >= 1 && value <= PIXELS_MAX;
}
