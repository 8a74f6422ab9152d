// Names: the display names of users. The archive has them; persistence answers for it.
//
// The contract (shared/testing/names.contract.ts proves it on memory and on PostgreSQL):
//   ports/names.1. The name with the highest time is in force, whatever order they arrive in. Of
//        two with the same time, the later one.
//   ports/names.2. A user whose name is the empty text has none.

import type { Partition, UserId } from "../protocol/ids.ts";
import type { NamedUser, SaidName } from "../protocol/names.ts";
import type { Read } from "./archive.ts";

/** All methods resolve, never reject. */
export interface NameStore {
  /** The names of those who have one. */
  names(users: readonly UserId[]): Promise<Read<readonly NamedUser[]>>;
  putName(said: SaidName): Promise<Read<undefined>>;
}

/** The same over the bus. It is asked of any partition, because every archive has all names. */
export interface NameReader {
  names(p: Partition, users: readonly UserId[]): Promise<Read<readonly NamedUser[]>>;
  putName(p: Partition, said: SaidName): Promise<Read<undefined>>;
}
