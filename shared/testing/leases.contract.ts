// The contract suite of the port Leases (shared/ports/leases.ts).

import { expect } from "chai";
import type { Leases } from "../ports/leases.ts";
import type { ProcessId } from "../protocol/ids.ts";

export const CONTRACT_LEASE_MS = 1_000;

const ids = Array.from({ length: 6 }, (_, i) => `room-00000000000${i}` as ProcessId);
const [first, second] = ids as [ProcessId, ProcessId];

export interface LeasesUnderTest extends AsyncDisposable {
  /** A client of the same leases, which last CONTRACT_LEASE_MS. */
  connect(): Leases;
  /** Resolves when every lease that is held now has ended. */
  expire(): Promise<void>;
  /** Stops the store permanently. */
  stop(): Promise<void>;
}

export function leasesContract(name: string, open: () => Promise<LeasesUnderTest>): void {
  describe(`Leases contract: ${name}`, () => {
    it("ports/leases.1: one of several that ask at once holds the lease, and names are independent", async () => {
      await using under = await open();
      const outcomes = await Promise.all(
        ids.map((by) => under.connect().take({ name: "room", by })),
      );
      const kinds = outcomes.map(({ kind }) => kind).toSorted();
      expect(kinds).to.deep.equal(["held", "taken", "taken", "taken", "taken", "taken"]);
      const other = await under.connect().take({ name: "gateway", by: second });
      expect(other).to.deep.equal({ kind: "held" });
    });

    it("ports/leases.2: the holder gets it again, another process gets it when it has ended", async () => {
      await using under = await open();
      const leases = under.connect();
      expect(await leases.take({ name: "room", by: first })).to.deep.equal({ kind: "held" });
      expect(await leases.take({ name: "room", by: first })).to.deep.equal({ kind: "held" });
      expect(await leases.take({ name: "room", by: second })).to.deep.equal({ kind: "taken" });
      await under.expire();
      expect(await leases.take({ name: "room", by: second })).to.deep.equal({ kind: "held" });
      expect(await leases.take({ name: "room", by: first })).to.deep.equal({ kind: "taken" });
    });

    it("ports/leases.3: answers `unknown` while the store is away", async () => {
      await using under = await open();
      const leases = under.connect();
      await leases.take({ name: "room", by: first });
      await under.stop();
      expect(await leases.take({ name: "room", by: second })).to.deep.equal({ kind: "unknown" });
    });
  });
}
