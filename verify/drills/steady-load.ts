// Steady crowd: one person in each of some rooms, who says something at a fixed pace whatever the
// servers do, through our SDK: what it shows an application is what is measured here.
//
// Owns: the people and their pace, how long each message waited, what was refused. Does not own:
// faults (the caller's), whether what was answered is right (verify/checker).
//
//   steady-load.1. The pace does not wait for answers, so a standstill is seen by every message
//        that falls into it.
//   steady-load.2. Rooms are spread evenly over the period: the crowd is a steady stream, not a
//        pulse.

import { Parley } from "#client/sdk/parley.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { devToken } from "../wire-client/dev-token.ts";
import type { ClusterInfo } from "#infra/embedded/cluster.ts";

export interface SteadyOptions {
  readonly gateways: ClusterInfo["gateways"];
  readonly rooms: readonly RoomId[];
  /** Messages a second, over all rooms. */
  readonly rate: number;
}

/** Of one watch: in ms, by room. */
export interface Watched {
  /** From the start of the watch to the first answer to a message sent within it. */
  readonly back: ReadonlyMap<RoomId, number>;
  /** The longest wait of one message. */
  readonly longest: ReadonlyMap<RoomId, number>;
}

const OPEN_WITHIN_MS = 30_000;
/** Whoever waits longer for an answer notices. */
export const NOTICED_MS = 500;

export class SteadyLoad implements Disposable {
  /** What the SDK told of as wrong, and refused sends. Empty when nobody was shown an error. */
  readonly errors: string[] = [];
  acked = 0;
  reconnects = 0;
  readonly #people: { readonly parley: Parley; readonly room: RoomId }[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #open: Map<string, number> = new Map();
  #back: Map<RoomId, number> = new Map();
  #longest: Map<RoomId, number> = new Map();
  #since = 0;
  #noticed: number | undefined;

  static async open(options: SteadyOptions): Promise<SteadyLoad> {
    const load = new SteadyLoad();
    for (const [index, room] of options.rooms.entries()) await load.#join(options, index, room);
    const isHere = (): boolean => load.#people.every(({ parley }) => parley.state === "online");
    await until(isHere, { withinMs: OPEN_WITHIN_MS, what: "everybody to be connected" });
    load.#begin(options);
    return load;
  }

  /** Sends that nobody has answered yet. */
  get unanswered(): number {
    return this.#open.size;
  }

  /**
   * From the start of the watch to the first moment at which somebody noticed: a message was
   * refused, or had waited for NOTICED_MS. Undefined when nobody did.
   */
  get noticedAfterMs(): number | undefined {
    const waiting = [...this.#open.values()].filter((at) => performance.now() - at > NOTICED_MS);
    const moments = waiting.map((at) => at + NOTICED_MS);
    if (this.#noticed !== undefined) moments.push(this.#noticed);
    return moments.length === 0 ? undefined : Math.max(0, Math.min(...moments) - this.#since);
  }

  /** A new watch begins now; it is filled as answers come. */
  watch(): Watched {
    this.#since = performance.now();
    this.#noticed = undefined;
    this.#back = new Map();
    this.#longest = new Map();
    return { back: this.#back, longest: this.#longest };
  }

  /** Nothing new any more; resolves when everything is answered. */
  async drain(withinMs: number): Promise<void> {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    await until(() => this.#open.size === 0, { withinMs, what: "every message to be answered" });
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearInterval(timer);
    for (const { parley } of this.#people) parley.close();
  }

  async #join({ gateways }: SteadyOptions, index: number, room: RoomId): Promise<void> {
    const gateway = gateways[index % gateways.length];
    if (gateway === undefined) throw new Error("the cluster has no gateway");
    const user = `person-${index}` as UserId;
    const token = await devToken(gateway.url, user);
    const parley = new Parley({ url: `${gateway.url.replace("http", "ws")}/v1/ws`, token });
    parley.on("error", (fault) => this.errors.push(JSON.stringify(fault)));
    parley.on("state", (state) => {
      if (state === "waiting") this.reconnects++;
    });
    parley.join(room);
    parley.connect();
    this.#people.push({ parley, room });
  }

  #begin({ rate, rooms }: SteadyOptions): void {
    const periodMs = (1_000 * rooms.length) / rate;
    for (const [index, person] of this.#people.entries()) {
      const start = setTimeout(
        () => this.#timers.push(setInterval(() => void this.#say(person), periodMs)),
        (index * periodMs) / rooms.length, // steady-load.2
      );
      this.#timers.push(start);
    }
  }

  async #say({ parley, room }: { parley: Parley; room: RoomId }): Promise<void> {
    const at = performance.now();
    const { id, done } = parley.join(room).send({ text: `it is ${Math.round(at)}` });
    this.#open.set(id, at);
    const result = await done;
    this.#open.delete(id);
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

  /** Of the watch that goes on now; what was late before it began is an earlier fault's. */
  #notice(moment: number): void {
    if (moment < this.#since) return;
    this.#noticed = Math.min(this.#noticed ?? Infinity, moment);
  }
}
