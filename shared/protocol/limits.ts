// Limits: the bounds that a client or a peer can observe, with their units and their effects.
//
// Does not own: the bounds inside one process (core/bounds.ts and config.ts of each service).

/** The size of one WebSocket frame. Above it the gateway closes the connection with 1009. */
export const FRAME_BYTES_MAX = 64 * 1024;
/** The JSON text of `body`. Above it: error `too_large`. */
export const BODY_BYTES_MAX = 16 * 1024;
/** The levels of `body`. Above it: error `bad_frame`. It bounds the recursion of JSON.stringify. */
export const BODY_DEPTH_MAX = 32;
/** The unanswered sends of one connection. Above it: error `busy`. */
export const UNANSWERED_SENDS_MAX = 64;
/** The joined rooms of one connection. Above it: error `rate_limited`. */
export const ROOMS_PER_CONNECTION_MAX = 256;
/** The events of one `page` frame or HTTP page. A larger `limit` gets `bad_frame`. */
export const PAGE_EVENTS_MAX = 200;
/** The `tail` of a join. A larger one gets `bad_frame`. */
export const TAIL_EVENTS_MAX = 200;
/** The time for the first frame, `hello`. After it the gateway closes the connection with 4002. */
export const HELLO_TIMEOUT_MS = 5_000;
/** The interval of pings. A client that is silent for two intervals is closed with 1001. */
export const PING_MS = 25_000;

/** One entry of a partition log. The owner splits a larger commit. */
export const ENTRY_BYTES_MAX = 256 * 1024;
/**
 * One message on the bus: the default `max_payload` of NATS, which every configuration of this
 * project uses. Every sender has a lower bound of its own. A larger payload is refused
 * (ports/bus.7).
 */
export const BUS_PAYLOAD_BYTES_MAX = 1024 * 1024;
/** One batch on `cmd.<p>`. A lane splits a larger one. */
export const COMMAND_BATCH_BYTES_MAX = 64 * 1024;
/** The rooms of one `sync`, and the heads of its result. A lane splits a larger one. */
export const SYNC_ROOMS_MAX = 1_024;
/** One message on `gw.<gateway>`. Results that do not fit follow in the next message, in order. */
export const RESULT_BATCH_BYTES_MAX = 512 * 1024;
/** The last lane incarnation. The next one is 1 (commands.4). */
export const LANE_INCARNATION_MAX = 2 ** 32 - 1;
/** The lines of one answer on `gw.<id>` or `hist.<p>`. The answer to a longer range is a part. */
export const RANGE_BYTES_MAX = 256 * 1024;
/** The events of one such answer. */
export const RANGE_EVENTS_MAX = 1_000;

/** The owner recognises a younger message id from memory, and asks the archive for an older one. */
export const DEDUPE_WINDOW_MS = 10 * 60_000;
/**
 * A new owner loads the ids that are younger than this. Retries after a failover are seconds old.
 * To load ten minutes of ids of a hundred rooms takes a second, in which all senders would wait.
 */
export const TAKE_OVER_IDS_MS = 60_000;
/**
 * A message id whose time is further ahead is refused with `bad_id`. The bound is a day, because
 * the clock of the room node can be hours wrong (fault F16), and the owner must still accept ids.
 */
export const ID_AHEAD_MAX_MS = 24 * 3_600_000;
/** An id that is further ahead of the time of its event is an id from the future (P24). */
export const ID_SLACK_MS = 5_000;
/** The invited members of one `create`. More get `bad_frame`. */
export const CREATE_MEMBERS_MAX = 100;
/** The members that a room stores. A further one gets `conflict`. */
export const ROOM_MEMBERS_MAX = 20_000;
/** The members of one answer. */
export const MEMBERS_PAGE_MAX = 200;
/** The lengths of the texts of a room, in characters. A longer one gets `bad_frame`. */
export const TITLE_LENGTH_MAX = 256;
export const TOPIC_LENGTH_MAX = 1_024;
export const AVATAR_LENGTH_MAX = 512;
export const REASON_LENGTH_MAX = 256;
/** The seconds of a slow mode, and those in which an author may edit. More get `bad_frame`. */
export const SLOW_MODE_S_MAX = 6 * 3_600;
export const EDIT_WINDOW_S_MAX = 365 * 24 * 3_600;
/** The senders whose wait a room with slow mode knows. A forgotten one may send at once. */
export const SLOW_SENDERS_MAX = 2_000;
/** The invites of a room that are in force. A further one gets `conflict`. */
export const INVITES_MAX = 100;
/** The uses of one invite, and its time in seconds. More get `bad_frame`. */
export const INVITE_USES_MAX = ROOM_MEMBERS_MAX;
export const INVITE_TTL_S_MAX = 30 * 24 * 3_600;
/** The time of an invite without one. */
export const INVITE_TTL_S = 7 * 24 * 3_600;
/** The UTF-8 bytes of the emoji of a reaction. A longer one gets `bad_frame`. */
export const EMOJI_BYTES_MAX = 64;
/** The users that a message names for each of its reactions. All of them are counted. */
export const REACTION_NAMES_MAX = 50;
/** The users that a message mentions by name. More get `bad_frame`. */
export const MENTIONS_MAX = 50;
/** The files of one message. More get `bad_frame`. */
export const ATTACHMENTS_MAX = 10;
/** The name of a file, in characters. The gateway cuts a longer one. */
export const ATTACHMENT_NAME_LENGTH_MAX = 128;
/** How long a message may name an upload. After it: error `not_found`. */
export const ATTACHMENT_UNSENT_MS = 24 * 3_600_000;
/** The rooms of one page of a room list. A larger `limit` gets `bad_frame`. */
export const ROOMS_PAGE_MAX = 200;
/** An unread count, and a count of mentions, ends here. */
export const UNREAD_MAX = 100;
/** The newest events of a room among which unread messages are counted. */
export const UNREAD_EVENTS_MAX = 1_000;
/** The characters of the last message in a room list. */
export const PREVIEW_LENGTH_MAX = 120;
/** The text of a search for rooms, in characters. A longer one gets `bad_frame`. */
export const FIND_TEXT_LENGTH_MAX = 64;
/** The rooms that one search for rooms examines. The next page continues behind them. */
export const FIND_ROOMS_MAX = 10_000;
/** The read positions of one request on `hist.<p>`. Further ones go into the next request. */
export const READS_BATCH_MAX = 500;
/** The events of one part of an import, and their JSON in bytes. More get `too_large`. */
export const IMPORT_EVENTS_MAX = 500;
export const IMPORT_BYTES_MAX = 48 * 1024;
/** A display name, in characters. A token with a longer one is refused. */
export const NAME_LENGTH_MAX = 128;
/** The users of one request for display names. More get `bad_frame`. */
export const NAMES_MAX = 100;
/** The text of a search for messages, in characters. A longer one gets `bad_frame`. */
export const SEARCH_TEXT_LENGTH_MAX = 256;
/** The messages of one page of a search. A larger `limit` gets `bad_frame`. */
export const SEARCH_PAGE_MAX = 50;
/** The newest found messages among which the best ones are chosen. */
export const SEARCH_RANKED_MAX = 500;
/** The URL of a link preview, in characters. A longer one gets `bad_frame`. */
export const LINK_URL_LENGTH_MAX = 2_048;
/** The texts of a link preview, in characters. Longer ones are cut between graphemes. */
export const PREVIEW_TITLE_LENGTH_MAX = 200;
export const PREVIEW_DESCRIPTION_LENGTH_MAX = 400;
export const PREVIEW_SITE_LENGTH_MAX = 80;
/** Presence frames name the users of a room up to this number. Above it they have a count only. */
export const PRESENCE_NAMES_MAX = 200;
