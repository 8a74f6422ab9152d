// Record builders of the checker's tests: one room, two users, and short functions for their
// records.

import { encodeEntry } from "#shared/protocol/entry.ts";
import { encodeEvent } from "#shared/protocol/events.ts";
import type { ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { check } from "../check.ts";
import { LOST } from "../record.ts";
import type { ClientRecord, HistoryRecord } from "../record.ts";
import type { LoggedEntry } from "../tenures.ts";
import { sumOf } from "../sum.ts";
import { idOf } from "./good-run.ts";

export const ROOM = "general" as RoomId;
export const ADA = "ada" as UserId;
export const EVE = "eve" as UserId;

export function line(seq: number, n = seq, from: UserId = ADA): string {
  const body = { text: String(n) };
  return encodeEvent({ t: "msg", room: ROOM, seq, id: idOf(n), from, at: 5, body });
}

export type Extra = { readonly conn?: number; readonly client?: UserId; readonly t?: number };
export const origin = ({ conn = 1, client = ADA, t = 0 }: Extra = {}) => ({
  t,
  client,
  conn,
  room: ROOM,
});

export const invoke = (n: number, extra?: Extra): ClientRecord => ({
  ...origin(extra),
  op: "send",
  phase: "invoke",
  id: idOf(n),
  sum: sumOf({ text: String(n) }),
});
export const ok = (n: number, seq = n, extra?: Extra): ClientRecord => ({
  ...origin(extra),
  op: "send",
  phase: "ok",
  id: idOf(n),
  seq,
});
export const unanswered = (
  n: number,
  phase: "fail" | "info",
  err = LOST,
  extra?: Extra,
): ClientRecord => ({
  ...origin(extra),
  op: "send",
  phase,
  id: idOf(n),
  err,
});
export const joinRequest = (after?: number, extra: Extra = { client: EVE }): ClientRecord => ({
  ...origin(extra),
  op: "join",
  phase: "invoke",
  ...(after !== undefined && { after }),
});
export const joined = (from: number, extra: Extra = { client: EVE }): ClientRecord => ({
  ...origin(extra),
  op: "join",
  phase: "ok",
  from,
});
export const see = (seq: number, n = seq, extra: Extra = { client: EVE }): ClientRecord => ({
  ...origin(extra),
  op: "see",
  seq,
  id: idOf(n),
});

export interface Stores {
  readonly archive: readonly string[];
  readonly log: readonly LoggedEntry[];
  readonly pages: readonly string[];
}

export const NODE = "room-a" as ProcessId;
export const CLAIM = encodeEntry({ kind: "claim", node: NODE, at: 1 });

/** A log with one claim, then one commit for each line. */
export function logOf(lines: readonly string[]): LoggedEntry[] {
  const commits = lines.map((text) => {
    const groups = [{ room: ROOM, first: 1, lines: [text] }];
    return encodeEntry({ kind: "commit", epoch: 1, node: NODE, at: 1, groups });
  });
  return entries([CLAIM, ...commits]);
}

export function entries(texts: readonly string[], first = 1): LoggedEntry[] {
  return texts.map((text, i) => ({ p: 0, seq: first + i, text }));
}

export function stores(lines: readonly string[], others: Partial<Stores> = {}): Stores {
  return { archive: lines, log: logOf(lines), pages: lines, ...others };
}

export const LINES = [line(1), line(2), line(3)];
export const GOOD: readonly ClientRecord[] = [
  joinRequest(),
  joined(1),
  invoke(1),
  invoke(2),
  ok(1),
  see(1),
  ok(2),
  see(2),
  invoke(3),
  ok(3),
  see(3),
];

export const broken = (records: readonly HistoryRecord[], held: Stores): string[] => [
  ...check({ records, ...held }).broken,
];

export const END: HistoryRecord = { t: 0, op: "mark", what: "end" };
export const LOSS: HistoryRecord = { t: 0, op: "mark", what: "loss" };
export const QUIET: HistoryRecord = { t: 0, op: "mark", what: "quiet" };
