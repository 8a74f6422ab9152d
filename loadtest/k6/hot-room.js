// Hot room: all users are in one room with a hundred messages a second.

import { openSession, SCALE, SECONDS, SOUND } from "./chat.js";

const MEMBERS = 50 * SCALE;
const ROOM = `k6-hot-${Date.now()}`;
const EACH_PER_SECOND = 2;

export const options = {
  scenarios: {
    members: {
      executor: "per-vu-iterations",
      vus: MEMBERS,
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
  return { room: ROOM };
}

export default function member({ room }) {
  openSession({
    user: `k6-${__VU}`,
    room,
    onReady: (session) => {
      session.ready = true;
      const timer = setInterval(() => session.send("hot"), 1_000 / EACH_PER_SECOND);
      setTimeout(() => clearInterval(timer), SECONDS * 1_000);
      setTimeout(() => session.close(), SECONDS * 1_000 + 3_000);
    },
  });
}
