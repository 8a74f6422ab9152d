// Socket items: B5 (ten thousand idle sockets) and B8 (some paused readers in a large room).

import { leg as playLeg } from "../alternate.ts";
import { blankLeg, pause, sayMore } from "../blank-leg.ts";
import { cpuOf, cpuSince, rssOf, total } from "../cpu.ts";
import { BenchClients } from "../bench-clients.ts";
import type { Leg } from "../figures.ts";
import { median } from "../figures.ts";
import { allDelivered, atMost } from "../item.ts";
import type { Item, ItemOptions, ItemResult, Verdict } from "../item.ts";
import type { Peer, RunningPeer, StartPeer } from "../peer.ts";
import { PARLEY } from "../peers/parley.ts";
import type { ParleyPeer } from "../peers/parley.ts";
import { RAW_SHARED, startRaw } from "../peers/raw.ts";
import { byName, run } from "../run.ts";
import type { Sink } from "../sink.ts";
import { isOwn, toBase, versions, versus } from "../versions.ts";

const ROOMS = 1_000;
const MEMBERS = 10;
const IDLE_SETTLE_MS = 5_000;
const MEMORY = "RSS of the gateway, MiB";
const MEMORY_TO_RAW = "RSS of the gateway to bare ws";
const COST = "CPU of the gateway, µs/s per socket";
const ALL = "CPU of all processes, µs/s per socket";

export const B5: Item = {
  id: "B5",
  title: "10,000 idle joined sockets",
  async play(options): Promise<ItemResult> {
    const legs: Leg[] = [];
    for (let round = 0; round < options.rounds; round++) {
      for (const start of startsOf(options, round)) {
        legs.push(
          await playLeg<RunningPeer>(start, (peer) => idle(peer, options), sayMore(options)),
        );
      }
    }
    const of = (peer: string, name: string): number =>
      median(legs.filter((one) => one.peer === peer).map(({ more }) => more?.[name] ?? NaN));
    const memory = of(PARLEY, MEMORY) / of(RAW_SHARED, MEMORY);
    const cost = of(PARLEY, COST);
    const verdicts = [
      ...(options.peers.has("raw") ? [atMost(MEMORY_TO_RAW, memory, 1.3, "×")] : []),
      atMost("CPU of the gateway per idle socket", cost, 2, "µs/s"),
      ...toBase(legs, [MEMORY, COST, ALL]),
    ];
    return { legs, verdicts };
  },
};

function startsOf(options: ItemOptions, round: number): readonly StartPeer[] {
  const raw = (): Promise<RunningPeer> => startRaw();
  return [...versions(options, round), ...(options.peers.has("raw") ? [raw] : [])];
}

async function idle(peer: Peer, options: ItemOptions): Promise<Leg> {
  const seconds = options.seconds ?? 300;
  const rooms = Math.max(1, Math.round(ROOMS * options.scale));
  const sockets = rooms * MEMBERS;
  const clients = await BenchClients.open(peer, { rooms, members: MEMBERS });
  try {
    await pause(IDLE_SETTLE_MS);
    const before = cpuOf(peer.pids);
    await pause(seconds * 1_000);
    const cpu = cpuSince(before, cpuOf(peer.pids));
    const gateway = (values: ReadonlyMap<string, number>): number =>
      values.get("gateway-1") ?? values.get("raw") ?? NaN;
    const perSocket = (us: number): number => us / seconds / sockets;
    return {
      ...blankLeg(peer, `${sockets.toLocaleString("en")} idle sockets`, seconds),
      rssMb: byName(rssOf(peer.pids), (bytes) => bytes / 2 ** 20),
      more: {
        [MEMORY]: gateway(rssOf(peer.pids)) / 2 ** 20,
        [COST]: perSocket(gateway(cpu)),
        [ALL]: perSocket(total(cpu)),
      },
    };
  } finally {
    clients.close();
  }
}

const PAUSED_READERS = 10;
const LARGE = { rooms: 1, members: 1_000, perSecond: 50, textBytes: 4_096 };

export const B8: Item = {
  id: "B8",
  title: "1 % of 1,000 members never read",
  async play(options): Promise<ItemResult> {
    const allRead: Leg[] = [];
    const somePaused: Leg[] = [];
    const seconds = options.seconds ?? 20;
    const play = async (round: number, name: string, pausedReaders: number): Promise<Leg[]> => {
      const legs: Leg[] = [];
      for (const start of versions(options, round)) {
        const shape = { ...LARGE, name, seconds };
        const playOne = (peer: ParleyPeer): Promise<Leg> =>
          withPausedReaders(peer, shape, pausedReaders);
        legs.push(await playLeg(start, playOne, options.sayLeg));
      }
      return legs;
    };
    for (let round = 0; round < options.rounds; round++) {
      const both = [
        async () => allRead.push(...(await play(round, "1 × 1,000, all read", 0))),
        async () =>
          somePaused.push(...(await play(round, "1 × 1,000, 1 % paused", PAUSED_READERS))),
      ];
      for (const one of round % 2 === 0 ? both : both.toReversed()) await one();
    }
    const verdicts = [
      ...verdictsOfB8(allRead.filter(isOwn), somePaused.filter(isOwn)),
      ...costToBase(allRead),
      ...costToBase(somePaused),
    ];
    return { legs: [...allRead, ...somePaused], verdicts };
  },
};

function costToBase(legs: readonly Leg[]): readonly Verdict[] {
  const costs = (some: readonly Leg[]): readonly number[] => some.map(({ cpuUs }) => cpuUs);
  const ours = legs.filter(isOwn);
  const theirs = legs.filter((leg) => !isOwn(leg));
  return versus(`CPU per delivery, ${legs[0]?.shape}`, costs(ours), costs(theirs));
}

export function verdictsOfB8(
  allRead: readonly Leg[],
  somePaused: readonly Leg[],
): readonly Verdict[] {
  const p99 = (legs: readonly Leg[]): number =>
    median(legs.map(({ deliveryMs }) => deliveryMs?.p99 ?? NaN));
  const memory = (legs: readonly Leg[]): number =>
    median(legs.map(({ rssMb }) => rssMb["gateway-1"] ?? NaN));
  return [
    atMost(
      "p99 of the other readers, beside a room where all read",
      p99(somePaused) / p99(allRead),
      1.1,
      "×",
    ),
    // Ten sockets of 256 KiB each and the ring of the room.
    atMost(
      "memory of the gateway for the paused readers",
      memory(somePaused) - memory(allRead),
      16,
      "MiB",
    ),
    allDelivered([...allRead, ...somePaused], PARLEY),
  ];
}

async function withPausedReaders(
  peer: ParleyPeer,
  shape: typeof LARGE & { readonly name: string; readonly seconds: number },
  pausedReaders: number,
): Promise<Leg> {
  const chosen = (clients: BenchClients): readonly Sink[] =>
    pausedReaders === 0 ? [] : clients.sinks.slice(-pausedReaders);
  let fellBehind = 0;
  let rssMb: Leg["rssMb"] = {};
  const played = await run(peer, shape, {
    begin: (clients) => {
      for (const sink of chosen(clients)) sink.pause();
    },
    end: async (clients) => {
      fellBehind = await slowReaders(peer);
      rssMb = byName(rssOf(peer.pids), (bytes) => bytes / 2 ** 20);
      for (const sink of chosen(clients)) sink.resume();
    },
  });
  return { ...played, rssMb, more: { "members that fell behind": fellBehind } };
}

async function slowReaders(peer: ParleyPeer): Promise<number> {
  const text = await (await fetch(`${peer.url}/metrics`)).text();
  return Number(/^parley_gateway_slow_readers_total\S* (\d+)/m.exec(text)?.[1] ?? NaN);
}
