// Model: how many messages pass the bus of a cluster each second, as formulas of its size and load.
//
// Pure: no I/O, no clock. Its intervals are the constants of the services themselves. The
// simulation counts the same messages (scale-run.ts), and the tests compare the two.
//
//   scale/model.1. Idle, for each chat message, and after the loss of a room node: each kind is
//        within 10 % of the simulation.
//   scale/model.2. A kind that the model knows as zero does not occur in the simulation.

import { BEAT_MS } from "#shared/protocol/beat.ts";
import { PRESENCE_NAMES_MAX } from "#shared/protocol/limits.ts";
import { LIMITS } from "../../services/persistence/core/archiver-io.ts";
import { WATCH_MS } from "../../services/persistence/runtime/log-watch.ts";
import { CONFIRM_PINGS } from "#shared/kit/failure-detector.ts";
import { REFRESH_MS } from "../../services/gateway/runtime/session-register-runner.ts";
import { QUIET_MS } from "../../services/room/core/tenure.ts";
import { IDLE_MS } from "../../services/room/core/room-memory.ts";
import { flowsOf, KINDS } from "./kinds.ts";
import type { Flow, Flows, Kind } from "./kinds.ts";

/** The processes of a cluster, and its partitions. */
export interface Cluster {
  readonly gateways: number;
  readonly roomNodes: number;
  readonly persistence: number;
  readonly partitions: number;
}

/** What the users do. */
export interface Load {
  /** Rooms with members who are online. */
  readonly rooms: number;
  /** Members of such a room who are online. */
  readonly members: number;
  readonly messagesPerSecond: number;
}

/** The tick of a room node, which repeats the head of a quiet room. */
const ROOM_TICK_MS = 100;
/** Complete lists of a room's presence after a change: REPEATS_S of presence.ts. */
const PRESENCE_REPEATS = 3;
/** From the first entry of a batch until the archive has it, without the linger: about one call. */
const ARCHIVE_WRITE_MS = 5;

const NONE: Flow = { in: 0, out: 0 };

/** The gateways on which at least one of `members` is, each member on a random gateway. */
export function gatewaysOf(members: number, gateways: number): number {
  return gateways * (1 - (1 - 1 / gateways) ** members);
}

/** Messages a second while no user sends. */
export function idleFlows({ gateways, roomNodes, persistence, partitions }: Cluster): Flows {
  const beats = 1_000 / BEAT_MS;
  const watermarks = (partitions * 1_000) / LIMITS.tickMs;
  const sizes = (partitions * 1_000) / WATCH_MS;
  const leases = (gateways * 1_000) / REFRESH_MS;
  return withNone({
    "room beat": fanOut(roomNodes * beats, roomNodes + gateways),
    "gateway beat": fanOut(gateways * beats, roomNodes),
    "persistence beat": fanOut(persistence * beats, persistence),
    watermark: fanOut(watermarks, roomNodes),
    "log size": fanOut(sizes, 1),
    sessions: fanOut(2 * leases, 1), // A request and its answer.
  });
}

/** Messages a second that the chat messages cause, on top of `idleFlows`. */
export function loadFlows(cluster: Cluster, load: Load): Flows {
  const { gateways, roomNodes, partitions } = cluster;
  const { rooms, members, messagesPerSecond: rate } = load;
  const spread = gatewaysOf(members, gateways);
  const repeats = rate * quietShare(rate / rooms);
  const loads = rate * Math.exp((-rate / rooms) * (IDLE_MS / 1_000));
  return withNone({
    command: fanOut(rate, 1),
    append: fanOut(rate, 1),
    "entry read": { in: 0, out: rate },
    line: fanOut(rate + repeats + loads, spread),
    result: fanOut(rate, 1),
    watermark: fanOut(partitions * archiveWrites(rate / partitions), roomNodes),
    "archive request": fanOut(loads, 1),
    answer: fanOut(loads, 1),
  });
}

/** What the room node that ended has served. */
export interface Lost {
  readonly partitions: number;
  readonly rooms: number;
}

/**
 * Messages in all after one room node has ended, on top of `idleFlows` of the others: they declare
 * it dead, claim its partitions, and the gateways announce their users again.
 */
export function takeOverFlows(cluster: Cluster, load: Load, lost: Lost): Flows {
  const { gateways } = cluster;
  const others = cluster.roomNodes - 1;
  const spread = gatewaysOf(load.members, gateways);
  const { partitions, rooms } = lost;
  // A successor reports that it claims, and again each partition that it serves.
  const beats = gatewaysOf(partitions, others) + partitions;
  const syncs = partitions * gateways * (1 - Math.exp((-rooms / partitions) * (spread / gateways)));
  const named = Math.min(load.members, PRESENCE_NAMES_MAX);
  return withNone({
    ping: { in: CONFIRM_PINGS * others, out: 0 },
    "room beat": fanOut(beats, others + gateways),
    "log size": fanOut(partitions, 1),
    append: fanOut(partitions, 1), // The claim …
    "entry read": { in: 0, out: 2 * partitions }, // … which its owner and the archiver read.
    watermark: fanOut(partitions, others),
    // Two requests for the watermark of each partition, and one for each room.
    "archive request": fanOut(2 * partitions + rooms, 1),
    answer: fanOut(2 * partitions + rooms, 1),
    command: fanOut(syncs, 1),
    result: fanOut(syncs, 1),
    line: fanOut(rooms, spread), // The head of each room, once.
    presence: fanOut(rooms * (named + PRESENCE_REPEATS), spread),
  });
}

/** The share of a room's messages after which nothing follows until the head is repeated. */
function quietShare(perSecond: number): number {
  return Math.exp((-perSecond * (QUIET_MS + ROOM_TICK_MS / 2)) / 1_000);
}

/** Archive writes a second of one partition: an entry opens a batch, which lingers. */
function archiveWrites(entriesPerSecond: number): number {
  return entriesPerSecond / (1 + (entriesPerSecond * (LIMITS.lingerMs + ARCHIVE_WRITE_MS)) / 1_000);
}

function fanOut(each: number, subscribers: number): Flow {
  return { in: each, out: each * subscribers };
}

export const NO_FLOWS: Flows = flowsOf(() => NONE);

function withNone(some: Partial<Record<Kind, Flow>>): Flows {
  return flowsOf((kind) => some[kind] ?? NONE);
}

export function plus(a: Flows, b: Flows): Flows {
  return flowsOf((kind) => ({ in: a[kind].in + b[kind].in, out: a[kind].out + b[kind].out }));
}

export function times(flows: Flows, factor: number): Flows {
  return flowsOf((kind) => ({ in: flows[kind].in * factor, out: flows[kind].out * factor }));
}

export function totalOf(flows: Flows): Flow {
  return KINDS.reduce((sum, kind) => {
    const flow = flows[kind];
    return { in: sum.in + flow.in, out: sum.out + flow.out };
  }, NONE);
}
