// HalfRandom: returns one half each time, so that a full jitter is exactly half of its maximum.

import type { Random } from "#shared/ports/clock.ts";

export const halfRandom: Random = {
  next32: () => 0x8000_0000,
};
