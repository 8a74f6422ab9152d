// Erase: `parley erase` deletes every message of a user.
//
// Owns: the steps of the job and its report. Does not own: the deletion of one message, which is
// the write of a frame with all its rules (C6). An administrator's token has the right to it in
// every room.
//
//   erase.1. The archive says which messages still have a text. So the job keeps no state: it can
//        be stopped at any time, and continues when it is started again.
//   erase.2. It makes further passes until one finds no message. Before each of them the archive
//        has time to receive what was sent and deleted before.
//   erase.3. It deletes one message at a time, waits as long as the server asks it to, and gives a
//        message up after ATTEMPTS_MAX temporary errors. The report names each message that was
//        given up.

import type { RoomId, Seq } from "#shared/protocol/ids.ts";

/** Messages that are listed together. */
const BATCH = 500;
const ATTEMPTS_MAX = 20;
const RETRY_MS = 500;
/** The archive is a moment behind the log. */
const SETTLE_MS = 2_000;

export interface MessagePlace {
  readonly room: RoomId;
  readonly seq: Seq;
}

/** `gone`: it was deleted already. */
export type Removal =
  | { readonly kind: "erased" | "gone" }
  | { readonly kind: "later"; readonly afterMs: number }
  | { readonly kind: "failed"; readonly error: string };

export interface EraseParts {
  /** Messages of the user that still have a text, behind `after`, in the order of their places. */
  readonly list: (after: MessagePlace | undefined, limit: number) => Promise<MessagePlace[]>;
  readonly remove: (place: MessagePlace) => Promise<Removal>;
  readonly wait: (ms: number) => Promise<void>;
  readonly onProgress?: (erased: number) => void;
}

export interface EraseReport {
  readonly erased: number;
  /** Deleted already, by another client or in a pass that the archive has not seen yet. */
  readonly gone: number;
  readonly rooms: number;
  readonly failed: readonly (MessagePlace & { readonly error: string })[];
  /** Messages that still have a text at the end. */
  readonly remaining: number;
}

export async function eraseMessages(parts: EraseParts): Promise<EraseReport> {
  const rooms = new Set<RoomId>();
  const failed = new Map<string, MessagePlace & { readonly error: string }>();
  const counts = { erased: 0, gone: 0 };
  for (let found = Infinity; found > 0;) {
    if (found < Infinity) await parts.wait(SETTLE_MS); // erase.2
    found = 0;
    let after: MessagePlace | undefined;
    for (;;) {
      const places = await parts.list(after, BATCH);
      for (const place of places) {
        const key = `${place.room} ${place.seq}`;
        if (failed.has(key)) continue;
        const removal = await removeOne(parts, place);
        if (typeof removal === "string") failed.set(key, { ...place, error: removal });
        else {
          found++;
          counts[removal.kind]++;
          rooms.add(place.room);
        }
      }
      after = places.at(-1);
      parts.onProgress?.(counts.erased);
      if (places.length < BATCH) break;
    }
  }
  const remaining = await countAll(parts);
  return { ...counts, rooms: rooms.size, failed: [...failed.values()], remaining };
}

/** The error of a message that was given up. */
async function removeOne(
  { remove, wait }: EraseParts,
  place: MessagePlace,
): Promise<{ readonly kind: "erased" | "gone" } | string> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const removal = await remove(place);
    if (removal.kind === "failed") return removal.error;
    if (removal.kind !== "later") return { kind: removal.kind };
    await wait(Math.max(removal.afterMs, RETRY_MS));
  }
  return "unavailable"; // erase.3
}

async function countAll({ list }: EraseParts): Promise<number> {
  let count = 0;
  for (let after: MessagePlace | undefined; ;) {
    const places = await list(after, BATCH);
    count += places.length;
    after = places.at(-1);
    if (places.length < BATCH) return count;
  }
}
