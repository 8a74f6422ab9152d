// MemoryWitness: the witness in memory, for tests.

import type { Witness, WitnessRead, WitnessWrite } from "../ports/witness.ts";
import type { TermHistory, TermRecord } from "../protocol/regions.ts";

export class MemoryWitness implements Witness {
  #record: TermRecord | undefined;
  #revision = 0;
  readonly #histories = new Map<number, TermHistory>();
  /** The register does not answer. */
  isAway = false;

  read(): Promise<WitnessRead> {
    if (this.isAway) return Promise.resolve({ kind: "unknown", reason: "away" });
    return Promise.resolve({ kind: "ok", revision: this.#revision, record: this.#record });
  }

  write(record: TermRecord, revision: number): Promise<WitnessWrite> {
    if (this.isAway) return Promise.resolve({ kind: "unknown", reason: "away" });
    if (revision !== this.#revision) return Promise.resolve({ kind: "conflict" });
    this.#record = record;
    this.#revision++;
    return Promise.resolve({ kind: "ok", revision: this.#revision });
  }

  history(term: number): Promise<TermHistory | undefined> {
    return Promise.resolve(this.isAway ? undefined : this.#histories.get(term));
  }

  record(history: TermHistory): Promise<boolean> {
    if (this.isAway) return Promise.resolve(false);
    if (!this.#histories.has(history.term)) this.#histories.set(history.term, history);
    return Promise.resolve(true);
  }
}
