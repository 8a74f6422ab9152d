// Kinds: what each message on the bus is for, by its subject.
//
//   kinds.1. Every subject of shared/protocol/subjects.ts that a simulated cluster uses has a kind.
//        A subject without one throws, so a new subject cannot be missing from the model unnoticed.

/** The kinds, in the order of the tables of docs/scale.md. */
export const KINDS = [
  "room beat",
  "gateway beat",
  "persistence beat",
  "watermark",
  "log size",
  "command",
  "append",
  "line",
  "result",
  "entry read",
  "presence",
  "archive request",
  "answer",
  "ping",
  "suspect",
  "sessions",
] as const;

export type Kind = (typeof KINDS)[number];

/** Messages into NATS and out of it. One message to ten subscribers is 1 in and 10 out. */
export interface Flow {
  readonly in: number;
  readonly out: number;
}

export type Flows = Readonly<Record<Kind, Flow>>;

const BY_PREFIX: Readonly<Record<string, Kind>> = {
  cmd: "command",
  gw: "result",
  out: "line",
  live: "presence",
  note: "presence", // Hints, which cost nothing while no user is mentioned and no member changes.
  hist: "archive request",
  watermark: "watermark",
  suspect: "suspect",
  sess: "sessions",
};
const WHOLE: Readonly<Record<string, Kind>> = {
  "node.room": "room beat",
  "node.gateway": "gateway beat",
  "node.persistence": "persistence beat",
  sess: "sessions", // Leases while no session begins or ends.
};
const PING = /^(?:node|pers)\.[^.]+\.ping$/;
/** The reply subjects of requests, on NATS and in the simulation. */
const INBOX = /^_INBOX[ _.]/;

/** kinds.1. */
export function kindOf(subject: string): Kind {
  const whole = WHOLE[subject];
  if (whole !== undefined) return whole;
  const prefix = subject.slice(0, Math.max(0, subject.indexOf(".")));
  const kind = BY_PREFIX[prefix];
  if (kind !== undefined) return kind;
  if (PING.test(subject)) return "ping";
  if (INBOX.test(subject)) return "answer";
  throw new Error(`the subject ${subject} has no kind`);
}

export function flowsOf(flow: (kind: Kind) => Flow): Flows {
  return Object.fromEntries(KINDS.map((kind) => [kind, flow(kind)])) as Flows;
}
