// Bus: one process' connection to the simulated NATS server: the Bus port, and all that can happen
// to a connection.
//
// Owns: both pipes, the status, open requests. Does not own: routing (broker.ts).
//
//   sim/bus.1. `cut` blocks one direction or both. After DETECT_MS of that the client's pings have failed
//        twice: it gives the connection up, what was on its way is lost, and it tries again.
//   sim/bus.2. While it is disconnected publishes are dropped and requests time out at once.
//   sim/bus.3. All that reaches the process goes through its gate (process.ts), so a dead process hears
//        nothing and a stopped one hears it late.
//   sim/bus.4. No process publishes more than a message may hold (ports/bus.7): the world is broken when one does.

import { isTooLarge } from "#shared/ports/bus.ts";
import type {
  Bus,
  BusCounts,
  BusMessage,
  BusStatus,
  PublishOutcome,
  RequestOutcome,
  Subscription,
} from "#shared/ports/bus.ts";
import type { Net, Route } from "./broker.ts";
import { Pipe } from "./pipe.ts";
import type { SimProcess } from "./process.ts";

/** Two of NATS' pings, as our services configure them. */
const DETECT_MS = 10_000;
const RECONNECT_MS = { min: 100, max: 1_500 };
/** broker.2: how long the server believes in a host that vanished. */
const ZOMBIE_MS = 3_000;
const FLUSH_TIMEOUT_MS = 2_000;

const encoder = new TextEncoder();
/** Inboxes are found by their name alone, over all connections of one world. */
const inboxes = new WeakMap<Net, Map<string, SimBus>>();

export class SimBus implements Bus {
  readonly process: SimProcess;
  readonly up: Pipe;
  readonly down: Pipe;
  readonly #net: Net;
  readonly #routes = new Set<Route>();
  readonly #listeners = new Set<(status: BusStatus) => void>();
  readonly #requests = new Map<string, (outcome: RequestOutcome) => void>();
  readonly #lost = new Set<() => void>();
  readonly #inboxes: Map<string, SimBus>;
  #status: BusStatus = "connected";
  #count = 0;
  #dropped = 0;
  #tooLarge = 0;
  #cuts = 0;
  #life = 0;

  constructor(net: Net, process: SimProcess) {
    this.#net = net;
    this.process = process;
    this.up = new Pipe(net.options);
    this.down = new Pipe(net.options);
    this.#inboxes = inboxes.get(net) ?? new Map<string, SimBus>();
    inboxes.set(net, this.#inboxes);
    this.#inboxes.set(process.id, this);
  }

  get name(): string {
    return this.process.id;
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
      return "dropped"; // sim/bus.2
    }
    if (isTooLarge(data)) {
      this.#tooLarge++;
      this.#net.options.findings.broken("BUS7", `${this.name} said too much on ${subject}`); // sim/bus.4
      return "too-large";
    }
    const bytes = typeof data === "string" ? encoder.encode(data) : data.slice();
    const message = { subject, data: bytes, ...(reply !== undefined && { reply }) };
    this.up.put(subject, () => this.#net.route(this, message));
    return "sent";
  }

  subscribe(
    subject: string,
    handler: (message: BusMessage) => void,
    options: { readonly queue?: string } = {},
  ): Subscription {
    const route: Route = { bus: this, subject, queue: options.queue, handler, isOpen: true };
    this.#routes.add(route);
    this.#control(() => this.#add(route));
    return {
      unsubscribe: () => {
        route.isOpen = false;
        this.#routes.delete(route);
        this.#control(() => this.#net.remove(route));
      },
    };
  }

  request(
    subject: string,
    data: string | Uint8Array,
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<RequestOutcome> {
    return new Promise((resolve) => {
      const settle = (outcome: RequestOutcome): void => {
        timer.cancel();
        this.#requests.delete(reply);
        resolve(outcome);
      };
      const reply = `_INBOX ${this.name} ${++this.#count}`;
      const wait = this.#status === "disconnected" ? 0 : timeoutMs;
      const timer = this.process.clock.after(wait, () => settle({ kind: "timeout" }));
      this.#requests.set(reply, settle);
      if (this.publish(subject, data, reply) === "too-large") settle({ kind: "too-large" });
    });
  }

  flush(): Promise<boolean> {
    return new Promise((resolve) => {
      const wait = this.#status === "disconnected" ? 0 : FLUSH_TIMEOUT_MS;
      const timer = this.process.clock.after(wait, () => resolve(false));
      this.#control(() => {
        this.down.putBarrier(() => {
          this.process.run(() => {
            timer.cancel();
            resolve(true);
          });
        });
      });
    });
  }

  onStatus(handler: (status: BusStatus) => void): Subscription {
    this.#listeners.add(handler);
    return { unsubscribe: () => void this.#listeners.delete(handler) };
  }

  async close(): Promise<void> {
    await this.flush();
    this.disconnect();
  }

  /** For what else travels on this connection (log.ts): called when it is lost. */
  onLost(tell: () => void): () => void {
    this.#lost.add(tell);
    return () => void this.#lost.delete(tell);
  }

  /** The server's way to this process. */
  receive(key: string, run: () => void): void {
    if (this.#status === "disconnected") return;
    this.down.put(key, () => this.process.run(run)); // sim/bus.3
  }

  answer(reply: string, outcome: RequestOutcome): void {
    this.#requests.get(reply)?.(outcome);
  }

  isInbox(subject: string): boolean {
    return subject.startsWith(`_INBOX ${this.name} `);
  }

  ownerOf(subject: string): SimBus | undefined {
    if (!subject.startsWith("_INBOX ")) return undefined;
    return this.#inboxes.get(subject.split(" ")[1] ?? "");
  }

  /** sim/bus.1. */
  cut(direction: "up" | "down" | "both"): void {
    const cut = ++this.#cuts;
    if (direction !== "down") this.up.block();
    if (direction !== "up") this.down.block();
    this.#net.options.scheduler.after(DETECT_MS, () => {
      if (cut === this.#cuts) this.disconnect(ZOMBIE_MS);
    });
  }

  /** The way is free again: what was held comes late, or a new connection is made. */
  mend(): void {
    const cut = ++this.#cuts;
    if (this.#status === "connected") {
      this.up.unblock();
      this.down.unblock();
      return;
    }
    const { scheduler, dice } = this.#net.options;
    scheduler.after(dice.between(RECONNECT_MS.min, RECONNECT_MS.max), () => {
      if (cut === this.#cuts) this.process.run(() => this.#reconnect());
    });
  }

  disconnect(zombieMs = 0): void {
    if (this.#status === "disconnected") return;
    this.#net.options.trace.add(`disconnected ${this.name}`);
    this.up.reset();
    this.down.reset();
    this.vanish(zombieMs);
    this.#status = "disconnected";
    for (const settle of this.#requests.values()) {
      this.process.run(() => settle({ kind: "timeout" }));
    }
    for (const tell of this.#lost) this.process.run(tell);
    this.process.run(() => this.#notify());
  }

  /** The server forgets the connection, sooner or later. */
  vanish(afterMs: number): void {
    const life = this.#life;
    this.#net.options.scheduler.after(afterMs, () => {
      if (life !== this.#life) return; // It came back before.
      this.#net.removeAll(this);
    });
  }

  #reconnect(): void {
    if (this.#status === "connected") return;
    this.#net.options.trace.add(`reconnected ${this.name}`);
    this.#life++;
    this.up.reset(); // A new connection: what blocked the old one is no more.
    this.down.reset();
    this.#status = "connected"; // First, so that the subscriptions below are not dropped.
    for (const route of this.#routes) this.#control(() => this.#add(route));
    this.#notify();
  }

  /** What a dead process had said is followed by the end of its connection. */
  #add(route: Route): void {
    if (this.process.isAlive && route.isOpen) this.#net.add(route);
  }

  #control(run: () => void): void {
    if (this.#status === "connected") this.up.putBarrier(run);
  }

  #notify(): void {
    for (const listener of this.#listeners) listener(this.#status);
  }
}
