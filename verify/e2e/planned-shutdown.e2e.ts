// Planned shutdown: SIGTERM to a gateway, then to a room node, then to a persistence process, while
// three hundred clients send.
//
// Each process exits with code 0 and hands over, no client gets an error, and at the end no message
// is lost, duplicated or reordered.

import { expect } from "chai";
import { parseObject } from "#shared/kit/json.ts";
import type { ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { LOST } from "../checker/record.ts";
import type { ClientRecord, HistoryRecord } from "../checker/record.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { printFigure } from "#tools/test-run/figure.ts";
import { Owners } from "../drills/owners.ts";
import { judge } from "../drills/verdict.ts";
import type { Verdict } from "../drills/verdict.ts";
import { devToken, socketUrlOf } from "../wire-client/dev-token.ts";
import { ResendingClient } from "../wire-client/resending-client.ts";
import { openFaultCluster } from "./fault-cluster.ts";
import type { FaultCluster } from "./fault-cluster.ts";

const PARTITIONS = 8;
const CLIENTS = 300;
/** The number of clients that begin at the gateway that will leave. */
const LEFT = 200;
const ROOMS = Array.from({ length: 30 }, (_, i) => `leaving-${i}` as RoomId);
const MESSAGES_PER_SECOND = 100;
const OUTBOX = { inFlightMax: 60, sizeMax: 400, oldIdEvery: 50, repeatableMax: 0 } as const;
/**
 * The gateway closes this many connections a second (gateway/connections.2) and spreads `afterMs`
 * over the time for all.
 */
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

/** The room node that left, and the time by the wall clock. */
interface DepartedNode {
  readonly id: ProcessId;
  readonly at: number;
}

interface ReconnectRequest {
  readonly afterMs: number;
  readonly user: UserId;
}

describe("Planned shutdown", function () {
  this.timeout(120_000);

  let fixture: FaultCluster;
  let cluster: Cluster;
  let sending: NodeJS.Timeout | undefined;
  let sent = 0;
  let acked = 0;
  let node: DepartedNode | undefined;
  const clusterOutput: string[] = [];
  const clients: ResendingClient[] = [];
  const records: HistoryRecord[] = [];
  const reconnectRequests: ReconnectRequest[] = [];
  const surprises: string[] = [];

  before(async () => {
    const say = (line: string): void => void clusterOutput.push(line);
    const shape = { gateways: 2, rooms: 2, persistence: 2, partitions: PARTITIONS } as const;
    fixture = await openFaultCluster({ ...shape, restart: false, say });
    ({ cluster } = fixture);
    const endpoints = cluster.info().gateways.map(({ name, url }) => ({
      name,
      url: socketUrlOf(url),
    }));
    for (let i = 0; i < CLIENTS; i++) {
      const user = `client-${i}` as UserId;
      const first = i < LEFT ? 0 : 1;
      const client = new ResendingClient({
        user,
        token: await devToken(cluster.url, user),
        endpoint: (n) => endpoints[(first + n) % endpoints.length]!,
        rooms: [{ room: roomOf(i) }],
        recordsPresence: true,
        outbox: OUTBOX,
        hooks: {
          onRecord: (record) => records.push(record),
          onAck: () => acked++,
          onReconnect: (afterMs) => reconnectRequests.push({ user, afterMs }),
          onSurprise: (what) => surprises.push(what),
        },
      });
      client.wire.connect();
      clients.push(client);
    }
    await everyClientHasJoined();
    sending = setInterval(
      () => clients[sent++ % CLIENTS]!.send(roomOf(sent - 1), { text: `${sent}` }),
      1_000 / MESSAGES_PER_SECOND,
    );
  });

  after(async () => {
    clearInterval(sending);
    for (const { wire } of clients) wire.close();
    await fixture[Symbol.asyncDispose]();
  });

  const roomOf = (i: number): RoomId => ROOMS[i % ROOMS.length]!;

  function everyClientHasJoined(): Promise<void> {
    const isJoined = (): boolean => clients.every(({ wire }) => wire.isJoined);
    return until(isJoined, { withinMs: WITHIN_MS, what: "every client to join its room" });
  }

  /** Waits for `count` more acknowledgements. */
  function ackedMore(count: number): Promise<void> {
    const goal = acked + count;
    return until(() => acked >= goal, { withinMs: WITHIN_MS, what: `${count} more answers` });
  }

  /** Sends SIGTERM. Resolves when the process exited, with the milliseconds that this took. */
  async function leave(name: string): Promise<number> {
    const n = records.length;
    const fault = { t: performance.now(), op: "fault", n } as const;
    const scope = { kind: "all" } as const;
    const deadline = { backMs: WITHIN_MS, since: "start", isSilent: true } as const;
    records.push({ ...fault, phase: "invoke", fault: "F22", target: name, scope, ...deadline });
    await cluster.terminate(name);
    const tookMs = performance.now() - fault.t;
    await ackedMore(MESSAGES_PER_SECOND);
    await everyClientHasJoined();
    records.push({ ...fault, t: performance.now(), phase: "ok" });
    expect(clusterOutput.filter((line) => line.startsWith(name)).join()).to.contain("(code 0)");
    expect(tookMs).to.be.below(EXIT_WITHIN_MS);
    return tookMs;
  }

  it("S8: a leaving gateway asks its clients to reconnect at spread times, closes with 1012 at a steady rate, and exits", async () => {
    await ackedMore(MESSAGES_PER_SECOND);
    const since = performance.now();
    const exitMs = await leave("gateway-1");
    const left = new Set(clients.slice(0, LEFT).map(({ wire }) => wire.user));
    // The gateway asked each of its clients once and no other client, and the waits are spread.
    expect(reconnectRequests.map(({ user }) => user).toSorted()).to.deep.equal(
      [...left].toSorted(),
    );
    const waits = reconnectRequests.map(({ afterMs }) => afterMs);
    expect(Math.min(...waits)).to.be.within(0, SPREAD_MS / 4);
    expect(Math.max(...waits)).to.be.within((3 * SPREAD_MS) / 4, SPREAD_MS);
    const later = records.filter(isClientRecord).filter(({ t }) => t >= since);
    const closes = later.filter((record) => record.op === "close");
    expect(closes.map(({ client, err }) => `${client} ${err}`).toSorted()).to.deep.equal(
      [...left].map((user) => `${user} 1012`).toSorted(),
    );
    // A close may arrive here late, but never before its turn at the gateway.
    for (const [k, { t }] of closes.entries()) {
      expect(t - since, `close ${k + 1}`).to.be.at.least((1_000 * k) / CLOSES_PER_SECOND);
    }
    const back = later.filter((record) => record.op === "open");
    expect(back.map(({ via }) => via)).to.deep.equal(back.map(() => "gateway-2"));
    expect(new Set(back.map(({ client }) => client))).to.deep.equal(left);
    const lastMs = Math.max(...back.map(({ t }) => t - since));
    const ms = [exitMs, closes.at(-1)!.t - since, lastMs].map((value) => value.toFixed(0));
    printFigure(`exited after ${ms[0]} ms, last close ${ms[1]} ms, last client back ${ms[2]} ms`);
  });

  it("P10: a leaving room node releases its partitions, and no send waits longer than the hand-over", async () => {
    const id = cluster.idOf("room-1") as ProcessId;
    {
      // On a busy machine it may start late, when the other node has taken all partitions.
      using owners = await Owners.open(cluster.natsAccess);
      const isOwner = (): boolean => owners.roomsOf(id, ROOMS, PARTITIONS).length > 0;
      await until(isOwner, { withinMs: WITHIN_MS, what: "room-1 to own partitions" });
    }
    node = { id, at: Date.now() };
    const exitMs = await leave("room-1");
    printFigure(`exited after ${exitMs.toFixed(0)} ms`);
  });

  it("D10: a leaving persistence process hands its partitions over, and the archive stores every event once", async () => {
    const exitMs = await leave("persistence-1");
    printFigure(`exited after ${exitMs.toFixed(0)} ms`);
    clearInterval(sending);
    const isAnswered = (): boolean => clients.every(({ pending }) => pending === 0);
    await until(isAnswered, { withinMs: WITHIN_MS, what: "every message to be acknowledged" });
    const isRead = (heads: ReadonlyMap<RoomId, number>): boolean =>
      clients.every(({ wire }, i) => wire.seen(roomOf(i)) === heads.get(roomOf(i)));
    const verdict = await judge({ cluster, partitions: PARTITIONS, records, isRead });
    const { violations, counts } = verdict.report;
    printFigure(JSON.stringify(counts));
    expect(violations).to.deep.equal([]);
    expect(counts).to.include({ sent, acked: sent, stored: sent, refused: 0 });
    expect(surprises).to.deep.equal([]);
    const errors = records.filter(
      (record) => "err" in record && record.op !== "close" && record.err !== LOST,
    );
    expect(errors, "errors that a client got").to.deep.equal([]);
    expectReleased(verdict.log, node!);
  });
});

/** P10: the entry before each later claim of a partition is the release of the node that left. */
function expectReleased(log: Verdict["log"], { id, at }: DepartedNode): void {
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
