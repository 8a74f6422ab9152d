// Takeover item, B13: a room node is killed that owns a part of 1,000 closed rooms with 100 members
// each. A room is back with the ack of a message that was sent right behind the kill.

import { blankLeg, pause } from "../blank-leg.ts";
import { inBatches } from "../bench-clients.ts";
import type { Leg } from "../figures.ts";
import { median } from "../figures.ts";
import { Histogram } from "../histogram.ts";
import { atMost } from "../item.ts";
import type { Item, ItemOptions, ItemResult } from "../item.ts";
import type { ParleyPeer } from "../peers/parley.ts";
import { percentiles } from "../run.ts";
import { isOwn, playVersions, toBase } from "../versions.ts";

const ROOMS = 1_000;
const MEMBERS = 100;
/** The rooms of the killed node wait at most so long without traffic (architecture.md). */
const FAILOVER_MS = 3_000;
const ATTEMPTS_MAX = 40;
const RETRY_MS = 100;
/** Time for the archive to have the rooms, so that a takeover loads them. */
const SETTLE_MS = 3_000;
const BACK = "back p99, ms";

export const B13: Item = {
  id: "B13",
  title: "takeover of 1,000 closed rooms with 100 members each",
  async play(options): Promise<ItemResult> {
    const legs = await playVersions(options, takeover(options), { rooms: 2, restart: true });
    const back = median(legs.filter(isOwn).map(({ more }) => more?.[BACK] ?? NaN));
    const verdicts = [
      atMost("p99 of the rooms are back", back, FAILOVER_MS, "ms"),
      ...toBase(legs, [BACK]),
    ];
    return { legs, verdicts };
  },
};

function takeover({ scale }: ItemOptions): (peer: ParleyPeer) => Promise<Leg> {
  return async (peer) => {
    const rooms = Array.from(
      { length: Math.max(10, Math.round(ROOMS * scale)) },
      (_, i) => `plans-${i}`,
    );
    const token = await peer.token("owner");
    const members = Array.from({ length: MEMBERS - 1 }, (_, i) => ({ user: `member-${i}` }));
    await inBatches(rooms, (room) =>
      post(peer, token, "/v1/rooms", { room, kind: "closed", members }),
    );
    await pause(SETTLE_MS);
    const killedAt = performance.now();
    await peer.cluster.kill("room-1");
    const backMs = new Histogram();
    let retried = 0;
    await Promise.all(
      rooms.map(async (room) => {
        const body = { body: { text: "after the kill" } };
        retried += await post(peer, token, `/v1/rooms/${room}/messages`, body);
        backMs.add(performance.now() - killedAt);
      }),
    );
    const { p50, p99 } = percentiles(backMs);
    const more = { rooms: rooms.length, "back p50, ms": p50, [BACK]: p99, retried };
    return { ...blankLeg(peer, B13.title, 1), more };
  };
}

/** Sends it until it is stored; returns the number of temporary errors. */
async function post(peer: ParleyPeer, token: string, path: string, body: object): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  let last = "";
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const response = await fetch(`${peer.url}${path}`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    last = `${response.status} ${await response.text()}`;
    if (response.ok) return attempt;
    if (response.status !== 503) break;
    await pause(RETRY_MS);
  }
  throw new Error(`POST ${path}: ${last}`);
}
