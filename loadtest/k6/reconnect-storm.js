// Reconnect storm: rooms with writers, and readers that disconnect and resume from their cursors
// repeatedly. No reader misses a sequence number, and catch-up is fast.

import { openSession, SCALE, SECONDS, SOUND } from "./chat.js";

const ROOMS = 10;
const WRITERS = ROOMS;
const READERS = 200 * SCALE;
const AWAY_MS = 500;
const HERE_MS = 3_000;

export const options = {
  scenarios: {
    writers: {
      executor: "per-vu-iterations",
      exec: "writer",
      vus: WRITERS,
      iterations: 1,
      maxDuration: `${SECONDS + 30}s`,
    },
    readers: {
      executor: "per-vu-iterations",
      exec: "readers",
      vus: READERS,
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

export function writer({ stamp }) {
  openSession({
    user: `k6-writer-${__VU}`,
    room: `k6-storm-${stamp}-${__VU % ROOMS}`,
    onReady: (session) => {
      const timer = setInterval(() => session.send("storm"), 200);
      setTimeout(() => clearInterval(timer), SECONDS * 1_000);
      setTimeout(() => session.close(), SECONDS * 1_000 + 3_000);
    },
  });
}

export function readers({ stamp }) {
  const room = `k6-storm-${stamp}-${__VU % ROOMS}`;
  const endsAt = Date.now() + SECONDS * 1_000;
  const come = (after) => {
    openSession({
      user: `k6-reader-${__VU}`,
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
