// Idempotency: which message id a POST means, so that a repeated POST means the same one (H2, O5).
//
// Rooms recognise a repeat by (sender, id), so an `Idempotency-Key` has to become a message id, and
// the same one on every retry, through any gateway, a day later.
//
//   idempotency.1. A UUIDv7 is taken as it is: it costs nothing and is recognised from memory.
//   idempotency.2. Any other key becomes a UUIDv7 whose 74 free bits are a hash of user, room and key, and
//        whose own time is 0. The time may not come from a clock, for the retry has another one.
//        An id of 1970 is older than any memory, so a room looks it up in the archive before it
//        accepts it: right for ever, at the price of one look-up, and `unavailable` without archive.
//        Only this user's sends to this room wait for it (P21).
//   idempotency.3. `id` and `Idempotency-Key` may both be given only if they name the same id.
//
// Rejected: refusing other keys (common clients send a UUIDv4); a table of keys in the gateway (it
// would forget in a restart, and the next gateway would not know).

import { createHash } from "node:crypto";
import { uuidv7 } from "#shared/kit/uuid.ts";
import type { Random } from "#shared/ports/clock.ts";
import { isMessageId } from "#shared/protocol/ids.ts";
import type { MessageId, Millis, RoomId, UserId } from "#shared/protocol/ids.ts";

const KEY = /^[\x20-\x7e]{1,255}$/;

export interface IdSources {
  readonly user: UserId;
  readonly room: RoomId;
  /** The header, as it came. */
  readonly key?: string | undefined;
  /** `id` of the request's body. */
  readonly given?: string | undefined;
}

/** Undefined: what was given is no id (`bad_id`). Without any source a new id is made. */
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
  // JSON keeps ("a", "b c") and ("a b", "c") apart.
  const hash = createHash("sha256")
    .update(JSON.stringify([user, room, key]))
    .digest("hex");
  const variant = ((Number.parseInt(hash.slice(3, 4), 16) & 0x3) | 0x8).toString(16);
  const id = `00000000-0000-7${hash.slice(0, 3)}-${variant}${hash.slice(4, 7)}-${hash.slice(7, 19)}`;
  return isMessageId(id) ? id : undefined;
}

/** The header is a structured string, `"…"`, in the draft that defines it, and bare in the wild. */
function unquote(key: string): string {
  const isQuoted = key.length >= 2 && key.startsWith('"') && key.endsWith('"');
  return isQuoted ? key.slice(1, -1) : key;
}
