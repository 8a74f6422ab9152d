// Violation: one broken promise, named by its invariant (see check.ts).

export type InvariantId = "I1" | "I2" | "I3" | "I4" | "I5" | "I6" | "I7";

export interface Violation {
  readonly invariant: InvariantId;
  readonly detail: string;
}
