// FaultInjector: which faults occur in a run, and when. The seed decides; the plan does not depend
// on the product.
//
//   fault-injector.1. `heal` ends every fault that has begun, before its planned end.
//   fault-injector.2. A fault may hit the only process of its kind. The cluster must tolerate that:
//                     a killed process is started again after a while, as a supervisor does it.

import type { SimulatedCluster, SimulatedService, ServiceKind } from "./cluster.ts";
import type { SeededRng } from "./seeded-rng.ts";
import type { Findings } from "./findings.ts";
import type { Fault, Options } from "./options.ts";
import type { SimulatedUser } from "./user.ts";
import type { RegionTerm } from "./region-term.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Trace } from "./trace.ts";
import { endFaults } from "./conditions.ts";
import type { Conditions } from "./conditions.ts";

/** Longer than an owner remembers ids (10 min) and than an idle room stays in memory (5 min). */
const LEAP_MS = 16 * 60_000;
const CLOCK_JUMP_MAX_MS = 3 * 3_600_000;

export interface FaultInjectorOptions {
  readonly options: Options;
  readonly scheduler: Scheduler;
  readonly rng: SeededRng;
  readonly conditions: Conditions;
  readonly trace: Trace;
  readonly findings: Findings;
  readonly cluster: SimulatedCluster;
  readonly users: readonly SimulatedUser[];
  readonly term: RegionTerm;
}

export class FaultInjector {
  readonly #options: FaultInjectorOptions;
  /** Ends each fault that is in force. */
  readonly #ends = new Set<() => void>();
  #isOver = false;

  constructor(options: FaultInjectorOptions) {
    this.#options = options;
  }

  begin(): void {
    this.#beginConstant();
    this.#next();
  }

  /** fault-injector.1. No fault occurs after this call. */
  heal(): void {
    this.#options.trace.add("heal");
    this.#isOver = true;
    for (const end of this.#ends) end();
    endFaults(this.#options.conditions);
  }

  /** The faults that are in force until `heal`. */
  #beginConstant(): void {
    const { conditions, rng, options } = this.#options;
    const has = (fault: Fault): boolean => options.faults.includes(fault);
    if (has("loss")) conditions.loss = rng.between(0.001, 0.05);
    if (has("duplication")) conditions.duplication = rng.between(0.001, 0.05);
    if (has("spikes")) {
      conditions.spike = rng.between(0.01, 0.1);
      conditions.spikeMs = rng.int(50, 1_500);
    }
    conditions.reorders = has("reorder");
    if (has("log-slow")) conditions.log.slowMs = rng.int(5, 400);
    if (has("log-lag")) {
      conditions.log.readLagMs = rng.int(50, 1_500);
      conditions.log.staleLast = rng.between(0.05, 0.5);
    }
    if (has("log-uncertain")) {
      conditions.log.ackLoss = rng.between(0.002, 0.03);
      conditions.log.appendLoss = rng.between(0.002, 0.03);
      conditions.log.conflictWithoutLast = rng.between(0.002, 0.03);
    }
    if (has("database-slow")) conditions.database.slowMs = rng.int(20, 1_500);
    if (has("database-lag")) conditions.database.replicaLagMs = rng.int(50, 5_000);
    if (has("database-uncertain")) {
      conditions.database.error = rng.between(0.02, 0.2);
      conditions.database.answerLoss = rng.between(0.02, 0.2);
    }
  }

  #next(): void {
    const { scheduler, rng, options } = this.#options;
    scheduler.after(rng.between(0, options.faultMs * 2), () => {
      if (this.#isOver) return;
      const fault = rng.pick(options.faults);
      if (fault !== undefined) this.#inject(fault);
      this.#next();
    });
  }

  #inject(fault: Fault): void {
    const { rng, conditions } = this.#options;
    switch (fault) {
      case "kill-room":
      case "kill-gateway":
      case "kill-persistence":
        return this.#kill(kindOf(fault));
      case "leave-room":
      case "leave-gateway":
      case "leave-persistence":
        return this.#leave(kindOf(fault));
      case "pause-room":
      case "pause-gateway":
      case "pause-persistence":
        return this.#pause(kindOf(fault));
      case "cut":
        return this.#cut("both");
      case "cut-one-way":
        return this.#cut(rng.chance(0.5) ? "up" : "down");
      case "log-full":
        return this.#toggle(fault, rng.int(200, 4_000), (on) => (conditions.log.isFull = on));
      case "log-leaderless":
        return this.#toggle(fault, rng.int(200, 6_000), (on) => (conditions.log.isLeaderless = on));
      case "term-lapse":
        return this.#toggle(fault, rng.int(300, 5_000), (on) => this.#options.term.set(!on));
      case "database-down":
        return this.#toggle(fault, rng.int(500, 8_000), (on) => (conditions.database.isDown = on));
      case "clock-jump": {
        const victim = this.#victim(rng.pick(KINDS) ?? "room");
        victim?.process.adjustClock(rng.int(-CLOCK_JUMP_MAX_MS, CLOCK_JUMP_MAX_MS));
        return this.#trace(`${fault} ${victim?.process.id}`);
      }
      case "bus-restart":
        return this.#restartBus();
      case "split":
        this.#trace(fault);
        return this.#options.cluster.split();
      case "clock-leap":
        // All wall clocks advance at once. No timer may depend on a wall clock.
        for (const { process } of this.#options.cluster.services) process.adjustClock(LEAP_MS);
        for (const { process } of this.#options.users) process.adjustClock(LEAP_MS);
        return this.#trace(fault);
      case "socket-drop":
      case "socket-half-open":
      case "slow-reader":
        return this.#socket(fault);
      case "loss":
      case "duplication":
      case "spikes":
      case "reorder":
      case "log-slow":
      case "log-uncertain":
      case "log-lag":
      case "database-slow":
      case "database-uncertain":
      case "database-lag":
      case "skew":
        return; // Constant faults: #beginConstant.
    }
  }

  #kill(kind: ServiceKind): void {
    const { cluster, rng } = this.#options;
    const victim = this.#victim(kind);
    if (victim === undefined) return;
    cluster.kill(victim, rng.chance(0.3));
    this.#startLater(kind);
  }

  #leave(kind: ServiceKind): void {
    const victim = this.#victim(kind);
    if (victim === undefined || victim.process.isPaused) return;
    this.#options.cluster.leave(victim);
    this.#startLater(kind);
  }

  /** A supervisor starts a replacement; a rolling restart does so before the old process exits. */
  #startLater(kind: ServiceKind): void {
    const { cluster, scheduler, rng } = this.#options;
    let isStarted = false;
    const start = (): void => {
      this.#ends.delete(start);
      if (!isStarted) cluster.start(kind);
      isStarted = true;
    };
    this.#ends.add(start);
    scheduler.after(rng.between(5, 3_000), start);
  }

  #pause(kind: ServiceKind): void {
    const { scheduler, rng, findings } = this.#options;
    const victim = this.#victim(kind);
    if (victim === undefined || victim.process.isPaused) return;
    const { process, bus } = victim;
    // Its last writes may still be in its socket buffers. They leave when it resumes.
    const isHeld = rng.chance(0.5);
    this.#trace(`pause ${process.id}`);
    findings.count("process paused");
    process.pause();
    if (isHeld) bus.up.block();
    const end = (): void => {
      if (!this.#ends.delete(end)) return;
      this.#trace(`resume ${process.id}`);
      process.resume();
      if (isHeld) bus.up.unblock();
    };
    this.#ends.add(end);
    scheduler.after(rng.between(100, 12_000), end);
  }

  #cut(direction: "up" | "down" | "both"): void {
    const { scheduler, rng } = this.#options;
    const victim = this.#victim(rng.pick(KINDS) ?? "room");
    if (victim === undefined) return;
    this.#trace(`cut ${direction} ${victim.process.id}`);
    victim.bus.cut(direction);
    const end = (): void => {
      if (!this.#ends.delete(end)) return;
      this.#trace(`restore ${victim.process.id}`);
      victim.bus.restore();
    };
    this.#ends.add(end);
    scheduler.after(rng.between(100, 15_000), end);
  }

  /** All NATS servers restart: every connection is lost and reconnects at its own time (F7). */
  #restartBus(): void {
    const { scheduler, rng, cluster } = this.#options;
    this.#trace("bus-restart begins");
    const services = [...cluster.services];
    for (const { bus } of services) bus.disconnect();
    const end = (): void => {
      if (!this.#ends.delete(end)) return;
      this.#trace("bus-restart ends");
      for (const { bus } of services) bus.restore();
    };
    this.#ends.add(end);
    scheduler.after(rng.between(200, 5_000), end);
  }

  #toggle(name: string, forMs: number, set: (on: boolean) => void): void {
    this.#trace(`${name} begins`);
    set(true);
    const end = (): void => {
      if (!this.#ends.delete(end)) return;
      this.#trace(`${name} ends`);
      set(false);
    };
    this.#ends.add(end);
    this.#options.scheduler.after(forMs, end);
  }

  #socket(fault: "socket-drop" | "socket-half-open" | "slow-reader"): void {
    const { users, rng, scheduler } = this.#options;
    const user = rng.pick(users);
    const socket = user?.socket;
    if (user === undefined || socket === undefined) return;
    this.#trace(`${fault} ${user.id}`);
    if (fault === "socket-drop") return socket.drop();
    if (fault === "socket-half-open") return socket.sever();
    socket.pauseReading();
    const end = (): void => {
      if (!this.#ends.delete(end)) return;
      this.#trace(`slow-reader ${user.id} ends`);
      socket.resumeReading();
    };
    this.#ends.add(end);
    scheduler.after(rng.between(500, 15_000), end);
  }

  #victim(kind: ServiceKind): SimulatedService | undefined {
    return this.#options.rng.pick(this.#options.cluster.of(kind));
  }

  #trace(event: string): void {
    this.#options.trace.add(`fault: ${event}`);
  }
}

const KINDS: readonly ServiceKind[] = ["gateway", "room", "persistence"];

function kindOf(fault: Fault): ServiceKind {
  return fault.slice(fault.indexOf("-") + 1) as ServiceKind;
}
