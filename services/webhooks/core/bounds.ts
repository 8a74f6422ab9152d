// Bounds: every limit of one webhooks process, with its unit and the behaviour at the limit.

/** Deliveries of one subscription in flight. Further lanes wait. */
export const IN_FLIGHT_MAX = 8;
/** Events of one turn of a subscription. The rest follows in the next turn … */
export const CHUNK_EVENTS_MAX = 100;
/** … and rows of the feed that one turn reads of a partition. */
export const CHUNK_ROWS_MAX = 20;
/** A receiver answers within this time, DNS and TLS included; otherwise the delivery failed. */
export const DELIVERY_TIMEOUT_MS = 15_000;
/** Bytes of an answer that are read. A longer answer ends the connection; its status counts. */
export const ANSWER_BYTES_MAX = 16 * 1024;
/** Open connections to one receiver that wait for the next delivery. */
export const IDLE_SOCKETS_MAX = 2;

/** From the archive on. An event that the receiver does not have by then is a dead letter. */
export const TRIED_FOR_MS = 3 * 24 * 3_600_000;
/** The waits between two attempts of one event (full jitter). */
export const RETRY = { baseMs: 1_000, capMs: 3_600_000 };
/** The same while nothing reaches the receiver: then one event is tried for all. */
export const PROBE = { baseMs: 1_000, capMs: 60_000 };
/** Failed deliveries in a row, over all lanes, after which a receiver counts as down. */
export const FAILURES_MAX = 3;
/** Events of one subscription that wait for another attempt. Beyond it no new event is begun. */
export const WAITING_MAX = 10_000;
/** Dead letters of one subscription. Beyond it the oldest is removed. */
export const DEAD_MAX = 100_000;

/** How often a process looks for new subscriptions and free locks. */
export const LOOK_MS = 2_000;
/** How often a subscription looks for events when no watermark announces any. */
export const POLL_MS = 5_000;
/** After an error of PostgreSQL. */
export const STORE_RETRY_MS = 1_000;
/** How often dead letters are made, and the feed is pruned. */
export const HOUSEKEEPING_MS = 30_000;
