// Direct room: the id of the room of two users.
//
// Both users compute the same id, so a race of two creations makes one room. The hash hides nothing
// and needs no secrecy: a second pair with the same hash would get `conflict`, never the room.

import { ALPHABET, utf8 } from "../kit/base64url.ts";
import type { RoomId, UserId } from "./ids.ts";

const PATTERN = /^dm-[A-Za-z0-9_-]{22}$/;
const FNV_PRIME = (1n << 88n) + 0x13bn;
const FNV_OFFSET = 0x6c62272e07bb014262b821756295c58dn;

/** `dm-` and the base64url form of FNV-1a (128 bit) of the sorted pair. */
export function directRoomId(a: UserId, b: UserId): RoomId {
  const text = JSON.stringify(a < b ? [a, b] : [b, a]);
  let hash = FNV_OFFSET;
  for (const byte of utf8(text)) {
    hash = BigInt.asUintN(128, (hash ^ BigInt(byte)) * FNV_PRIME);
  }
  const padded = hash << 4n; // 132 bits: 22 characters of 6.
  const name = Array.from({ length: 22 }, (_, i) => {
    return ALPHABET[Number((padded >> BigInt(126 - 6 * i)) & 63n)];
  });
  return `dm-${name.join("")}` as RoomId;
}

/** True for an id that only a direct room may have. */
export function isDirectRoomId(room: RoomId): boolean {
  return room.length === 25 && PATTERN.test(room);
}
