// BenchClients: all clients of one run: writers, probes and sinks in their rooms.
//
//   bench-clients.1. Every room has one probe that writes; further writers are sinks. Rooms of a
//        hundred or more members have one more probe for each hundred.
//   bench-clients.2. Each client is checked separately: a message that one client lost and a
//        message that another received twice do not cancel out.

import { Probe } from "./probe.ts";
import type { Peer } from "./peer.ts";
import { Histogram } from "./histogram.ts";
import type { Sender } from "./schedule.ts";
import { Sink } from "./sink.ts";
import { Writer } from "./writer.ts";

/** Sockets that open at the same time. */
const OPEN_AT_ONCE = 50;
/** A socket that is silent for 50 s is closed as idle. */
const KEEP_ALIVE_MS = 20_000;
const ALIVE_SHARES = 100;
const MEMBERS_PER_PROBE = 100;

export interface ClientsShape {
  readonly rooms: number;
  /** Sockets in each room, including those that send. */
  readonly members: number;
  /** Number of senders among them, which send in turn. Default 1. */
  readonly writers?: number;
  /** Bytes of a message text; default PADDING of probe.ts. */
  readonly textBytes?: number;
}

export class BenchClients implements Sender {
  readonly #probes: readonly Probe[];
  readonly #sinks: readonly Sink[];
  /** Alternates between rooms first, so that consecutive messages go to different rooms. */
  readonly #writers: readonly Writer[];
  readonly #sent = new Map<string, number>();
  readonly #dirty = new Set<Writer>();
  readonly #textBytes: number | undefined;
  readonly #keepAlive: NodeJS.Timeout;
  #nextAlive = 0;

  private constructor(
    peer: Peer,
    probes: readonly Probe[],
    sinks: readonly Sink[],
    shape: ClientsShape,
  ) {
    this.#textBytes = shape.textBytes;
    this.#probes = probes;
    this.#sinks = sinks;
    const senders = [...probes, ...sinks].slice(0, shape.rooms * (shape.writers ?? 1));
    this.#writers = senders.map((client, index) => new Writer(client, peer, index));
    this.#keepAlive = setInterval(() => this.#sayAlive(), KEEP_ALIVE_MS / ALIVE_SHARES);
  }

  static async open(peer: Peer, shape: ClientsShape): Promise<BenchClients> {
    const { members } = shape;
    const stamp = Date.now() % 1e7;
    const rooms = Array.from({ length: shape.rooms }, (_, i) => `bench-${stamp}-${i}`);
    const probesPerRoom = 1 + Math.floor(members / MEMBERS_PER_PROBE);
    const probes: Probe[] = [];
    for (let i = 0; i < probesPerRoom; i++) {
      probes.push(
        ...(await inBatches(rooms, async (room) => Probe.open(peer, room, await peer.enter(room)))),
      );
    }
    const sinks: Sink[] = [];
    for (let i = probesPerRoom; i < members; i++) {
      sinks.push(...(await inBatches(rooms, (room) => openSink(peer, room))));
    }
    return new BenchClients(peer, probes, sinks, shape);
  }

  get rooms(): readonly string[] {
    return [...new Set(this.#probes.map(({ room }) => room))];
  }

  get sinks(): readonly Sink[] {
    return this.#sinks;
  }

  get members(): number {
    return this.#probes.length + this.#sinks.length;
  }

  /** Number of messages that all members together have received. */
  get received(): number {
    let sum = 0;
    for (const probe of this.#probes) sum += probe.received;
    for (const sink of this.#sinks) sum += sink.received;
    return sum;
  }

  /** Number of messages that they should have received so far. */
  get expected(): number {
    let sum = 0;
    for (const client of [...this.#probes, ...this.#sinks]) sum += this.#sent.get(client.room) ?? 0;
    return sum;
  }

  get ackMs(): Histogram {
    return this.#probes.reduce((all, { ackMs }) => all.merge(ackMs), new Histogram());
  }

  get deliveryMs(): Histogram {
    return this.#probes.reduce((all, { deliveryMs }) => all.merge(deliveryMs), new Histogram());
  }

  send(i: number, plannedAt: number): void {
    const writer = this.#writers[i % this.#writers.length];
    if (writer === undefined) return;
    this.#sent.set(writer.room, (this.#sent.get(writer.room) ?? 0) + 1);
    writer.send(plannedAt, this.#textBytes);
    this.#dirty.add(writer);
  }

  sent(): void {
    for (const writer of this.#dirty) writer.flush();
    this.#dirty.clear();
  }

  /** Sinks do not read pings, so a part of them sends a pong at each interval. */
  #sayAlive(): void {
    const share = this.#nextAlive++ % ALIVE_SHARES;
    for (let i = share; i < this.#sinks.length; i += ALIVE_SHARES) this.#sinks[i]?.sayAlive();
  }

  forgetTimes(): void {
    for (const probe of this.#probes) probe.forgetTimes();
  }

  /** Errors of all clients; empty when every message arrived exactly once and in order. */
  complaints(): Map<string, number> {
    const complaints = new Map<string, number>();
    const add = (what: string, count: number): void => {
      if (count > 0) complaints.set(what, (complaints.get(what) ?? 0) + count);
    };
    for (const probe of this.#probes) {
      for (const [what, count] of probe.complaints) add(what, count);
    }
    for (const client of [...this.#probes, ...this.#sinks]) {
      const difference = client.received - (this.#sent.get(client.room) ?? 0);
      add("missing", Math.max(0, -difference));
      add("duplicated", Math.max(0, difference));
    }
    return complaints;
  }

  close(): void {
    clearInterval(this.#keepAlive);
    for (const client of [...this.#probes, ...this.#sinks]) client.close();
  }
}

async function openSink(peer: Peer, room: string): Promise<Sink> {
  const sink = new Sink(peer, { room, steps: await peer.enter(room) });
  await sink.ready;
  return sink;
}

export async function inBatches<T, R>(
  items: readonly T[],
  open: (item: T) => Promise<R>,
): Promise<R[]> {
  const opened: R[] = [];
  for (let i = 0; i < items.length; i += OPEN_AT_ONCE) {
    opened.push(...(await Promise.all(items.slice(i, i + OPEN_AT_ONCE).map(open))));
  }
  return opened;
}
