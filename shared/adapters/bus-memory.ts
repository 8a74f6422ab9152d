// MemoryBus: one broker in memory with any number of connections, for tests and for the simulation.
//
// It has the structure of NATS, so that code which works here works on NATS: the operations of a
// connection (publish, subscribe, flush) travel to the broker in order, and the broker's messages
// travel back in order. Each of these steps is one call of `schedule`, so that a simulation can
// delay it. A step takes the next item of its queue, so the order within a connection and direction
// holds under any scheduler (ports/bus.2).
//
// `disconnect` cuts a connection: messages in flight in either direction are lost, the broker
// forgets its subscriptions until `reconnect`, and open requests time out at once.

import { isTooLarge } from "../ports/bus.ts";
import type {
  Bus,
  BusCounts,
  BusMessage,
  BusStatus,
  BusSubscription,
  PublishOutcome,
  RequestOutcome,
  Subscription,
} from "../ports/bus.ts";
import type { Timer } from "../ports/clock.ts";

export interface MemoryBrokerOptions {
  /** Runs a delivery step later, not synchronously; default: as a microtask. */
  readonly schedule?: (run: () => void) => void;
  /** For the timeouts of requests; default: real timers. */
  readonly after?: (delayMs: number, run: () => void) => Timer;
  /** Called for every handler that throws; only that message is lost. Default: a warning. */
  readonly onHandlerError?: (error: unknown) => void;
}

interface Route {
  readonly bus: MemoryBus;
  readonly tokens: readonly string[];
  readonly queue: string | undefined;
  readonly handler: (message: BusMessage) => void;
  isOpen: boolean;
}

export class MemoryBroker {
  readonly options: Required<MemoryBrokerOptions>;
  readonly #routes = new Set<Route>();
  #connections = 0;
  #turn = 0;

  constructor(options: MemoryBrokerOptions = {}) {
    this.options = {
      schedule: options.schedule ?? queueMicrotask,
      after: options.after ?? realTimer,
      onHandlerError: options.onHandlerError ?? ((error) => process.emitWarning(String(error))),
    };
  }

  connect(): MemoryBus {
    return new MemoryBus(this, this.#connections++);
  }

  /** The broker's side; only connections call these. */
  add(route: Route): void {
    this.#routes.add(route);
  }

  remove(route: Route): void {
    this.#routes.delete(route);
  }

  removeAll(bus: MemoryBus): void {
    for (const route of this.#routes) if (route.bus === bus) this.#routes.delete(route);
  }

  route(from: MemoryBus, message: BusMessage): void {
    const tokens = message.subject.split(".");
    const groups = new Map<string, Route[]>();
    let found = false;
    for (const route of this.#routes) {
      if (!subjectMatches(route.tokens, tokens)) continue;
      found = true;
      if (route.queue === undefined) route.bus.deliver(route, message);
      else groups.set(route.queue, [...(groups.get(route.queue) ?? []), route]);
    }
    for (const members of groups.values()) {
      const chosen = members[this.#turn++ % members.length]; // ports/bus.3
      chosen?.bus.deliver(chosen, message);
    }
    if (!found && message.reply !== undefined) this.#refuse(from, message.subject, message.reply);
  }

  /** ports/bus.4. As in NATS, only the publishing connection receives this answer. */
  #refuse(from: MemoryBus, subject: string, reply: string): void {
    const tokens = reply.split(".");
    const answer = { subject: reply, data: new Uint8Array(), noResponders: subject };
    for (const route of this.#routes) {
      if (route.bus === from && subjectMatches(route.tokens, tokens)) from.deliver(route, answer);
    }
  }
}

/** Steps in flight in one direction. A longer queue means a loop that never ends. */
const QUEUE_MAX = 1_000_000;

export class MemoryBus implements Bus {
  readonly #broker: MemoryBroker;
  readonly #inbox: string;
  readonly #routes = new Set<Route>();
  readonly #listeners = new Set<(status: BusStatus) => void>();
  /** Open requests and flushes: how to end each of them when the connection is lost. */
  readonly #waiting = new Set<() => void>();
  #outbound: (() => void)[] = [];
  #inbound: (() => void)[] = [];
  #status: BusStatus = "connected";
  #isClosed = false;
  #requests = 0;
  #dropped = 0;
  #tooLarge = 0;

  constructor(broker: MemoryBroker, number: number) {
    this.#broker = broker;
    this.#inbox = `_INBOX.memory${number}`;
  }

  get status(): BusStatus {
    return this.#status;
  }

  get counts(): BusCounts {
    return { dropped: this.#dropped, tooLarge: this.#tooLarge };
  }

  publish(subject: string, data: string | Uint8Array, reply?: string): PublishOutcome {
    if (this.#status === "disconnected") {
      this.#dropped++;
      return "dropped";
    }
    if (isTooLarge(data)) {
      this.#tooLarge++;
      return "too-large";
    }
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : new Uint8Array(data);
    const message = { subject, data: bytes, ...(reply !== undefined && { reply }) };
    this.#send(() => this.#broker.route(this, message));
    return "sent";
  }

  subscribe(
    subject: string,
    handler: (message: BusMessage) => void,
    options: { readonly queue?: string } = {},
  ): BusSubscription {
    const tokens = subject.split(".");
    const route: Route = { bus: this, tokens, queue: options.queue, handler, isOpen: true };
    this.#routes.add(route);
    this.#send(() => this.#broker.add(route));
    const remove = (): void => {
      this.#routes.delete(route);
      this.#send(() => this.#broker.remove(route));
    };
    return {
      unsubscribe: () => {
        // ports/bus.6 holds from here on; the broker processes the removal in order.
        route.isOpen = false;
        remove();
      },
      drain: async () => {
        remove();
        await this.flush(); // The broker's answer arrives behind all earlier messages.
        route.isOpen = false;
      },
    };
  }

  request(
    subject: string,
    data: string | Uint8Array,
    options: { readonly timeoutMs: number },
  ): Promise<RequestOutcome> {
    if (this.#status === "disconnected") return Promise.resolve({ kind: "timeout" });
    return new Promise((resolve) => {
      const reply = `${this.#inbox}.${this.#requests++}`;
      const settle = (outcome: RequestOutcome): void => {
        timer.cancel();
        answers.unsubscribe();
        this.#waiting.delete(lose);
        resolve(outcome);
      };
      const lose = (): void => settle({ kind: "timeout" });
      const answers = this.subscribe(reply, (message) => {
        if (message.noResponders === undefined) settle({ kind: "ok", data: message.data });
        else settle({ kind: "no-responders" });
      });
      const timer = this.#broker.options.after(options.timeoutMs, lose);
      this.#waiting.add(lose);
      if (this.publish(subject, data, reply) === "too-large") settle({ kind: "too-large" });
    });
  }

  flush(): Promise<boolean> {
    if (this.#status === "disconnected") return Promise.resolve(false);
    return new Promise((resolve) => {
      const lose = (): void => resolve(false);
      this.#waiting.add(lose);
      this.#send(() =>
        this.#receive(() => {
          this.#waiting.delete(lose);
          resolve(true);
        }),
      );
    });
  }

  onStatus(handler: (status: BusStatus) => void): Subscription {
    this.#listeners.add(handler);
    return { unsubscribe: () => void this.#listeners.delete(handler) };
  }

  async close(): Promise<void> {
    await this.flush();
    this.disconnect();
    this.#isClosed = true;
  }

  /** Cuts the connection: messages in flight are lost. */
  disconnect(): void {
    if (this.#status === "disconnected") return;
    // Emptied and replaced: steps that are already scheduled hold the old queues and find nothing.
    this.#outbound.length = 0;
    this.#inbound.length = 0;
    this.#outbound = [];
    this.#inbound = [];
    this.#broker.removeAll(this);
    this.#setStatus("disconnected");
    for (const lose of this.#waiting) lose();
    this.#waiting.clear();
  }

  reconnect(): void {
    if (this.#status === "connected" || this.#isClosed) return;
    this.#status = "connected"; // First, so that the subscriptions below are not dropped.
    for (const route of this.#routes) this.#send(() => this.#broker.add(route));
    this.#notify();
  }

  /** Delivers a message from the broker to a subscriber of this connection. */
  deliver(route: Route, message: BusMessage): void {
    this.#receive(() => {
      if (!route.isOpen) return;
      try {
        route.handler(message);
      } catch (error: unknown) {
        this.#broker.options.onHandlerError(error);
      }
    });
  }

  #send(step: () => void): void {
    if (this.#status === "disconnected") return; // ports/bus.1
    this.#enqueue(this.#outbound, step);
  }

  #receive(step: () => void): void {
    if (this.#status === "disconnected") return;
    this.#enqueue(this.#inbound, step);
  }

  /** One scheduled run per step. The queue decides which step it takes (ports/bus.2). */
  #enqueue(queue: (() => void)[], step: () => void): void {
    if (queue.length >= QUEUE_MAX) throw new Error("the queue of the memory bus is full");
    queue.push(step);
    this.#broker.options.schedule(() => queue.shift()?.());
  }

  #setStatus(status: BusStatus): void {
    this.#status = status;
    this.#notify();
  }

  #notify(): void {
    for (const listener of this.#listeners) listener(this.#status);
  }
}

/** NATS wildcards: `*` matches one token, `>` matches one or more at the end. */
export function subjectMatches(pattern: readonly string[], subject: readonly string[]): boolean {
  for (const [index, token] of pattern.entries()) {
    if (token === ">") return subject.length > index;
    if (index >= subject.length) return false;
    if (token !== "*" && token !== subject[index]) return false;
  }
  return pattern.length === subject.length;
}

function realTimer(delayMs: number, run: () => void): Timer {
  const timer = setTimeout(run, delayMs);
  return { cancel: () => clearTimeout(timer) };
}
