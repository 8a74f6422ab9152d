// Region targets: valid messages between the witness, the region agents and the processes of a
// region, and their decoders.

import { encodeHomes, homesOf, isHomes } from "#shared/protocol/homes.ts";
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
} from "#shared/protocol/regions.ts";
import { of, use } from "./target.ts";
import type { Target } from "./target.ts";

const RECORD = {
  region: "east",
  term: 7,
  mode: "synchronous",
  phase: "serving",
  follower: "west",
  logs: "whole",
  leaseMs: 5_000,
} as const;
const RIGHT = { term: 7, for: "everything", leftMs: 12.5, mirror: "west" } as const;
const HOME = { home: "west", partitions: [1, 3], ...RIGHT };
const STATUS = {
  region: "east",
  peer: "west",
  state: "serving",
  record: { v: 1, ...RECORD },
  leftMs: 4_000,
  lag: 0,
  logs: [
    { p: 0, first: 1, last: 9, isMirror: false },
    { p: 1, first: 1, last: 9, isMirror: true, lag: 2, common: 7 },
  ],
} as const;

const HOMES = homesOf(["west", "east"], 4);

export function regionTargets(): Target[] {
  return [
    { name: "homes", seeds: [encodeHomes(HOMES)], take: (text) => isHomes(text, HOMES) },
    of("term", [encodeTerm(RECORD)], decodeTerm, ({ term, leaseMs }) =>
      use(term + 1, leaseMs.toFixed(1)),
    ),
    of(
      "history of a term",
      [encodeHistory({ term: 7, region: "east", ends: [1, 0] })],
      decodeHistory,
      ({ ends }) => ends.forEach((end) => use(end.toFixed(0))),
    ),
    of("grant request", [encodeGrantRequest(3)], decodeGrantRequest),
    of(
      "grant",
      [
        encodeGrant({ n: 3, ...RIGHT }),
        encodeGrant({ n: 3, ...RIGHT, for: "nothing", homes: [HOME], clientsMs: 4_000 }),
      ],
      decodeGrant,
      ({ homes = [] }) =>
        homes.forEach(({ partitions, leftMs }) => use(...partitions, leftMs.toFixed(1))),
    ),
    of(
      "mirrored",
      [
        encodeMirrored({ region: "west", term: 7, ends: [[0, 12]] }),
        encodeMirrored({ region: "west", home: "east", term: 7, ends: [[1, 3]] }),
      ],
      decodeMirrored,
      ({ ends }) => ends.forEach(([p, end]) => use(p + end)),
    ),
    of(
      "region request",
      [
        encodeRegionRequest({ verb: "rejoin", by: "op", saved: [4, null] }),
        encodeRegionRequest({ verb: "mode", by: "op", home: "east", mode: "asynchronous" }),
        encodeRegionRequest({ verb: "promote", by: "op", acceptLoss: true }),
      ],
      decodeRegionRequest,
      ({ saved = [] }) => saved.forEach((end) => use(end?.toFixed(0))),
    ),
    of(
      "region answer",
      [
        encodeRegionAnswer({ v: 1, ok: STATUS }),
        encodeRegionAnswer({ v: 1, error: "term_held", message: "west holds it" }),
      ],
      decodeRegionAnswer,
      (answer) => {
        if ("ok" in answer) for (const { p, last } of answer.ok.logs) use(p + last);
      },
    ),
  ];
}
