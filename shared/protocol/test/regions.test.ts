import { expect } from "chai";
import * as fc from "fast-check";
import {
  decodeGrant,
  decodeGrantRequest,
  decodeHistory,
  decodeMirrored,
  decodeRegionAnswer,
  decodeRegionRequest,
  decodeTerm,
  encodeGrant,
  encodeGrantRequest,
  encodeHistory,
  encodeMirrored,
  encodeRegionAnswer,
  encodeRegionRequest,
  encodeTerm,
  isRegionName,
} from "../regions.ts";

const record = {
  region: "east",
  term: 7,
  mode: "synchronous",
  phase: "serving",
  follower: "west",
  logs: "whole",
  leaseMs: 5_000,
} as const;
const status = {
  region: "east",
  peer: "west",
  state: "serving",
  record: { v: 1, ...record },
  leftMs: 4_000,
  lag: 0,
  logs: [{ p: 0, first: 1, last: 9, isMirror: false }],
} as const;

describe("regions", () => {
  it("regions.1: a name of a region is safe in a subject", () => {
    for (const name of ["east", "eu-west-1"]) expect(isRegionName(name)).to.equal(true);
    for (const name of ["", "East", "a.b", "*", ">", "a b", "-a", "x".repeat(33), 7, null]) {
      expect(isRegionName(name), String(name)).to.equal(false);
    }
  });

  it("returns what was encoded", () => {
    expect(decodeTerm(encodeTerm(record))).to.deep.equal({ v: 1, ...record });
    const history = { term: 7, region: "east", ends: [1, 0] };
    expect(decodeHistory(encodeHistory(history))).to.deep.equal({ v: 1, ...history });
    expect(decodeGrantRequest(encodeGrantRequest(3))).to.deep.equal({ v: 1, n: 3 });
    const grant = { n: 3, term: 7, for: "everything", leftMs: 12.5, mirror: null } as const;
    expect(decodeGrant(encodeGrant(grant))).to.deep.equal({ v: 1, ...grant });
    const right = { term: 7, for: "follow", leftMs: 0, mirror: null } as const;
    const homes = [{ home: "west", partitions: [1, 3], ...right }];
    const both = { n: 3, ...right, homes, clientsMs: 4_000 };
    expect(decodeGrant(encodeGrant(both))).to.deep.equal({ v: 1, ...both });
    const ofHome = { region: "west", home: "east", term: 7, ends: [] };
    expect(decodeMirrored(encodeMirrored(ofHome))).to.deep.equal({ v: 1, ...ofHome });
    const mirrored = { region: "west", term: 7, ends: [[0, 12]] } as const;
    expect(decodeMirrored(encodeMirrored(mirrored))).to.deep.equal({ v: 1, ...mirrored });
    const request = { verb: "rejoin", by: "ada", saved: [4, null] } as const;
    expect(decodeRegionRequest(encodeRegionRequest(request))).to.deep.equal({ v: 1, ...request });
    const refusal = { v: 1, error: "term_held", message: "west holds it" } as const;
    expect(decodeRegionAnswer(encodeRegionAnswer(refusal))).to.deep.equal(refusal);
    const answer = { v: 1, ok: status } as const;
    expect(decodeRegionAnswer(encodeRegionAnswer(answer))).to.deep.equal(answer);
  });

  it("regions.2: refuses every other shape", () => {
    const decoders = {
      [encodeTerm(record)]: decodeTerm,
      [encodeHistory({ term: 7, region: "east", ends: [1, 0] })]: decodeHistory,
      [encodeGrantRequest(3)]: decodeGrantRequest,
      [encodeGrant({ n: 3, term: 7, for: "nothing", leftMs: 0, mirror: "west" })]: decodeGrant,
      [encodeGrant({
        n: 3,
        term: 7,
        for: "nothing",
        leftMs: 0,
        mirror: null,
        clientsMs: 1,
        homes: [
          { home: "east", partitions: [0], term: 7, for: "everything", leftMs: 3, mirror: null },
        ],
      })]: decodeGrant,
      [encodeMirrored({ region: "west", home: "east", term: 7, ends: [[0, 12]] })]: decodeMirrored,
      [encodeRegionAnswer({ v: 1, ok: status })]: decodeRegionAnswer,
      [encodeRegionRequest({ verb: "mode", by: "ada", home: "east", mode: "asynchronous" })]:
        decodeRegionRequest,
    };
    for (const [text, decode] of Object.entries(decoders)) {
      const whole = JSON.parse(text) as Record<string, unknown>;
      expect(decode(text), text).to.not.equal(undefined);
      for (const key of Object.keys(whole)) {
        const broken = JSON.stringify({ ...whole, [key]: { wrong: true } });
        expect(decode(broken), broken).to.equal(undefined);
      }
      fc.assert(
        fc.property(fc.json(), (other) => {
          decode(other);
        }),
        { numRuns: 50 },
      );
    }
  });
});
