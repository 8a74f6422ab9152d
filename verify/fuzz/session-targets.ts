// Session targets: valid messages about sessions and leases, and their decoders.

import type { MessageId, ProcessId, UserId } from "#shared/protocol/ids.ts";
import {
  decodeLeaseOutcome,
  decodeLeaseRequest,
  encodeLeaseOutcome,
  encodeLeaseRequest,
} from "#shared/protocol/leases.ts";
import {
  decodeSessionEvent,
  encodeSessionEvent,
  recordOf,
  sessionKey,
} from "#shared/protocol/session-records.ts";
import type { SessionEvent } from "#shared/protocol/session-records.ts";
import {
  decodeSessionAnswer,
  decodeSessionNotice,
  decodeSessionRequest,
  encodeSessionAnswer,
  encodeSessionNotice,
  encodeSessionRequest,
} from "#shared/protocol/session-requests.ts";
import { of } from "./target.ts";
import type { Target } from "./target.ts";

const user = "ada" as UserId;
const gateway = "gw-a1" as ProcessId;
const session = "0199d3c0-0000-7000-8000-000000000001" as MessageId;
const RECORD = { user, gateway, session, since: 3, client: "x/1", device: "phone", from: session };
const KEY = sessionKey(RECORD);
const EVENTS: readonly SessionEvent[] = [
  { t: "started", ...RECORD, address: "192.0.2.0/24" },
  { t: "kept", ...RECORD },
  { t: "ended", ...RECORD, at: 9, reason: "gateway-lost" },
];

export function sessionTargets(): Target[] {
  return [
    of("session record", EVENTS.map(encodeSessionEvent), (text) => {
      const event = decodeSessionEvent(KEY, text);
      return event && sessionKey(recordOf(event));
    }),
    of(
      "session request",
      [
        encodeSessionRequest({ op: "lease", gateway }),
        encodeSessionRequest({ op: "leave", gateway }),
        encodeSessionRequest({ op: "write", writes: EVENTS.map((event, n) => [n, event]) }),
        encodeSessionRequest({ op: "list", user }),
        encodeSessionRequest({ op: "end", user, session, reason: "moved" }),
        encodeSessionRequest({ op: "revoke", user, by: "ops" }),
      ],
      decodeSessionRequest,
    ),
    of(
      "session answer",
      [
        encodeSessionAnswer({ ok: true, op: "lease", isNew: true }),
        encodeSessionAnswer({ ok: true, op: "write", revisions: [3, 0] }),
        encodeSessionAnswer({ ok: true, op: "list", sessions: [RECORD], more: 1 }),
        encodeSessionAnswer({ ok: true, op: "end", ended: 1, left: 0 }),
        encodeSessionAnswer({ ok: true, op: "revoke", at: 9 }),
        encodeSessionAnswer({ ok: false, error: "full" }),
      ],
      decodeSessionAnswer,
    ),
    of(
      "session notice",
      [encodeSessionNotice({ user, sessions: [session], reason: "ended" })],
      decodeSessionNotice,
    ),
    of("lease", [encodeLeaseRequest({ name: "room", by: gateway })], decodeLeaseRequest),
    of("lease outcome", [encodeLeaseOutcome({ kind: "held" })], decodeLeaseOutcome),
  ];
}
