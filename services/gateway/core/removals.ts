// Removals: which members lose the right to read by the lines of a room.
//
// Owns: the judgement of `room` and `member` lines for the members that are here. Does not own: the
// rights (the owner judges each join; shared/protocol/roles.ts has the one rule of both), the
// position at which a member stops (feed.ts).
//
//   removals.1. A `member` line that takes the right is the last line of its user. A `room` line
//        that closes the room is none of a user who is not among the members that follow it: the
//        user has no right to it.
//   removals.2. The kind of a room never changes after its first line, so the kind in the owner's
//        answer to a join holds for every later line.

import { parseObject } from "#shared/kit/json.ts";
import type { Seq, UserId } from "#shared/protocol/ids.ts";
import { isRole, isRoomKind, mayRead } from "#shared/protocol/roles.ts";
import type { Grant, RoomKind, Standing } from "#shared/protocol/roles.ts";
import type { Removal } from "./feed-io.ts";

/** A member of a feed, as far as its right to read depends on it. */
export interface Subscriber {
  readonly user: UserId;
  readonly grant: Grant | undefined;
}

interface Change {
  readonly seq: Seq;
  /** Undefined for a `room` line. */
  readonly user: UserId | undefined;
  readonly from: UserId;
  readonly kind: RoomKind | undefined;
  readonly standing: Standing;
}

export interface Judgement<M> {
  readonly removals: ReadonlyMap<M, Removal>;
  /** The kind of the room behind the lines. */
  readonly kind: RoomKind;
}

/** `texts` are lines of the room in ascending order. */
export function judgeRemovals<M extends Subscriber>(
  texts: readonly (readonly [Seq, string])[],
  before: RoomKind,
  members: readonly M[],
): Judgement<M> {
  const changes = texts.flatMap(([seq, text]) => readChange(seq, text) ?? []);
  const removals = new Map<M, Removal>();
  let kind = before;
  for (const [i, change] of changes.entries()) {
    kind = change.kind ?? kind;
    for (const member of members) {
      if (removals.has(member)) continue;
      const removal = removalBy(change, changes.slice(i + 1), kind, member);
      if (removal !== undefined) removals.set(member, removal);
    }
  }
  return { removals, kind };
}

function removalBy(
  change: Change,
  later: readonly Change[],
  kind: RoomKind,
  { user, grant }: Subscriber,
): Removal | undefined {
  if (change.user === undefined) {
    // Only the first line of a room closes it; it is followed by the members of the same write.
    if (change.seq !== 1 || mayRead(kind, undefined, grant)) return undefined;
    const own = later.find((member) => member.user === user && member.from === change.from);
    if (own !== undefined && mayRead(kind, own.standing, grant)) return undefined;
    return { seq: change.seq - 1, reason: "closed" };
  }
  if (change.user !== user || mayRead(kind, change.standing, grant)) return undefined;
  return { seq: change.seq, reason: change.standing.banned === true ? "banned" : "removed" };
}

/** Undefined for a line that this version cannot read. It then changes no right here. */
function readChange(seq: Seq, text: string): Change | undefined {
  const line = parseObject(text);
  const from = line?.["from"] as UserId;
  if (line?.["t"] === "room" && isRoomKind(line["kind"])) {
    return { seq, user: undefined, from, kind: line["kind"], standing: { role: "none" } };
  }
  const role = line?.["role"];
  if (line?.["t"] !== "member" || !isRole(role)) return undefined;
  const standing = { role, banned: line["banned"] === true };
  return { seq, user: line["user"] as UserId, from, kind: undefined, standing };
}
