// Earliest: the first of several times that may be undefined.

import type { Millis } from "#shared/protocol/ids.ts";

export function earliest(times: Iterable<Millis | undefined>): Millis | undefined {
  let first: Millis | undefined;
  for (const at of times) if (at !== undefined && (first === undefined || at < first)) first = at;
  return first;
}
