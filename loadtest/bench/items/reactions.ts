// Reactions item, B11: a large room in which users react to a few messages, 200 times a second.

import { until } from "#shared/testing/wait.ts";
import { BenchClients } from "../bench-clients.ts";
import { blankLeg } from "../blank-leg.ts";
import { cpuOf, cpuSince, total } from "../cpu.ts";
import type { Leg } from "../figures.ts";
import { median } from "../figures.ts";
import { allDelivered, atMost } from "../item.ts";
import type { Item, ItemOptions, ItemResult } from "../item.ts";
import { PARLEY } from "../peers/parley.ts";
import type { ParleyPeer } from "../peers/parley.ts";
import { RoomClients } from "../room-clients.ts";
import { percentiles } from "../run.ts";
import { openLoop } from "../schedule.ts";
import type { Slip } from "../schedule.ts";
import { isOwn, playVersions, toBase } from "../versions.ts";

const MEMBERS = 500;
const PER_SECOND = 200;
const REACTORS = 10;
const TARGETS = 20;
const EMOJI = ["👍", "🎉", "❤️", ":ok:"];
const ARRIVED_WITHIN_MS = 30_000;
const COST = "CPU per delivery, µs";

export const B11: Item = {
  id: "B11",
  title: "1 room × 500, 200 reactions/s",
  async play(options): Promise<ItemResult> {
    const legs = await playVersions(options, reactions(options));
    const worst = median(legs.filter(isOwn).map(({ deliveryMs }) => deliveryMs?.p99 ?? NaN));
    const verdicts = [
      allDelivered(legs, PARLEY),
      atMost("p99 of the delivery of a reaction", worst, 100, "ms"),
      ...toBase(legs, [COST]),
    ];
    return { legs, verdicts };
  },
};

function reactions({ seconds = 10, scale }: ItemOptions): (peer: ParleyPeer) => Promise<Leg> {
  return async (peer) => {
    const readers = Math.max(1, Math.round(MEMBERS * scale) - REACTORS);
    const others = await BenchClients.open(peer, { rooms: 1, members: readers });
    const [room = ""] = others.rooms;
    const users = Array.from({ length: REACTORS }, (_, i) => `reactor-${i}`);
    const clients = await RoomClients.open(peer, room, users);
    try {
      for (let i = 0; i < TARGETS; i++) others.send(i, performance.now());
      others.sent();
      const isFull = (): boolean => clients.handles.every(({ head }) => head >= TARGETS);
      await until(isFull, { withinMs: ARRIVED_WITHIN_MS, what: "the messages to react to" });
      const count = Math.round(PER_SECOND * seconds);
      const before = cpuOf(peer.pids);
      const slip = await reactAll(clients, count);
      const cpu = total(cpuSince(before, cpuOf(peer.pids)));
      const members = readers + REACTORS;
      const { p50, p99 } = percentiles(clients.deliveryMs);
      return {
        ...blankLeg(peer, B11.title, seconds),
        expected: count * REACTORS,
        delivered: clients.delivered,
        ackMs: percentiles(clients.ackMs),
        deliveryMs: { p50, p99 },
        slipMs: { p99: slip.p99Ms, worst: slip.worstMs },
        complaints: Object.fromEntries(clients.complaints),
        more: {
          members,
          reactions: count,
          [COST]: cpu / (count * members),
          "delivery p50, ms": p50,
          "delivery p99, ms": p99,
        },
      };
    } finally {
      clients.close();
      others.close();
    }
  };
}

/** Resolves when all reactions have arrived, or do not arrive any more. */
async function reactAll(clients: RoomClients, count: number): Promise<Slip> {
  const slip = await openLoop(
    { count, perSecond: PER_SECOND },
    {
      send: (i, plannedAt) => {
        const emoji = EMOJI[Math.floor(i / TARGETS) % EMOJI.length] ?? "👍";
        // Each user takes the own reaction back in the next turn.
        const isOn = Math.floor(i / (TARGETS * EMOJI.length * REACTORS)) % 2 === 0;
        clients.write(i, plannedAt, (handle) => handle.react(1 + (i % TARGETS), emoji, isOn));
      },
    },
  );
  const isOver = (): boolean =>
    clients.isAnswered && clients.delivered >= clients.acked * clients.handles.length;
  await until(isOver, { withinMs: ARRIVED_WITHIN_MS, what: "all reactions" }).catch(
    () => undefined,
  );
  return slip;
}
