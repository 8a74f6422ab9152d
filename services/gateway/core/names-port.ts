// Names port: the display names of users, for a caller without a session, such as an HTTP request.
//
// Each call resolves and never rejects: a failure is a row of the error table.

import type { UserId } from "#shared/protocol/ids.ts";
import type { NamedUser } from "#shared/protocol/names.ts";
import type { Refused } from "./room-api-port.ts";

export type NamesOutcome =
  | { readonly kind: "names"; readonly names: readonly NamedUser[] }
  | Refused;
export type ForgetOutcome = { readonly kind: "forgotten" } | Refused;

export interface NamesApi {
  /** `by`: who asks. */
  names(by: UserId, users: readonly UserId[]): Promise<NamesOutcome>;
  /** Removes the name of the user. */
  forget(by: UserId, user: UserId): Promise<ForgetOutcome>;
}
