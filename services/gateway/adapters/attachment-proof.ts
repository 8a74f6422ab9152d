// AttachmentProof: signs uploads and links with HMAC-SHA256.
//
//   attachment-proof.1. The key is derived from the key that all gateways share (INVITE_KEY), so a
//        gateway accepts what another one signed. A proof is never a link: each has a key of its
//        own.
//   attachment-proof.2. A signature is compared in constant time.
//   attachment-proof.3. Every field that a message shows is signed, so a client changes none.

import { createHmac, timingSafeEqual } from "node:crypto";
import { isCount, parseObject } from "#shared/kit/json.ts";
import { attachmentOf } from "#shared/protocol/attachments.ts";
import type { Attachment, UploadedFile } from "#shared/protocol/attachments.ts";
import { isMessageId, isRoomId, isUserId } from "#shared/protocol/ids.ts";
import type { Millis } from "#shared/protocol/ids.ts";
import { isGrant } from "#shared/protocol/roles.ts";
import type { FileLink, FileLinks, FileOwner, FileProofs } from "../core/attachments-port.ts";

/** A link holds a user id, a room and numbers. */
const LINK_LENGTH_MAX = 2_048;

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

export class HmacProofs implements FileProofs {
  readonly #key: Uint8Array;

  constructor(shared: Uint8Array) {
    this.#key = hmac(shared, "parley: proofs of attachments"); // attachment-proof.1
  }

  sign(file: Attachment, owner: FileOwner, until: Millis): UploadedFile {
    const named = attachmentOf(file);
    return { ...named, until, proof: this.#proofOf(named, owner, until).toString("base64url") };
  }

  isValid({ until, proof, ...file }: UploadedFile, owner: FileOwner): boolean {
    return isSame(Buffer.from(proof, "base64url"), this.#proofOf(file, owner, until));
  }

  /** attachment-proof.3. */
  #proofOf(file: Attachment, { room, user }: FileOwner, until: Millis): Buffer {
    const { id, name, type, bytes, width = 0, height = 0 } = file;
    const signed = [room, user, id, name, type, bytes, width, height, until];
    return hmac(this.#key, JSON.stringify(signed));
  }
}

export class HmacLinks implements FileLinks {
  readonly #key: Uint8Array;

  constructor(shared: Uint8Array) {
    this.#key = hmac(shared, "parley: links of attachments"); // attachment-proof.1
  }

  encode(link: FileLink): string {
    const text = Buffer.from(JSON.stringify(link)).toString("base64url");
    return `${text}.${hmac(this.#key, text).toString("base64url")}`;
  }

  decode(text: string): FileLink | undefined {
    if (text.length > LINK_LENGTH_MAX) return undefined;
    const [body = "", signature = ""] = text.split(".");
    if (!isSame(Buffer.from(signature, "base64url"), hmac(this.#key, body))) return undefined;
    return readLink(Buffer.from(body, "base64url").toString());
  }
}

/** attachment-proof.2. */
function isSame(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

/** A link of another version is none. */
function readLink(text: string): FileLink | undefined {
  const value = parseObject(text);
  if (value === undefined) return undefined;
  const { id, room, user, grant, issuedAt, isThumbnail, until } = value;
  if (!isMessageId(id) || !isRoomId(room) || !isUserId(user) || !isCount(until)) return undefined;
  if (typeof isThumbnail !== "boolean") return undefined;
  return {
    id,
    room,
    user,
    ...(isGrant(grant) && { grant }),
    ...(isCount(issuedAt) && { issuedAt }),
    isThumbnail,
    until,
  };
}
