// The log contract on both implementations, and the behaviour of a real server alone.

import { expect } from "chai";
import { BENCH_PARTITIONS, logContract } from "../../testing/log.contract.ts";
import type { LogBenchOptions } from "../../testing/log-recording.ts";
import { openNatsBench } from "../../testing/nats-bench.ts";
import type { NatsBench } from "../../testing/nats-bench.ts";
import { until, within } from "../../testing/wait.ts";
import { MemoryLog } from "../log-memory.ts";
import { openNatsLog } from "../log-nats.ts";
import { provision } from "../nats-provision.ts";

const LARGE = 64 * 1_024 * 1_024;
const SOON = 10_000;

logContract("memory", ({ roomFor = 100_000 }: LogBenchOptions = {}) => {
  const log = new MemoryLog({ entriesMax: roomFor });
  return Promise.resolve({
    log,
    rival: log,
    crash: () => Promise.resolve(), // The object is the disk; nothing else can be lost.
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});

logContract("NATS", async ({ roomFor }: LogBenchOptions = {}) => {
  const bench = await openNatsBench();
  const [bus, rivalBus] = [await bench.connect(), await bench.connect()];
  await provisionBench(bench, roomFor === undefined ? LARGE : roomFor * 1_200);
  return {
    log: openNatsLog(bus),
    rival: openNatsLog(rivalBus),
    async crash() {
      await bench.cut();
      await bench.heal();
    },
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  };
});

async function provisionBench(bench: NatsBench, logBytesMax: number): Promise<void> {
  const bus = await bench.connect();
  const options = { partitions: BENCH_PARTITIONS, replicas: 1, logBytesMax };
  await provision(bus.connection, options);
}

describe("NATS log without its server", () => {
  it("ports/log.3: appends in flight become unknown when the connection is lost", async () => {
    await using bench = await openNatsBench();
    const bus = await bench.connect();
    await provisionBench(bench, LARGE);
    const log = openNatsLog(bus, { appendTimeoutMs: 600_000 });
    expect(await log.append(0, "before", 0)).to.deep.equal({ kind: "ok", seq: 1 });
    await bench.server.pause(); // The server accepts the bytes and never answers.
    const window = Array.from({ length: 64 }, (_, i) => log.append(0, `in flight ${i}`, 1 + i));
    bench.server.kill();
    const outcomes = await within(Promise.all(window), { withinMs: SOON, what: "the outcomes" });
    expect(new Set(outcomes.map((outcome) => outcome.kind))).to.deep.equal(new Set(["unknown"]));
    const late = await within(log.append(0, "while away", 1), { withinMs: SOON, what: "one more" });
    expect(late.kind).to.equal("unknown");
    await bench.heal();
    const state = await log.last(0);
    expect(state).to.include({ kind: "ok", first: 1 });
    // The next owner learns their outcome by appending.
    const last = state.kind === "ok" ? state.last : 0;
    expect(await log.append(0, "after", last)).to.deep.equal({ kind: "ok", seq: last + 1 });
  });

  it("ports/log.3: an append without an answer becomes unknown after its timeout", async () => {
    await using bench = await openNatsBench();
    const bus = await bench.connect();
    await provisionBench(bench, LARGE);
    const log = openNatsLog(bus, { appendTimeoutMs: 50 });
    await bench.server.pause();
    const began = performance.now();
    const outcomes = await Promise.all([log.append(0, "a", 0), log.append(0, "b", 1)]);
    expect(performance.now() - began).to.be.greaterThan(45);
    bench.server.signal("SIGCONT");
    expect(outcomes.map((outcome) => outcome.kind)).to.deep.equal(["unknown", "unknown"]);
    // An unknown append may still arrive: the server has both, and now continues.
    await until(async () => last(await log.last(0)) === 2, { withinMs: SOON, what: "both" });
  });

  it("ports/log.3: for a partition without a stream every outcome is unknown, and nothing throws", async () => {
    await using bench = await openNatsBench();
    const log = openNatsLog(await bench.connect());
    expect((await log.append(0, "x", 0)).kind).to.equal("unknown");
    expect((await log.last(0)).kind).to.equal("unknown");
    expect((await log.get(0, 1)).kind).to.equal("unknown");
    expect((await log.trim(0, 5)).kind).to.equal("unknown");
  });

  it("ports/log.5: refuses an entry above the server's maximum, and accepts the next one", async () => {
    await using bench = await openNatsBench();
    const bus = await bench.connect();
    await provisionBench(bench, LARGE);
    const log = openNatsLog(bus);
    const outcomes = await Promise.all([
      log.append(0, new Uint8Array(2 * 1_024 * 1_024), 0),
      log.append(0, "small", 0),
    ]);
    expect(outcomes).to.deep.equal([{ kind: "full" }, { kind: "ok", seq: 1 }]);
  });
});

describe("NATS log reader", () => {
  it("ports/log.4: delivers large entries whole and in order, although a pull is bounded in bytes", async () => {
    await using bench = await openNatsBench();
    const bus = await bench.connect();
    await provisionBench(bench, LARGE);
    const log = openNatsLog(bus);
    const sizes = Array.from({ length: 40 }, (_, i) => (i * 7_919 * 31) % 900_000);
    for (const [i, size] of sizes.entries()) {
      expect(await log.append(0, new Uint8Array(size).fill(i), i)).to.include({ kind: "ok" });
    }
    const seen: number[] = [];
    const reader = log.read(0, 1, {
      onEntry(seq, data) {
        if (data.every((byte) => byte === seq - 1)) seen.push(data.length);
      },
      onError: (reason) => expect.fail(reason),
    });
    // Well below the silence after which a reader begins again: every end of a pull must be
    // detected.
    await until(() => seen.length === sizes.length, { withinMs: 2_500, what: "all entries" });
    reader.close();
    expect(seen).to.deep.equal(sizes);
  });

  it("ports/log.4: a reader that gathers pulls seldom, not once per entry", async () => {
    await using bench = await openNatsBench();
    const [bus, other] = [await bench.connect(), await bench.connect()];
    await provisionBench(bench, LARGE);
    const log = openNatsLog(bus);
    let pulls = 0;
    other.subscribe("$JS.API.CONSUMER.MSG.NEXT.>", () => pulls++);
    await other.flush();
    const seen: number[] = [];
    const handlers = {
      onEntry: (seq: number) => void seen.push(seq),
      onError: (reason: string) => expect.fail(reason),
    };
    const reader = log.read(0, 1, handlers, { gatherMs: 100 });
    for (let last = 0; last < 400; last++) await log.append(0, "x", last);
    await until(() => seen.length === 400, { withinMs: SOON, what: "all entries" });
    reader.close();
    // Three pulls per round of 100 ms; 400 appends one after the other would have to take 10 s.
    expect(pulls).to.be.within(1, 300);
  });

  it("ports/log.4: a reader whose consumer was deleted continues with another one", async () => {
    await using bench = await openNatsBench();
    const bus = await bench.connect();
    await provisionBench(bench, LARGE);
    const log = openNatsLog(bus);
    const seen: number[] = [];
    const reader = log.read(0, 1, {
      onEntry: (seq) => seen.push(seq),
      onError: (reason) => expect.fail(reason),
    });
    for (let last = 0; last < 5; last++) await log.append(0, "x", last);
    await until(() => seen.length === 5, { withinMs: SOON, what: "the first entries" });
    const names = async (): Promise<string[]> => {
      const answer = await bus.request("$JS.API.CONSUMER.NAMES.LOG_0", "", { timeoutMs: SOON });
      if (answer.kind !== "ok") throw new Error(`JetStream answered ${answer.kind}`);
      return (JSON.parse(new TextDecoder().decode(answer.data)) as { consumers: string[] })
        .consumers;
    };
    for (const name of await names()) {
      await bus.request(`$JS.API.CONSUMER.DELETE.LOG_0.${name}`, "", { timeoutMs: SOON });
    }
    for (let last = 5; last < 10; last++) await log.append(0, "x", last);
    await until(() => seen.length === 10, { withinMs: SOON, what: "the entries after it" });
    reader.close();
    expect(seen).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    await until(async () => (await names()).length === 0, { withinMs: SOON, what: "no consumer" });
  });
});

function last(outcome: { readonly kind: string; readonly last?: number }): number | undefined {
  return outcome.last;
}
