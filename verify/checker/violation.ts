// Violation: one broken invariant of a run (see check.ts).

export const INVARIANTS = [
  "I1",
  "I2",
  "I3",
  "I4",
  "I5",
  "I6",
  "I7",
  "I8",
  "I9",
  "I10",
  "I11",
  "I12",
  "I13",
  "I14",
  "I15",
  "I16",
  "I17",
  "I18",
  "I19",
] as const;

export type InvariantId = (typeof INVARIANTS)[number];

export interface Violation {
  readonly invariant: InvariantId;
  readonly detail: string;
}

/** The parts of the checker report their findings to this function. */
export type Fail = (invariant: InvariantId, detail: string) => void;
