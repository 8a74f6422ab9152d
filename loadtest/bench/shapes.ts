// Shapes: number of rooms, members and messages of each row, for bench, profiles and tests.

import type { Shape } from "./run.ts";

const SECONDS = 10;
const HOT = { rooms: 1, members: 500, writers: 10, warmPerSecond: 100, seconds: SECONDS };
const MANY = { rooms: 1_000, members: 10, seconds: SECONDS };

/** One large room at a low rate: the cost of a delivery. */
export const LARGE: Shape = {
  name: "1 room × 1,000, 50/s",
  rooms: 1,
  members: 1_000,
  perSecond: 50,
  seconds: 60,
};

/** One large room at a high rate: the limit of a system. */
export const BUSY_ROOM: Shape = { ...HOT, name: "1 room × 500, 1,000/s", perSecond: 1_000 };
export const BUSY_ROOM_3: Shape = { ...HOT, name: "1 room × 500, 3,000/s", perSecond: 3_000 };

/** Many small rooms: the cost of a wake-up. */
export const MANY_ROOMS: Shape = { ...MANY, name: "1,000 rooms × 10, 2,000/s", perSecond: 2_000 };
export const MANY_ROOMS_2: Shape = { ...MANY, name: "1,000 rooms × 10, 3,500/s", perSecond: 3_500 };

/** Few users in few rooms: the latency of the path itself. */
export const CALM: Shape = {
  name: "200 rooms × 5, 200/s",
  rooms: 200,
  members: 5,
  perSecond: 200,
  seconds: SECONDS,
};

/** The rate that one core sustains, and the time until V8 has compiled what runs at this rate. */
const WARM_HOT = { warmPerSecond: 10_000, warmSeconds: 10 };

/** As many messages as one room accepts. Its code is compiled before the figures begin. */
export function hotRoom(perSecond: number): Shape {
  return {
    name: `1 room × 20, ${perSecond.toLocaleString("en")}/s`,
    rooms: 1,
    members: 20,
    writers: 20,
    perSecond,
    ...WARM_HOT,
    seconds: SECONDS,
  };
}

export const BY_ROW: Readonly<Record<string, Shape>> = {
  B1: { ...LARGE, seconds: SECONDS },
  B2: BUSY_ROOM,
  B3: MANY_ROOMS,
  B4: hotRoom(10_000),
  B9: CALM,
};
