// Bounds: every limit of one gateway process that is not part of the wire protocol, with its unit
// and the behaviour at the limit. The limits that a client can notice are in
// shared/protocol/limits.ts.

/**
 * Unanswered commands of one lane. Beyond it: `busy`. Leaves pass, since memberships bound them.
 */
export const LANE_COMMANDS_MAX = 4_096;
/** Bytes of JSON of these commands. Beyond it: `busy`. */
export const LANE_BYTES_MAX = 8 * 1024 * 1024;
/** The same over all lanes of the process. Beyond it: `busy`. */
export const LANES_BYTES_MAX = 64 * 1024 * 1024;
/** A command without an answer for this long gets `unavailable` (L2). */
export const COMMAND_TIMEOUT_MS = 10_000;
/** Commands are unanswered and no answer came for this long: the lane begins a new incarnation. */
export const LANE_STALL_MS = 2_000;
/** The oldest command was sent this long ago and later ones got answers: its result was lost. */
export const LANE_OLDEST_MS = 5_000;
/** Waits between incarnations without an answer: 50, 100, 200, 400, 500, 500 … ms. */
export const LANE_RETRY_BASE_MS = 50;
export const LANE_RETRY_CAP_MS = 500;
/**
 * Bytes of one `sync` command. Further rooms go into the next one, further users into `join`
 * commands.
 */
export const SYNC_BYTES_MAX = 32 * 1024;

/** Recent lines of one feed. Beyond it the ring drops the oldest; readers fetch them. */
export const RING_BYTES_MAX = 1024 * 1024;
/** The same over all rooms. Beyond it the ring of the least recently used room is emptied. */
export const RINGS_BYTES_MAX = 64 * 1024 * 1024;
/** Blocks that wait behind a gap. Beyond it the newest is dropped and fetched later. */
export const REORDER_BLOCKS_MAX = 256;
export const REORDER_BYTES_MAX = 1024 * 1024;
/** The same over all rooms. Beyond it a block is dropped and fetched later. */
export const REORDER_TOTAL_BYTES_MAX = 32 * 1024 * 1024;
/** Lines of one flush. Further lines go into the next flush. */
export const FLUSH_BYTES_MAX = 512 * 1024;
/**
 * Fetches of one feed in flight, more than the connections of one user can request. Other readers
 * wait.
 */
export const FETCHES_PER_FEED_MAX = 24;
/**
 * Range reads in flight in the process, for feeds and pages. Each returns at most RANGE_BYTES_MAX …
 */
export const READS_MAX = 128;
/** … of one partition, so that a partition that does not answer leaves places for the others … */
export const READS_PER_PARTITION_MAX = 32;
/** … and of one user. Further reads wait, and users take turns (L8). */
export const READS_PER_USER_MAX = 16;
/** Waiting reads of one user. Beyond it the feed retries later, and a page gets `busy`. */
export const READS_WAITING_PER_USER_MAX = 512;
/** Waiting reads of all users. */
export const READS_WAITING_MAX = 16_384;
/** Pages of one user in flight, over all their connections and HTTP. Beyond it: `busy`. */
export const PAGES_PER_USER_MAX = 16;
/** Pages of all users in flight. Beyond it: `busy`. */
export const PAGES_MAX = 1_024;
/** Read positions that the archive does not have yet. Beyond it a new one is dropped … */
export const POSITIONS_MAX = 50_000;
/** … and the bytes of them. */
export const POSITIONS_BYTES_MAX = 16 * 1024 * 1024;
/** Waits after positions that could not be stored: 1, 2, 4 … s. */
export const POSITION_RETRY_BASE_MS = 1_000;
export const POSITION_RETRY_CAP_MS = 30_000;
/** The rooms of a page of a room list without a `limit`. */
export const ROOMS_PAGE_DEFAULT = 50;
/** The events of one page of an export, which waits until its client has read the page before. */
export const EXPORT_PAGE_EVENTS = 500;
/** Exports of one user in progress. Beyond it: `busy`. */
export const EXPORTS_PER_USER_MAX = 2;
/** Exports of all users in progress. Beyond it: `busy`. */
export const EXPORTS_MAX = 32;
/** Uploads of one user in progress. Beyond it: `busy`. */
export const UPLOADS_PER_USER_MAX = 4;
/** Uploads of all users in progress; each holds a part of 64 KiB or so. Beyond it: `busy`. */
export const UPLOADS_MAX = 64;
/** Attachments that one user reads at a time. Beyond it: `busy`. */
export const DOWNLOADS_PER_USER_MAX = 16;
/** Attachments that all users read at a time. Beyond it: `busy`. */
export const DOWNLOADS_MAX = 256;
/** The messages of a page of a search without a `limit`. */
export const SEARCH_PAGE_DEFAULT = 20;
/**
 * Room lists and searches of one user in flight, over all their connections and HTTP. Beyond it:
 * `busy`.
 */
export const LISTS_PER_USER_MAX = 4;
/** Room lists of all users in flight. Beyond it: `busy`. */
export const LISTS_MAX = 256;
/** Ended sessions that the store does not have yet. Beyond it an end is dropped and counted. */
export const SESSION_ENDS_MAX = 50_000;
/** Waits after a batch of sessions that was not stored: 500, 1,000, 2,000 … ms. */
export const SESSIONS_RETRY_BASE_MS = 500;
export const SESSIONS_RETRY_CAP_MS = 10_000;
/** Requests about sessions of one user in flight, over HTTP. Beyond it: `busy`. */
export const SESSION_CALLS_PER_USER_MAX = 4;
/** Those of all users. Beyond it: `busy`. */
export const SESSION_CALLS_MAX = 256;
/** Waits after a fetch that returned nothing: 100, 200, 400 … ms. */
export const FETCH_RETRY_BASE_MS = 100;
export const FETCH_RETRY_CAP_MS = 2_000;
/** A reader that received none of the lines that it needs for this long is closed with 1013. */
export const READER_TIMEOUT_MS = 60_000;

/** The gap between two flushes of a room is this many times the cost of the last flush … */
export const FLUSH_COST_FACTOR = 12;
/** … but at most this. */
export const FLUSH_GAP_MAX_MS = 70;

/** The longest gap between two moments at which lanes publish their commands (pacing.ts) … */
export const LANES_GAP_MAX_MS = 15;
/** … and the longest gap when many lanes have few commands each. */
export const LANES_THIN_GAP_MAX_MS = 30;

/** A member whose socket buffers more than this becomes a reader (L6). */
export const SOCKET_HIGH_BYTES = 256 * 1024;
/** Rooms and pages that may read for one socket at a time. The others wait for their turn (L7). */
export const TURNS_PER_SOCKET_MAX = 4;
/** A turn older than this, because its read is slow, makes room for another one … */
export const TURN_LATE_MS = 1_000;
/** … but one socket has at most this many turns. */
export const TURNS_LATE_MAX = 16;
/** A socket that buffers more than this is closed with 4000. Every write is checked (L10). */
export const SOCKET_HARD_BYTES = 16 * 1024 * 1024;
/** Bytes that slow connections of one user hold. Beyond it the largest is closed with 4000. */
export const SOCKETS_BYTES_PER_USER_MAX = 16 * 1024 * 1024;
/** A connection that holds less than this is not closed to free memory. */
export const SHED_FROM_BYTES = 64 * 1024;
/** Bytes that sockets and rings of the process hold together (L9). */
export const MEMORY_BYTES_MAX = 256 * 1024 * 1024;
/** Bytes that a peer may send after the close. Beyond it the socket is destroyed. */
export const CLOSING_BYTES_MAX = 16 * 1024 * 1024;
/** Socket writes of one flush before it yields to the event loop. */
export const FLUSH_SLICE = 2_000;
/** A feed without local members is kept this long, so that a client that resumes finds its ring. */
export const FEED_GRACE_MS = 30_000;
/** Feeds without members. Beyond it the oldest is closed at once. */
export const FEEDS_IDLE_MAX = 10_000;

/** Frames that wait while a token is checked. Beyond it: close 1008. */
export const GREETING_FRAMES_MAX = 16;
/** A refused send holds later sends of its room until so long after it is due. */
export const POSTPONED_MS = 30_000;
/** A refused send counts as due after this time, also when its client may wait longer. */
export const DUE_MAX_MS = 60_000;
/** Refused sends of one connection that keep their place (send-order.ts). */
export const POSTPONED_SENDS_MAX = 256;
/** The shortest retry time of a send that waits behind a refused one … */
export const ORDER_AFTER_MS = 50;
/** … and the longest, while the refused one is late. */
export const ORDER_AFTER_MAX_MS = 1_000;
/** Unanswered pages and room lists of one session. Beyond it: `busy`. */
export const PAGES_PER_SESSION_MAX = 4;
/**
 * `refresh` frames of one connection. Beyond it: `rate_limited`. The rate of a user is in
 * admission.ts.
 */
export const REFRESH_RATE = { perSecond: 0.2, burst: 5 };
/** Keys of one rate limiter. Beyond it the least active key is forgotten. */
export const RATE_KEYS_MAX = 100_000;
/** Rooms of one user over all their connections to this gateway. Beyond it: `rate_limited`. */
export const ROOMS_PER_USER_MAX = 1_024;
/** Connections of one user. Beyond it: close 4503. */
export const CONNECTIONS_PER_USER_MAX = 20;
/** Connections from one address. Beyond it: close 1013. */
export const CONNECTIONS_PER_ADDRESS_MAX = 1_000;
