// Log reader contract: the reading half of the log contract (ports/log.4), called by
// log.contract.ts.

import { expect } from "chai";
import type { Partition } from "../protocol/ids.ts";
import type { OpenLogBench } from "./log-recording.ts";
import { decode, fill, range, read, SOON } from "./log-recording.ts";
import { until } from "./wait.ts";

const P: Partition = 1;

export function readerContract(open: OpenLogBench): void {
  it("ports/log.4: delivers existing and later entries, in order, once", async () => {
    await using bench = await open();
    const { log, rival } = bench;
    await fill(log, P, 600);
    const reader = read(rival, P, 1);
    await until(() => reader.seqs.length > 300, { withinMs: SOON, what: "most of it" });
    for (let last = 600; last < 650; last++) await log.append(P, `entry ${last + 1}`, last);
    await until(() => reader.seqs.length >= 650, { withinMs: SOON, what: "all of it" });
    reader.close();
    expect(reader.seqs).to.deep.equal(range(1, 650));
    expect(reader.texts).to.deep.equal(range(1, 650).map((seq) => `entry ${seq}`));
    expect(reader.errors).to.deep.equal([]);
  });

  it("ports/log.4: a reader that gathers delivers the same entries, also those that arrive while it waits", async () => {
    await using bench = await open();
    const { log, rival } = bench;
    await fill(log, P, 600);
    const seqs: number[] = [];
    const errors: string[] = [];
    const handlers = {
      onEntry: (seq: number) => void seqs.push(seq),
      onError: (reason: string) => void errors.push(reason),
    };
    const reader = rival.read(P, 1, handlers, { gatherMs: 40 });
    for (let last = 600; last < 1_400; last++) {
      await log.append(P, `entry ${last + 1}`, last);
      if (last % 100 !== 0) continue;
      await until(() => seqs.length > last, { withinMs: SOON, what: `entry ${last + 1}` });
    }
    await until(() => seqs.length >= 1_400, { withinMs: SOON, what: "all of it" });
    reader.close();
    expect(seqs).to.deep.equal(range(1, 1_400));
    expect(errors).to.deep.equal([]);
  });

  it("ports/log.4: a reader may begin in the middle, at the end, and beyond it", async () => {
    await using bench = await open();
    const { log } = bench;
    await fill(log, P, 10);
    const readers = [read(log, P, 7), read(log, P, 11), read(log, P, 13)];
    await fill(log, P, 15);
    await until(() => readers.every((reader) => reader.seqs.at(-1) === 15), {
      withinMs: SOON,
      what: "all readers to reach the end",
    });
    expect(readers.map((reader) => reader.seqs)).to.deep.equal([
      range(7, 15),
      range(11, 15),
      range(13, 15),
    ]);
    for (const reader of readers) reader.close();
  });

  it("ports/log.4: a reader of a trimmed log begins with the first entry that exists", async () => {
    await using bench = await open();
    const { log } = bench;
    await fill(log, P, 30);
    expect(await log.trim(P, 20)).to.deep.equal({ kind: "ok" });
    const reader = read(log, P, 5);
    await until(() => reader.seqs.at(-1) === 30, { withinMs: SOON, what: "the end" });
    expect(reader.seqs).to.deep.equal(range(21, 30));
    expect(reader.errors).to.deep.equal([]);
    reader.close();
  });

  it("ports/log.4: a trim ahead of a slow reader ends it with a reason, not with a gap", async () => {
    await using bench = await open();
    const { log, rival, stall = blockThread } = bench;
    // Large entries: few of them fit into one pull, so the reader must pull again and again.
    const large = "x".repeat(128 * 1024);
    for (let last = 0; last < 100; last++) await log.append(P, large, last);
    const reader = read(log, P, 1, (seq) => {
      if (seq === 2) void rival.trim(P, 98);
      // Slow enough that the trim ends long before this reader approaches its end.
      if (seq > 2) stall(20);
    });
    await until(() => reader.errors.length > 0, { withinMs: SOON, what: "the reader to end" });
    expect(reader.errors).to.have.length(1);
    expect(reader.seqs).to.deep.equal(range(1, reader.seqs.length));
    expect(reader.seqs.length).to.be.lessThan(98);
  });

  it("ports/log.4: delivers nothing after close, also when the handler closes", async () => {
    await using bench = await open();
    const { log } = bench;
    await fill(log, P, 50);
    const reader = read(log, P, 1, (seq) => {
      if (seq === 20) reader.close();
    });
    const other = read(log, P, 1);
    await until(() => other.seqs.length === 50, { withinMs: SOON, what: "the other reader" });
    expect(reader.seqs).to.deep.equal(range(1, 20));
    expect(reader.errors).to.deep.equal([]);
    other.close();
  });

  it("ports/log.4: a handler that throws ends its reader, and no other", async () => {
    await using bench = await open();
    const { log } = bench;
    await fill(log, P, 20);
    const broken = read(log, P, 1, (seq) => {
      if (seq === 5) throw new Error("planted by the test");
    });
    const other = read(log, P, 1);
    await until(() => other.seqs.length === 20 && broken.errors.length > 0, {
      withinMs: SOON,
      what: "the other reader and the error",
    });
    expect(broken.seqs.at(-1)).to.equal(5);
    expect(broken.errors).to.have.length(1);
    other.close();
  });

  it("ports/log.4: a reader continues at its place after the store was killed and restarted", async () => {
    await using bench = await open();
    const { log } = bench;
    await fill(log, P, 100);
    const reader = read(log, P, 1);
    await until(() => reader.seqs.length === 100, { withinMs: SOON, what: "the beginning" });
    await bench.crash();
    await fill(log, P, 200);
    await until(() => reader.seqs.length >= 200, { withinMs: SOON, what: "the rest" });
    expect(reader.seqs).to.deep.equal(range(1, 200));
    expect(reader.errors).to.deep.equal([]);
    reader.close();
  });

  it("ports/log.4: fetches one entry by its log sequence", async () => {
    await using bench = await open();
    const { log } = bench;
    await fill(log, P, 10);
    const found = await log.get(P, 4);
    expect(found.kind === "ok" && decode(found.data)).to.equal("entry 4");
    expect(await log.get(P, 11)).to.deep.equal({ kind: "gone" });
    await log.trim(P, 5);
    expect(await log.get(P, 4)).to.deep.equal({ kind: "gone" });
    expect((await log.get(P, 6)).kind).to.equal("ok");
  });
}

function blockThread(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
