// Webhook names: the kinds, the ids and the pages of webhooks, without the schemas of webhooks.ts.
// A command line that only names them need not load a schema library.

/** The kinds of events that a subscription can name: those of rooms, and those of sessions. */
export const WEBHOOK_KINDS = [
  "room.msg",
  "room.edited",
  "room.deleted",
  "room.reacted",
  "room.pinned",
  "room.member",
  "room.room",
  "room.invite",
  "session.started",
  "session.ended",
] as const;
/** Dead letters of one page. */
export const DEAD_PAGE_MAX = 200;
export const WEBHOOK_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
