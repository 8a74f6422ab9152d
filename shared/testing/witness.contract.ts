// The contract suite of the port Witness (shared/ports/witness.ts).

import { expect } from "chai";
import type { Witness } from "../ports/witness.ts";
import type { TermRecord } from "../protocol/regions.ts";

export const TERM: TermRecord = {
  v: 1,
  region: "east",
  term: 1,
  mode: "synchronous",
  phase: "serving",
  follower: "west",
  logs: "whole",
  leaseMs: 5_000,
};

export interface WitnessUnderTest extends AsyncDisposable {
  /** Another client of the same register. */
  connect(): Witness;
  /** Stops the register permanently. */
  stop(): Promise<void>;
}

export function witnessContract(name: string, open: () => Promise<WitnessUnderTest>): void {
  describe(`Witness contract: ${name}`, () => {
    it("ports/witness.1: begins without a record, and one of two first writes wins", async () => {
      await using under = await open();
      const [east, west] = [under.connect(), under.connect()];
      expect(await east.read()).to.deep.equal({ kind: "ok", revision: 0, record: undefined });
      const results = await Promise.all([
        east.write(TERM, 0),
        west.write({ ...TERM, region: "west" }, 0),
      ]);
      expect(results.map(({ kind }) => kind).sort()).to.deep.equal(["conflict", "ok"]);
    });

    it("ports/witness.1: a write needs the newest revision", async () => {
      await using under = await open();
      const [east, west] = [under.connect(), under.connect()];
      const first = await east.write(TERM, 0);
      if (first.kind !== "ok") throw new Error(first.kind);
      const second = await west.write({ ...TERM, term: 2 }, first.revision);
      if (second.kind !== "ok") throw new Error(second.kind);
      expect(second.revision).to.be.above(first.revision);
      expect(await east.write(TERM, first.revision)).to.deep.equal({ kind: "conflict" });
      expect(await east.write(TERM, 0)).to.deep.equal({ kind: "conflict" });
      const { revision } = second;
      const record = { ...TERM, term: 2 };
      expect(await east.read()).to.deep.equal({ kind: "ok", revision, record });
    });

    it("keeps the first history of a term", async () => {
      await using under = await open();
      const east = under.connect();
      expect(await east.history(7)).to.equal(undefined);
      const history = { v: 1, term: 7, region: "east", ends: [3, 0] } as const;
      expect(await east.record(history)).to.equal(true);
      expect(await east.record({ ...history, ends: [9, 9] })).to.equal(true);
      expect(await under.connect().history(7)).to.deep.equal(history);
    });

    it("ports/witness.3: answers `unknown` while the register is away", async () => {
      await using under = await open();
      const east = under.connect();
      await east.write(TERM, 0);
      await under.stop();
      expect((await east.read()).kind).to.equal("unknown");
      expect((await east.write(TERM, 1)).kind).to.equal("unknown");
      expect(await east.record({ v: 1, term: 1, region: "east", ends: [] })).to.equal(false);
    });
  });
}
