// SimulatedBroker: the simulated NATS server, which routes messages between connections.
//
// Owns: subscriptions, queue groups, inboxes, "no responders", loss and duplication of messages.
// Does not own: the client's half of a connection (bus.ts), delay and order (pipe.ts).
//
//   broker.1. The broker keeps the guarantees of NATS (ports/bus.1 to ports/bus.5) and no others.
//             The conditions of the run decide which permitted faults occur.
//   broker.2. The broker keeps the subscriptions of a vanished host for a while. Messages to that
//             connection are lost, also when a queue group selected it.

import { subjectMatches } from "#shared/adapters/bus-memory.ts";
import type { BusMessage, RequestOutcome } from "#shared/ports/bus.ts";
import type { Conditions } from "./conditions.ts";
import type { Findings } from "./findings.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SeededRng } from "./seeded-rng.ts";
import type { Trace } from "./trace.ts";

/** The broker's view of one client connection. */
export interface BrokerConnection {
  /** Unique among the connections of one broker. */
  readonly name: string;
  /** Sends something to the client; `run` executes in the client's process. */
  receive(key: string, run: () => void): void;
  /** Settles the open request that waits on `inbox`. */
  answer(inbox: string, outcome: RequestOutcome): void;
}

export interface Route {
  readonly connection: BrokerConnection;
  readonly subject: string;
  readonly queue: string | undefined;
  readonly handler: (message: BusMessage) => void;
  isOpen: boolean;
}

export interface BrokerOptions {
  readonly scheduler: Scheduler;
  readonly rng: SeededRng;
  readonly conditions: Conditions;
  readonly trace: Trace;
  readonly findings: Findings;
  /** Called for every message that the broker routes. */
  readonly onRouted: (message: BusMessage) => void;
}

const EMPTY = new Uint8Array();
const INBOX = "_INBOX";

export class SimulatedBroker {
  readonly options: BrokerOptions;
  readonly #connections = new Map<string, BrokerConnection>();
  readonly #routes = new Map<string, Set<Route>>();
  /** Routes whose subject contains `*` or `>`. */
  readonly #wildcards = new Set<Route>();

  constructor(options: BrokerOptions) {
    this.options = options;
  }

  register(connection: BrokerConnection): void {
    this.#connections.set(connection.name, connection);
  }

  add(route: Route): void {
    if (/[*>]/.test(route.subject)) {
      this.#wildcards.add(route);
      return;
    }
    const routes = this.#routes.get(route.subject);
    if (routes === undefined) this.#routes.set(route.subject, new Set([route]));
    else routes.add(route);
  }

  remove(route: Route): void {
    this.#routes.get(route.subject)?.delete(route);
    this.#wildcards.delete(route);
  }

  removeAll(connection: BrokerConnection): void {
    for (const routes of [...this.#routes.values(), this.#wildcards]) {
      for (const route of routes) if (route.connection === connection) routes.delete(route);
    }
  }

  route(from: BrokerConnection, message: BusMessage): void {
    const { trace, rng, onRouted } = this.options;
    const { subject, data, reply } = message;
    trace.add(`route ${from.name} ${subject}`, data);
    onRouted(message);
    const inboxOwner = this.#inboxOwner(subject);
    if (inboxOwner !== undefined) {
      this.#deliver(inboxOwner, subject, () => inboxOwner.answer(subject, { kind: "ok", data }));
      return;
    }
    const groups = new Map<string, Route[]>();
    let hasSubscriber = false;
    for (const route of this.#routesOf(subject)) {
      hasSubscriber = true;
      if (route.queue === undefined) this.#send(route, message);
      else groups.set(route.queue, [...(groups.get(route.queue) ?? []), route]);
    }
    for (const routes of groups.values()) {
      const chosen = rng.pick(routes); // ports/bus.3
      if (chosen !== undefined) this.#send(chosen, message);
    }
    if (!hasSubscriber && reply !== undefined) this.#refuse(from, subject, reply);
  }

  *#routesOf(subject: string): Generator<Route> {
    yield* this.#routes.get(subject) ?? [];
    if (this.#wildcards.size === 0) return;
    const tokens = subject.split(".");
    for (const route of this.#wildcards) {
      if (subjectMatches(route.subject.split("."), tokens)) yield route;
    }
  }

  #send(route: Route, message: BusMessage): void {
    this.#deliver(route.connection, message.subject, () => {
      if (route.isOpen) route.handler(message); // ports/bus.6
    });
  }

  #deliver(to: BrokerConnection, subject: string, run: () => void): void {
    const { rng, conditions, trace, findings } = this.options;
    if (rng.chance(conditions.loss)) {
      trace.add(`lost ${subject} to ${to.name}`); // ports/bus.1
      findings.count("message lost");
      return;
    }
    to.receive(subject, run);
    if (rng.chance(conditions.duplication)) to.receive(subject, run);
  }

  /** ports/bus.4. As in NATS, only the publishing connection receives this answer. */
  #refuse(from: BrokerConnection, subject: string, reply: string): void {
    if (this.#inboxOwner(reply) === from) {
      from.receive(reply, () => from.answer(reply, { kind: "no-responders" }));
      return;
    }
    const answer = { subject: reply, data: EMPTY, noResponders: subject };
    for (const route of this.#routesOf(reply)) {
      if (route.connection === from) this.#send(route, answer);
    }
  }

  #inboxOwner(subject: string): BrokerConnection | undefined {
    if (!subject.startsWith(`${INBOX} `)) return undefined;
    return this.#connections.get(subject.split(" ")[1] ?? "");
  }
}

/** The reply subject of request `n` of a connection. */
export function inboxOf(connection: BrokerConnection, n: number): string {
  return `${INBOX} ${connection.name} ${n}`;
}
