// Write ids: the ids of the events of one write.
//
// The first event has the id of the write. The ids of the others follow from it: the protocol names
// them, and the checker computes them by itself.

import type { MessageId } from "#shared/protocol/ids.ts";

/** The distance between the ids of one write's events, in their last 48 bits. */
const ID_STRIDE = 0x5_deec_e66d;

/** The id of the event `n` places after the first event of the write `id`. */
export function idOfWrite(id: MessageId, n: number): MessageId {
  const last = (Number.parseInt(id.slice(24), 16) + n * ID_STRIDE) % 2 ** 48;
  return `${id.slice(0, 24)}${last.toString(16).padStart(12, "0")}` as MessageId;
}
