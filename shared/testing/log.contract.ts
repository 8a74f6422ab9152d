// Log contract: the behaviour of every PartitionLog: in memory, simulated, and on a real NATS
// server.

import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import * as fc from "fast-check";
import { LOG_ENTRY_BYTES_MAX } from "../ports/log.ts";
import type { AppendOutcome } from "../ports/log.ts";
import type { Partition } from "../protocol/ids.ts";
import { readerContract } from "./log-reader.contract.ts";
import type { OpenLogBench } from "./log-recording.ts";
import { contents, fill, range, SOON } from "./log-recording.ts";
import { until } from "./wait.ts";

/** The number of partitions that a bench must have. */
export const BENCH_PARTITIONS = 4;
const P: Partition = 1;

export function logContract(name: string, open: OpenLogBench): void {
  describe(`Log contract: ${name}`, () => {
    fenceContract(open);
    readerContract(open);
    keepingContract(open);
  });
}

function fenceContract(open: OpenLogBench): void {
  it("ports/log.1: an append succeeds only after the entry that it expects", async () => {
    await using bench = await open();
    const { log } = bench;
    expect(await log.append(P, "a", 1)).to.deep.equal({ kind: "conflict", last: 0 });
    expect(await log.append(P, "a", 0)).to.deep.equal({ kind: "ok", seq: 1 });
    expect(await log.append(P, "b", 0)).to.deep.equal({ kind: "conflict", last: 1 });
    expect(await log.append(P, new TextEncoder().encode("ü"), 1)).to.deep.equal({
      kind: "ok",
      seq: 2,
    });
    expect(await contents(log, P, 2)).to.deep.equal(["a", "ü"]);
    // Partitions are independent.
    expect(await log.append(2, "other", 0)).to.deep.equal({ kind: "ok", seq: 1 });
  });

  it("ports/log.7: accepts the largest entry whole, and refuses one byte more as full", async () => {
    await using bench = await open();
    const { log } = bench;
    const largest = new Uint8Array(LOG_ENTRY_BYTES_MAX).fill(120);
    const tooLarge = new Uint8Array(LOG_ENTRY_BYTES_MAX + 1).fill(120);
    expect(await log.append(P, tooLarge, 0)).to.deep.equal({ kind: "full" });
    expect(await log.append(P, "x".repeat(LOG_ENTRY_BYTES_MAX + 1), 0)).to.deep.equal({
      kind: "full",
    });
    expect(await log.append(P, "é".repeat(LOG_ENTRY_BYTES_MAX / 2 + 1), 0)).to.deep.equal({
      kind: "full",
    });
    expect(await log.append(P, largest, 0)).to.deep.equal({ kind: "ok", seq: 1 });
    const [entry] = await contents(log, P, 1);
    expect(entry).to.have.length(LOG_ENTRY_BYTES_MAX);
  });

  it("ports/log.1: of two appends that expect the same sequence, one is stored and one refused", async () => {
    await using bench = await open();
    const { log, rival } = bench;
    for (let round = 0; round < 20; round++) {
      const outcomes = await Promise.all([
        log.append(P, `${round} ours`, round),
        rival.append(P, `${round} theirs`, round),
      ]);
      expect(outcomes.map((outcome) => outcome.kind).sort()).to.deep.equal(["conflict", "ok"]);
    }
    expect(await contents(log, P, 20)).to.have.length(20);
  });

  it("ports/log.1: of a window behind a rival's entry, only the append that expects the real last sequence succeeds", async () => {
    await using bench = await open();
    const { log, rival } = bench;
    expect(await log.append(P, "ours 1", 0)).to.include({ kind: "ok" });
    expect(await rival.append(P, "claim", 1)).to.include({ kind: "ok" });
    // The window of an owner that has not seen the claim. Its second entry expects the sequence
    // that the claim took, so it succeeds: the log compares sequences, not owners. Readers void it
    // (P15).
    const window = await Promise.all([
      log.append(P, "ours 2", 1),
      log.append(P, "ours 3", 2),
      log.append(P, "ours 4", 4),
    ]);
    expect(window).to.deep.equal([
      { kind: "conflict", last: 2 },
      { kind: "ok", seq: 3 },
      { kind: "conflict", last: 3 },
    ]);
    expect(await contents(log, P, 3)).to.deep.equal(["ours 1", "claim", "ours 3"]);
  });

  it("ports/log.2: appends 64 deep are tried in order and create the sequence that the next one expects", async () => {
    await using bench = await open();
    const { log } = bench;
    const sent = Array.from({ length: 320 }, (_, i) => `entry ${i}`);
    const outcomes: AppendOutcome[] = [];
    for (let from = 0; from < sent.length; from += 64) {
      const window = sent.slice(from, from + 64);
      outcomes.push(...(await Promise.all(window.map((text, i) => log.append(P, text, from + i)))));
    }
    expect(outcomes).to.deep.equal(sent.map((_, i) => ({ kind: "ok", seq: i + 1 })));
    expect(await contents(log, P, sent.length)).to.deep.equal(sent);
  });

  it("ports/log.2: after one refusal in a window, everything behind it is refused too", async () => {
    await using bench = await open();
    const { log, rival } = bench;
    // The rival is two entries ahead, so that no expectation of our window can match the real last
    // sequence.
    expect(await rival.append(P, "claim", 0)).to.include({ kind: "ok" });
    expect(await rival.append(P, "commit", 1)).to.include({ kind: "ok" });
    const expected = [0, 1, ...range(3, 64)];
    const window = await Promise.all(expected.map((last) => log.append(P, `ours ${last}`, last)));
    expect(window).to.deep.equal(expected.map(() => ({ kind: "conflict", last: 2 })));
    expect(await contents(log, P, 2)).to.deep.equal(["claim", "commit"]);
  });

  it("ports/log.1: any appends by two owners give the result of a list with one rule", async () => {
    await using bench = await open();
    const attempt = fc.record({ by: fc.boolean(), ahead: fc.integer({ min: -2, max: 2 }) });
    const model: string[] = [];
    await fc.assert(
      fc.asyncProperty(fc.array(attempt, { maxLength: 12 }), async (attempts) => {
        for (const { by, ahead } of attempts) {
          const expected = Math.max(0, model.length + ahead);
          const text = `${model.length} by ${by}`;
          const outcome = await (by ? bench.log : bench.rival).append(P, text, expected);
          if (expected === model.length) {
            model.push(text);
            expect(outcome).to.deep.equal({ kind: "ok", seq: model.length });
          } else {
            expect(outcome).to.deep.equal({ kind: "conflict", last: model.length });
          }
        }
      }),
      { numRuns: 30 },
    );
    expect(await contents(bench.log, P, model.length)).to.deep.equal(model);
  });
}

function keepingContract(open: OpenLogBench): void {
  it("ports/log.1: every confirmed entry is present after a kill of the store", async () => {
    await using bench = await open();
    const { log } = bench;
    const confirmed: string[] = [];
    const crash = { begun: false };
    // The window stays full until the kill, so that some appends are in flight at that moment.
    const write = async (): Promise<void> => {
      for (let last = 0; !crash.begun; last += 64) {
        const window = range(last + 1, last + 64);
        const outcomes = await Promise.all(
          window.map((seq) => log.append(P, `entry ${seq}`, seq - 1)),
        );
        const stored = window.filter((_, i) => outcomes[i]?.kind === "ok");
        confirmed.push(...stored.map((seq) => `entry ${seq}`));
        await nextTurn(); // Memory answers by microtasks alone, which would starve everything else.
      }
    };
    const writing = write();
    await until(() => confirmed.length >= 200, { withinMs: SOON, what: "some entries" });
    const crashed = bench.crash();
    crash.begun = true;
    await Promise.all([crashed, writing]);
    const state = await log.last(P);
    const stored = await contents(log, P, state.kind === "ok" ? state.last : 0);
    // Unconfirmed entries may follow (ports/log.3), but no confirmed entry is missing.
    expect(stored.slice(0, confirmed.length)).to.deep.equal(confirmed);
  });

  it("ports/log.5: a full log refuses and loses nothing, and accepts entries again after a trim", async () => {
    await using bench = await open({ roomFor: 100 });
    const { log } = bench;
    const text = "x".repeat(1_024);
    let last = 0;
    let outcome: AppendOutcome = await log.append(P, text, 0);
    while (outcome.kind === "ok" && last < 1_000) {
      last = outcome.seq;
      outcome = await log.append(P, text, last);
    }
    expect(last).to.be.within(50, 200);
    expect(outcome).to.deep.equal({ kind: "full" });
    expect(await log.append(P, text, last)).to.deep.equal({ kind: "full" });
    expect(await log.append(P, text, last - 1)).to.deep.equal({ kind: "conflict", last });
    expect(await log.last(P)).to.include({ kind: "ok", first: 1, last });
    expect(await contents(log, P, last)).to.have.length(last);
    expect(await log.trim(P, 10)).to.deep.equal({ kind: "ok" });
    expect(await log.append(P, text, last)).to.deep.equal({ kind: "ok", seq: last + 1 });
  });

  it("ports/log.6: trim removes entries up to its number and refuses every invalid number", async () => {
    await using bench = await open();
    const { log } = bench;
    await fill(log, P, 20);
    for (const upTo of [0, 1, -5, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 20, 21, 2 ** 60]) {
      expect(await log.trim(P, upTo), String(upTo)).to.deep.equal({ kind: "refused" });
    }
    expect(await log.last(P)).to.include({ first: 1, last: 20 });
    expect(await log.trim(P, 12)).to.deep.equal({ kind: "ok" });
    expect(await log.trim(P, 12), "again").to.deep.equal({ kind: "ok" });
    expect(await log.last(P)).to.include({ kind: "ok", first: 13, last: 20 });
    expect(await log.trim(P, 19)).to.deep.equal({ kind: "ok" });
    expect(await log.last(P)).to.include({ kind: "ok", first: 20, last: 20 });
    expect(await log.append(P, "next", 20)).to.deep.equal({ kind: "ok", seq: 21 });
  });

  it("ports/log.6: an empty log reports that it is empty, and a trim of it is refused", async () => {
    await using bench = await open();
    const empty = { kind: "ok", first: 1, last: 0, bytes: 0 };
    expect(await bench.log.last(P)).to.deep.include(empty);
    expect(await bench.log.trim(P, 2)).to.deep.equal({ kind: "refused" });
    expect(await bench.log.get(P, 1)).to.deep.equal({ kind: "gone" });
  });
}
