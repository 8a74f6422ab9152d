// HomeAgents: the agents of all homes in one region, where both regions serve.
//
// Owns: the one answer to a process about all homes, and the choice of the agent for a request.
// Does not own: the term of a home (region-agent.ts), the division of the partitions
// (shared/protocol/homes.ts).
//
//   home-agents.1. The answer has the right to each home's partitions. It allows nothing for all
//        partitions together, so a process of an older version serves nothing.
//   home-agents.2. A request that changes something names a home.
//   home-agents.3. When this region has taken the home of a lost region over, owners of the other
//        homes no longer wait for that region's mirror (T13).

import type { Bus } from "#shared/ports/bus.ts";
import type { Grant, HomeRight, RegionAnswer, RegionRequest } from "#shared/protocol/regions.ts";
import { openDesk, refusal } from "./agent-desk.ts";
import type { Answering } from "./agent-desk.ts";
import type { RegionAgent } from "./region-agent.ts";

export class HomeAgents implements Answering {
  readonly #bus: Bus;
  /** In the order of the homes. */
  readonly #agents = new Map<string, RegionAgent>();
  #close: (() => void) | undefined;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  add(agent: RegionAgent): void {
    if (agent.home !== undefined) this.#agents.set(agent.home.name, agent);
  }

  /** The parts of each agent call it (home-agents.3). */
  onTakenOver(home: string): void {
    for (const [name, agent] of this.#agents) {
      if (name !== home) void agent.releaseFollower();
    }
  }

  of(home: string): RegionAgent | undefined {
    return this.#agents.get(home);
  }

  start(): void {
    for (const agent of this.#agents.values()) agent.start();
    this.#close = openDesk(this.#bus, this);
  }

  stop(): void {
    this.#close?.();
    for (const agent of this.#agents.values()) agent.stop();
  }

  grant(n: number): Grant {
    const agents = [...this.#agents.values()];
    const homes = agents.flatMap((agent): HomeRight[] => {
      const { home } = agent;
      if (home === undefined) return [];
      return [{ home: home.name, partitions: home.partitions, ...agent.right() }];
    });
    const clientsMs = Math.max(0, ...agents.map((agent) => agent.clientsMs));
    const none = { term: 0, for: "nothing", leftMs: 0, mirror: null } as const; // home-agents.1
    return { v: 1, n, ...none, homes, clientsMs };
  }

  async handle(request: RegionRequest): Promise<RegionAnswer> {
    const { home, verb } = request;
    const names = [...this.#agents.keys()];
    const [first = ""] = names;
    const agent = this.#agents.get(home ?? (verb === "status" ? first : ""));
    if (agent !== undefined) return agent.handle(request);
    return refusal("bad_request", `name a home: --home ${names.join(" or --home ")}`);
  }
}
