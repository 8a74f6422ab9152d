// Results: what an owner returns for each command, and both halves of the messages that owners
// publish on `gw.<gateway>`.
//
// A message is a JSON header (ResultBatch) and then the event lines of its `range` results, in
// their order. So a line is never encoded twice.
//
//   results.1. A message is at most RESULT_BATCH_BYTES_MAX bytes. Results that do not fit follow in
//        the next message, in order; the bus keeps the order (ports/bus.2). One result always fits:
//        RANGE_BYTES_MAX bounds its lines, PRESENCE_NAMES_MAX its names, SYNC_ROOMS_MAX its heads.
//   results.2. Decoded results have the declared types, and exactly the lines that they
//        announce. Decoding never throws.
//   results.3. A result of an unknown kind, or with an unknown error, is one of a newer owner. It
//        counts as a refusal of its command alone (N6).

import { isCount, isObject, parseObject } from "../kit/json.ts";
import type { JsonObject } from "../kit/json.ts";
import { COMMAND_VERSION } from "./commands.ts";
import { ERRORS } from "./errors.ts";
import type { ErrorName } from "./errors.ts";
import type { RoomSettings } from "./events.ts";
import { isMessageId, isRoomId, isUserId, utf8Length } from "./ids.ts";
import type { Epoch, MessageId, Millis, Partition, RoomId, Seq, UserId } from "./ids.ts";
import { isInviteRole } from "./invites.ts";
import type { InviteRole } from "./invites.ts";
import { INVITES_MAX } from "./limits.ts";
import { LANE_INCARNATION_MAX, MEMBERS_PAGE_MAX, PRESENCE_NAMES_MAX } from "./limits.ts";
import { RANGE_EVENTS_MAX } from "./limits.ts";
import { RESULT_BATCH_BYTES_MAX, SYNC_ROOMS_MAX } from "./limits.ts";
import type { Block } from "./lines.ts";
import { isRole, isRoomKind } from "./roles.ts";
import type { Role, RoomKind } from "./roles.ts";

export type Result =
  | {
      readonly c: number;
      readonly ok: "sent";
      readonly seq: Seq;
      readonly at: Millis;
      /** The id had its number before, so earlier writes may still be undecided (lane.7). */
      readonly repeat?: true;
    }
  | {
      readonly c: number;
      readonly ok: "joined";
      readonly head: Seq;
      readonly born: string;
      readonly here: number;
      /**
       * The users who are present, when there are at most PRESENCE_NAMES_MAX. Of several joins of
       * one room and gateway in one step of the owner, only the first result has the names.
       */
      readonly users?: readonly UserId[];
      /** The `c` of the join whose result has the names. */
      readonly listedBy?: number;
      /** Undefined: `member`. */
      readonly role?: Role;
      /** The kind of a room that not every user may read; undefined: every user may read it. */
      readonly access?: RoomKind;
    }
  | { readonly c: number; readonly ok: "left" }
  | { readonly c: number; readonly ok: "head"; readonly head: Seq; readonly born: string }
  | ({ readonly c: number; readonly ok: "about" } & RoomAbout)
  | {
      readonly c: number;
      readonly ok: "members";
      readonly members: readonly ListedMember[];
      /** Members follow behind the last one. */
      readonly more: boolean;
    }
  | { readonly c: number; readonly ok: "invites"; readonly invites: readonly ListedInvite[] }
  /** `count` 0: the owner does not have them in memory. The gateway asks the archive. */
  | { readonly c: number; readonly ok: "range"; readonly first: Seq; readonly count: number }
  | {
      readonly c: number;
      readonly ok: "synced";
      /**
       * [room, head, born]. The owner announces the heads of rooms that are not loaded yet later.
       */
      readonly heads: readonly (readonly [RoomId, Seq, string])[];
    }
  | { readonly c: number; readonly error: ErrorName; readonly afterMs?: number };

export interface RoomAbout extends RoomSettings {
  readonly head: Seq;
  readonly born: string;
  readonly role: Role;
  /** The end of the mute that is stored of the user; it can be over. */
  readonly mutedUntil?: Millis | undefined;
  /** The number of stored members. */
  readonly members: number;
}

export interface ListedMember {
  readonly user: UserId;
  readonly role: Role;
  readonly mutedUntil?: Millis | undefined;
  readonly banned?: true | undefined;
}

/** An invite that was not revoked and not used up, without the hash of its secret. */
export interface ListedInvite {
  readonly invite: MessageId;
  readonly role: InviteRole;
  readonly until: Millis;
  readonly uses: number;
  readonly used: number;
}

export type RangeResult = Extract<Result, { ok: "range" }>;

export interface ResultBatch {
  readonly v: typeof COMMAND_VERSION;
  readonly p: Partition;
  readonly epoch: Epoch;
  readonly results: readonly Result[];
  /** Instead of results: this incarnation is out of step. The lane begins a new one. */
  readonly resync?: number;
  /**
   * With `resync`: the newest incarnation that the owner knows. The next one follows it
   * (commands.4).
   */
  readonly above?: number;
  /**
   * With `resync`: the batch had a command for a room of another partition. This partition serves
   * the rooms with fnv1a32(room) mod `of` = p (N3).
   */
  readonly of?: number;
}

/**
 * A `resync` for every incarnation: the owner has no members of this gateway and asks for a `sync`.
 */
export const RESYNC_ALL = 0;

/** A result to encode, with the lines of a `range`. */
export interface ResultWithLines {
  readonly result: Result;
  readonly lines?: readonly string[];
}

/** A decoded result, with the lines of a `range` as bytes. */
export interface Answer {
  readonly result: Result;
  readonly block?: Block;
}

export interface DecodedResults {
  readonly p: Partition;
  readonly epoch: Epoch;
  readonly answers: readonly Answer[];
  readonly resync?: number;
  readonly above?: number;
  readonly of?: number;
}

/** The length of a header without results. Numbers have at most 16 digits. */
const HEADER_BYTES = 128;
/** A birth is a message id. */
const BORN_UNITS_MAX = 128;
/** An error name of a newer version. */
const ERROR_UNITS_MAX = 64;
const NEWLINE = 10;

/** One or more messages, in the order of publication (results.1). */
export function encodeResults(
  p: Partition,
  epoch: Epoch,
  results: readonly ResultWithLines[],
): string[] {
  const whole = encodeOne(p, epoch, results);
  // A UTF-16 unit is at most three bytes of UTF-8. Almost every message takes this path.
  if (whole.length * 3 <= RESULT_BATCH_BYTES_MAX || results.length <= 1) return [whole];
  const messages: string[] = [];
  let part: ResultWithLines[] = [];
  let bytes = HEADER_BYTES;
  for (const item of results) {
    const more = bytesOf(item);
    if (part.length > 0 && bytes + more > RESULT_BATCH_BYTES_MAX) {
      messages.push(encodeOne(p, epoch, part));
      part = [];
      bytes = HEADER_BYTES;
    }
    part.push(item);
    bytes += more;
  }
  return [...messages, encodeOne(p, epoch, part)];
}

/** `above` and `of`: see ResultBatch. */
export function encodeResync(
  p: Partition,
  epoch: Epoch,
  resync: number,
  { above, of }: Pick<ResultBatch, "above" | "of"> = {},
): string {
  const batch: ResultBatch = { v: 1, p, epoch, results: [], resync };
  const why = { ...(above !== undefined && { above }), ...(of !== undefined && { of }) };
  return JSON.stringify({ ...batch, ...why });
}

function encodeOne(p: Partition, epoch: Epoch, results: readonly ResultWithLines[]): string {
  const header: ResultBatch = { v: 1, p, epoch, results: results.map((item) => item.result) };
  const parts = [JSON.stringify(header)];
  for (const { lines } of results) if (lines !== undefined) parts.push(...lines);
  return parts.join("\n");
}

/** The result with its comma, and each line with its line break. */
function bytesOf({ result, lines = [] }: ResultWithLines): number {
  let bytes = utf8Length(JSON.stringify(result)) + 1;
  for (const line of lines) bytes += utf8Length(line) + 1;
  return bytes;
}

/** Undefined unless the data is a whole message of a known version. `textOf` decodes UTF-8. */
export function decodeResults(
  data: Uint8Array,
  textOf: (bytes: Uint8Array) => string,
): DecodedResults | undefined {
  const newline = data.indexOf(NEWLINE);
  const end = newline < 0 ? data.length : newline;
  const header = parseObject(textOf(data.subarray(0, end)));
  if (header?.["v"] !== COMMAND_VERSION) return undefined;
  const { p, epoch, results, resync, above, of } = header;
  if (!isCount(p) || !isCount(epoch) || !Array.isArray(results)) return undefined;
  if (!isIncarnation(resync) || !isIncarnation(above)) return undefined;
  if (of !== undefined && !isCount(of)) return undefined;
  const answers: Answer[] = [];
  let at = end + 1;
  for (const item of results as readonly unknown[]) {
    const result = isObject(item) ? readResult(item) : undefined;
    if (result === undefined) return undefined;
    if (!("ok" in result) || result.ok !== "range" || result.count === 0) {
      answers.push({ result });
      continue;
    }
    const { first, count } = result;
    const after = endOfLines(data, at, count);
    if (after === undefined) return undefined;
    // A view. A caller that keeps the lines copies them (ownBlock of lines.ts).
    answers.push({ result, block: { first, count, bytes: data.subarray(at, after) } });
    at = after + 1;
  }
  if (at !== data.length + 1) return undefined;
  return {
    p,
    epoch,
    answers,
    ...(resync !== undefined && { resync }),
    ...(above !== undefined && { above }),
    ...(of !== undefined && { of }),
  };
}

/** Undefined when it is malformed. */
function readResult(item: JsonObject): Result | undefined {
  const { c, ok } = item;
  if (!isCount(c)) return undefined;
  if (ok === undefined) return readRefusal(c, item);
  if (typeof ok !== "string") return undefined;
  if (!Object.hasOwn(IS_RESULT, ok)) return { c, error: "unavailable" }; // results.3
  return IS_RESULT[ok as Ok](item) ? (item as unknown as Result) : undefined;
}

type Ok = Extract<Result, { ok: string }>["ok"];

/** What each kind of result must have beside `c`. */
const IS_RESULT: { readonly [K in Ok]: (result: JsonObject) => boolean } = {
  sent: ({ seq, at, repeat }) =>
    isCount(seq) && isCount(at) && (repeat === undefined || repeat === true),
  joined: isJoined,
  left: () => true,
  head: ({ head, born }) => isCount(head) && isBorn(born),
  about: ({ head, born, kind, role, members }) =>
    isCount(head) && isBorn(born) && isRoomKind(kind) && isRole(role) && isCount(members),
  members: ({ members, more }) =>
    typeof more === "boolean" &&
    Array.isArray(members) &&
    members.length <= MEMBERS_PAGE_MAX &&
    members.every(isListedMember),
  invites: ({ invites }) =>
    Array.isArray(invites) && invites.length <= INVITES_MAX && invites.every(isListedInvite),
  range: ({ first, count }) => isCount(first) && isCount(count) && count <= RANGE_EVENTS_MAX,
  synced: ({ heads }) => isHeads(heads),
};

/**
 * An owner that refuses with an error name which older gateways lack also sends `retry`, as an
 * error frame does.
 */
function readRefusal(c: number, { error, afterMs, retry }: JsonObject): Result | undefined {
  if (typeof error !== "string" || (afterMs !== undefined && !isCount(afterMs))) return undefined;
  const wait = afterMs !== undefined && { afterMs };
  if (Object.hasOwn(ERRORS, error)) return { c, error: error as ErrorName, ...wait };
  if (error.length > ERROR_UNITS_MAX) return undefined;
  return retry === true ? { c, error: "unavailable", ...wait } : { c, error: "conflict" };
}

function isListedMember(item: unknown): boolean {
  return isObject(item) && isUserId(item["user"]) && isRole(item["role"]);
}

function isListedInvite(item: unknown): boolean {
  if (!isObject(item)) return false;
  const { invite, role, until, uses, used } = item;
  return (
    isMessageId(invite) && isInviteRole(role) && isCount(until) && isCount(uses) && isCount(used)
  );
}

function isJoined(result: JsonObject): boolean {
  const { head, born, here, users, listedBy, role, access } = result;
  if (!isCount(head) || !isBorn(born) || !isCount(here)) return false;
  if (role !== undefined && !isRole(role)) return false;
  if (access !== undefined && !isRoomKind(access)) return false;
  if (listedBy !== undefined && !isCount(listedBy)) return false;
  if (users === undefined) return true;
  return Array.isArray(users) && users.length <= PRESENCE_NAMES_MAX && users.every(isUserId);
}

function isHeads(heads: unknown): boolean {
  if (!Array.isArray(heads) || heads.length > SYNC_ROOMS_MAX) return false;
  return (heads as readonly unknown[]).every((item) => {
    if (!Array.isArray(item)) return false;
    const [room, head, born] = item as readonly unknown[];
    return isRoomId(room) && isCount(head) && isBorn(born);
  });
}

function isBorn(value: unknown): boolean {
  return typeof value === "string" && value.length <= BORN_UNITS_MAX;
}

function isIncarnation(value: unknown): value is number | undefined {
  return value === undefined || (isCount(value) && value <= LANE_INCARNATION_MAX);
}

/** The end of the `count` lines that begin at `at`; undefined when there are fewer lines. */
function endOfLines(data: Uint8Array, at: number, count: number): number | undefined {
  let end = at - 1;
  for (let line = 0; line < count; line++) {
    if (end >= data.length) return undefined;
    const next = data.indexOf(NEWLINE, end + 1);
    end = next < 0 ? data.length : next;
  }
  return end;
}
