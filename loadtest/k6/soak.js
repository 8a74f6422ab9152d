// Soak: 24 million messages a day (280 a second) over 2,000 rooms, for SECONDS (3,000 for the
// report: twenty minutes until memory is filled, and the half hour that counts). make load measures
// the memory from outside.

import { openSession, SECONDS, SOUND } from "./chat.js";

const CONNECTIONS = 280;
const ROOMS = 2_000;

export const options = {
  scenarios: {
    users: {
      executor: "per-vu-iterations",
      vus: CONNECTIONS,
      iterations: 1,
      maxDuration: `${SECONDS + 60}s`,
    },
  },
  thresholds: { ...SOUND, parley_ack_ms: ["p(99)<50"] },
  summaryTrendStats: ["avg", "min", "med", "max", "p(90)", "p(95)", "p(99)"],
};

export function setup() {
  return { stamp: Date.now() };
}

/**
 * Each connection sends one message a second and moves to its next room every minute. The
 * connections move at different times, as real users do.
 */
export default function user({ stamp }) {
  const endsAt = Date.now() + SECONDS * 1_000;
  const perVu = Math.ceil(ROOMS / CONNECTIONS);
  const stay = (turn) => {
    openSession({
      user: `k6-${__VU}`,
      room: `k6-soak-${stamp}-${__VU * perVu + (turn % perVu)}`,
      onReady: (session) => {
        const timer = setInterval(() => session.send("soak"), 1_000);
        const fullMs = turn === 0 ? 10_000 + (60_000 * __VU) / CONNECTIONS : 60_000;
        const stayMs = Math.min(fullMs, Math.max(0, endsAt - Date.now()));
        setTimeout(() => clearInterval(timer), stayMs);
        setTimeout(() => {
          session.close();
          if (Date.now() < endsAt) stay(turn + 1);
        }, stayMs + 2_000);
      },
    });
  };
  stay(0);
}
