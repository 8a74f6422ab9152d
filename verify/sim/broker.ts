// Net: the NATS server of a simulated world, and what becomes of a message on its way.
//
// Owns: who is subscribed, queue groups, "no responders", loss and duplication. Does not own: a
// connection's own side (bus.ts), delay and order (pipe.ts).
//
//   broker.1. It keeps what NATS keeps (ports/bus.1 to ports/bus.5) and nothing more: the weather decides which
//        freedom it uses.
//   broker.2. The connection of a host that vanished stays known for a while; what is sent to it is
//        lost, also if a queue group chose it.

import { assert } from "#shared/kit/assert.ts";
import type { BusMessage } from "#shared/ports/bus.ts";
import type { SimBus } from "./bus.ts";
import type { Dice } from "./seeded-rng.ts";
import type { Findings } from "./findings.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Trace } from "./trace.ts";
import type { Weather } from "./conditions.ts";

export interface Route {
  readonly bus: SimBus;
  readonly subject: string;
  readonly queue: string | undefined;
  readonly handler: (message: BusMessage) => void;
  isOpen: boolean;
}

export interface NetOptions {
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly weather: Weather;
  readonly trace: Trace;
  readonly findings: Findings;
  /** Sees every message as the server routes it. */
  readonly onRouted: (from: SimBus, message: BusMessage) => void;
}

const EMPTY = new Uint8Array();

export class Net {
  readonly options: NetOptions;
  readonly #routes = new Map<string, Set<Route>>();

  constructor(options: NetOptions) {
    this.options = options;
  }

  add(route: Route): void {
    assert(!/[*>]/.test(route.subject), "nothing in the product subscribes with wildcards");
    const routes = this.#routes.get(route.subject);
    if (routes === undefined) this.#routes.set(route.subject, new Set([route]));
    else routes.add(route);
  }

  remove(route: Route): void {
    this.#routes.get(route.subject)?.delete(route);
  }

  removeAll(bus: SimBus): void {
    for (const routes of this.#routes.values()) {
      for (const route of routes) if (route.bus === bus) routes.delete(route);
    }
  }

  route(from: SimBus, message: BusMessage): void {
    const { trace, dice, onRouted } = this.options;
    const { subject, data, reply } = message;
    trace.add(`route ${from.name} ${subject}`, data);
    onRouted(from, message);
    const inbox = from.ownerOf(subject);
    if (inbox !== undefined) {
      this.#deliver(inbox, subject, () => inbox.answer(subject, { kind: "ok", data }));
      return;
    }
    const groups = new Map<string, Route[]>();
    let isHeard = false;
    for (const route of this.#routes.get(subject) ?? []) {
      isHeard = true;
      if (route.queue === undefined) this.#send(route, message);
      else groups.set(route.queue, [...(groups.get(route.queue) ?? []), route]);
    }
    for (const members of groups.values()) {
      const chosen = dice.pick(members); // ports/bus.3
      if (chosen !== undefined) this.#send(chosen, message);
    }
    if (!isHeard && reply !== undefined) this.#refuse(from, subject, reply);
  }

  #send(route: Route, message: BusMessage): void {
    this.#deliver(route.bus, message.subject, () => {
      if (route.isOpen) route.handler(message); // ports/bus.6
    });
  }

  #deliver(to: SimBus, subject: string, run: () => void): void {
    const { dice, weather, trace, findings } = this.options;
    if (dice.chance(weather.loss)) {
      trace.add(`lost ${subject} to ${to.name}`); // ports/bus.1
      findings.saw("message lost");
      return;
    }
    to.receive(subject, run);
    if (dice.chance(weather.duplication)) to.receive(subject, run);
  }

  /** ports/bus.4. Like NATS, only the connection that published hears of it. */
  #refuse(from: SimBus, subject: string, reply: string): void {
    if (from.isInbox(reply)) {
      from.receive(reply, () => from.answer(reply, { kind: "no-responders" }));
      return;
    }
    const answer = { subject: reply, data: EMPTY, noResponders: subject };
    for (const route of this.#routes.get(reply) ?? []) {
      if (route.bus === from) this.#send(route, answer);
    }
  }
}
