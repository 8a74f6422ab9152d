// Archived members: the stored members of one answer of the archive, within its bounds.
//
//   archived-members.1. A page has at most SNAPSHOT_MEMBERS_MAX members and about
//        SNAPSHOT_MEMBERS_BYTES_MAX bytes, at least one member, and says whether more follow.

import type { MembersPage, StoredMember } from "../protocol/history.ts";
import { utf8Length } from "../protocol/ids.ts";

export const SNAPSHOT_MEMBERS_MAX = 2_000;
export const SNAPSHOT_MEMBERS_BYTES_MAX = 128 * 1024;

/** `members`: in order, one more than SNAPSHOT_MEMBERS_MAX if there are more. */
export function cutMembers(members: readonly StoredMember[]): MembersPage {
  let bytes = 0;
  let fitting = 0;
  for (const member of members.slice(0, SNAPSHOT_MEMBERS_MAX)) {
    bytes += utf8Length(JSON.stringify(member)) + 1;
    if (fitting > 0 && bytes > SNAPSHOT_MEMBERS_BYTES_MAX) break;
    fitting++;
  }
  const page = members.slice(0, fitting);
  return fitting < members.length ? { members: page, isCut: true } : { members: page };
}
