// Many rooms: hundreds of small rooms with few messages each.

import { openSession, SCALE, SECONDS, SOUND } from "./chat.js";

const ROOMS = 100 * SCALE;
const MEMBERS = 3;

export const options = {
  scenarios: {
    members: {
      executor: "per-vu-iterations",
      vus: ROOMS * MEMBERS,
      iterations: 1,
      maxDuration: `${SECONDS + 30}s`,
    },
  },
  thresholds: {
    ...SOUND,
    parley_ack_ms: ["p(95)<500"],
    parley_delivery_ms: ["p(95)<500"],
  },
};

export function setup() {
  return { stamp: Date.now() };
}

export default function member({ stamp }) {
  const room = `k6-many-${stamp}-${__VU % ROOMS}`;
  openSession({
    user: `k6-${__VU}`,
    room,
    onReady: (session) => {
      session.ready = true;
      const timer = setInterval(() => session.send("small"), 1_500);
      setTimeout(() => clearInterval(timer), SECONDS * 1_000);
      setTimeout(() => session.close(), SECONDS * 1_000 + 3_000);
    },
  });
}
