// Idempotency: derives the message id of a POST, so that a repeated POST is the same message (H2,
// O5).
//
// Rooms recognise a repeat by sender and message id. An `Idempotency-Key` therefore becomes a
// message id, the same one on every retry, through any gateway.
//
//   idempotency.1. A UUIDv7 is used unchanged. It costs nothing and is recognised from memory.
//   idempotency.2. Any other key becomes a UUIDv7 with the time 0, whose 74 free bits are a hash of
//        user, room and key. The time cannot come from a clock, because the retry has another time.
//        An id of 1970 is below every dedupe floor, so the owner looks it up in the archive before
//        it accepts the message. This is correct without a time limit, costs one look-up, and fails
//        with `unavailable` without the archive. Only this user's sends to this room wait for it
//        (P21).
//   idempotency.3. `id` and `Idempotency-Key` may both be set only if they name the same id.
//
// Rejected: refusing other keys, because common clients send a UUIDv4; a table of keys in the
// gateway, because a restart loses it and other gateways do not have it.

import { createHash } from "node:crypto";
import { z } from "zod";
import { uuidv7 } from "#shared/kit/uuid.ts";
import type { Random } from "#shared/ports/clock.ts";
import { isMessageId } from "#shared/protocol/ids.ts";
import type { MessageId, Millis, RoomId, UserId } from "#shared/protocol/ids.ts";

/** For the description only: HTTP trims the spaces around a header, and `""` is an empty key. */
const KEY_PATTERN = '^(?!""$)[\\x21-\\x7e]([\\x20-\\x7e]{0,253}[\\x21-\\x7e])?$';

export const keyHeaders = z.looseObject({
  "idempotency-key": z
    .string()
    .max(512)
    .optional()
    .meta({
      pattern: KEY_PATTERN,
      minLength: 1,
      maxLength: 255,
      description:
        "A UUIDv7 is the message id itself. Any other key of 1 to 255 printable ASCII characters " +
        "also works and costs one look-up in the archive.",
    }),
});

export const BAD_ID =
  "Expected a UUIDv7 as id, or an Idempotency-Key of 1 to 255 printable ASCII characters, or both " +
  "with the same UUIDv7.";

const KEY = /^[\x20-\x7e]{1,255}$/;

export interface IdSources {
  readonly user: UserId;
  readonly room: RoomId;
  /** The header as received. */
  readonly key?: string | undefined;
  /** The `id` of the request body. */
  readonly given?: string | undefined;
}

/** Undefined: the given id or key is not valid (`bad_id`). Without both, it creates a new id. */
export function chooseMessageId(
  { user, room, key, given }: IdSources,
  now: Millis,
  random: Random,
): MessageId | undefined {
  if (key === undefined && given === undefined) return uuidv7(now, random);
  if (given !== undefined && !isMessageId(given)) return undefined;
  if (key === undefined) return given;
  const named = idOfKey(user, room, unquote(key));
  return given === undefined || given === named ? named : undefined; // idempotency.3
}

function idOfKey(user: UserId, room: RoomId, key: string): MessageId | undefined {
  if (isMessageId(key)) return key; // idempotency.1
  if (!KEY.test(key)) return undefined;
  // JSON distinguishes ("a", "b c") from ("a b", "c").
  const hash = createHash("sha256")
    .update(JSON.stringify([user, room, key]))
    .digest("hex");
  const variant = ((Number.parseInt(hash.slice(3, 4), 16) & 0x3) | 0x8).toString(16);
  const id = `00000000-0000-7${hash.slice(0, 3)}-${variant}${hash.slice(4, 7)}-${hash.slice(7, 19)}`;
  return isMessageId(id) ? id : undefined;
}

/** The header is a quoted string in its draft standard; many clients send it without quotes. */
function unquote(key: string): string {
  const isQuoted = key.length >= 2 && key.startsWith('"') && key.endsWith('"');
  return isQuoted ? key.slice(1, -1) : key;
}
