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

/** A page is fetched within this time: DNS, TLS, redirects and the body together. */
export const PAGE_TIMEOUT_MS = 5_000;
/** The time of one try to look a name up for a page. */
export const LOOK_UP_TIMEOUT_MS = 2_000;
/** Bytes of a page that are read. What stands behind them is not read. */
export const PAGE_BYTES_MAX = 256 * 1024;
/** Redirects that are followed to a page. A further one ends the fetch without a preview. */
export const REDIRECTS_MAX = 3;
/** Characters that are read of one text of a page. The rest is left out. */
export const PAGE_TEXT_LENGTH_MAX = 4_096;
/** Pages that a process fetches at a time. A request for a further one gets `unavailable`. */
export const FETCHES_MAX = 16;
/** The same for one host, so that no host gets many requests at once. */
export const HOST_FETCHES_MAX = 2;
/** Answers that a process keeps, and their size. Above it the ones read least recently go. */
export const PREVIEWS_MAX = 2_000;
export const PREVIEWS_BYTES_MAX = 4 * 1024 * 1024;
/** How long an answer is kept, with a preview and without one. */
export const PREVIEW_KEPT_MS = 3_600_000;
export const NO_PREVIEW_KEPT_MS = 300_000;
