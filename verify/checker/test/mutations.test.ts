// Mutations: the checker finds every mutation of a good run, of many kinds and at random places.

import { expect } from "chai";
import { below, seededRandom } from "#shared/kit/random.ts";
import type { Random } from "#shared/ports/clock.ts";
import type { MessageId } from "#shared/protocol/ids.ts";
import { check } from "../check.ts";
import type { HistoryRecord } from "../record.ts";
import { goodRun, idOf } from "./good-run.ts";
import type { RecordedRun } from "./good-run.ts";

const SEED = 20_260_000;
const MUTATIONS = 200;
const UNKNOWN_ID = idOf(999_999);

type Op = HistoryRecord["op"];
type RecordOf<O extends Op> = Extract<HistoryRecord, { op: O }>;
/** Breaks the run in place. Returns false when the run has nothing of this kind. */
type Mutation = (run: RecordedRun, random: Random) => boolean;

function pick<T>(random: Random, from: readonly T[]): T | undefined {
  return from[below(random, from.length)];
}

/** Breaks one record that fits. `change` gets the array and the index. */
function records<O extends Op>(
  op: O,
  fits: (record: RecordOf<O>) => boolean,
  change: (all: HistoryRecord[], at: number, record: RecordOf<O>) => void,
): Mutation {
  return ({ records: all }, random) => {
    const places = all.flatMap((record, at) =>
      record.op === op && fits(record as RecordOf<O>) ? [at] : [],
    );
    const at = pick(random, places);
    if (at === undefined) return false;
    change(all, at, all[at] as RecordOf<O>);
    return true;
  };
}

function lines(
  store: "archive" | "pages",
  change: (all: string[], at: number, line: string) => void,
): Mutation {
  return (run, random) => {
    const at = below(random, run[store].length);
    change(run[store], at, run[store][at]!);
    return true;
  };
}

/** Breaks a valid commit: one in the epoch of the newest claim before it. */
function commits(change: (run: RecordedRun, at: number) => void): Mutation {
  return (run, random) => {
    let epoch = 0;
    const places = run.log.flatMap(({ seq, text }, at) => {
      if (text.includes('"kind":"claim"')) epoch = seq;
      return text.includes(`"kind":"commit","epoch":${epoch},`) ? [at] : [];
    });
    change(run, pick(random, places)!);
    return true;
  };
}

const drop = (all: unknown[], at: number): void => void all.splice(at, 1);
const double = (all: unknown[], at: number): void => void all.splice(at, 0, all[at]);
const replace =
  <R extends HistoryRecord>(more: (record: R) => object) =>
  (all: HistoryRecord[], at: number, record: R): void => {
    all[at] = { ...record, ...more(record) };
  };
const isOk = ({ phase }: { phase?: string }): boolean => phase === "ok";
const always = (): boolean => true;

const otherBody = (line: string): string => line.replace('"text":"0', '"text":"x');
const otherId = (line: string): string => line.replace(/"id":"[^"]*"/, `"id":"${UNKNOWN_ID}"`);

const MUTATIONS_BY_NAME: Readonly<Record<string, Mutation>> = {
  "an archived line is lost": lines("archive", drop),
  "an archived line is duplicated": lines("archive", double),
  "an archived line has another body": lines("archive", (all, at, line) => {
    all[at] = otherBody(line);
  }),
  "an archived line has an unknown id": lines("archive", (all, at, line) => {
    all[at] = otherId(line);
  }),
  "a line of a page is lost": lines("pages", drop),
  "a line of a page differs": lines("pages", (all, at, line) => {
    all[at] = line.replace(/"at":\d+/, '"at":7');
  }),
  "a commit is lost": commits(({ log }, at) => drop(log, at)),
  "a commit has another epoch": commits(({ log }, at) => {
    const { text } = log[at]!;
    log[at] = { ...log[at]!, text: text.replace(/"epoch":\d+/, '"epoch":77777') };
  }),
  "a commit names another node": commits(({ log }, at) => {
    const { text } = log[at]!;
    log[at] = { ...log[at]!, text: text.replace(/"node":"room-./, '"node":"room-z') };
  }),
  "a commit's line has another body": commits(({ log }, at) => {
    log[at] = { ...log[at]!, text: otherBody(log[at]!.text) };
  }),
  "a commit follows a release": commits(({ log }, at) => {
    const text = log[at]!.text.split("\n")[0]!.replace('"commit"', '"release"');
    log.splice(at, 0, { ...log[at]!, text });
    for (let i = at + 1; i < log.length; i++) log[i] = { ...log[i]!, seq: i + 1 };
  }),
  "an acknowledgement names another number": records("send", isOk, (all, at, record) => {
    const { seq } = record as { seq: number } & typeof record;
    all[at] = { ...record, seq: seq + 1 } as HistoryRecord;
  }),
  "an answer is lost": records("send", isOk, drop),
  "an answer comes twice": records("send", isOk, double),
  "a send is not recorded": records("send", ({ phase }) => phase === "invoke", drop),
  "a refused send is overtaken": records(
    "send",
    ({ phase }) => phase === "fail",
    // Four records in a row: one message sent and refused, then the next one.
    (all, at) => {
      const isPair = (all[at + 2] as { phase?: string } | undefined)?.phase === "fail";
      const from = isPair ? at - 1 : at - 3;
      all.splice(from, 4, ...all.slice(from + 2, from + 4), ...all.slice(from, from + 2));
    },
  ),
  "a received event is lost": ({ records: all }, random) => {
    // The last events before a leave or a lost connection may be missing.
    const isMissed = (see: RecordOf<"see">, at: number): boolean =>
      all.slice(at + 1).some((later) => {
        const { client, conn, room } = see;
        return (
          later.op === "see" &&
          later.client === client &&
          later.conn === conn &&
          later.room === room
        );
      });
    const places = all.flatMap((record, at) =>
      record.op === "see" && isMissed(record, at) ? [at] : [],
    );
    drop(all, pick(random, places)!);
    return true;
  },
  "a received event is duplicated": records("see", always, double),
  "a received event has another id": records(
    "see",
    always,
    replace(() => ({ id: UNKNOWN_ID })),
  ),
  "an event arrives in another room": records(
    "see",
    always,
    replace(({ room }) => ({ room: room === "red" ? "blue" : "red" })),
  ),
  "an event arrives after the leave": records(
    "leave",
    ({ phase }) => phase === "ok",
    (all, at, { client, conn, t, room }) => {
      const seen = all.find((record) => record.op === "see" && record.room === room);
      const { id, seq } = seen as { id: MessageId; seq: number } & HistoryRecord;
      all.splice(at + 1, 0, { t, client, conn, op: "see", room, seq, id });
    },
  ),
  "a resume begins too late": records(
    "join",
    isOk,
    replace((record) => ({ from: (record as { from: number } & typeof record).from + 1 })),
  ),
  "a catch-up ends too early": records(
    "caught",
    ({ seq }) => seq > 0,
    replace(({ seq }) => ({ seq: seq - 1 })),
  ),
  "a join is lost": records("join", isOk, drop),
  "a leave is not announced": (run, random) => {
    const { records: all } = run;
    // Only the last leave of a user counts: the next join corrects an earlier one.
    const places = all.flatMap((record, at) => {
      if (record.op !== "here" || record.leave === undefined) return [];
      const [user] = record.leave;
      const isLater = (other: HistoryRecord): boolean =>
        (other.op === "here" &&
          other.room === record.room &&
          other.client === record.client &&
          (other.conn !== record.conn || other.join?.includes(user!) === true)) ||
        (other.op === "close" && other.client === record.client) ||
        (other.op === "leave" && other.client === record.client && other.room === record.room);
      return all.slice(at + 1).some(isLater) ? [] : [at];
    });
    const at = pick(random, places);
    if (at === undefined) return false;
    drop(all, at);
    return true;
  },
  "a page has another id": records(
    "page",
    isOk,
    replace(() => ({ ids: [UNKNOWN_ID] })),
  ),
  "a page never comes": records("page", isOk, drop),
  "memory grows": records(
    "sample",
    always,
    replace(() => ({ mib: 900 })),
  ),
  "no room is served again": (run, random) => {
    const faults = run.records.filter((record) => record.op === "fault");
    const fault = pick(
      random,
      faults.filter(({ phase }) => phase === "invoke"),
    )!;
    const late = run.records.map((record) =>
      record.t > fault.t ? { ...record, t: record.t + 6_000 } : record,
    );
    run.records.splice(0, run.records.length, ...late);
    return true;
  },
};

describe("Check against mutations", () => {
  it("I1: finds no violation in good runs of many seeds", () => {
    for (let seed = 0; seed < 40; seed++) {
      const { violations, counts, sometimes } = check(goodRun(seed));
      expect(violations, `seed ${seed}`).to.deep.equal([]);
      expect(counts.acked, `seed ${seed}`).to.be.above(40);
      expect(sometimes.ownerChanged, `seed ${seed}`).to.be.above(0);
    }
  }).timeout(60_000);

  it(`I1: ${MUTATIONS} of ${MUTATIONS} random mutations are found, of every kind`, () => {
    const names = Object.keys(MUTATIONS_BY_NAME);
    const done = new Map<string, number>();
    const missed: string[] = [];
    for (let i = 0, seed = SEED; i < MUTATIONS; seed++) {
      const name = names[seed % names.length]!;
      const run = goodRun(seed);
      if (!MUTATIONS_BY_NAME[name]!(run, seededRandom(seed))) continue;
      i++;
      done.set(name, (done.get(name) ?? 0) + 1);
      if (check(run).counts.violations === 0) missed.push(`${name} (seed ${seed})`);
    }
    expect(missed).to.deep.equal([]);
    expect([...done.keys()].sort()).to.deep.equal([...names].sort());
  }).timeout(60_000);
});
