// Leaving in good order: SIGTERM to a gateway that three hundred people are on or beside, then to a room
// node, then to persistence, while all of them talk. Each of the three ends with code 0 and hands
// over, nobody is shown an error, and at the end nothing is lost, doubled or reordered.

import { expect } from "chai";
import { parseObject } from "#shared/kit/json.ts";
import type { ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { Talker } from "../wire-client/wire-client.ts";
import { devToken } from "../dumps/dump.ts";
import { LOST } from "../checker/record.ts";
import type { ClientRecord, HistoryRecord } from "../checker/record.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { judge } from "../drills/verdict.ts";
import type { Verdict } from "../drills/verdict.ts";
import { openFaultCluster } from "./fault-cluster.ts";
import type { FaultCluster } from "./fault-cluster.ts";

const PARTITIONS = 8;
const PEOPLE = 300;
/** Of them so many begin at the gateway that will leave. */
const LEFT = 200;
const ROOMS = Array.from({ length: 30 }, (_, i) => `leaving-${i}` as RoomId);
const MESSAGES_PER_SECOND = 100;
/** What the gateway promises: so many closes a second (gateway.2), the asked waits spread over all of them. */
const CLOSES_PER_SECOND = 500;
const SPREAD_MS = (1_000 * LEFT) / CLOSES_PER_SECOND;
/** S8, F22. */
const EXIT_WITHIN_MS = 30_000;
const WITHIN_MS = 40_000;

interface Header {
  readonly kind: string;
  readonly node: ProcessId;
  readonly at: number;
}

/** The room node that left, and when, by the wall clock. */
interface Left {
  readonly id: ProcessId;
  readonly at: number;
}

interface Told {
  readonly afterMs: number;
  readonly user: UserId;
}

describe("Leaving in good order", function () {
  this.timeout(120_000);

  let world: FaultCluster;
  let cluster: Cluster;
  let talking: NodeJS.Timeout | undefined;
  let said = 0;
  let acked = 0;
  let node: Left | undefined;
  const ends: string[] = [];
  const talkers: Talker[] = [];
  const records: HistoryRecord[] = [];
  const told: Told[] = [];
  const surprises: string[] = [];

  before(async () => {
    const say = (line: string): void => void ends.push(line);
    const shape = { gateways: 2, rooms: 2, persistence: 2, partitions: PARTITIONS } as const;
    world = await openFaultCluster({ ...shape, restart: false, say });
    ({ cluster } = world);
    const endpoints = cluster.info().gateways.map(({ name, url }) => ({
      name,
      url: `${url.replace("http", "ws")}/v1/ws`,
    }));
    for (let i = 0; i < PEOPLE; i++) {
      const user = `person-${i}` as UserId;
      const talker = new Talker({
        user,
        token: await devToken(cluster.url, user),
        endpoints,
        firstEndpoint: i < LEFT ? 0 : 1,
        rooms: [ROOMS[i % ROOMS.length]!],
        now: () => performance.now(),
        record: (record) => records.push(record),
        onAck: () => acked++,
        onReconnect: (afterMs) => told.push({ user, afterMs }),
        onSurprise: (what) => surprises.push(what),
      });
      talker.connect();
      talkers.push(talker);
    }
    await everybodyIsIn();
    talking = setInterval(
      () => talkers[said++ % PEOPLE]!.say(roomOf(said - 1), { text: `${said}` }),
      1_000 / MESSAGES_PER_SECOND,
    );
  });

  after(async () => {
    clearInterval(talking);
    for (const talker of talkers) talker.close();
    await world[Symbol.asyncDispose]();
  });

  const roomOf = (i: number): RoomId => ROOMS[i % ROOMS.length]!;

  function everybodyIsIn(): Promise<void> {
    const isIn = (): boolean => talkers.every((talker) => talker.isIn);
    return until(isIn, { withinMs: WITHIN_MS, what: "everybody to be in their rooms" });
  }

  /** Chat goes on: so many more messages are in the log. */
  function ackedMore(count: number): Promise<void> {
    const goal = acked + count;
    return until(() => acked >= goal, { withinMs: WITHIN_MS, what: `${count} more answers` });
  }

  /** SIGTERM; resolves when it is gone, with how long that took. */
  async function leave(name: string): Promise<number> {
    const n = records.length;
    const fault = { t: performance.now(), op: "fault", n } as const;
    const scope = { kind: "all" } as const;
    const deadline = { backMs: WITHIN_MS, since: "start", isSilent: true } as const;
    records.push({ ...fault, phase: "invoke", fault: "F22", target: name, scope, ...deadline });
    await cluster.terminate(name);
    const tookMs = performance.now() - fault.t;
    await ackedMore(MESSAGES_PER_SECOND);
    await everybodyIsIn();
    records.push({ ...fault, t: performance.now(), phase: "ok" });
    expect(ends.filter((line) => line.startsWith(name)).join()).to.contain("(code 0)");
    expect(tookMs).to.be.below(EXIT_WITHIN_MS);
    return tookMs;
  }

  it("S8: a gateway asks its people to come back by and by, closes with 1012 at a steady rate, and is gone", async () => {
    await ackedMore(MESSAGES_PER_SECOND);
    const since = performance.now();
    const exitMs = await leave("gateway-1");
    const left = new Set(talkers.slice(0, LEFT).map(({ user }) => user));
    // Each of them was asked, once and nobody else, and the waits are spread.
    expect(told.map(({ user }) => user).toSorted()).to.deep.equal([...left].toSorted());
    const waits = told.map(({ afterMs }) => afterMs);
    expect(Math.min(...waits)).to.be.within(0, SPREAD_MS / 4);
    expect(Math.max(...waits)).to.be.within((3 * SPREAD_MS) / 4, SPREAD_MS);
    const later = records.filter(isClientRecord).filter(({ t }) => t >= since);
    const closes = later.filter((record) => record.op === "close");
    expect(closes.map(({ client, err }) => `${client} ${err}`).toSorted()).to.deep.equal(
      [...left].map((user) => `${user} 1012`).toSorted(),
    );
    // However late a close is seen here, none can be seen before its turn came there.
    for (const [k, { t }] of closes.entries()) {
      expect(t - since, `close ${k + 1}`).to.be.at.least((1_000 * k) / CLOSES_PER_SECOND);
    }
    const back = later.filter((record) => record.op === "open");
    expect(back.map(({ via }) => via)).to.deep.equal(back.map(() => "gateway-2"));
    expect(new Set(back.map(({ client }) => client))).to.deep.equal(left);
    const lastMs = Math.max(...back.map(({ t }) => t - since));
    const ms = [exitMs, closes.at(-1)!.t - since, lastMs].map((value) => value.toFixed(0));
    console.log(`      ended after ${ms[0]} ms, last close ${ms[1]} ms, last one back ${ms[2]} ms`);
  });

  it("P10: a room node releases what it owns, and rooms wait no longer than the hand-over", async () => {
    node = { id: cluster.idOf("room-1") as ProcessId, at: Date.now() };
    const exitMs = await leave("room-1");
    console.log(`      ended after ${exitMs.toFixed(0)} ms`);
  });

  it("D10: a persistence process that leaves hands its partitions over, and the archive gets everything once", async () => {
    const exitMs = await leave("persistence-1");
    console.log(`      ended after ${exitMs.toFixed(0)} ms`);
    clearInterval(talking);
    const isAnswered = (): boolean => talkers.every(({ open }) => open === 0);
    await until(isAnswered, { withinMs: WITHIN_MS, what: "every message to be answered" });
    const isRead = (heads: ReadonlyMap<RoomId, number>): boolean =>
      talkers.every((talker, i) => talker.seen(roomOf(i)) === heads.get(roomOf(i)));
    const verdict = await judge({ cluster, partitions: PARTITIONS, rooms: ROOMS, records, isRead });
    const { violations, counts } = verdict.report;
    console.log(`      ${JSON.stringify(counts)}`);
    expect(violations).to.deep.equal([]);
    expect(counts).to.include({ sent: said, acked: said, stored: said, refused: 0 });
    expect(surprises).to.deep.equal([]);
    const shown = records.filter(
      (record) => "err" in record && record.op !== "close" && record.err !== LOST,
    );
    expect(shown, "errors that somebody was shown").to.deep.equal([]);
    expectReleased(verdict.log, node!);
  });
});

/** P10: of what was claimed since then, the entry before it is the release of the node that left. */
function expectReleased(log: Verdict["log"], { id, at }: Left): void {
  const before = new Map<number, Header>();
  let handedOver = 0;
  for (const { p, text } of log) {
    const header = parseObject(text.split("\n", 1)[0] ?? "") as Header | undefined;
    if (header === undefined) continue;
    if (header.kind === "claim" && header.at >= at) {
      expect(before.get(p), `before the claim of partition ${p}`).to.include({
        kind: "release",
        node: id,
      });
      handedOver++;
    }
    before.set(p, header);
  }
  expect(handedOver).to.be.greaterThan(0);
}

function isClientRecord(record: HistoryRecord): record is ClientRecord {
  return "client" in record;
}
