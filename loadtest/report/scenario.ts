// Scenario: one block of the report: a number of the source article, or several, and ours.

export interface Row {
  readonly what: string;
  /** The article's number; "–" where it has none. */
  readonly source: string;
  readonly ours: string;
}

export interface Scenario {
  readonly id: string;
  readonly title: string;
  /** How it was measured, and what the comparison can and cannot say. */
  readonly method: string;
  play(): Promise<readonly Row[]>;
}

export interface StoredScenario {
  readonly id: string;
  readonly title: string;
  readonly method: string;
  readonly command: string;
  readonly at: string;
  readonly rows: readonly Row[];
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}
