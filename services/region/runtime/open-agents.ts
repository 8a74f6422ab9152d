// OpenAgents: the agents of one region with all their parts: one agent, or one for each home.
//
// Owns: the wiring, and the witness of each agent. Does not own: the bus, the log.

import { NatsWitness } from "#shared/adapters/witness-nats.ts";
import type { NatsBus } from "#shared/adapters/bus-nats.ts";
import { below } from "#shared/adapters/nats-mirror.ts";
import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { PartitionLog } from "#shared/ports/log.ts";
import { homeOfSettings, homesOf, partitionsOfHome } from "#shared/protocol/homes.ts";
import type { Millis } from "#shared/protocol/ids.ts";
import { FollowerWatch } from "./follower-watch.ts";
import { Follower } from "./follower.ts";
import { HomeAgents } from "./home-agents.ts";
import { Stores } from "./promotion.ts";
import { RegionAgent } from "./region-agent.ts";

export interface OpenOptions {
  readonly id: string;
  readonly region: string;
  readonly peer: string;
  readonly witness: Omit<NatsAccess, "name">;
  readonly partitions: number;
  readonly replicas: number;
  readonly logBytesMax: number;
  readonly database: string;
  /** The archive of the other region: both regions serve. Left out: one of them serves. */
  readonly peerDatabase?: string | undefined;
  readonly leaseMs: Millis;
  readonly renewMs: Millis;
  readonly autoPromote: boolean;
}

export interface OpenParts {
  readonly bus: NatsBus;
  readonly log: PartitionLog;
  readonly clock: Clock;
  readonly report: (event: string, detail: object) => void;
}

export interface OpenedAgent {
  /** Undefined: the one agent of the region. */
  readonly home: string | undefined;
  readonly agent: RegionAgent;
  readonly watch: FollowerWatch;
  readonly witness: NatsWitness;
}

export interface OpenedAgents {
  /** In the order of the homes. */
  readonly agents: readonly OpenedAgent[];
  /** What answers for the region. */
  readonly desk: RegionAgent | HomeAgents;
  start(): void;
  stop(): Promise<void>;
}

export function openAgents(options: OpenOptions, parts: OpenParts): OpenedAgents {
  const { region, peer, partitions, peerDatabase } = options;
  if (peerDatabase === undefined) {
    const one = openAgent(options, parts);
    return opened([one], one.agent);
  }
  const of = homesOf([region, peer], partitions);
  const desk = new HomeAgents(parts.bus);
  const agents = of.names.map((name) => {
    const home = { name, of, hasSettings: name === homeOfSettings(of), peerDatabase };
    return openAgent(options, parts, { ...home, onTakenOver: () => desk.onTakenOver(name) });
  });
  for (const { agent } of agents) desk.add(agent);
  return opened(agents, desk);
}

function opened(agents: readonly OpenedAgent[], desk: OpenedAgents["desk"]): OpenedAgents {
  return {
    agents,
    desk,
    start: () => desk.start(),
    stop: async () => {
      desk.stop();
      await Promise.all(agents.map(({ witness }) => witness.close()));
    },
  };
}

interface HomeWiring {
  readonly name: string;
  readonly of: ReturnType<typeof homesOf>;
  readonly hasSettings: boolean;
  readonly peerDatabase: string;
  readonly onTakenOver: () => void;
}

function openAgent(options: OpenOptions, parts: OpenParts, home?: HomeWiring): OpenedAgent {
  const { id, region, peer, leaseMs, renewMs, autoPromote } = options;
  const { bus, log, clock } = parts;
  const report: OpenParts["report"] = (event, detail) =>
    parts.report(event, home === undefined ? detail : { home: home.name, ...detail });
  const own = home && partitionsOfHome(home.of, home.name);
  const witness = new NatsWitness({ ...options.witness, name: id, home });
  const { onTakenOver = () => undefined } = home ?? {};
  const stores = new Stores(
    { ...options, home: home && { ...home, partitions: own ?? [] } },
    { connection: bus.connection, witness, clock, report },
  );
  const shared = {
    home: home?.name,
    partitions: own ?? below(options.partitions),
    bus,
    clock,
    log,
    report,
  };
  const watch = new FollowerWatch({ peer, ...shared });
  const follower = new Follower({
    region,
    ...shared,
    mirrors: () => stores.mirrors(),
    trim: () => stores.trim(),
  });
  const agent = new RegionAgent(
    {
      region,
      peer,
      leaseMs,
      renewMs,
      autoPromote,
      home: home && { name: home.name, all: home.of.names, partitions: own ?? [] },
    },
    { bus, clock, witness, stores, follower, watch, report, onTakenOver },
  );
  return { home: home?.name, agent, watch, witness };
}
