// SteadyLoad: one SDK client in each of several rooms, which sends at a fixed rate whatever the
// servers do. The SDK is part of the measurement: it decides what an application gets.
//
// Owns: the clients and their rate, the wait of each message, the refusals. Does not own: the
// faults (the caller's), whether the answers are right (verify/checker).
//
//   steady-load.1. The rate does not wait for answers, so every message that falls into an outage
//        measures it.
//   steady-load.2. The sends of the rooms are spread evenly over the period.

import { Parley } from "#client/sdk/parley.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { devToken, socketUrlOf } from "../wire-client/dev-token.ts";
import type { ClusterInfo } from "#infra/embedded/cluster.ts";

export interface SteadyOptions {
  readonly gateways: ClusterInfo["gateways"];
  readonly rooms: readonly RoomId[];
  /** Messages a second, over all rooms. */
  readonly rate: number;
}

/** The results of one measurement: in ms, by room. */
export interface Measured {
  /** From the start of the measurement to the first answer to a message sent in it. */
  readonly back: ReadonlyMap<RoomId, number>;
  /** The longest wait of one message. */
  readonly longest: ReadonlyMap<RoomId, number>;
}

const OPEN_WITHIN_MS = 30_000;
/** A user who waits longer for an answer notices. */
export const NOTICED_MS = 500;

export class SteadyLoad implements Disposable {
  /** Errors of the SDK, and refused sends. */
  readonly errors: string[] = [];
  acked = 0;
  reconnects = 0;
  readonly #clients: { readonly parley: Parley; readonly room: RoomId }[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #unanswered: Map<string, number> = new Map();
  #back: Map<RoomId, number> = new Map();
  #longest: Map<RoomId, number> = new Map();
  #since = 0;
  #noticed: number | undefined;

  static async open(options: SteadyOptions): Promise<SteadyLoad> {
    const load = new SteadyLoad();
    for (const [index, room] of options.rooms.entries())
      await load.#addClient(options, index, room);
    const areOnline = (): boolean => load.#clients.every(({ parley }) => parley.state === "online");
    await until(areOnline, { withinMs: OPEN_WITHIN_MS, what: "every client to be online" });
    load.#begin(options);
    return load;
  }

  /** Sends without an answer. */
  get unanswered(): number {
    return this.#unanswered.size;
  }

  /**
   * From the start of the measurement to the first time at which a user noticed: a message was
   * refused, or had waited for NOTICED_MS. Undefined when no user noticed.
   */
  get noticedAfterMs(): number | undefined {
    const waiting = [...this.#unanswered.values()].filter(
      (at) => performance.now() - at > NOTICED_MS,
    );
    const moments = waiting.map((at) => at + NOTICED_MS);
    if (this.#noticed !== undefined) moments.push(this.#noticed);
    return moments.length === 0 ? undefined : Math.max(0, Math.min(...moments) - this.#since);
  }

  /** Starts a new measurement. Answers fill its result. */
  watch(): Measured {
    this.#since = performance.now();
    this.#noticed = undefined;
    this.#back = new Map();
    this.#longest = new Map();
    return { back: this.#back, longest: this.#longest };
  }

  /** Stops new sends. Resolves when every send is answered. */
  async drain(withinMs: number): Promise<void> {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    await until(() => this.#unanswered.size === 0, {
      withinMs,
      what: "every message to be answered",
    });
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearInterval(timer);
    for (const { parley } of this.#clients) parley.close();
  }

  async #addClient({ gateways }: SteadyOptions, index: number, room: RoomId): Promise<void> {
    const gateway = gateways[index % gateways.length];
    if (gateway === undefined) throw new Error("the cluster has no gateway");
    const user = `user-${index}` as UserId;
    const token = await devToken(gateway.url, user);
    const parley = new Parley({ url: socketUrlOf(gateway.url), token });
    parley.on("error", (fault) => this.errors.push(JSON.stringify(fault)));
    parley.on("state", (state) => {
      if (state === "waiting") this.reconnects++;
    });
    parley.join(room);
    parley.connect();
    this.#clients.push({ parley, room });
  }

  #begin({ rate, rooms }: SteadyOptions): void {
    const periodMs = (1_000 * rooms.length) / rate;
    for (const [index, client] of this.#clients.entries()) {
      const start = setTimeout(
        () => this.#timers.push(setInterval(() => void this.#send(client), periodMs)),
        (index * periodMs) / rooms.length, // steady-load.2
      );
      this.#timers.push(start);
    }
  }

  async #send({ parley, room }: { parley: Parley; room: RoomId }): Promise<void> {
    const at = performance.now();
    const { id, done } = parley.join(room).send({ text: `sent at ${Math.round(at)}` });
    this.#unanswered.set(id, at);
    const result = await done;
    this.#unanswered.delete(id);
    const now = performance.now();
    if (result.kind === "refused") {
      this.#notice(now);
      this.errors.push(`send: ${result.error}`);
      return;
    }
    if (now - at > NOTICED_MS) this.#notice(at + NOTICED_MS);
    this.acked++;
    if (now - at > (this.#longest.get(room) ?? 0)) this.#longest.set(room, now - at);
    if (at >= this.#since && !this.#back.has(room)) this.#back.set(room, now - this.#since);
  }

  /** Counts for the current measurement only: an earlier moment belongs to an earlier fault. */
  #notice(moment: number): void {
    if (moment < this.#since) return;
    this.#noticed = Math.min(this.#noticed ?? Infinity, moment);
  }
}
