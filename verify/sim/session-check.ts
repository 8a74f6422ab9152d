// Session check: judges the starts and ends of sessions that a run stored (SL2).
//
// Owns: the comparison after the run. Shares no code with the stores.

import type { SessionEvent } from "#shared/protocol/session-records.ts";
import type { Findings } from "./findings.ts";

/** Each session starts, ends once, and starts again only behind the loss of its gateway. */
export function checkSessions(events: readonly SessionEvent[], findings: Findings): void {
  const newest = new Map<string, SessionEvent>();
  for (const event of events) {
    const before = newest.get(event.session);
    newest.set(event.session, event);
    if (event.t === "started") findings.count("session started");
    if (event.t === "ended" && event.reason === "moved") findings.count("session moved");
    const wasLost = before?.t === "ended" && before.reason === "gateway-lost";
    const isLive = before !== undefined && before.t !== "ended";
    const isAgain = event.t === "started" && event.again === true;
    const isInOrder = event.t === "started" ? (isAgain ? wasLost : before === undefined) : isLive;
    if (isInOrder) continue;
    const detail = `${event.t} of session ${event.session} behind ${before?.t ?? "nothing"}`;
    findings.violation("SL2", detail);
  }
}
