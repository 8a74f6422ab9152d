// SimulatedBus: the Bus port of one process, and the faults of its connection to the broker.
//
// Owns: both directions of the connection, its status, its open requests. Does not own: routing
// (broker.ts).
//
//   sim/bus.1. `cut` blocks one or both directions. After DETECT_MS the client's pings have failed
//              twice: the client drops the connection, everything in transit is lost, and the
//              client reconnects.
//   sim/bus.2. While disconnected, a publish is dropped and a request times out at once.
//   sim/bus.3. Handlers run through the process (process.ts): never after its exit, and after a
//              pause when the process resumes.
//   sim/bus.4. A publish above the payload limit (ports/bus.7) is a finding.

import { isTooLarge } from "#shared/ports/bus.ts";
import type {
  Bus,
  BusCounts,
  BusMessage,
  BusStatus,
  BusSubscription,
  PublishOutcome,
  RequestOutcome,
  Subscription,
} from "#shared/ports/bus.ts";
import { inboxOf } from "./broker.ts";
import type { BrokerConnection, Route, SimulatedBroker } from "./broker.ts";
import { Pipe } from "./pipe.ts";
import type { SimulatedProcess } from "./process.ts";

/** Two NATS pings at the interval that our services configure. */
const DETECT_MS = 10_000;
const RECONNECT_MS = { min: 100, max: 1_500 };
/** broker.2: how long the broker keeps the connection of a host that it cannot reach. */
export const STALE_CONNECTION_MS = 3_000;
const FLUSH_TIMEOUT_MS = 2_000;

const encoder = new TextEncoder();

export class SimulatedBus implements Bus, BrokerConnection {
  readonly process: SimulatedProcess;
  readonly up: Pipe;
  readonly down: Pipe;
  readonly #broker: SimulatedBroker;
  readonly #routes = new Set<Route>();
  readonly #listeners = new Set<(status: BusStatus) => void>();
  readonly #requests = new Map<string, (outcome: RequestOutcome) => void>();
  readonly #lossListeners = new Set<() => void>();
  #status: BusStatus = "connected";
  #isClosed = false;
  #requestCount = 0;
  #dropped = 0;
  #tooLarge = 0;
  /** Counts cuts and restores: a newer one cancels what an older one has scheduled. */
  #cuts = 0;
  /** Counts the connections that this bus has made. */
  #incarnation = 0;

  constructor(broker: SimulatedBroker, process: SimulatedProcess) {
    this.#broker = broker;
    this.process = process;
    this.up = new Pipe(broker.options);
    this.down = new Pipe(broker.options);
    broker.register(this);
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
      const detail = `${this.name} published a too large payload on ${subject}`;
      this.#broker.options.findings.violation("ports/bus.7", detail); // sim/bus.4
      return "too-large";
    }
    const bytes = typeof data === "string" ? encoder.encode(data) : data.slice();
    const message = { subject, data: bytes, ...(reply !== undefined && { reply }) };
    this.up.put(subject, () => this.#broker.route(this, message));
    return "sent";
  }

  subscribe(
    subject: string,
    handler: (message: BusMessage) => void,
    options: { readonly queue?: string } = {},
  ): BusSubscription {
    const route: Route = { connection: this, subject, queue: options.queue, handler, isOpen: true };
    this.#routes.add(route);
    this.#control(() => this.#add(route));
    const remove = (): void => {
      this.#routes.delete(route);
      this.#control(() => this.#broker.remove(route));
    };
    return {
      unsubscribe: () => {
        route.isOpen = false;
        remove();
      },
      drain: async () => {
        remove();
        await this.flush();
        route.isOpen = false;
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
      const reply = inboxOf(this, ++this.#requestCount);
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
    this.#isClosed = true;
  }

  /** Calls `notify` when the connection is lost, for other traffic on it (log.ts). */
  onLost(notify: () => void): () => void {
    this.#lossListeners.add(notify);
    return () => void this.#lossListeners.delete(notify);
  }

  receive(key: string, run: () => void): void {
    if (this.#status === "disconnected") return;
    this.down.put(key, () => this.process.run(run)); // sim/bus.3
  }

  answer(inbox: string, outcome: RequestOutcome): void {
    this.#requests.get(inbox)?.(outcome);
  }

  /** sim/bus.1. */
  cut(direction: "up" | "down" | "both"): void {
    const cut = ++this.#cuts;
    if (direction !== "down") this.up.block();
    if (direction !== "up") this.down.block();
    this.#broker.options.scheduler.after(DETECT_MS, () => {
      if (cut === this.#cuts) this.disconnect(STALE_CONNECTION_MS);
    });
  }

  /** Ends a cut: held traffic continues late, or the client makes a new connection. */
  restore(): void {
    const cut = ++this.#cuts;
    if (this.#isClosed) return;
    if (this.#status === "connected") {
      this.up.unblock();
      this.down.unblock();
      return;
    }
    const { scheduler, rng } = this.#broker.options;
    scheduler.after(rng.between(RECONNECT_MS.min, RECONNECT_MS.max), () => {
      if (cut === this.#cuts) this.process.run(() => this.#reconnect());
    });
  }

  /** Ends the connection. The broker removes its subscriptions after `staleMs`. */
  disconnect(staleMs = 0): void {
    if (this.#status === "disconnected") return;
    this.#broker.options.trace.add(`disconnected ${this.name}`);
    this.up.reset();
    this.down.reset();
    this.removeFromBroker(staleMs);
    this.#status = "disconnected";
    for (const settle of this.#requests.values()) {
      this.process.run(() => settle({ kind: "timeout" }));
    }
    for (const notify of this.#lossListeners) this.process.run(notify);
    this.process.run(() => this.#notify());
  }

  /** The broker removes the subscriptions after `afterMs`, unless this bus reconnects first. */
  removeFromBroker(afterMs: number): void {
    const incarnation = this.#incarnation;
    this.#broker.options.scheduler.after(afterMs, () => {
      if (incarnation === this.#incarnation) this.#broker.removeAll(this);
    });
  }

  #reconnect(): void {
    if (this.#status === "connected") return;
    this.#broker.options.trace.add(`reconnected ${this.name}`);
    this.#incarnation++;
    this.up.reset(); // Blocks of the old connection do not apply to the new one.
    this.down.reset();
    this.#status = "connected"; // First, so that the subscriptions below are not dropped.
    for (const route of this.#routes) this.#control(() => this.#add(route));
    this.#notify();
  }

  /** The end of an exited process' connection comes after everything that the process has sent. */
  #add(route: Route): void {
    if (this.process.isRunning && route.isOpen) this.#broker.add(route);
  }

  #control(run: () => void): void {
    if (this.#status === "connected") this.up.putBarrier(run);
  }

  #notify(): void {
    for (const listener of this.#listeners) listener(this.#status);
  }
}
