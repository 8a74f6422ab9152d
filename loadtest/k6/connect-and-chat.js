// Connect and chat: users connect at a steady rate, join a room, send some messages, read, and
// leave.

import { openSession, SCALE, SECONDS, SOUND } from "./chat.js";

const MESSAGES = 5;
const BETWEEN_MS = 200;

export const options = {
  scenarios: {
    users: {
      executor: "constant-arrival-rate",
      rate: 20 * SCALE,
      timeUnit: "1s",
      duration: `${SECONDS}s`,
      preAllocatedVUs: 100 * SCALE,
      gracefulStop: "10s",
    },
  },
  thresholds: {
    ...SOUND,
    parley_join_ms: ["p(95)<1000"],
    parley_ack_ms: ["p(95)<500"],
  },
};

export default function connectAndChat() {
  const room = `k6-chat-${__ITER % 20}`;
  openSession({
    user: `k6-${__VU}`,
    room,
    tail: 20,
    onReady: (session) => {
      for (let n = 0; n < MESSAGES; n++) {
        setTimeout(() => session.send(`message ${n}`), n * BETWEEN_MS);
      }
      setTimeout(() => session.close(), MESSAGES * BETWEEN_MS + 1_500);
    },
  });
}
