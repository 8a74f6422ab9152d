// Bounds: every limit of one gateway process that is not part of the wire protocol, with its unit
// and with what happens when it is reached. Those that a client can notice are in
// shared/protocol/limits.ts.

/** Unanswered commands of one lane. Beyond it: `busy`. Leaves pass: memberships bound them. */
export const LANE_COMMANDS_MAX = 4_096;
/** Their JSON, in bytes. Beyond it: `busy`. */
export const LANE_BYTES_MAX = 8 * 1024 * 1024;
/** The same over all lanes of the process. Beyond it: `busy`. */
export const LANES_BYTES_MAX = 64 * 1024 * 1024;
/** A command that was not answered for this long is answered `unavailable` (L2). */
export const COMMAND_TIMEOUT_MS = 10_000;
/** Not one answer for this long while some are owed: begin a new incarnation. */
export const LANE_STALL_MS = 2_000;
/** The oldest command was sent this long ago while others are answered: its result was lost. */
export const LANE_OLDEST_MS = 5_000;
/** Waits between incarnations that bring no answer: 50, 100, 200, 400, 500, 500 … */
export const LANE_RETRY_BASE_MS = 50;
export const LANE_RETRY_CAP_MS = 500;
/** One `sync` command. More rooms go into the next one, more users into `join` commands. */
export const SYNC_BYTES_MAX = 32 * 1024;

/** Recent lines that a feed keeps. Beyond it the oldest go; a reader finds them elsewhere. */
export const RING_BYTES_MAX = 1024 * 1024;
/** The same over all rooms; beyond it the ring of the least recently used room is emptied. */
export const RINGS_BYTES_MAX = 64 * 1024 * 1024;
/** Blocks that wait behind a hole. Beyond it the newest is dropped and becomes part of the hole. */
export const REORDER_BLOCKS_MAX = 256;
export const REORDER_BYTES_MAX = 1024 * 1024;
/** The same over all rooms. Beyond it no room holds more; the lines are read again. */
export const REORDER_TOTAL_BYTES_MAX = 32 * 1024 * 1024;
/** Lines of one flush. The rest leaves with the next one. */
export const FLUSH_BYTES_MAX = 512 * 1024;
/** Fetches that one feed has under way: more than one user's connections can ask for. Further readers wait. */
export const FETCHES_PER_FEED_MAX = 24;
/** Reads of ranges under way in the process, for feeds and pages; each brings at most RANGE_BYTES_MAX … */
export const READS_MAX = 128;
/** … of one partition, so that one that does not answer leaves places for the others … */
export const READS_PER_PARTITION_MAX = 32;
/** … and of one user. Further ones wait, and users take turns (L8). */
export const READS_PER_USER_MAX = 16;
/** Reads of one user that wait. Beyond it: the feed asks again later, a page is `busy`. */
export const READS_WAITING_PER_USER_MAX = 512;
/** The same of all users. */
export const READS_WAITING_MAX = 16_384;
/** Pages of one user under way, over all their connections and HTTP. Beyond it: `busy`. */
export const PAGES_PER_USER_MAX = 16;
/** Pages of all users under way. Beyond it: `busy`. */
export const PAGES_MAX = 1_024;
/** Waits after a fetch that brought nothing: 100, 200, 400 … */
export const FETCH_RETRY_BASE_MS = 100;
export const FETCH_RETRY_CAP_MS = 2_000;
/** A reader that got nothing of what it needs for this long is closed with 1013. */
export const READER_TIMEOUT_MS = 60_000;

/** The gap between two flushes of a room is this many times what the last one cost … */
export const FLUSH_COST_FACTOR = 12;
/** … but at most this. */
export const FLUSH_GAP_MAX_MS = 50;

/** Between two moments at which commands leave for their owners (pacing.ts), at most this … */
export const LANES_GAP_MAX_MS = 15;
/** … and this where many commands are few for each lane. */
export const LANES_THIN_GAP_MAX_MS = 30;

/** Bytes buffered in a socket above which it is no longer live but a reader (L6). */
export const SOCKET_HIGH_BYTES = 256 * 1024;
/** Rooms and pages that may be reading for one socket at a time. The others wait for their turn (L7). */
export const TURNS_PER_SOCKET_MAX = 4;
/** A turn that was given this long ago, because what it reads is slow to come, makes room for another … */
export const TURN_LATE_MS = 1_000;
/** … but all turns of one socket together are at most this many. */
export const TURNS_LATE_MAX = 16;
/** Bytes buffered in a socket above which it is closed with 4000. Every write is checked (L10). */
export const SOCKET_HARD_BYTES = 16 * 1024 * 1024;
/** Bytes that all connections of a user hold because they are slow. Beyond it the largest is closed with 4000. */
export const SOCKETS_BYTES_PER_USER_MAX = 16 * 1024 * 1024;
/** A connection that holds less is not closed to make room. */
export const SHED_FROM_BYTES = 64 * 1024;
/** Bytes that sockets and rings of the process hold together (L9). */
export const MEMORY_BYTES_MAX = 256 * 1024 * 1024;
/** Bytes that a peer may still send after the close, unread. Beyond it the socket is destroyed. */
export const CLOSING_BYTES_MAX = 16 * 1024 * 1024;
/** Writes of one flush before the event loop gets a turn. */
export const FLUSH_SLICE = 2_000;
/** A feed without local members is kept this long, so that a resume finds its ring. */
export const FEED_GRACE_MS = 30_000;
/** Feeds without members; beyond it the oldest is closed at once. */
export const FEEDS_IDLE_MAX = 10_000;

/** Frames that wait while a token is checked. Beyond it: close 1008. */
export const GREETING_FRAMES_MAX = 16;
/** A send that was postponed holds the later ones of its room up for this long at the most. */
export const POSTPONED_MS = 30_000;
/** Sends of one connection that were refused for the time being and keep their place (send-order.ts). */
export const POSTPONED_SENDS_MAX = 256;
/** A send that waits for its turn behind a refused one is to come again after so long at the least … */
export const ORDER_AFTER_MS = 50;
/** … and, while the refused one is late, at the most. */
export const ORDER_AFTER_MAX_MS = 1_000;
/** Pages that one session has asked for and not yet got. Beyond it: `busy`. */
export const PAGES_PER_SESSION_MAX = 4;
/** Tokens of `refresh` of one connection. Beyond it: `rate_limited`. A user's are in admission.ts. */
export const REFRESH_RATE = { perSecond: 0.2, burst: 5 };
/** Keys of one rate limiter; beyond it the least active is forgotten. */
export const RATE_KEYS_MAX = 100_000;
/** Rooms of one user over all their connections to this gateway. Beyond it: `rate_limited`. */
export const ROOMS_PER_USER_MAX = 1_024;
/** Connections of one user; beyond it close 4503. */
export const CONNECTIONS_PER_USER_MAX = 20;
/** Connections from one address; beyond it close 1013. */
export const CONNECTIONS_PER_ADDRESS_MAX = 1_000;
