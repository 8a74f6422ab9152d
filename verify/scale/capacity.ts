// Capacity: the load that a number of users causes, the cluster that carries it, and the share of
// each shared resource that it then uses. The highest share is the first bottleneck.
//
// Pure: constants (constants.ts), counts of messages (model.ts), assumptions. It is arithmetic and
// no measurement: no cluster of these sizes was run.
//
//   capacity.1. Every share grows, or stays equal, when only the number of users grows.
//   capacity.2. A cluster of `clusterFor` keeps each process below PLANNED of a core, unless no
//        number of room nodes does.

import { LIVE_PROCESSES_MAX } from "#shared/kit/live-processes.ts";
import type { Costs } from "./constants.ts";
import { KINDS } from "./kinds.ts";
import type { Flows } from "./kinds.ts";
import { gatewaysOf, idleFlows, loadFlows, plus } from "./model.ts";
import type { Cluster, Load } from "./model.ts";

export interface Assumptions {
  /** The share of the users who are connected at the busiest time. */
  readonly onlineShare: number;
  /** The rooms that a connected user has joined. */
  readonly roomsPerUser: number;
  /** The connected members of a room. */
  readonly members: number;
  readonly messagesPerUserMinute: number;
}

export const ASSUMED: Assumptions = {
  onlineShare: 0.2,
  roomsPerUser: 10,
  members: 20,
  messagesPerUserMinute: 0.5,
};

export interface UserLoad extends Load {
  readonly connections: number;
  readonly memberships: number;
  readonly deliveriesPerSecond: number;
}

/** A shared resource that one cluster has once, and the part of it that a load uses. */
export interface Share {
  readonly name: Resource;
  readonly used: number;
  readonly limit: number;
  readonly unit: string;
}

export type Resource =
  | "room node, CPU without chat"
  | "NATS, CPU"
  | "NATS, memory of subscriptions"
  | "archive, events"
  | "archive, transactions"
  | "gateways in one cluster"
  | "partitions in one cluster";

/** The part of a core that a process may use on average. The rest is for bursts and failures. */
export const PLANNED = 0.5;
export const PARTITIONS_MAX = 1_024;
/** Three NATS servers of this size. */
export const NATS_SERVERS = 3;
export const NATS_CORES = 8;
export const NATS_BYTES = 8 * 1024 ** 3;
export const CONNECTIONS_PER_GATEWAY = 20_000;
export const GATEWAY_BYTES = 1024 ** 3;
export const ROOM_NODE_BYTES = 1024 ** 3;
const CORE_US = 1_000_000;
/** While a partition changes its state; fewer at rest. */
const TICKS_PER_SECOND = 10;
const PARTITIONS_PER_NODE = 4;
const PARTITIONS_MIN = 16;
/** What services/room counts for a room, and for a member who is present. */
const ROOM_COUNTED_BYTES = 640;
const PRESENT_BYTES = 320;
const NODES_MAX = 400;

export function loadOf(users: number, assumed: Assumptions = ASSUMED): UserLoad {
  const connections = users * assumed.onlineShare;
  const memberships = connections * assumed.roomsPerUser;
  const messagesPerSecond = (connections * assumed.messagesPerUserMinute) / 60;
  return {
    connections,
    memberships,
    rooms: memberships / assumed.members,
    members: assumed.members,
    messagesPerSecond,
    deliveriesPerSecond: messagesPerSecond * assumed.members,
  };
}

export function clusterFor(load: UserLoad, costs: Costs): Cluster {
  const gateways = gatewaysFor(load, costs);
  const persistence = Math.max(2, Math.ceil(busy(load.messagesPerSecond * costs.messageArchiveUs)));
  let best: Cluster | undefined;
  let bestUs = Infinity;
  for (let roomNodes = 2; roomNodes <= NODES_MAX; roomNodes++) {
    const partitions = partitionsFor(roomNodes);
    const cluster = { gateways, roomNodes, persistence, partitions };
    const us = roomNodeUs(cluster, load, costs);
    const bytes = roomNodeBytes(cluster, load, costs);
    if (us <= PLANNED * CORE_US && bytes <= ROOM_NODE_BYTES) return cluster;
    if (us >= bestUs) continue;
    best = cluster;
    bestUs = us;
  }
  return best ?? { gateways, roomNodes: 2, persistence, partitions: PARTITIONS_MIN };
}

/** A power of two, so that a later split reaches it. */
function partitionsFor(roomNodes: number): number {
  const wanted = Math.max(PARTITIONS_MIN, roomNodes * PARTITIONS_PER_NODE);
  return Math.min(PARTITIONS_MAX, 2 ** Math.ceil(Math.log2(wanted)));
}

function gatewaysFor(load: UserLoad, costs: Costs): number {
  const one = { gateways: 1, roomNodes: 1, persistence: 1, partitions: 1 };
  const perMember = load.deliveriesPerSecond * costs.lineUs; // Nearly each is on its own gateway.
  const needed = Math.max(
    busy(gatewayUs(one, load, costs) + perMember),
    gatewayBytes(one, load, costs) / GATEWAY_BYTES,
    load.connections / CONNECTIONS_PER_GATEWAY,
  );
  return Math.max(2, Math.ceil(needed));
}

/** Microseconds of CPU a second of one gateway. */
export function gatewayUs({ gateways, roomNodes }: Cluster, load: UserLoad, costs: Costs): number {
  const lines = load.messagesPerSecond * gatewaysOf(load.members, gateways) * costs.lineUs;
  const us = load.connections * costs.connectionUs + load.deliveriesPerSecond * costs.deliveryUs;
  return (us + lines) / gateways + roomNodes * costs.gatewayBeatUs;
}

export function gatewayBytes({ gateways }: Cluster, load: UserLoad, costs: Costs): number {
  const { connections, memberships } = load;
  const bytes = connections * costs.connectionBytes + memberships * costs.followedRoomBytes;
  return bytes / gateways;
}

/** Processes that carry `us` of CPU a second. */
function busy(us: number): number {
  return us / (PLANNED * CORE_US);
}

/** Microseconds of CPU a second of one room node while no user sends. */
export function idleRoomNodeUs(cluster: Cluster, costs: Costs): number {
  const { gateways, roomNodes, partitions } = cluster;
  const ticks = TICKS_PER_SECOND * partitions * costs.tickUs;
  const beats =
    roomNodes * costs.beatUs +
    partitions * costs.beatPerPartitionUs +
    gateways * costs.gatewayBeatAtRoomUs;
  return ticks + beats + idleFlows(cluster).watermark.in * costs.watermarkUs;
}

export function roomNodeUs(cluster: Cluster, load: Load, costs: Costs): number {
  const chat = (load.messagesPerSecond * costs.messageRoomUs) / cluster.roomNodes;
  const watermarks = loadFlows(cluster, load).watermark.in * costs.watermarkUs;
  return idleRoomNodeUs(cluster, costs) + chat + watermarks;
}

export function roomNodeBytes({ roomNodes }: Cluster, load: UserLoad, costs: Costs): number {
  const rooms = load.rooms * (costs.roomBytes + ROOM_COUNTED_BYTES);
  return (rooms + load.memberships * PRESENT_BYTES) / roomNodes;
}

export function flowsAt(cluster: Cluster, load: Load): Flows {
  return plus(idleFlows(cluster), loadFlows(cluster, load));
}

/** Microseconds of CPU a second of all NATS servers together. */
export function natsUs(cluster: Cluster, load: Load, costs: Costs): number {
  const append = costs.natsAppendUs * NATS_SERVERS; // Each replica writes the entry.
  const replicas = cluster.partitions * NATS_SERVERS * costs.natsReplicaUs;
  return messagesUs(flowsAt(cluster, load), costs) + load.messagesPerSecond * append + replicas;
}

function messagesUs(flows: Flows, costs: Costs): number {
  return KINDS.filter((kind) => kind !== "append").reduce((sum, kind) => {
    const { in: sent, out } = flows[kind];
    return sum + sent * (costs.natsMessageUs - costs.natsDeliveryUs) + out * costs.natsDeliveryUs;
  }, 0);
}

/** `out.<room>` and `live.<room>` on every gateway with a member, on one of three servers. */
export function subscriptionsOf({ gateways, roomNodes, partitions }: Cluster, load: Load): number {
  const spread = gatewaysOf(load.members, gateways);
  const own = (2 * load.rooms * spread + 2 * partitions * roomNodes) / NATS_SERVERS;
  // A server also knows which subjects the others want: each subject once for each of them.
  return own + 2 * load.rooms * (NATS_SERVERS - 1);
}

export function sharesOf(cluster: Cluster, load: Load, costs: Costs): Share[] {
  const { gateways, partitions } = cluster;
  const writes = loadFlows(cluster, load).watermark.in;
  const us = PLANNED * CORE_US;
  return [
    {
      name: "room node, CPU without chat",
      used: idleRoomNodeUs(cluster, costs) / CORE_US,
      limit: us / CORE_US,
      unit: "cores",
    },
    {
      name: "NATS, CPU",
      used: natsUs(cluster, load, costs) / CORE_US,
      limit: NATS_SERVERS * NATS_CORES * PLANNED,
      unit: "cores",
    },
    {
      name: "NATS, memory of subscriptions",
      used: (subscriptionsOf(cluster, load) * costs.natsSubscriptionBytes) / 1024 ** 3,
      limit: NATS_BYTES / 1024 ** 3,
      unit: "GiB a server",
    },
    {
      name: "archive, events",
      used: load.messagesPerSecond,
      limit: costs.archivedPerSecond,
      unit: "a second",
    },
    {
      name: "archive, transactions",
      used: writes,
      limit: costs.transactionsPerSecond,
      unit: "a second",
    },
    { name: "gateways in one cluster", used: gateways, limit: LIVE_PROCESSES_MAX, unit: "" },
    { name: "partitions in one cluster", used: partitions, limit: PARTITIONS_MAX, unit: "" },
  ];
}

/** The shares, the highest first. */
export function bottlenecksOf(cluster: Cluster, load: Load, costs: Costs): Share[] {
  return sharesOf(cluster, load, costs).sort((a, b) => b.used / b.limit - a.used / a.limit);
}

/** Seconds of CPU of all other gateways for the users of a gateway that was lost. */
export function reconnectSeconds(cluster: Cluster, load: UserLoad, costs: Costs): number {
  const { gateways } = cluster;
  const users = load.connections / gateways;
  return (users * costs.connectUs) / ((gateways - 1) * PLANNED * CORE_US);
}
