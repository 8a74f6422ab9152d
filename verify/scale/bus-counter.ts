// BusCounter: counts the messages of a simulated cluster by kind, at the ports of its processes.
//
// Owns: the counts. Does not own: the cluster (scale-run.ts), the meaning of a kind (kinds.ts).
//
//   bus-counter.1. It counts and changes nothing: a run with it has the trace of a run without it.
//   bus-counter.2. `in` counts a message when the broker routes it, `out` when the handler of a
//        subscriber runs. An append and a size of a log are one message each way; an entry that a
//        reader delivers is one message out.
//   bus-counter.3. The answer to a request about sessions has the kind of the request.

import type { Bus, BusMessage } from "#shared/ports/bus.ts";
import type { PartitionLog } from "#shared/ports/log.ts";
import type { PlantedBug } from "../sim/cluster.ts";
import { overBus } from "../sim/over-bus.ts";
import { flowsOf, kindOf, KINDS } from "./kinds.ts";
import type { Flows, Kind } from "./kinds.ts";

export class BusCounter {
  readonly #in = new Map<Kind, number>(KINDS.map((kind) => [kind, 0]));
  readonly #out = new Map<Kind, number>(KINDS.map((kind) => [kind, 0]));
  /** Where answers to requests about sessions arrive. */
  readonly #asked = new Set<string>();

  /** The counts so far. */
  get flows(): Flows {
    return flowsOf((kind) => ({ in: this.#in.get(kind) ?? 0, out: this.#out.get(kind) ?? 0 }));
  }

  /** For `onRouted` of the broker. */
  onRouted({ subject, reply }: BusMessage): void {
    const kind = kindOf(subject);
    if (kind === "sessions" && reply !== undefined) this.#asked.add(reply);
    const counted = this.#asked.delete(subject) ? "sessions" : kind; // bus-counter.3
    add(this.#in, counted);
    if (kind === "answer") add(this.#out, counted);
  }

  /** For `plantedBug` of the cluster: the same ports, counted. */
  readonly countPorts: PlantedBug = (_, ports) => ({
    ...ports,
    bus: this.#countBus(ports.bus),
    log: this.#countLog(ports.log),
  });

  #countBus(bus: Bus): Bus {
    const subscribe: Bus["subscribe"] = (subject, handler, options) => {
      const kind = kindOf(subject);
      const counted = (message: BusMessage): void => {
        add(this.#out, kind);
        handler(message);
      };
      return bus.subscribe(subject, counted, options);
    };
    return overBus(bus, { subscribe });
  }

  #countLog(log: PartitionLog): PartitionLog {
    return {
      append: (...args) => this.#both("append", log.append(...args)),
      last: (...args) => this.#both("log size", log.last(...args)),
      get: (...args) => log.get(...args),
      trim: (...args) => log.trim(...args),
      read: (p, from, handlers, options) => {
        const onEntry: typeof handlers.onEntry = (seq, data) => {
          add(this.#out, "entry read");
          handlers.onEntry(seq, data);
        };
        return log.read(p, from, { ...handlers, onEntry }, options);
      },
    };
  }

  #both<T>(kind: Kind, asked: Promise<T>): Promise<T> {
    add(this.#in, kind);
    add(this.#out, kind);
    return asked;
  }
}

function add(counts: Map<Kind, number>, kind: Kind): void {
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
}
