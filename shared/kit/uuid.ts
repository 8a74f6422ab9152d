// UUIDv7: message ids, made from a time and random bits that the caller gives.

import type { MessageId, Millis } from "../protocol/ids.ts";
import type { Random } from "../ports/clock.ts";

/** A canonical UUIDv7 whose own time is `now`. */
export function uuidv7(now: Millis, random: Random): MessageId {
  const time = Math.max(0, Math.floor(now)).toString(16).padStart(12, "0").slice(-12);
  const a = hex(random.next32(), 8);
  const b = hex(random.next32(), 8);
  const c = hex(random.next32(), 8);
  const variant = ((Number.parseInt(a[3] ?? "0", 16) & 0x3) | 0x8).toString(16);
  const id = `${time.slice(0, 8)}-${time.slice(8)}-7${a.slice(0, 3)}-${variant}${a.slice(4, 7)}-${b}${c.slice(0, 4)}`;
  return id as MessageId;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
