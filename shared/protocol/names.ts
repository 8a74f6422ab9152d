// Names: both halves of what gateways and persistence exchange about the display names of users.
// They are requests on `hist.<p>` (history.ts).
//
//   protocol/names.1. A decoded request and a decoded reply have the declared types and keep the
//        bounds of limits.ts. A malformed part refuses the whole.

import { isCount } from "../kit/json.ts";
import type { JsonObject } from "../kit/json.ts";
import { isTextWithin, isUserId } from "./ids.ts";
import type { Millis, UserId } from "./ids.ts";
import { NAME_LENGTH_MAX, NAMES_MAX } from "./limits.ts";

/** A display name; the empty text removes it. */
export interface SaidName {
  readonly user: UserId;
  readonly name: string;
  /** A name with a lower time changes nothing (DN1). */
  readonly at: Millis;
}

export type NamedUser = readonly [UserId, string];

export type NamesRequest =
  | { readonly op: "names"; readonly users: readonly UserId[] }
  | ({ readonly op: "name" } & SaidName);

export type NamesReply =
  /** Of those who have one, in any order. */
  | { readonly ok: true; readonly op: "names"; readonly names: readonly NamedUser[] }
  | { readonly ok: true; readonly op: "name" };

/** Undefined for a request that is not whole. */
export function readNamesRequest(request: JsonObject): NamesRequest | undefined {
  const { op, users, user, name, at } = request;
  if (op === "names") {
    if (!Array.isArray(users) || users.length > NAMES_MAX || !users.every(isUserId)) {
      return undefined;
    }
    return { op, users };
  }
  if (op !== "name" || !isUserId(user) || !isCount(at) || !isName(name)) return undefined;
  return { op, user, name, at };
}

/** `rest`: a reply without `ok` and `op`. */
export function readNamesReply(op: unknown, { names }: JsonObject): NamesReply | undefined {
  if (op === "name") return { ok: true, op };
  if (op !== "names" || !Array.isArray(names) || names.length > NAMES_MAX) return undefined;
  return names.every(isNamedUser) ? { ok: true, op, names: names as NamedUser[] } : undefined;
}

function isName(name: unknown): name is string {
  return typeof name === "string" && isTextWithin(name, NAME_LENGTH_MAX);
}

function isNamedUser(item: unknown): boolean {
  return Array.isArray(item) && item.length === 2 && isUserId(item[0]) && isName(item[1]);
}
