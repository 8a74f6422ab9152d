// Broadcast items: B1 and B2 (one large room), B3 (many small ones), B9 (latency at low load), B4
// (as many messages in one room as the log accepts), B10 (garbage collection in all of them).

import { alternate } from "../alternate.ts";
import type { Leg } from "../figures.ts";
import { median } from "../figures.ts";
import { allDelivered, atMost, costRatio, punctual } from "../item.ts";
import type { Item, ItemOptions, ItemResult, PeerName, Verdict } from "../item.ts";
import type { StartPeer } from "../peer.ts";
import { PARLEY, startParley } from "../peers/parley.ts";
import { RAW_SHARED, startRaw } from "../peers/raw.ts";
import { SOCKET_IO, startSocketIo } from "../peers/socket-io.ts";
import { run } from "../run.ts";
import type { Shape } from "../run.ts";
import {
  CALM,
  BUSY_ROOM,
  BUSY_ROOM_3,
  hotRoom,
  LARGE,
  MANY_ROOMS,
  MANY_ROOMS_2,
} from "../shapes.ts";

const START: Readonly<Record<PeerName, StartPeer>> = {
  base: () => startParley({ checkout: process.env["BASE"] ?? "." }),
  raw: () => startRaw("shared"),
  each: () => startRaw("each"),
  "socket.io": startSocketIo,
};

/**
 * The recommended number of partitions for one room node on one machine: a flush costs an entry
 * with its fsync in every partition with new messages (docs/decisions/009). The default runs beside
 * it.
 */
const FEW_PARTITIONS = 4;
const FEW = `Parley, ${FEW_PARTITIONS} partitions`;
const startFew: StartPeer = () => startParley({ partitions: FEW_PARTITIONS, label: FEW });

/** Plays the shape against Parley and the peers of `against` that were not omitted. */
export function play(
  shape: Shape,
  against: readonly PeerName[],
  options: ItemOptions,
  ours: readonly StartPeer[] = [startParley],
): Promise<Leg[]> {
  const seconds = options.seconds ?? shape.seconds;
  const others = (["base", ...against] as const)
    .filter((name) => options.peers.has(name))
    .map((name) => START[name]);
  return alternate({
    peers: [...ours, ...others],
    rounds: options.rounds,
    play: (peer) => run(peer, { ...shape, seconds }),
    say: options.sayLeg,
  });
}

export const B1: Item = {
  id: "B1",
  title: "1 room × 1,000, 50/s",
  async play(options): Promise<ItemResult> {
    const legs = await play(LARGE, ["raw", "each", "socket.io"], options);
    const verdicts = [
      costRatio(legs, { ours: PARLEY, theirs: RAW_SHARED, most: 0.6 }),
      atMost("p99 from planned send to delivery", deliveryP99(legs), 100, "ms"),
      allDelivered(legs, PARLEY),
      punctual(legs),
    ];
    return { legs, verdicts };
  },
};

export const B2: Item = {
  id: "B2",
  title: "1 room × 500, 1,000/s and 3,000/s",
  async play(options): Promise<ItemResult> {
    const legs = await play(BUSY_ROOM, ["raw", "socket.io"], options);
    const more = await play(BUSY_ROOM_3, [], options);
    const verdicts = [
      costRatio(legs, { ours: PARLEY, theirs: RAW_SHARED, most: 0.2 }),
      allDelivered([...legs, ...more], PARLEY),
      atMost("CPU per delivery at 3,000/s", median(more.map(({ cpuUs }) => cpuUs)), 0.6, "µs"),
      ...collection([...legs, ...more]),
      punctual([...legs, ...more]),
    ];
    return { legs: [...legs, ...more], verdicts };
  },
};

export const B3: Item = {
  id: "B3",
  title: "1,000 rooms × 10, 2,000/s and 3,500/s",
  async play(options): Promise<ItemResult> {
    const legs: Leg[] = [];
    const verdicts: Verdict[] = [];
    for (const shape of [MANY_ROOMS, MANY_ROOMS_2]) {
      const { perSecond } = shape;
      const some = await play(shape, ["raw", "socket.io"], options, [startFew, startParley]);
      const at = (verdict: Verdict): Verdict => ({
        ...verdict,
        what: `${perSecond}/s: ${verdict.what}`,
      });
      verdicts.push(
        at(costRatio(some, { ours: FEW, theirs: SOCKET_IO, most: 1 })),
        at(costRatio(some, { ours: FEW, theirs: RAW_SHARED, most: 1.9 })),
        at({ ...costRatio(some, { ours: PARLEY, theirs: SOCKET_IO, most: 1 }), ok: undefined }),
        at(allDelivered(some, FEW)),
        at(allDelivered(some, PARLEY)),
      );
      legs.push(...some);
    }
    return { legs, verdicts: [...verdicts, ...collection(legs), punctual(legs)] };
  },
};

export const B4: Item = {
  id: "B4",
  title: "hot room: 40,000/s into one room of 20 writers",
  async play(options): Promise<ItemResult> {
    const legs: Leg[] = [];
    const verdicts: Verdict[] = [];
    for (const perSecond of [40_000, 20_000, 10_000]) {
      const some = await play(hotRoom(perSecond), [], options);
      legs.push(...some);
      const delivered = allDelivered(some, PARLEY);
      const p99 = atMost("p99 ack", median(some.map(({ ackMs }) => ackMs?.p99 ?? NaN)), 50, "ms");
      for (const verdict of [p99, delivered, punctual(some)]) {
        verdicts.push({ ...verdict, what: `${perSecond}/s: ${verdict.what}` });
      }
      // Lower rates only show the distance to the target.
      if (p99.ok === true && delivered.ok === true) break;
    }
    return { legs, verdicts };
  },
};

export const B9: Item = {
  id: "B9",
  title: "200 rooms × 5, 200/s: latency, everything durable",
  async play(options): Promise<ItemResult> {
    const legs = await play(CALM, ["raw", "socket.io"], options);
    const ours = legs.filter(({ peer }) => peer === PARLEY);
    const verdicts = [
      atMost("send → ack p50", median(ours.map(({ ackMs }) => ackMs?.p50 ?? NaN)), 5, "ms"),
      atMost("send → ack p99", median(ours.map(({ ackMs }) => ackMs?.p99 ?? NaN)), 25, "ms"),
      allDelivered(legs, PARLEY),
      punctual(legs),
    ];
    return { legs, verdicts };
  },
};

export const B10: Item = {
  id: "B10",
  title: "garbage collection in the shapes of B2 and B3",
  async play(options): Promise<ItemResult> {
    const legs = [
      ...(await play(BUSY_ROOM, [], options)),
      ...(await play(MANY_ROOMS, [], options)),
    ];
    return { legs, verdicts: [...collection(legs), allDelivered(legs, PARLEY)] };
  },
};

function deliveryP99(legs: readonly Leg[]): number {
  const ours = legs.filter(({ peer }) => peer === PARLEY);
  return median(ours.map(({ deliveryMs }) => deliveryMs?.p99 ?? NaN));
}

/**
 * The rows of B10: the share of garbage collection in the CPU time of all processes together and of
 * the process with the largest share, and the longest pause. The CPU time of a pause is estimated
 * from the average share of the core that the thread had; the longest pause is wall time.
 */
function collection(legs: readonly Leg[]): Verdict[] {
  const shares: number[] = [];
  let largest = { share: 0, name: "" };
  let longestMs = 0;
  for (const { nodes, cpuUsBy, delivered } of legs) {
    let gcMs = 0;
    let allMs = 0;
    for (const [name, { gc, runShare }] of Object.entries(nodes)) {
      const cpuMs = ((cpuUsBy[name] ?? 0) * delivered) / 1_000;
      const ownMs = gc.pauseMs * runShare;
      gcMs += ownMs;
      allMs += cpuMs;
      if (cpuMs > 0 && ownMs / cpuMs > largest.share) largest = { share: ownMs / cpuMs, name };
      longestMs = Math.max(longestMs, gc.longestMs);
    }
    if (allMs > 0) shares.push(gcMs / allMs);
  }
  const worst = atMost(
    `garbage collection, share of the CPU of ${largest.name}`,
    largest.share * 100,
    3,
    "%",
  );
  return [
    atMost("garbage collection, share of the CPU of our processes", median(shares) * 100, 3, "%"),
    worst,
    atMost("longest pause of a collection", longestMs, 15, "ms"),
  ];
}
