// Close codes: the table of the reasons why the server closes a connection, with the client's next
// step.
//
// The gateway closes with a row of this table. The SDK finds its next step by the code.
//
//   close-codes.1. Every row names the client's next step. Rows with the same code have the
//        same step.
//   close-codes.2. The range decides about an unknown code: 1008, 1009 and 4500–4999 are final,
//        every other code is temporary. A client that knows only the ranges is right about every
//        row except 4503: it stops, although it should reconnect later.

/** The action of a client after a close. */
export type NextStep =
  /** Connect again, after a backoff with full jitter. */
  | "reconnect"
  /** Connect again after at least fifteen seconds: the user's other connections are the cause. */
  | "reconnect-slowly"
  /** Connect again with a new token. Stop when there is no new token. */
  | "renew-token"
  /** The server refused the token: try one new token, then stop. */
  | "replace-token"
  /** Do not connect again: the server would close the connection for the same reason. */
  | "stop";

interface CloseRow {
  readonly code: number;
  readonly reason: string;
  readonly next: NextStep;
}

export const CLOSE = {
  idle: { code: 1001, reason: "idle", next: "reconnect" },
  noSubprotocol: {
    code: 1008,
    reason: 'expected the subprotocol parley.v1: new WebSocket(url, "parley.v1")',
    next: "stop",
  },
  noHello: {
    code: 1008,
    reason: 'expected {"t":"hello","token":"<JWT>"} as the first frame',
    next: "stop",
  },
  binaryFrame: {
    code: 1008,
    reason: "expected text frames that hold JSON objects, got a binary frame",
    next: "stop",
  },
  tooManyEarlyFrames: { code: 1008, reason: "too many frames before welcome", next: "stop" },
  tooManyBrokenFrames: { code: 1008, reason: "too many frames that are not valid", next: "stop" },
  tooBig: { code: 1009, reason: "too big", next: "stop" },
  restart: { code: 1012, reason: "restart", next: "reconnect" },
  otherGrants: { code: 1012, reason: "the new token grants other roles", next: "reconnect" },
  overload: { code: 1013, reason: "overload", next: "reconnect" },
  tooManyTries: { code: 1013, reason: "too many tries from this address", next: "reconnect" },
  noKeys: { code: 1013, reason: "the token cannot be verified now", next: "reconnect" },
  slow: { code: 4000, reason: "slow", next: "reconnect" },
  sessionMoved: { code: 4001, reason: "session moved", next: "reconnect" },
  lateHello: { code: 4002, reason: "no hello in time", next: "reconnect" },
  tokenExpired: { code: 4003, reason: "token expired", next: "renew-token" },
  badToken: { code: 4500, reason: "bad token", next: "replace-token" },
  revoked: { code: 4501, reason: "revoked", next: "stop" },
  kicked: { code: 4501, reason: "kicked", next: "stop" },
  sessionEnded: { code: 4501, reason: "session ended", next: "stop" },
  banned: { code: 4502, reason: "banned", next: "stop" },
  tooManyConnections: { code: 4503, reason: "too many connections", next: "reconnect-slowly" },
} as const satisfies Readonly<Record<string, CloseRow>>;

export type CloseName = keyof typeof CLOSE;

/** The steps that the range of the code does not say. The SDK needs no text of the table. */
const OWN_STEPS: Readonly<Record<number, NextStep>> = {
  [1008]: "stop",
  [1009]: "stop",
  [4003]: "renew-token",
  [4500]: "replace-token",
  [4503]: "reconnect-slowly",
};

/** The step after a close with `code`, by either side. It equals `next` of each row. */
export function nextStep(code: number): NextStep {
  return OWN_STEPS[code] ?? (code >= 4500 && code <= 4999 ? "stop" : "reconnect"); // close-codes.2
}
