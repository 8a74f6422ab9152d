// Joining item, B12: the members of one closed room join at 500 a second, while messages are sent
// in it.
//
//   joining.1. The verdict compares with the same room after the joins. Before them the room has
//        three members, so a comparison with it would measure the fan-out to 5,000. It is printed
//        as well.

import { until } from "#shared/testing/wait.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { WireClient } from "#verify/wire-client/wire-client.ts";
import { blankLeg } from "../blank-leg.ts";
import { cpuOf, cpuSince, total } from "../cpu.ts";
import type { Leg } from "../figures.ts";
import { median } from "../figures.ts";
import { Histogram } from "../histogram.ts";
import { allDelivered, atMost } from "../item.ts";
import type { Item, ItemOptions, ItemResult } from "../item.ts";
import { PARLEY } from "../peers/parley.ts";
import type { ParleyPeer } from "../peers/parley.ts";
import { RoomClients } from "../room-clients.ts";
import { percentiles } from "../run.ts";
import { openLoop } from "../schedule.ts";
import { Sink } from "../sink.ts";
import { isOwn, playVersions, toBase } from "../versions.ts";

const MEMBERS = 5_000;
const JOINS_PER_SECOND = 500;
const MESSAGES_PER_SECOND = 50;
const QUIET_SECONDS = 5;
const DONE_WITHIN_MS = 120_000;
const CPU = "CPU of all processes per join, messages included, µs";
const ROOM = "joining" as RoomId;
/** The first of them owns the room. */
const WRITERS = ["owner", "writer"];

export const B12: Item = {
  id: "B12",
  title: "5,000 members of one closed room join at 500/s, 50 messages/s meanwhile",
  async play(options): Promise<ItemResult> {
    const legs = await playVersions(options, joining(options));
    const ratio = median(
      legs.filter(isOwn).map(({ more }) => more?.["p99 of delivery, joining to joined"] ?? NaN),
    );
    const verdicts = [
      allDelivered(legs, PARLEY),
      atMost("p99 of messages while members join, to after", ratio, 2, "×"),
      ...toBase(legs, [CPU]),
    ];
    return { legs, verdicts };
  },
};

function joining({
  seconds = QUIET_SECONDS,
  scale,
}: ItemOptions): (peer: ParleyPeer) => Promise<Leg> {
  return async (peer) => {
    const count = Math.max(10, Math.round(MEMBERS * scale));
    const users = Array.from({ length: count }, (_, i) => `member-${i}` as UserId);
    await createRoom(peer, users, WRITERS);
    const clients = await RoomClients.open(peer, ROOM, WRITERS);
    const observer = await observe(peer);
    const sinks: Sink[] = [];
    try {
      await talk(clients, seconds);
      const quiet = percentiles(clients.deliveryMs);
      clients.forgetTimes();
      const presenceBefore = observer.presenceBytes();
      const cpuBefore = cpuOf(peer.pids);
      const began = performance.now();
      const talking = talk(clients, count / JOINS_PER_SECOND);
      const joins = percentiles(await joinAll(peer, users, sinks));
      await talking;
      const tookMs = performance.now() - began;
      const cpuMs = total(cpuSince(cpuBefore, cpuOf(peer.pids))) / 1_000;
      const busy = percentiles(clients.deliveryMs);
      clients.forgetTimes();
      await talk(clients, seconds);
      const joined = percentiles(clients.deliveryMs); // joining.1
      return {
        ...blankLeg(peer, B12.title, seconds),
        expected: clients.acked * WRITERS.length,
        delivered: clients.delivered,
        ackMs: percentiles(clients.ackMs),
        deliveryMs: busy,
        complaints: Object.fromEntries(clients.complaints),
        more: {
          members: count,
          "p99 of delivery, joining to joined": busy.p99 / joined.p99,
          "p99 of delivery, joining to empty": busy.p99 / quiet.p99,
          "delivery p99 empty, ms": quiet.p99,
          "delivery p99 joining, ms": busy.p99,
          "delivery p99 joined, ms": joined.p99,
          "join p50, ms": joins.p50,
          "join p99, ms": joins.p99,
          [CPU]: (cpuMs * 1_000) / count,
          "server CPU meanwhile, % of a core": (cpuMs / tookMs) * 100,
          "presence bytes per join, to one member":
            (observer.presenceBytes() - presenceBefore) / count,
        },
      };
    } finally {
      for (const sink of sinks) sink.close();
      observer.close();
      clients.close();
    }
  };
}

/** The messages of so many seconds; resolves when all have arrived. */
async function talk(clients: RoomClients, seconds: number): Promise<void> {
  const count = Math.round(seconds * MESSAGES_PER_SECOND);
  await openLoop(
    { count, perSecond: MESSAGES_PER_SECOND },
    {
      send: (i, plannedAt) =>
        clients.write(i, plannedAt, (handle) => handle.send({ text: "while they join" })),
    },
  );
  const isOver = (): boolean =>
    clients.isAnswered && clients.delivered >= clients.acked * WRITERS.length;
  await until(isOver, { withinMs: DONE_WITHIN_MS, what: "the messages" });
}

/** Resolves when all users have joined, with the times that it took. */
async function joinAll(
  peer: ParleyPeer,
  users: readonly UserId[],
  sinks: Sink[],
): Promise<Histogram> {
  const joinMs = new Histogram();
  let failure: unknown;
  const join = async (i: number, plannedAt: number): Promise<void> => {
    const hello = { t: "hello", token: await peer.token(users[i] ?? ""), client: "bench/1" };
    const frames = [hello, { t: "join", ref: 1, room: ROOM, tail: 0 }];
    const say = frames.map((frame) => JSON.stringify(frame)).join("\n");
    const sink = new Sink(peer, { room: ROOM, steps: [{ say, until: `"t":"caught-up"` }] });
    sinks.push(sink);
    await sink.ready;
    joinMs.add(performance.now() - plannedAt);
  };
  await openLoop(
    { count: users.length, perSecond: JOINS_PER_SECOND },
    {
      send: (i, plannedAt) => {
        join(i, plannedAt).catch((error: unknown) => (failure ??= error));
      },
    },
  );
  const isOver = (): boolean => failure !== undefined || joinMs.count >= users.length;
  await until(isOver, { withinMs: DONE_WITHIN_MS, what: "all members to join" });
  if (failure !== undefined) throw new Error("a member could not join", { cause: failure });
  return joinMs;
}

/** A closed room with all users as stored members. */
async function createRoom(
  peer: ParleyPeer,
  users: readonly UserId[],
  [owner = "", ...writers]: readonly string[],
): Promise<void> {
  const all = [...writers, "observer", ...users];
  const first = all.slice(0, 100).map((user) => ({ user }));
  await ask(peer, owner, "POST", "/v1/rooms", { room: ROOM, kind: "closed", members: first });
  const rest = all.slice(100);
  for (let i = 0; i < rest.length; i += 100) {
    await Promise.all(
      rest
        .slice(i, i + 100)
        .map((user) =>
          ask(peer, owner, "PUT", `/v1/rooms/${ROOM}/members/${user}`, { role: "member" }),
        ),
    );
  }
}

async function ask(
  peer: ParleyPeer,
  user: string,
  method: string,
  path: string,
  body: object,
): Promise<void> {
  const headers = {
    authorization: `Bearer ${await peer.token(user)}`,
    "content-type": "application/json",
  };
  const response = await fetch(`${peer.url}${path}`, {
    method,
    headers,
    body: JSON.stringify(body),
  });
  if (!response.ok)
    throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
}

interface Observer {
  readonly presenceBytes: () => number;
  readonly close: () => void;
}

/** A member that counts the bytes of presence frames. */
async function observe(peer: ParleyPeer): Promise<Observer> {
  let bytes = 0;
  const user = "observer" as UserId;
  const url = `${peer.url.replace(/^http/, "ws")}/v1/ws`;
  const client = new WireClient({
    user,
    token: await peer.token(user),
    endpoint: () => ({ name: "gateway", url }),
    rooms: [{ room: ROOM, tail: 0, isClosed: true }],
    hooks: {
      onFrame: (frame) => {
        if (frame["t"] === "presence") bytes += JSON.stringify(frame).length + 1;
      },
    },
  });
  client.connect();
  await until(() => client.isJoined, { withinMs: DONE_WITHIN_MS, what: "the observer to join" });
  return { presenceBytes: () => bytes, close: () => client.close() };
}
