// Subjects: every NATS subject is built here and nowhere else.
//
// Room ids are safe by their grammar (N1) and process ids likewise; user ids never reach a subject.
// The functions take branded types, so an unchecked string does not compile.

import type { ControlVerb } from "./control.ts";
import type { Epoch, NodeKind, Partition, ProcessId, RoomId } from "./ids.ts";
import type { TableName } from "./tables.ts";

export const subjects = {
  /** gateway → owner (queue group `owner`): a lane's batch of commands, whoever the owner is. */
  commands: (p: Partition): string => `cmd.${p}`,
  /**
   * The same, to the owner of one epoch. A process that stands still keeps its subscriptions for as
   * long as it does, and would be chosen from the queue group as often as its successor.
   */
  commandsOf: (p: Partition, epoch: Epoch): string => `cmd.${p}.${epoch}`,
  /** owner → gateway: results, and NATS' own "no responders". */
  results: (gateway: ProcessId): string => `gw.${gateway}`,
  /** owner → gateways: the room's committed lines. */
  out: (room: RoomId): string => `out.${room}`,
  /** owner, gateways → gateways: typing and presence; may be lost. */
  live: (room: RoomId): string => `live.${room}`,
  /** gateway, owner → persistence (queue group `hist`): requests for what is archived. */
  history: (p: Partition): string => `hist.${p}`,
  /** owner → stream LOG_<p>. */
  log: (p: Partition): string => `log.${p}`,
  stream: (p: Partition): string => `LOG_${p}`,
  /** persistence → owners: how far the archive is. */
  watermark: (p: Partition): string => `watermark.${p}`,
  /** All processes of one kind beat here. */
  beat: (kind: NodeKind): string => `node.${kind}`,
  ping: (id: ProcessId): string => `node.${id}.ping`,
  /** operator → all: what the `parley` command asks and orders. */
  control: (verb: ControlVerb): string => `ctl.${verb}`,
  /** gateway → room nodes: the partition's owner may be dead. */
  suspect: (p: Partition): string => `suspect.${p}`,
  /** follower → persistence (queue group `table`): a page of a table. */
  tableGet: (name: TableName): string => `table.get.${name}`,
  /** persistence → followers: what changed in a table, and which version it has. */
  tableChanged: (name: TableName): string => `table.changed.${name}`,
} as const;

export const OWNER_QUEUE = "owner";
export const HISTORY_QUEUE = "hist";
export const TABLE_QUEUE = "table";

/** Of a subject that `commands` or `commandsOf` made; the epoch is 0 for the former. */
export function readCommands(subject: string): { readonly p: Partition; readonly epoch: Epoch } {
  const [, p, epoch = "0"] = subject.split(".");
  return { p: Number(p), epoch: Number(epoch) };
}
