// Reconnect storm: rooms that are talked in, and a crowd that drops and comes back with its cursor
// again and again. Nobody may miss a number; catching up is fast.

import { openSession, SCALE, SECONDS, SOUND } from "./chat.js";

const ROOMS = 10;
const TALKERS = ROOMS;
const CROWD = 200 * SCALE;
const AWAY_MS = 500;
const HERE_MS = 3_000;

export const options = {
  scenarios: {
    talkers: {
      executor: "per-vu-iterations",
      exec: "talker",
      vus: TALKERS,
      iterations: 1,
      maxDuration: `${SECONDS + 30}s`,
    },
    crowd: {
      executor: "per-vu-iterations",
      exec: "crowd",
      vus: CROWD,
      iterations: 1,
      maxDuration: `${SECONDS + 30}s`,
    },
  },
  thresholds: {
    ...SOUND,
    parley_join_ms: ["p(95)<2000"],
    parley_ack_ms: ["p(95)<500"],
  },
};

export function setup() {
  return { stamp: Date.now() };
}

export function talker({ stamp }) {
  openSession({
    user: `k6-talker-${__VU}`,
    room: `k6-storm-${stamp}-${__VU % ROOMS}`,
    onReady: (session) => {
      const timer = setInterval(() => session.send("storm"), 200);
      setTimeout(() => clearInterval(timer), SECONDS * 1_000);
      setTimeout(() => session.close(), SECONDS * 1_000 + 3_000);
    },
  });
}

export function crowd({ stamp }) {
  const room = `k6-storm-${stamp}-${__VU % ROOMS}`;
  const endsAt = Date.now() + SECONDS * 1_000;
  const come = (after) => {
    openSession({
      user: `k6-crowd-${__VU}`,
      room,
      after,
      onReady: (session) => {
        setTimeout(() => {
          const cursor = session.last;
          session.close();
          if (Date.now() < endsAt) setTimeout(() => come(cursor), AWAY_MS);
        }, HERE_MS);
      },
    });
  };
  come(0);
}
