// Subjects: the names of all NATS subjects. No other file builds a subject.
//
// Room ids and process ids are safe in a subject by their grammar (N1). User ids reach a subject in
// base64url only (N4). The parameters have branded types, so an unchecked string does not compile.

import type { ControlVerb } from "./control.ts";
import type { Epoch, NodeKind, Partition, ProcessId, RoomId } from "./ids.ts";
import type { TableName } from "./tables.ts";

export const subjects = {
  /** gateway → owner (queue group `owner`): a batch of commands for any owner. */
  commands: (p: Partition): string => `cmd.${p}`,
  /**
   * gateway → owner: a batch for the owner of one epoch. A paused process keeps its subscriptions,
   * so NATS would choose it from the queue group as often as its successor.
   */
  commandsOf: (p: Partition, epoch: Epoch): string => `cmd.${p}.${epoch}`,
  /** owner → gateway: results. NATS → gateway: "no responders". */
  results: (gateway: ProcessId): string => `gw.${gateway}`,
  /** owner → gateways: the committed lines of the room. */
  out: (room: RoomId): string => `out.${room}`,
  /** owner, gateways → gateways: presence and typing. */
  live: (room: RoomId): string => `live.${room}`,
  /** owner → gateways with a session of the user: hints. `user`: in base64url. */
  note: (user: string): string => `note.${user}`,
  /** gateway, owner → persistence (queue group `hist`): requests to the archive. */
  history: (p: Partition): string => `hist.${p}`,
  /** owner → stream LOG_<p>: appends. */
  log: (p: Partition): string => `log.${p}`,
  stream: (p: Partition): string => `LOG_${p}`,
  /** persistence → owners: how far the archive is. */
  watermark: (p: Partition): string => `watermark.${p}`,
  /** The watermarks of all partitions, for webhooks. */
  watermarks: "watermark.*",
  /** all processes of a kind → room nodes and gateways: beats. */
  beat: (kind: NodeKind): string => `node.${kind}`,
  /** room node → room node: whether it is there. */
  ping: (id: ProcessId): string => `node.${id}.ping`,
  /** persistence → persistence: the same. Each kind has the right to answer for itself only. */
  archivePing: (id: ProcessId): string => `pers.${id}.ping`,
  /** operator → all processes: requests of the `parley` command. */
  control: (verb: ControlVerb): string => `ctl.${verb}`,
  /** gateway → room nodes: the partition has no owner on the bus. */
  suspect: (p: Partition): string => `suspect.${p}`,
  /** process → agent of its region: a request for a grant. */
  regionGrant: "region.grant",
  /** operator → agent: a request of `parley region`. */
  regionControl: "region.control",
  /** agent of the follower → room nodes of the serving region: the ends of its mirrors. */
  mirrored: (follower: string): string => `region.mirrored.${follower}`,
  /** follower → persistence (queue group `table`): a page of a table. */
  tableGet: (name: TableName): string => `table.get.${name}`,
  /** persistence → followers: the changes of a table, and its version. */
  tableChanged: (name: TableName): string => `table.changed.${name}`,
  /** gateway, owner → persistence (queue group `lease`): a request to replace itself. */
  lease: "lease.take",
  /** gateway → webhooks (queue group `hook`): a request that manages subscriptions. */
  manageWebhooks: "hook.manage",
  /** gateway → webhooks (queue group `link`): a request for the preview of a link. */
  linkPreview: "link.preview",
  /** gateway → persistence (queue group `sess`): leases, reads and writes of sessions. */
  sessions: "sess",
  /** gateway → persistence (queue group `att`): the records of attachments. */
  attachments: "att",
  /** persistence → gateway: sessions to close. */
  sessionNotice: (gateway: ProcessId): string => `sess.${gateway}`,
} as const;

export const OWNER_QUEUE = "owner";
export const HISTORY_QUEUE = "hist";
export const TABLE_QUEUE = "table";
export const LEASE_QUEUE = "lease";
export const HOOK_QUEUE = "hook";
export const LINK_QUEUE = "link";
export const SESSION_QUEUE = "sess";
export const ATTACHMENT_QUEUE = "att";

/** The inverse of `commands` and `commandsOf`. The epoch is 0 for `commands`. */
export function readCommands(subject: string): { readonly p: Partition; readonly epoch: Epoch } {
  const [, p, epoch = "0"] = subject.split(".");
  return { p: Number(p), epoch: Number(epoch) };
}
