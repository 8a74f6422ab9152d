// State changes: the line since which a user is a member does not depend on the cut into batches.

import { expect } from "chai";
import * as fc from "fast-check";
import type { ArchiveEvent } from "../../ports/archive.ts";
import type { MessageId, RoomId, Seq, UserId } from "../../protocol/ids.ts";
import { sinceOf, stateChangesOf } from "../state-changes.ts";
import type { MemberChange } from "../state-changes.ts";

const ROOM = "general" as RoomId;
const ADA = "ada" as UserId;

/** A `member` line of ada: `r` reader, `m` member, `-` none, `b` banned. */
function lineOf(kind: string, seq: Seq): ArchiveEvent {
  const role = { r: "reader", m: "member" }[kind] ?? "none";
  const more = kind === "b" ? { banned: true, role: "member" } : { role };
  const line = JSON.stringify({ t: "member", room: ROOM, seq, user: ADA, ...more });
  const keys = { room: ROOM, seq, kind: "member", id: "x" as MessageId, sender: ADA, at: 1 };
  return { ...keys, line };
}

/** As a store applies them. */
function apply(batches: readonly (readonly ArchiveEvent[])[]): MemberChange | undefined {
  let stored: MemberChange | undefined;
  for (const batch of batches) {
    const [change] = stateChangesOf(batch)?.members ?? [];
    if (change === undefined || change.seq <= (stored?.seq ?? 0)) continue;
    stored = { ...change, since: sinceOf(change, stored) };
  }
  return stored;
}

/** The number of the line behind the last one without membership. */
function expectedSince(kinds: string): Seq {
  if (!/[rm]$/.test(kinds)) return 0;
  return kinds.length - (/[rm]*$/.exec(kinds)?.[0].length ?? 0) + 1;
}

describe("State changes", () => {
  it("state-changes.2: any cut into batches gives the same line, also when batches come twice", () => {
    const kinds = fc.array(fc.constantFrom("r", "m", "-", "b"), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(
        kinds,
        fc.array(fc.boolean(), { maxLength: 8 }),
        fc.boolean(),
        (all, cuts, twice) => {
          const batches: ArchiveEvent[][] = [[]];
          for (const [i, kind] of all.entries()) {
            if (cuts[i] === true) batches.push([]);
            batches.at(-1)?.push(lineOf(kind, i + 1));
          }
          const stored = apply(twice ? batches.flatMap((batch) => [batch, batch]) : batches);
          expect(stored?.since).to.equal(expectedSince(all.join("")));
        },
      ),
      { numRuns: 500 },
    );
  });
});
