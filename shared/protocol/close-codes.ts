// Close codes: why a server ends a connection. The range tells the client what to do:
// 1001, 1012, 1013 and 4000–4499: reconnect; 1008, 1009 and 4500–4999: do not.

export const CLOSE = {
  idle: { code: 1001, reason: "idle" },
  policy: { code: 1008, reason: "policy" },
  tooBig: { code: 1009, reason: "too big" },
  restart: { code: 1012, reason: "restart" },
  overload: { code: 1013, reason: "overload" },
  slow: { code: 4000, reason: "slow" },
  sessionMoved: { code: 4001, reason: "session moved" },
  badToken: { code: 4500, reason: "bad token" },
  revoked: { code: 4501, reason: "revoked" },
  banned: { code: 4502, reason: "banned" },
  tooManyConnections: { code: 4503, reason: "too many connections" },
} as const;

export type CloseName = keyof typeof CLOSE;

/** True when a client that was closed with `code` should connect again. */
export function mayReconnect(code: number): boolean {
  return !(code === 1008 || code === 1009 || (code >= 4500 && code <= 4999));
}
