// Limits: every bound that a client or a peer can notice, in one place, with its unit.
// What happens when a bound is reached stands beside it. Process-local bounds live in config.ts
// of the service that has them.

/** One WebSocket frame. Beyond it the connection is closed with 1009. */
export const FRAME_BYTES_MAX = 64 * 1024;
/** The JSON text of `body`. Beyond it: error `too_large`. */
export const BODY_BYTES_MAX = 16 * 1024;
/** Nesting of `body`. Beyond it: error `bad_frame`. JSON.stringify recurses, so this is a must. */
export const BODY_DEPTH_MAX = 32;
/** Sends of one connection that have no answer yet. Beyond it: error `busy`. */
export const UNANSWERED_SENDS_MAX = 64;
/** Rooms one connection has joined. Beyond it: error `rate_limited`. */
export const ROOMS_PER_CONNECTION_MAX = 256;
/** Events of one `page` frame or HTTP page; a larger `limit` is refused with `bad_frame`. */
export const PAGE_EVENTS_MAX = 200;
/** `tail` of a join; a larger one is refused with `bad_frame`. */
export const TAIL_EVENTS_MAX = 200;
/** The first frame must be `hello` within this time, or the connection is closed with 1008. */
export const HELLO_TIMEOUT_MS = 5_000;
/** The server pings that often; a client that stays silent for two of them is closed with 1001. */
export const PING_MS = 25_000;

/** One entry of a partition log. A commit that would be larger is split before it is written. */
export const ENTRY_BYTES_MAX = 256 * 1024;
/**
 * One message on the bus: `max_payload` of every server that we configure, and NATS' default. Every
 * sender keeps below it by a bound of its own; a larger payload is refused (ports/bus.7 of ports/bus.ts).
 */
export const BUS_PAYLOAD_BYTES_MAX = 1024 * 1024;
/** One batch on `cmd.<p>`. A lane splits before it. */
export const COMMAND_BATCH_BYTES_MAX = 64 * 1024;
/** Rooms of one `sync`; a lane splits before it. Bounds the heads of one `synced`. */
export const SYNC_ROOMS_MAX = 1_024;
/** One message on `gw.<gateway>`. Results that do not fit follow in the next one, in order. */
export const RESULT_BATCH_BYTES_MAX = 512 * 1024;
/** A lane's incarnation. After it comes 1 again (commands.ts). */
export const LANE_INCARNATION_MAX = 2 ** 32 - 1;
/** The lines of one answer on `gw.<id>` or `hist.<p>`; a longer range is answered in part. */
export const RANGE_BYTES_MAX = 256 * 1024;
/** The events of one answer, likewise. */
export const RANGE_EVENTS_MAX = 1_000;

/** A message id younger than this is recognised from memory; an older one from the archive. */
export const DEDUPE_WINDOW_MS = 10 * 60_000;
/**
 * Of these ids a new owner is given those that are younger than this. Retries after a failover are
 * seconds old; ten minutes of ids of a hundred rooms cost it a second that everybody waits.
 */
export const TAKE_OVER_IDS_MS = 60_000;
/**
 * A message id that claims a time further ahead than this is refused with `bad_id`. A day, because
 * the room node's own clock may be hours wrong (fault F16) and senders must not notice.
 */
export const ID_AHEAD_MAX_MS = 24 * 3_600_000;
/**
 * An id that is further ahead of the time of its number than this counts as one from the future (P24).
 */
export const ID_SLACK_MS = 5_000;
/** Names travel in presence frames up to this many users in a room; above it only counts. */
export const PRESENCE_NAMES_MAX = 200;
