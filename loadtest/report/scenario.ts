// Scenario: one block of the report: numbers of the source article beside those of Parley.

export interface Row {
  readonly what: string;
  /** The number of the article, or "–". */
  readonly source: string;
  readonly ours: string;
}

export interface Scenario {
  readonly id: string;
  readonly title: string;
  /** The method of the measurement, and the limits of the comparison. */
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
