// Half random: every draw is one half, so that a full jitter waits for exactly half of its ceiling.

import type { Random } from "#shared/ports/clock.ts";

export const halfRandom: Random = {
  next32: () => 0x8000_0000,
};
