// Intake: decides when the frames of all connections are handled.
//
// Owns: the line of connections that used up their share of this iteration of the event loop, and
// the reason why a socket is not read. Does not own: the meaning of a frame, the rates
// (core/frame-limit.ts).
//
//   intake.1. Deficit round robin. One iteration handles at most CONNECTION_COST_PER_ITERATION_MAX
//        of a connection and COST_PER_ITERATION_MAX of all. The rest waits for the next iterations,
//        which serve the connections in order. A frame within the share is handled at once, so most
//        frames never wait.
//   intake.2. A frame beyond the rate gets no error: it waits until it is due, and the socket is
//        not read meanwhile. The same applies while the client does not read its answers. So a
//        client costs no more than its rate, TCP slows it down, and none of its frames are lost.
//   intake.3. Waiting text of one connection is bounded by what was read before the pause: at most
//        PENDING_CHARS_MAX and one read of the socket.

import type { Clock, Timer } from "#shared/ports/clock.ts";
import type { Millis } from "#shared/protocol/ids.ts";
import {
  CONNECTION_COST_PER_ITERATION_MAX,
  frameCost,
  PENDING_CHARS_MAX,
  COST_PER_ITERATION_MAX,
} from "../core/frame-limit.ts";
import type { FrameLimit } from "../core/frame-limit.ts";
import { FrameQueue } from "../core/frame-queue.ts";
import type { Peer } from "../core/admission.ts";
import type { GatewayStats } from "./gateway-stats.ts";

/** The connection of an inlet. */
export interface InletOwner {
  /** Undefined before the hello. */
  readonly peer: Peer | undefined;
  /** The client does not read its answers. */
  readonly isFull: boolean;
  take(line: string): void;
}

export interface InletOptions {
  readonly limit: FrameLimit;
  readonly socket: { pause(): void; resume(): void };
  readonly owner: InletOwner;
}

/** Label values of parley_gateway_intake_waits_total; "turn" is the next iteration. */
type Wait = "turn" | "socket" | "rate";

/** The state of one connection in the intake. */
export class Inlet {
  readonly #intake: Intake;
  readonly limit: FrameLimit;
  readonly socket: InletOptions["socket"];
  readonly owner: InletOwner;
  /** Undefined while no frame waits. */
  #queue: FrameQueue | undefined;
  /** The iteration to which `spent` belongs. */
  turn = -1;
  spent = 0;
  /** Since when its oldest frame waits for a turn; undefined when none does. */
  since: Millis | undefined;
  waits: Wait | undefined;
  timer: Timer | undefined;
  isPaused = false;

  constructor(intake: Intake, { limit, socket, owner }: InletOptions) {
    this.#intake = intake;
    this.limit = limit;
    this.socket = socket;
    this.owner = owner;
  }

  /** The memory of the text that waits. */
  get bytes(): number {
    return this.#queue?.bytes ?? 0;
  }

  /** The characters that wait. */
  get chars(): number {
    return this.#queue?.chars ?? 0;
  }

  onText(text: string): void {
    this.#queue ??= new FrameQueue();
    this.#queue.push(text);
    this.#intake.arrived(this);
  }

  /** The next frame without removing it; undefined when none waits. */
  peek(): string | undefined {
    const next = this.#queue?.peek();
    if (next === undefined) this.#queue = undefined;
    return next;
  }

  /** Removes the frame that `peek` returned. */
  drop(): void {
    this.#queue?.drop();
  }

  /** A frame arrived and waits for this process, not for its client. */
  get isInLine(): boolean {
    return this.waits === "turn" && this.peek() !== undefined;
  }

  /** A ping or a pong of the transport. False: send no pong. */
  onControl(): boolean {
    return this.#intake.control(this);
  }

  onDrain(): void {
    if (this.waits === "socket") this.#intake.again(this);
  }

  end(): void {
    this.#queue = undefined;
    this.#intake.forget(this);
  }
}

export class Intake {
  readonly #clock: Clock;
  readonly #stats: GatewayStats;
  /** Connections that used up their share, in the order in which they continue. */
  readonly #line = new Set<Inlet>();
  #iteration = 0;
  #cost = 0;
  #isScheduled = false;

  constructor(clock: Clock, stats: GatewayStats) {
    this.#clock = clock;
    this.#stats = stats;
  }

  /** Connections whose next frame waits for a later iteration. */
  get waiting(): number {
    return this.#line.size;
  }

  /** How long the frames of the next connection in the line have waited for their turn. */
  waitedMs(now: Millis): Millis {
    const [next] = this.#line;
    return next?.since === undefined ? 0 : now - next.since;
  }

  arrived(inlet: Inlet): void {
    if (inlet.waits === undefined) this.#serve(inlet);
    else if (inlet.chars > PENDING_CHARS_MAX) this.#pause(inlet); // intake.3
  }

  control(inlet: Inlet): boolean {
    this.#begin(inlet);
    const now = this.#clock.monotonic();
    const waitMs = inlet.limit.take(1, inlet.owner.peer, now);
    if (waitMs > 0) {
      inlet.limit.penalize(1, now);
      if (inlet.waits !== "rate") this.#waitFor(inlet, "rate", waitMs);
      return false;
    }
    if (this.#isSpent(inlet)) {
      if (inlet.waits === undefined) this.#waitFor(inlet, "turn");
      return false;
    }
    this.#spend(inlet, 1);
    return !inlet.owner.isFull;
  }

  /** The reason for the wait may be over. */
  again(inlet: Inlet): void {
    this.#leave(inlet);
    inlet.waits = "turn";
    this.#line.add(inlet);
    this.#schedule();
  }

  forget(inlet: Inlet): void {
    this.#leave(inlet);
  }

  #serve(inlet: Inlet): void {
    const { limit, owner } = inlet;
    this.#begin(inlet);
    for (let line = inlet.peek(); line !== undefined; line = inlet.peek()) {
      if (this.#isSpent(inlet)) return this.#waitFor(inlet, "turn"); // intake.1
      if (owner.isFull) return this.#waitFor(inlet, "socket"); // intake.2
      const cost = frameCost(line.length);
      const waitMs = limit.take(cost, owner.peer, this.#clock.monotonic());
      if (waitMs > 0) return this.#waitFor(inlet, "rate", waitMs); // intake.2
      inlet.drop();
      this.#spend(inlet, cost);
      owner.take(line);
    }
    inlet.since = undefined;
    if (!inlet.isPaused) return;
    const debtMs = limit.take(0, undefined, this.#clock.monotonic());
    if (debtMs > 0) return this.#waitFor(inlet, "rate", debtMs);
    inlet.isPaused = false;
    inlet.socket.resume();
  }

  #begin(inlet: Inlet): void {
    if (inlet.turn !== this.#iteration) {
      inlet.turn = this.#iteration;
      inlet.spent = 0;
    }
    this.#schedule();
  }

  #isSpent(inlet: Inlet): boolean {
    return inlet.spent >= CONNECTION_COST_PER_ITERATION_MAX || this.#cost >= COST_PER_ITERATION_MAX;
  }

  #spend(inlet: Inlet, cost: number): void {
    inlet.spent += cost;
    this.#cost += cost;
  }

  #waitFor(inlet: Inlet, what: Wait, waitMs = 0): void {
    this.#leave(inlet);
    inlet.waits = what;
    // A client that is too fast or does not read makes its frames wait: no delay of this process.
    inlet.since = what === "turn" ? (inlet.since ?? this.#clock.monotonic()) : undefined;
    this.#stats.intakeWaits.add(what);
    if (what === "turn") this.#line.add(inlet);
    else this.#pause(inlet);
    if (what === "rate") {
      inlet.timer = this.#clock.after(waitMs, () => this.again(inlet));
    } else if (inlet.chars > PENDING_CHARS_MAX) this.#pause(inlet);
  }

  #leave(inlet: Inlet): void {
    inlet.waits = undefined;
    inlet.timer?.cancel();
    inlet.timer = undefined;
    this.#line.delete(inlet);
  }

  #pause(inlet: Inlet): void {
    if (inlet.isPaused) return;
    inlet.isPaused = true;
    inlet.socket.pause();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#clock.soon(() => this.#nextIteration());
  }

  #nextIteration(): void {
    this.#isScheduled = false;
    this.#iteration++;
    this.#cost = 0;
    for (let n = this.#line.size; n > 0 && this.#cost < COST_PER_ITERATION_MAX; n--) {
      const [inlet] = this.#line;
      if (inlet === undefined) break; // A connection ended meanwhile.
      this.#line.delete(inlet);
      inlet.waits = undefined;
      this.#serve(inlet); // With more frames it goes to the end of the line again.
    }
    if (this.#line.size > 0) this.#schedule();
  }
}
