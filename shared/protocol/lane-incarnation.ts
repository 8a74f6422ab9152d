// Lane incarnation: the number of a run of a lane, which grows when the lane begins again after an
// uncertain outcome (commands.2, commands.4).

import { LANE_INCARNATION_MAX } from "./limits.ts";

/** After LANE_INCARNATION_MAX comes 1. */
export function nextIncarnation(lane: number): number {
  return (lane % LANE_INCARNATION_MAX) + 1;
}

/** commands.4. */
export function isNewerIncarnation(lane: number, than: number): boolean {
  const ahead = (lane - than + LANE_INCARNATION_MAX) % LANE_INCARNATION_MAX;
  return ahead > 0 && ahead <= LANE_INCARNATION_MAX / 2;
}
