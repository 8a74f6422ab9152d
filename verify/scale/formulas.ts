// Formulas: the lines of the tables of docs/scale.md, each as a text and as the function of the
// model that computes it.
//
//   formulas.1. For any cluster and load, the text has the value of the function. So the page and
//        the model cannot differ.
//
// A text may use: + − × / ^, min, exp, the constants by their names, and the letters of LETTERS.

import type { Costs } from "./constants.ts";
import {
  flowsAt,
  gatewayBytes,
  gatewayUs,
  idleRoomNodeUs,
  natsUs,
  reconnectSeconds,
  roomNodeBytes,
  roomNodeUs,
  subscriptionsOf,
} from "./capacity.ts";
import type { UserLoad } from "./capacity.ts";
import type { Kind } from "./kinds.ts";
import { gatewaysOf, idleFlows, loadFlows, totalOf, takeOverFlows } from "./model.ts";
import type { Cluster, Lost } from "./model.ts";

export interface Given {
  readonly cluster: Cluster;
  readonly load: UserLoad;
  readonly costs: Costs;
}

export interface Formula {
  readonly what: string;
  readonly text: string;
  readonly unit: string;
  readonly value: (given: Given) => number;
}

/** The letters of the formulas, and their meaning. */
export const LETTERS: Readonly<Record<string, string>> = {
  G: "gateways",
  N: "room nodes",
  A: "persistence processes",
  P: "partitions",
  C: "connections",
  R: "rooms with connected members",
  m: "connected members of a room",
  k: "rooms that a connected user has joined",
  λ: "messages a second",
  s: "gateways with members of a room: G × (1 − (1 − 1 / G)^m)",
  p: "partitions that a room node serves: P / N",
  r: "rooms that a room node serves: R / N",
  IN: "messages a second into NATS",
  OUT: "messages a second out of NATS",
};

/** The values of LETTERS. */
export function valuesOf({ cluster, load }: Given): Readonly<Record<string, number>> {
  const { gateways: G, roomNodes: N, persistence: A, partitions: P } = cluster;
  const { connections: C, rooms: R, members: m, messagesPerSecond: λ } = load;
  const flow = withoutAppends(cluster, load);
  const letters = { G, N, A, P, C, R, m, λ };
  return {
    ...letters,
    IN: flow.in,
    OUT: flow.out,
    k: load.memberships / C,
    s: gatewaysOf(m, G),
    p: P / N,
    r: R / N,
  };
}

const PER_SECOND = "a second";
const US_PER_SECOND = "µs of CPU a second";

export const IDLE: readonly Formula[] = [
  idle("beats of room nodes, to all room nodes and gateways", "room beat", "N × (N + G)"),
  idle("beats of gateways, to all room nodes", "gateway beat", "G × N"),
  idle("beats of persistence, among themselves", "persistence beat", "A × A"),
  idle("watermarks, of each partition to all room nodes", "watermark", "P / 5 × N"),
  idle("sizes of the logs, for metrics", "log size", "P / 5"),
  idle("leases of gateways, and their answers", "sessions", "2 × G / 3"),
];

export const CHAT: readonly Formula[] = [
  chat("commands, from a gateway to an owner", "command", "1"),
  chat("appends to the log", "append", "1"),
  chat("entries, to persistence", "entry read", "1"),
  chat("results, to the gateway of the sender", "result", "1"),
  chat(
    "lines, to each gateway with members; the head again after a quiet second; a head when the room was not in memory",
    "line",
    "(1 + exp(−1.05 × λ / R) + exp(−300 × λ / R)) × s",
  ),
  chat("watermarks, to all room nodes", "watermark", "N / (1 + 0.255 × λ / P)"),
  chat("reads of a room that was not in memory", "archive request", "exp(−300 × λ / R)"),
];

export const LOSS: readonly Formula[] = [
  loss("presence: each user, then three complete lists", "presence", "r × (min(m, 200) + 3) × s"),
  loss("heads of rooms", "line", "r × s"),
  loss("syncs of gateways, and as many results", "command", "p × G × (1 − exp(−r / p × s / G))"),
  loss("reads of the archive, and as many answers", "archive request", "2 × p + r"),
  loss(
    "beats besides those of each second",
    "room beat",
    "((N − 1) × (1 − (1 − 1 / (N − 1))^p) + p) × (N − 1 + G)",
  ),
];

export const RESOURCES: readonly Formula[] = [
  {
    what: "a gateway, CPU",
    text: "(C × connectionUs + λ × m × deliveryUs + λ × s × lineUs) / G + N × gatewayBeatUs",
    unit: US_PER_SECOND,
    value: ({ cluster, load, costs }) => gatewayUs(cluster, load, costs),
  },
  {
    what: "a gateway, memory of connections and rooms",
    text: "(C × connectionBytes + C × k × followedRoomBytes) / G",
    unit: "bytes",
    value: ({ cluster, load, costs }) => gatewayBytes(cluster, load, costs),
  },
  {
    what: "a room node, CPU while no user sends",
    text: "10 × P × tickUs + N × beatUs + P × beatPerPartitionUs + G × gatewayBeatAtRoomUs + P / 5 × watermarkUs",
    unit: US_PER_SECOND,
    value: ({ cluster, costs }) => idleRoomNodeUs(cluster, costs),
  },
  {
    what: "a room node, CPU that the messages add",
    text: "λ × messageRoomUs / N + λ / (1 + 0.255 × λ / P) × watermarkUs",
    unit: US_PER_SECOND,
    value: ({ cluster, load, costs }) =>
      roomNodeUs(cluster, load, costs) - idleRoomNodeUs(cluster, costs),
  },
  {
    what: "a room node, memory of rooms and presence",
    text: "(R × (roomBytes + 640) + C × k × 320) / N",
    unit: "bytes",
    value: ({ cluster, load, costs }) => roomNodeBytes(cluster, load, costs),
  },
  {
    what: "all NATS servers, CPU",
    text: "IN × (natsMessageUs − natsDeliveryUs) + OUT × natsDeliveryUs + 3 × λ × natsAppendUs + 3 × P × natsReplicaUs",
    unit: US_PER_SECOND,
    value: ({ cluster, load, costs }) => natsUs(cluster, load, costs),
  },
  {
    what: "a NATS server of three, subscriptions",
    text: "(2 × R × s + 2 × P × N) / 3 + 4 × R",
    unit: "",
    value: ({ cluster, load }) => subscriptionsOf(cluster, load),
  },
  {
    what: "the archive, transactions",
    text: "λ / (1 + 0.255 × λ / P)",
    unit: PER_SECOND,
    value: ({ cluster, load }) => loadFlows(cluster, load).watermark.in,
  },
  {
    what: "loss of a gateway: CPU of its users at the others, at half a core each",
    text: "C / G × connectUs / ((G − 1) × 500000)",
    unit: "s",
    value: ({ cluster, load, costs }) => reconnectSeconds(cluster, load, costs),
  },
];

/** Every formula, for the test of formulas.1. */
export const FORMULAS: readonly Formula[] = [...IDLE, ...CHAT, ...LOSS, ...RESOURCES];

/** NATS counts appends apart from messages. */
function withoutAppends(cluster: Cluster, load: UserLoad): { in: number; out: number } {
  const flows = flowsAt(cluster, load);
  const total = totalOf(flows);
  return { in: total.in - flows.append.in, out: total.out - flows.append.out };
}

function idle(what: string, kind: Kind, text: string): Formula {
  return { what, text, unit: PER_SECOND, value: ({ cluster }) => idleFlows(cluster)[kind].out };
}

function chat(what: string, kind: Kind, text: string): Formula {
  return {
    what,
    text,
    unit: "a message",
    value: ({ cluster, load }) => loadFlows(cluster, load)[kind].out / load.messagesPerSecond,
  };
}

function loss(what: string, kind: Kind, text: string): Formula {
  return {
    what,
    text,
    unit: "in all",
    value: ({ cluster, load }) => takeOverFlows(cluster, load, lostOf(cluster, load))[kind].out,
  };
}

function lostOf({ partitions, roomNodes }: Cluster, { rooms }: UserLoad): Lost {
  return { partitions: partitions / roomNodes, rooms: rooms / roomNodes };
}
