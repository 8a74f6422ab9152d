// Storm item, B6: ten thousand clients connect at a steady rate, each with some messages to catch
// up on. Then their gateway is killed, and all of them reconnect as the SDK does.

import { randomBytes } from "node:crypto";
import { SignJWT } from "jose";
import { Client } from "pg";
import { until } from "#shared/testing/wait.ts";
import { leg as playLeg } from "../alternate.ts";
import { blankLeg, pause, sayMore } from "../blank-leg.ts";
import { cpuOf, cpuSince, total } from "../cpu.ts";
import { BenchClients } from "../bench-clients.ts";
import { comeBack } from "../come-back.ts";
import type { Leg } from "../figures.ts";
import { median } from "../figures.ts";
import { Histogram } from "../histogram.ts";
import { atMost } from "../item.ts";
import type { Item, ItemOptions, ItemResult } from "../item.ts";
import { pinServers } from "../peer.ts";
import type { Peer, RunningPeer, Step } from "../peer.ts";
import { PARLEY } from "../peers/parley.ts";
import type { ParleyPeer } from "../peers/parley.ts";
import { RAW_JWT, startRaw } from "../peers/raw.ts";
import { percentiles } from "../run.ts";
import { openLoop } from "../schedule.ts";
import { Sink } from "../sink.ts";
import { toBase, versions } from "../versions.ts";

const COME_PER_SECOND = 500;
/** Ten members each, as in B5. */
const COME_ROOMS = 1_000;
const COME_TAIL = 20;
const BACK_WITHIN_MS = 60_000;
const COST = "CPU per connection, µs";
const COST_TO_RAW = "CPU per connection to raw with a JWT check";
const BACK = "99 % back, s";

export const B6: Item = {
  id: "B6",
  title: "10,000 connect at 500/s with 20 messages of catch-up; then their gateway is killed",
  async play(options): Promise<ItemResult> {
    const legs: Leg[] = [];
    const secret = randomBytes(32);
    const startJwt = (): Promise<RunningPeer> => startRaw("jwt", secret.toString("base64url"));
    for (let round = 0; round < options.rounds; round++) {
      for (const start of versions(options, round, { restart: true })) {
        legs.push(await playLeg(start, comeToParley(options), sayMore(options)));
      }
      if (options.peers.has("raw")) {
        legs.push(await playLeg(startJwt, comeToRaw(options, secret), sayMore(options)));
      }
    }
    const of = (peer: string, name: string): number =>
      median(legs.filter((one) => one.peer === peer).map(({ more }) => more?.[name] ?? NaN));
    const toRaw = of(PARLEY, COST) / of(RAW_JWT, COST);
    const verdicts = [
      ...(options.peers.has("raw") ? [atMost(COST_TO_RAW, toRaw, 2, "×")] : []),
      atMost("PostgreSQL reads per connection", of(PARLEY, "PostgreSQL reads each"), 0.05, ""),
      atMost("99 % are back after the kill", of(PARLEY, BACK), 20, "s"),
      ...toBase(legs, [COST, BACK]),
    ];
    return { legs, verdicts };
  },
};

interface Coming {
  readonly count: number;
  readonly more: Record<string, number>;
  readonly sinks: Set<Sink>;
}

/** Opens sinks at the rate of the item; `steps` makes each a member that has caught up. */
async function come(
  peer: Peer,
  options: ItemOptions,
  {
    steps,
    onClose,
  }: { readonly steps: () => Promise<readonly Step[]>; readonly onClose: () => void },
): Promise<Coming> {
  const count = COME_PER_SECOND * (options.seconds ?? 20);
  const readyMs = new Histogram();
  const sinks = new Set<Sink>();
  let failure: unknown;
  const enter = async (i: number, plannedAt: number): Promise<void> => {
    const sink = new Sink(peer, { room: String(i), steps: await steps(), onClose });
    await sink.ready;
    sinks.add(sink);
    readyMs.add(performance.now() - plannedAt);
  };
  const before = cpuOf(peer.pids);
  await openLoop(
    { count, perSecond: COME_PER_SECOND },
    {
      send(i, plannedAt) {
        enter(i, plannedAt).catch((error: unknown) => (failure ??= error));
      },
    },
  );
  const isOver = (): boolean => failure !== undefined || sinks.size >= count;
  await until(isOver, { withinMs: BACK_WITHIN_MS, what: "all clients to be connected" });
  if (failure !== undefined) throw new Error("a client could not connect", { cause: failure });
  const cpu = cpuSince(before, cpuOf(peer.pids));
  const { p50, p99 } = percentiles(readyMs);
  const more = {
    [COST]: total(cpu) / count,
    ...Object.fromEntries([...cpu].map(([name, us]) => [`of it ${name}, µs`, us / count])),
    "caught up p50, ms": p50,
    "caught up p99, ms": p99,
  };
  return { count, more, sinks };
}

function comeToRaw(options: ItemOptions, secret: Uint8Array): (peer: RunningPeer) => Promise<Leg> {
  return async (peer) => {
    const sign = (): Promise<string> =>
      new SignJWT({}).setProtectedHeader({ alg: "HS256" }).setSubject("ada").sign(secret);
    const steps = async (): Promise<readonly Step[]> => [
      { say: await sign(), until: `"t":"caught-up"` },
    ];
    const { more, sinks } = await come(peer, options, { steps, onClose: () => undefined });
    for (const sink of sinks) sink.close();
    return { ...blankLeg(peer, "10,000 connect", options.seconds ?? 20), more };
  };
}

function comeToParley(options: ItemOptions): (peer: ParleyPeer) => Promise<Leg> {
  return async (peer) => {
    // The rooms exist and are archived; every client requests the newest twenty of one of them.
    const filling = await BenchClients.open(peer, { rooms: COME_ROOMS, members: 1 });
    await openLoop({ count: COME_ROOMS * COME_TAIL, perSecond: 2_000 }, filling);
    await until(() => filling.received >= filling.expected, {
      withinMs: 30_000,
      what: "the rooms to be full",
    });
    const rooms = filling.rooms;
    filling.close();
    let next = 0;
    const steps = async (after?: number): Promise<readonly Step[]> => {
      const room = rooms[next++ % rooms.length] ?? "";
      const hello = { t: "hello", token: await peer.token(`storm-${next}`) };
      const join = {
        t: "join",
        ref: 1,
        room,
        ...(after === undefined ? { tail: COME_TAIL } : { after }),
      };
      return [
        { say: `${JSON.stringify(hello)}\n${JSON.stringify(join)}`, until: `"t":"caught-up"` },
      ];
    };
    const readsBefore = await reads(peer);
    let onClose = (): void => undefined;
    const coming = await come(peer, options, { steps, onClose: () => onClose() });
    const { count, more, sinks } = coming;
    more["PostgreSQL reads each"] = ((await reads(peer)) - readsBefore) / count;
    const backAt: number[] = [];
    const killedAt = performance.now();
    const returning = new Set<Sink>();
    onClose = () => void comeBackTo(peer, { steps: () => steps(0), returning, backAt });
    await peer.cluster.kill("gateway-1");
    await until(() => peer.cluster.pid("gateway-1") !== undefined, {
      withinMs: 20_000,
      what: "a new gateway",
    });
    pinServers([peer.cluster.pid("gateway-1") ?? 0]);
    await until(() => backAt.length >= count, {
      withinMs: BACK_WITHIN_MS,
      what: "all clients to be connected again",
    });
    backAt.sort((a, b) => a - b);
    more[BACK] = ((backAt[Math.ceil(0.99 * count) - 1] ?? NaN) - killedAt) / 1_000;
    more["all back, s"] = ((backAt.at(-1) ?? NaN) - killedAt) / 1_000;
    for (const sink of [...sinks, ...returning]) sink.close();
    return { ...blankLeg(peer, "10,000 connect", options.seconds ?? 20), more };
  };
}

async function comeBackTo(
  peer: Peer,
  fleet: {
    readonly steps: () => Promise<readonly Step[]>;
    readonly returning: Set<Sink>;
    readonly backAt: number[];
  },
): Promise<void> {
  const open = async (): Promise<Sink> => new Sink(peer, { room: "", steps: await fleet.steps() });
  fleet.returning.add(await comeBack(open));
  fleet.backAt.push(performance.now());
}

/** Scans of the events table and its partitions, as PostgreSQL counts them. */
async function reads(peer: ParleyPeer): Promise<number> {
  const client = new Client({ connectionString: peer.cluster.databaseUrl });
  await client.connect();
  try {
    // A connection publishes its counts at most once a second, and the rest after ten idle seconds:
    // earlier reads would count here.
    await pause(11_500);
    const { rows } = await client.query<{ scans: string }>(
      `select coalesce(sum(idx_scan + seq_scan), 0) as scans from pg_stat_user_tables
       where relname like 'events%' or relname like 'rooms%'`,
    );
    return Number(rows[0]?.scans ?? 0);
  } finally {
    await client.end();
  }
}
