// Bounds: every queue, wait and deadline of the SDK, with what happens at it.

import type { BackoffOptions } from "#shared/kit/backoff.ts";

/** Sends without an outcome. Beyond it: refused with `busy`, nothing is queued. */
export const OUTBOX_MAX = 256;
/** Unanswered sends on the wire, a little below the server's own 64. Others wait in the outbox. */
export const WIRE_SENDS_MAX = 60;
/** A send without an outcome for this long is refused with `unavailable`: nobody knows. */
export const SEND_DEADLINE_MS = 5 * 60_000;

/** History calls without an answer. Beyond it: `busy`. */
export const PAGES_MAX = 32;
/** A history call without an answer for this long fails with `unavailable`. */
export const PAGE_DEADLINE_MS = 30_000;

/** Token, handshake and welcome together. Beyond it the attempt has failed. */
export const CONNECT_TIMEOUT_MS = 10_000;
/** The wait before a reconnect (K1). */
export const RECONNECT: BackoffOptions = { baseMs: 250, capMs: 20_000 };
/** The same where the server says that the user has too many connections: 15 to 30 s, then more. */
export const RECONNECT_SLOWLY: BackoffOptions = { baseMs: 15_000, capMs: 60_000 };
export const RECONNECT_SLOWLY_LEAST_MS = 15_000;
/** A connection that held for this long was good: the next backoff begins anew. */
export const STEADY_MS = 5_000;
/** After `reconnect` the server closes; if it has not within this time, the client does. */
export const LEAVING_GRACE_MS = 5_000;
/** The longest `afterMs` that is believed, so that a broken server cannot silence a client. */
export const AFTER_MS_MAX = 60_000;

/** The wait before a refused request is tried again; `afterMs` of the server wins if larger. */
export const RETRY: BackoffOptions = { baseMs: 500, capMs: 10_000 };
/** A gateway answers every request within ten seconds; silence beyond this ends a connection. */
export const ANSWER_SILENCE_MS = 15_000;
/** A join that stays unanswered while other frames arrive ends the connection, too. */
export const JOIN_TIMEOUT_MS = 30_000;

/** A token is renewed this long before its end, or at three quarters of its life. */
export const REFRESH_AHEAD_MS = 60_000;

/** Somebody who typed is shown for this long after the last word of it. */
export const TYPING_SHOWN_MS = 6_000;
/** `typing(true)` on every key costs one frame in this time. */
export const TYPING_REPEAT_MS = 2_000;
/** Typing entries of one room. Beyond it new ones are not shown. */
export const TYPING_MAX = 64;
