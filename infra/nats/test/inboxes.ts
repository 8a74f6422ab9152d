// Inboxes: the inbox prefix of one process of each NATS user, as the services form it.

import type { NatsUser } from "../permissions.ts";

export const PARTITIONS = 4;
export const INBOXES = {
  gateway: "_INBOX_gw.gw-1",
  room: "_INBOX_room.room-1",
  persistence: "_INBOX_pers.pers-1",
  trimmer: "_INBOX_trim.pers-1",
  webhooks: "_INBOX_hook.hook-1",
  operator: "_INBOX_ctl.op.op-1",
  admin: "_INBOX_admin",
} as const satisfies Record<NatsUser, string>;
