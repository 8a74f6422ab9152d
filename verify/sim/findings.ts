// Findings: the violations that a run found, and how often the run reached its coverage events.
//
// A violation names the invariant that was broken (docs/decisions/010-simulation.md lists them).
// The coverage counts show what a run has tested: a fault that never occurred has tested nothing.

export interface Finding {
  readonly invariant: string;
  readonly detail: string;
}

/** Each of these must occur at least once in a run of many seeds. */
export const COVERAGE_EVENTS = [
  "owner changed",
  "stale owner refused",
  "void commit skipped",
  "retry answered with the first sequence number",
  "id looked up in the archive",
  "lane resynchronised",
  "resume replayed",
  "slow reader demoted",
  "gap repaired",
  "append outcome unknown",
  "append refused without the last sequence",
  "log was full",
  "log trimmed",
  "archive write outcome unknown",
  "archive runner overtaken",
  "bus connection lost",
  "message lost",
  "process paused",
  "process killed",
  "process left after its hand-over",
  "client resumed from its cursor",
  "term ended",
  "partition moved by load",
  "partition split",
  "closed room created",
  "member removed",
  "guest entered",
  "entry refused",
  "slow mode set",
  "sender slowed",
  "read refused",
  "message changed",
  "change refused",
  "page of messages read",
  "text erased",
  "room list read",
  "unread message counted",
  "note received",
  "session started",
  "session moved",
  "sessions of a lost gateway ended",
] as const;

export type CoverageEvent = (typeof COVERAGE_EVENTS)[number];
export type CoverageCounts = Record<CoverageEvent, number>;

/** Further violations of one run add no information. */
const FINDINGS_MAX = 50;

export class Findings {
  readonly list: Finding[] = [];
  readonly counts: CoverageCounts = Object.fromEntries(
    COVERAGE_EVENTS.map((name) => [name, 0]),
  ) as CoverageCounts;

  /** The failures that clients received: names of errors and close codes. */
  readonly shown: string[] = [];

  violation(invariant: string, detail: string): void {
    if (this.list.length < FINDINGS_MAX) this.list.push({ invariant, detail });
  }

  count(event: CoverageEvent): void {
    this.counts[event]++;
  }
}
