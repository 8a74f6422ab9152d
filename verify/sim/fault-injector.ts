// Faults: what goes wrong in a run, and when. A seed decides; a plan never depends on the product.
//
//   fault-injector.1. Every fault that is begun is ended by `heal`, whatever its own time was.
//   fault-injector.2. At most all but nothing: a fault may hit the only process of its kind, and the cluster has
//        to live with that. What was killed starts again after a while, as a supervisor does it.

import type { Cluster, Member, ServiceKind } from "./cluster.ts";
import type { Dice } from "./seeded-rng.ts";
import type { Findings } from "./findings.ts";
import type { Fault, Options } from "./options.ts";
import type { Person } from "./user.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Trace } from "./trace.ts";
import { clearUp } from "./conditions.ts";
import type { Weather } from "./conditions.ts";

/** Beyond the ids' memory (10 min) and a room's idle time (5 min). */
const LEAP_MS = 16 * 60_000;
const HOURS_3_MS = 3 * 3_600_000;

export interface FaultOptions {
  readonly options: Options;
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly weather: Weather;
  readonly trace: Trace;
  readonly findings: Findings;
  readonly cluster: Cluster;
  readonly people: readonly Person[];
}

export class Faults {
  readonly #options: FaultOptions;
  /** How to end what goes on. */
  readonly #ends = new Set<() => void>();
  #isOver = false;

  constructor(options: FaultOptions) {
    this.#options = options;
  }

  begin(): void {
    this.#constant();
    this.#next();
  }

  /** fault-injector.1. From here on the world is calm. */
  heal(): void {
    this.#options.trace.add("heal");
    this.#isOver = true;
    for (const end of this.#ends) end();
    clearUp(this.#options.weather);
  }

  /** What holds for the whole of the bad time. */
  #constant(): void {
    const { weather, dice, options } = this.#options;
    const has = (fault: Fault): boolean => options.faults.includes(fault);
    if (has("loss")) weather.loss = dice.between(0.001, 0.05);
    if (has("duplication")) weather.duplication = dice.between(0.001, 0.05);
    if (has("spikes")) {
      weather.spike = dice.between(0.01, 0.1);
      weather.spikeMs = dice.int(50, 1_500);
    }
    weather.reorders = has("reorder");
    if (has("log-slow")) weather.log.slowMs = dice.int(5, 400);
    if (has("log-lag")) {
      weather.log.readLagMs = dice.int(50, 1_500);
      weather.log.stale = dice.between(0.05, 0.5);
    }
    if (has("log-doubt")) {
      weather.log.ackLoss = dice.between(0.002, 0.03);
      weather.log.appendLoss = dice.between(0.002, 0.03);
      weather.log.unnamed = dice.between(0.002, 0.03);
    }
    if (has("database-slow")) weather.database.slowMs = dice.int(20, 1_500);
    if (has("database-lag")) weather.database.replicaLagMs = dice.int(50, 5_000);
    if (has("database-doubt")) {
      weather.database.error = dice.between(0.02, 0.2);
      weather.database.doubt = dice.between(0.02, 0.2);
    }
  }

  #next(): void {
    const { scheduler, dice, options } = this.#options;
    scheduler.after(dice.between(0, options.faultMs * 2), () => {
      if (this.#isOver) return;
      const fault = dice.pick(options.faults);
      if (fault !== undefined) this.#strike(fault);
      this.#next();
    });
  }

  #strike(fault: Fault): void {
    const { dice, weather, scheduler } = this.#options;
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
        return this.#cut(dice.chance(0.5) ? "up" : "down");
      case "log-full":
        return this.#switch(fault, dice.int(200, 4_000), (on) => (weather.log.isFull = on));
      case "log-leaderless":
        return this.#switch(fault, dice.int(200, 6_000), (on) => (weather.log.isLeaderless = on));
      case "database-down":
        return this.#switch(fault, dice.int(500, 8_000), (on) => (weather.database.isDown = on));
      case "clock-jump": {
        const victim = this.#victim(dice.pick(KINDS) ?? "room");
        victim?.process.jump(dice.int(-HOURS_3_MS, HOURS_3_MS));
        return this.#tell(`${fault} ${victim?.process.id}`);
      }
      case "bus-restart":
        return this.#restartBus();
      case "leap":
        // A quarter of an hour passes without a sound: nothing waits for a wall clock.
        for (const { process } of this.#options.cluster.members) process.jump(LEAP_MS);
        for (const { process } of this.#options.people) process.jump(LEAP_MS);
        return this.#tell(fault);
      case "socket-drop":
      case "socket-half-open":
      case "slow-reader":
        return this.#socket(fault);
      case "loss":
      case "duplication":
      case "spikes":
      case "reorder":
      case "log-slow":
      case "log-doubt":
      case "log-lag":
      case "database-slow":
      case "database-doubt":
      case "database-lag":
      case "skew":
        return void scheduler; // These hold all the time.
    }
  }

  #kill(kind: ServiceKind): void {
    const { cluster, dice } = this.#options;
    const victim = this.#victim(kind);
    if (victim === undefined) return;
    cluster.kill(victim, dice.chance(0.3));
    this.#startLater(kind);
  }

  #leave(kind: ServiceKind): void {
    const victim = this.#victim(kind);
    if (victim === undefined || victim.process.isStopped) return;
    this.#options.cluster.leave(victim);
    this.#startLater(kind);
  }

  /** A supervisor starts another one; a rolling restart does it before the old one is gone. */
  #startLater(kind: ServiceKind): void {
    const { cluster, scheduler, dice } = this.#options;
    let isStarted = false;
    const start = (): void => {
      this.#ends.delete(start);
      if (!isStarted) cluster.start(kind);
      isStarted = true;
    };
    this.#ends.add(start);
    scheduler.after(dice.between(5, 3_000), start);
  }

  #pause(kind: ServiceKind): void {
    const { scheduler, dice, findings } = this.#options;
    const victim = this.#victim(kind);
    if (victim === undefined || victim.process.isStopped) return;
    const { process, bus } = victim;
    // What it had written may still lie in its buffers, and leave when it goes on.
    const isHeld = dice.chance(0.5);
    this.#tell(`stop ${process.id}`);
    findings.saw("process was stopped");
    process.stop();
    if (isHeld) bus.up.block();
    const end = (): void => {
      if (!this.#ends.delete(end)) return;
      this.#tell(`continue ${process.id}`);
      process.goOn();
      if (isHeld) bus.up.unblock();
    };
    this.#ends.add(end);
    scheduler.after(dice.between(100, 12_000), end);
  }

  #cut(direction: "up" | "down" | "both"): void {
    const { scheduler, dice } = this.#options;
    const victim = this.#victim(dice.pick(KINDS) ?? "room");
    if (victim === undefined) return;
    this.#tell(`cut ${direction} ${victim.process.id}`);
    victim.bus.cut(direction);
    const end = (): void => {
      if (!this.#ends.delete(end)) return;
      this.#tell(`mend ${victim.process.id}`);
      victim.bus.mend();
    };
    this.#ends.add(end);
    scheduler.after(dice.between(100, 15_000), end);
  }

  /** All NATS servers at once: every connection is lost, and comes back in its own time (F7). */
  #restartBus(): void {
    const { scheduler, dice, cluster } = this.#options;
    this.#tell("bus-restart");
    const members = [...cluster.members];
    for (const { bus } of members) bus.disconnect();
    const end = (): void => {
      if (!this.#ends.delete(end)) return;
      this.#tell("the bus is back");
      for (const { bus } of members) bus.mend();
    };
    this.#ends.add(end);
    scheduler.after(dice.between(200, 5_000), end);
  }

  #switch(name: string, forMs: number, set: (on: boolean) => void): void {
    this.#tell(`${name} begins`);
    set(true);
    const end = (): void => {
      if (!this.#ends.delete(end)) return;
      this.#tell(`${name} ends`);
      set(false);
    };
    this.#ends.add(end);
    this.#options.scheduler.after(forMs, end);
  }

  #socket(fault: "socket-drop" | "socket-half-open" | "slow-reader"): void {
    const { people, dice, scheduler } = this.#options;
    const person = dice.pick(people);
    const socket = person?.socket;
    if (person === undefined || socket === undefined) return;
    this.#tell(`${fault} ${person.user}`);
    if (fault === "socket-drop") return socket.drop();
    if (fault === "socket-half-open") return socket.sever();
    socket.pauseReading();
    const end = (): void => {
      if (!this.#ends.delete(end)) return;
      this.#tell(`${person.user} reads again`);
      socket.resumeReading();
    };
    this.#ends.add(end);
    scheduler.after(dice.between(500, 15_000), end);
  }

  #victim(kind: ServiceKind): Member | undefined {
    return this.#options.dice.pick(this.#options.cluster.of(kind));
  }

  #tell(what: string): void {
    this.#options.trace.add(`fault: ${what}`);
  }
}

const KINDS: readonly ServiceKind[] = ["gateway", "room", "persistence"];

function kindOf(fault: Fault): ServiceKind {
  return fault.slice(fault.indexOf("-") + 1) as ServiceKind;
}
