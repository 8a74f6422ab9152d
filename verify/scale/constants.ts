// Constants: what one thing costs, each with the command that measured it. The formulas of
// capacity.ts multiply them.
//
// `make scale-model PUBLISH=1` writes measured.json. The others are figures of `make bench` and
// `make report`, from loadtest/REPORT.md and loadtest/measurements.md, and are kept here by hand.

import measured from "./measured.json" with { type: "json" };

export interface Constant {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly command: string;
}

const MODEL = "make scale-model";
const B3 = "make bench ONLY=B3 ROUNDS=3 SECONDS=5 PEERS=raw,socket.io";
const B5 = "make bench ONLY=B5 ROUNDS=1";

export const CONSTANTS = {
  connectionUs: {
    what: "gateway, one silent connection",
    value: 2.02,
    unit: "µs of CPU a second",
    command: B5,
  },
  connectionBytes: {
    what: "gateway, one connection with one room",
    value: 6_700,
    unit: "bytes resident",
    command: B5,
  },
  connectUs: {
    what: "gateway, one connect with a token, a join and 20 messages",
    value: 1_200,
    unit: "µs of CPU",
    command: "make bench ONLY=B6 ROUNDS=3 SECONDS=20",
  },
  deliveryUs: {
    what: "gateway, one message to one member of a small room (one socket write)",
    value: 22.1,
    unit: "µs of CPU",
    command: B3,
  },
  followedRoomBytes: {
    what: "gateway, one further room of a connection",
    value: measured.gateway.roomBytes,
    unit: "bytes of heap",
    command: MODEL,
  },
  lineUs: {
    what: "gateway, a line arrives in a room with one local member, without the write",
    value: measured.gateway.lineUs,
    unit: "µs of CPU",
    command: MODEL,
  },
  gatewayBeatUs: {
    what: "gateway, a received beat of a room node with 20 partitions",
    value: measured.gateway.beatUs,
    unit: "µs of CPU",
    command: MODEL,
  },
  messageRoomUs: {
    what: "room node, one message in a small room",
    value: 50,
    unit: "µs of CPU",
    command: B3,
  },
  roomBytes: {
    what: "room node, one room in memory",
    value: 2_870,
    unit: "bytes of heap",
    command: "make report ONLY=rooms",
  },
  tickUs: {
    what: "room node, one tick (at most 10 a second) for each partition of the cluster",
    value: measured.roomNode.tickUs,
    unit: "µs of CPU",
    command: MODEL,
  },
  beatUs: {
    what: "room node, a received beat of a room node",
    value: measured.roomNode.beatUs,
    unit: "µs of CPU",
    command: MODEL,
  },
  beatPerPartitionUs: {
    what: "the same, in addition for each partition in it",
    value: measured.roomNode.beatPerPartitionUs,
    unit: "µs of CPU",
    command: MODEL,
  },
  gatewayBeatAtRoomUs: {
    what: "room node, a received beat of a gateway",
    value: measured.roomNode.gatewayBeatUs,
    unit: "µs of CPU",
    command: MODEL,
  },
  watermarkUs: {
    what: "room node, a received watermark",
    value: measured.roomNode.watermarkUs,
    unit: "µs of CPU",
    command: MODEL,
  },
  messageArchiveUs: {
    what: "persistence, one message",
    value: 25,
    unit: "µs of CPU",
    command: B3,
  },
  archivedPerSecond: {
    what: "persistence and PostgreSQL, one process, full batches",
    value: 58_920,
    unit: "events a second",
    command: "make bench ONLY=B7 ROUNDS=1",
  },
  transactionsPerSecond: {
    what: "PostgreSQL, transactions of one event, one in flight",
    value: 2_052,
    unit: "a second",
    command: "make report ONLY=batches",
  },
  natsMessageUs: {
    what: "NATS, one message to one subscriber",
    value: measured.nats.messageUs,
    unit: "µs of CPU",
    command: MODEL,
  },
  natsDeliveryUs: {
    what: "NATS, the same message to one further subscriber",
    value: measured.nats.deliveryUs,
    unit: "µs of CPU",
    command: MODEL,
  },
  natsAppendUs: {
    what: "NATS, one append with its fsync, one server",
    value: measured.nats.appendUs,
    unit: "µs of CPU",
    command: MODEL,
  },
  natsSubscriptionBytes: {
    what: "NATS, one subscription to a subject of its own",
    value: measured.nats.subscriptionBytes,
    unit: "bytes resident",
    command: MODEL,
  },
  natsReplicaUs: {
    what: "NATS, one idle replica of a partition log",
    value: measured.nats.replicaUs,
    unit: "µs of CPU a second",
    command: MODEL,
  },
} as const satisfies Readonly<Record<string, Constant>>;

/** The values alone. */
export type Costs = Readonly<Record<keyof typeof CONSTANTS, number>>;

export const COSTS = Object.fromEntries(
  Object.entries(CONSTANTS).map(([name, { value }]) => [name, value]),
) as Costs;
