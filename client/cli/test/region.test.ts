// `parley region status`: its lines.

import { expect } from "chai";
import type { RegionStatus } from "#shared/protocol/regions.ts";
import { statusLines } from "../region.ts";

const record = {
  v: 1,
  region: "east",
  term: 7,
  mode: "synchronous",
  phase: "serving",
  follower: "west",
  logs: "whole",
  leaseMs: 5_000,
} as const;

describe("parley region", () => {
  it("prints the term, the lease and the lag of the region that serves", () => {
    const status: RegionStatus = {
      region: "east",
      peer: "west",
      state: "serving",
      record,
      leftMs: 4_210,
      lag: 12,
      logs: [{ p: 0, first: 3, last: 40, isMirror: false }],
    };
    expect(statusLines(status)).to.deep.equal([
      "region east: serving",
      "term 7: east, serving, synchronous, lease 4.2 s",
      "follower: west",
      "mirror of west: 12 entries behind",
      "log 0: 3 to 40",
    ]);
  });

  it("prints the mirrors of a region that follows, and the entries that only a detached one has", () => {
    const base = { region: "west", peer: "east", leftMs: 0, lag: null } as const;
    const logs = [{ p: 0, first: 3, last: 40, isMirror: true, lag: 2 }];
    expect(statusLines({ ...base, state: "following", record, logs })).to.deep.equal([
      "region west: following",
      "term 7: east, serving, synchronous",
      "follower: west",
      "log 0: 3 to 40, mirror, 2 behind",
    ]);
    const own = [{ p: 0, first: 3, last: 40, isMirror: false, common: 38 }];
    const detached = { ...record, follower: null };
    expect(statusLines({ ...base, state: "detached", record: detached, logs: own })).to.include(
      "log 0: 3 to 40, 2 entries that east may not have",
    );
    expect(statusLines({ ...base, state: "no-term", record: null, logs: [] })).to.deep.equal([
      "region west: no-term",
      "term: none; begin with parley region promote",
    ]);
  });
});
