import { expect } from "chai";
import type { RegionRight } from "#shared/process/region-grants.ts";
import type { Grant, GrantFor } from "#shared/protocol/regions.ts";
import { onNextTerm, whenArchiving } from "../runtime/region-turn.ts";

class Right implements RegionRight {
  now: GrantFor = "nothing";
  grant: Grant | undefined;
  readonly #listeners = new Set<() => void>();

  allows(): GrantFor {
    return this.now;
  }

  onChange(handler: () => void): { unsubscribe(): void } {
    this.#listeners.add(handler);
    return { unsubscribe: () => void this.#listeners.delete(handler) };
  }

  set(now: GrantFor, term: number): void {
    this.now = now;
    this.grant = { v: 1, n: 1, term, for: now, leftMs: 1, mirror: null };
    for (const listener of this.#listeners) listener();
  }
}

describe("Persistence in a region", () => {
  it("T7: waits for the right to archive, and ends when another term begins", async () => {
    const right = new Right();
    let turn: number | undefined;
    const waiting = whenArchiving(right).then((term) => {
      turn = term;
    });
    right.set("nothing", 3);
    await new Promise((resolve) => setImmediate(resolve));
    expect(turn).to.equal(undefined);
    right.set("archive", 4);
    await waiting;
    expect(turn).to.equal(4);
    let ends = 0;
    onNextTerm(right, 4, () => ends++);
    right.set("everything", 4);
    right.set("nothing", 4); // The lease has ended: the same archive continues.
    expect(ends).to.equal(0);
    right.set("nothing", 5);
    right.set("nothing", 6);
    expect(ends).to.equal(1);
  });
});
