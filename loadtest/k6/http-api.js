// HTTP API: posts messages with an idempotency key and reads them page by page.

import http from "k6/http";
import { check } from "k6";
import { GATEWAY, newId, SCALE, SECONDS, tokenFor } from "./chat.js";

const RATE = 200 * SCALE;

export const options = {
  scenarios: {
    api: {
      executor: "constant-arrival-rate",
      rate: RATE,
      timeUnit: "1s",
      duration: `${SECONDS}s`,
      preAllocatedVUs: 100 * SCALE,
    },
  },
  thresholds: {
    dropped_iterations: ["count==0"],
    checks: ["rate==1"],
    "http_req_duration{kind:post}": ["p(95)<500"],
    "http_req_duration{kind:page}": ["p(95)<500"],
  },
};

export default function api() {
  const room = `k6-http-${__VU % 50}`;
  const headers = {
    authorization: `Bearer ${tokenFor(`k6-${__VU}`)}`,
    "content-type": "application/json",
  };
  const url = `${GATEWAY}/v1/rooms/${room}/messages`;
  // A user may send 20 a second; a hundred users stay far below this limit.
  if (__ITER % 4 === 0) {
    const body = JSON.stringify({ id: newId(), body: { text: "by HTTP" } });
    const posted = http.post(url, body, { headers, tags: { kind: "post" } });
    check(posted, { posted: ({ status }) => status === 200 || status === 201 });
  } else {
    const page = http.get(`${url}?limit=20`, { headers, tags: { kind: "page" } });
    check(page, { read: ({ status }) => status === 200 });
  }
}
