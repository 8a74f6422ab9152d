// Archived targets: what a stored line says of the message that a change names.

import { parseObject } from "./json.ts";
import { isMentions } from "../protocol/events.ts";
import type { Mentions } from "../protocol/events.ts";
import type { ArchivedTarget } from "../protocol/history.ts";
import { isUserId } from "../protocol/ids.ts";
import type { Millis, Seq } from "../protocol/ids.ts";

/**
 * `line`: undefined when the archive has no event with this number. `edited`: the mentions of the
 * newest edit that has some.
 */
export function targetOf(
  seq: Seq,
  line: string | undefined,
  edited: Mentions | undefined,
): ArchivedTarget {
  const event = line === undefined ? undefined : parseObject(line);
  const from = event?.["from"];
  if (event?.["t"] !== "msg" || !isUserId(from)) return { seq };
  const { at, thread, deleted } = event;
  const mentions = edited ?? event["mentions"];
  const message = {
    from,
    ...(Number.isSafeInteger(at) && { at: at as Millis }),
    ...(Number.isSafeInteger(thread) && { thread: thread as Seq }),
    ...(deleted === undefined && isMentions(mentions) && { mentions }),
    ...(deleted !== undefined && { isDeleted: true as const }),
  };
  return { seq, message };
}
