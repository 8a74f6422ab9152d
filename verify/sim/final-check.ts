// Final check: compares everything that a run stored, acknowledged and showed.
//
// Owns: the comparison after the run. Most of it is verify/checker's, which judges the records of
// the wire against the log, the archive and the history pages. Does not own: the checks during the
// run (connection-checker.ts, log-follower.ts).

import { check } from "../checker/check.ts";
import type { HistoryRecord } from "../checker/record.ts";
import type { MessageId, RoomId, Seq } from "#shared/protocol/ids.ts";
import type { Findings } from "./findings.ts";
import type { LogFollower } from "./log-follower.ts";
import type { SimulatedUser } from "./user.ts";

export interface Evidence {
  readonly records: readonly HistoryRecord[];
  readonly logFollower: LogFollower;
  /** room → sequence number → line, as the database has it. */
  readonly archive: ReadonlyMap<RoomId, ReadonlyMap<Seq, string>>;
  /** The product's own history pages; undefined when they could not be read. */
  readonly pages: readonly string[] | undefined;
  readonly users: readonly SimulatedUser[];
}

export interface RunTotals {
  readonly acked: number;
  readonly seen: number;
}

export function checkRun(evidence: Evidence, findings: Findings): RunTotals {
  const { records, logFollower, archive, pages, users } = evidence;
  const archived = [...archive.values()].flatMap((room) =>
    [...room].sort(([a], [b]) => a - b).map(([, line]) => line),
  );
  const log = logFollower.entries;
  const report = check({ records, archive: archived, log, ...(pages && { pages }) });
  for (const { invariant, detail } of report.violations) findings.violation(invariant, detail);
  for (let i = 0; i < report.sometimes.ownerChanged; i++) findings.count("owner changed");
  for (let i = 0; i < report.sometimes.textErased; i++) findings.count("text erased");
  for (const user of users) checkDelivered(user, archive, findings);
  const { acked, seen } = report.counts;
  return { acked, seen };
}

/** K3: each event that the SDK delivered is the archived event. user.ts checks the order. */
function checkDelivered(
  user: SimulatedUser,
  archive: Evidence["archive"],
  findings: Findings,
): void {
  for (const { room, seq, id } of user.delivered) {
    const line = archive.get(room)?.get(seq);
    const stored = line === undefined ? undefined : (JSON.parse(line) as { id: MessageId }).id;
    if (stored === id) continue;
    const detail = `the SDK delivered ${id} as ${room} ${seq} to ${user.id}, and ${stored} is stored`;
    findings.violation("K3", detail);
  }
}
