// Findings: broken promises that the world saw, and how often it saw the interesting things.
//
// A finding names the invariant that it breaks (docs/decisions/010-simulation.md lists them). The
// counts answer whether a run was worth anything: a fault that never happened proved nothing.

export interface Finding {
  readonly invariant: string;
  readonly detail: string;
}

/** Each must have happened in a run of many seeds. */
export const SOMETIMES = [
  "owner changed",
  "stale owner refused",
  "void commit skipped",
  "retry answered with the old number",
  "id looked up in the archive",
  "lane out of step",
  "resume replayed",
  "slow reader demoted",
  "hole repaired",
  "append in doubt",
  "append refused without a number",
  "log was full",
  "log trimmed",
  "archive write in doubt",
  "archive worker overtaken",
  "bus connection lost",
  "message lost",
  "process was stopped",
  "process killed",
  "process left in good order",
  "client came back with its cursor",
] as const;

export type Sometimes = (typeof SOMETIMES)[number];
export type Counts = Record<Sometimes, number>;

/** More say nothing new about a run that is broken anyway. */
const FINDINGS_MAX = 50;

export class Findings {
  readonly list: Finding[] = [];
  readonly counts: Counts = Object.fromEntries(SOMETIMES.map((name) => [name, 0])) as Counts;

  /** What clients were told that went wrong: names of errors, and codes of closes. */
  readonly shown: string[] = [];

  broken(invariant: string, detail: string): void {
    if (this.list.length < FINDINGS_MAX) this.list.push({ invariant, detail });
  }

  saw(what: Sometimes): void {
    this.counts[what]++;
  }
}
