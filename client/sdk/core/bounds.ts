// Bounds: every limit of a queue, a wait and a deadline of the SDK, and the behaviour at the limit.

import type { BackoffOptions } from "#shared/kit/backoff.ts";

/** Sends without an outcome. Beyond it: refused with `busy`, nothing is queued. */
export const OUTBOX_MAX = 256;
/**
 * Unanswered sends on the connection, below the server's limit of 64. Others wait in the outbox.
 */
export const WIRE_SENDS_MAX = 60;
/**
 * A send without an outcome for this long is refused with `unavailable`: the outcome is not known.
 */
export const SEND_DEADLINE_MS = 5 * 60_000;
/** The same for a client that keeps its sends in a store, where they survive its end. */
export const KEPT_DEADLINE_MS = 24 * 60 * 60_000;

/** History calls without an answer. Beyond it: `busy`. */
export const PAGES_MAX = 32;
/** A history call without an answer for this long fails with `unavailable`. */
export const PAGE_DEADLINE_MS = 30_000;

/** For token, handshake and welcome together. Beyond it the attempt has failed. */
export const CONNECT_TIMEOUT_MS = 10_000;
/** The wait before a reconnect (K1). */
export const RECONNECT: BackoffOptions = { baseMs: 250, capMs: 20_000 };
/** The wait after close 4503 (too many connections): 15 to 30 s, then more. */
export const RECONNECT_SLOWLY: BackoffOptions = { baseMs: 15_000, capMs: 60_000 };
export const RECONNECT_SLOWLY_LEAST_MS = 15_000;
/** After a connection of this duration the next backoff starts at its base. */
export const STEADY_MS = 5_000;
/** The server closes after `reconnect`. After this time the client closes instead. */
export const LEAVING_GRACE_MS = 5_000;
/**
 * A longer `afterMs` of the server is reduced to this, so that a faulty server cannot block a
 * client.
 */
export const AFTER_MS_MAX = 60_000;

/** The wait before the retry of a refused request; a longer `afterMs` of the server replaces it. */
export const RETRY: BackoffOptions = { baseMs: 500, capMs: 10_000 };
/**
 * A gateway answers every request within ten seconds. A connection that is silent for longer is
 * closed.
 */
export const ANSWER_SILENCE_MS = 15_000;
/** When the machine, the network or the page is back: a ping is answered within this time. */
export const WAKE_ANSWER_MS = 5_000;
/** A page that the browser put aside connects at the latest after this time, if it runs again. */
export const SUSPENDED_MS = 10 * 60_000;
/** A join without an answer for this long closes the connection, also while other frames arrive. */
export const JOIN_TIMEOUT_MS = 30_000;

/**
 * A token is renewed this long before it expires, or at three quarters of its validity if that is
 * later.
 */
export const REFRESH_AHEAD_MS = 60_000;

/** A user counts as typing for this long after the last `typing` frame. */
export const TYPING_SHOWN_MS = 6_000;
/** A read position is said at most once in this time. */
export const READ_REPEAT_MS = 1_000;
/** `typing(true)` on every key costs one frame in this time. */
export const TYPING_REPEAT_MS = 2_000;
/** Typing users of one room. Further ones are not shown. */
export const TYPING_MAX = 64;
