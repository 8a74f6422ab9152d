// RegionTerm: the right of the simulated region to serve, which a fault ends for a while. It stands
// for a region agent that lost its witness; no other region takes over meanwhile.
//
// Owns: whether the region may serve, what each process knows of it, and the check of T2. Does not
// own: the fence (services/room/runtime/regional-log.ts).
//
//   region-term.1. A right ends for all processes at one moment, as a lease does. A process notices
//                  that it has ended, or that it has returned, up to NOTICE_MS later, or after its
//                  pause.
//   region-term.2. A room node that sends a new ack or a broadcast without the right is a finding.

import type { RegionRight } from "#shared/process/region-grants.ts";
import type { Bus } from "#shared/ports/bus.ts";
import type { ResultBatch } from "#shared/protocol/results.ts";
import { decodeOut } from "#shared/protocol/lines.ts";
import type { Grant, Right } from "#shared/protocol/regions.ts";
import type { Findings } from "./findings.ts";
import { overBus } from "./over-bus.ts";
import type { SimulatedProcess } from "./process.ts";
import type { Scheduler } from "./scheduler.ts";
import { SeededRng } from "./seeded-rng.ts";

const NOTICE_MS = 300;
const GRANT: Grant = { v: 1, n: 1, term: 1, for: "everything", leftMs: 1, mirror: null };

const encoder = new TextEncoder();

export class RegionTerm {
  readonly #scheduler: Scheduler;
  readonly #findings: Findings;
  readonly #rng: SeededRng;
  readonly #rights = new Set<SimulatedRight>();
  #isHeld = true;

  constructor(seed: number, scheduler: Scheduler, findings: Findings) {
    this.#scheduler = scheduler;
    this.#findings = findings;
    this.#rng = new SeededRng(seed, "region");
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  set(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    if (!isHeld) this.#findings.count("term ended");
    for (const right of this.#rights) {
      right.isGranted = false; // region-term.1
      this.#notify(right);
    }
  }

  rightOf(process: SimulatedProcess): RegionRight {
    const right = new SimulatedRight(process);
    this.#rights.add(right);
    process.onExit(() => this.#rights.delete(right));
    this.#notify(right);
    return right;
  }

  /** region-term.2. */
  checked(bus: Bus): Bus {
    return overBus(bus, {
      publish: (subject, data, reply) => {
        if (!this.#isHeld && typeof data === "string" && isEffect(subject, data)) {
          this.#findings.violation("T2", `${subject} without a term: ${data.slice(0, 200)}`);
        }
        return bus.publish(subject, data, reply);
      },
    });
  }

  #notify(right: SimulatedRight): void {
    this.#scheduler.after(this.#rng.between(0, NOTICE_MS), () =>
      right.process.run(() => {
        right.isGranted = this.#isHeld;
        right.notify();
      }),
    );
  }
}

class SimulatedRight implements RegionRight {
  readonly process: SimulatedProcess;
  readonly grant = GRANT;
  readonly #listeners = new Set<() => void>();
  isGranted = false;

  constructor(process: SimulatedProcess) {
    this.process = process;
  }

  allows(): "everything" | "nothing" {
    return this.isGranted ? "everything" : "nothing";
  }

  onChange(handler: () => void): { unsubscribe(): void } {
    this.#listeners.add(handler);
    return { unsubscribe: () => void this.#listeners.delete(handler) };
  }

  rightOf(): Right {
    return GRANT;
  }

  takesClients(): boolean {
    return this.isGranted;
  }

  notify(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** A broadcast of lines, or the first answer to a send. A repeated answer is a read. */
function isEffect(subject: string, data: string): boolean {
  if (subject.startsWith("out.")) return (decodeOut(encoder.encode(data))?.count ?? 0) > 0;
  if (!subject.startsWith("gw.")) return false;
  const { results = [] } = JSON.parse(data.split("\n", 1)[0] ?? "") as Partial<ResultBatch>;
  return results.some((result) => "ok" in result && result.ok === "sent" && !result.repeat);
}
