// Log entries of a newer version, during the replay of an owner.

import { expect } from "chai";
import { NEWER_RETRY_MS } from "../core/partition-state.ts";
import { claimEntry, commitEntry, GENERAL, linesOf, only } from "./partition-fixture.ts";
import { PartitionFixture } from "./partition-fixture.ts";

const archived = { claim: 4, watermark: 1, epoch: 1 } as const;
const commit = commitEntry(1, [linesOf(GENERAL, 1, 2)]);

describe("Log entries of a newer version", () => {
  it("N8: an owner does not pass over an entry of a newer version, and serves when it is archived", () => {
    const fixture = new PartitionFixture();
    const newer = commitEntry(1, [linesOf(GENERAL, 3, 1)]).replace('{"v":1', '{"v":2');
    const effects = fixture.serve({ ...archived, entries: { 2: commit, 3: newer } });
    const detail = { logSeq: 3, reason: "version 2 is not known" };
    expect(only(effects, "log")).to.deep.equal([
      { kind: "log", event: "log written by a newer version", detail },
    ]);
    expect(only(effects, "close-reader")).to.have.length(1);
    expect(only(effects, "subscribe")).to.deep.equal([]);
    expect([fixture.partition.state, fixture.partition.epoch]).to.deep.equal([
      "watermark",
      undefined,
    ]);
    expect(fixture.memory.account.used).to.equal(0);
    expect(fixture.tick(NEWER_RETRY_MS - 1)).to.deep.equal([]);
    expect(fixture.tick(1)).to.deep.equal([{ kind: "read-watermark", claim: 4 }]);
    // A newer persistence process has archived the entry.
    const outcome = { kind: "ok", value: { seq: 3, epoch: 1 } } as const;
    fixture.step({ kind: "watermark-read", tenure: fixture.tenure, outcome });
    fixture.entry(4, claimEntry());
    expect(fixture.partition.state).to.equal("serving");
  });

  it("N8: an entry of an unknown kind holds no event, and the replay passes over it", () => {
    const fixture = new PartitionFixture();
    const unknown = JSON.stringify({ v: 1, kind: "merge", node: "room-a", at: 1 });
    fixture.serve({ ...archived, entries: { 2: commit, 3: unknown } });
    expect(fixture.partition.state).to.equal("serving");
  });
});
