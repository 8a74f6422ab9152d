// Crowd: all the clients of one run: writers, probes and sinks in their rooms.
//
//   crowd.1. Every room has one probe that writes; further writers are sinks. Rooms of a hundred and
//        more have one further probe per hundred members.
//   crowd.2. Each client is checked by itself: a message lost by one and doubled for another never
//        cancel each other.

import { Probe } from "./probe.ts";
import type { Peer } from "./peer.ts";
import { Histogram } from "./histogram.ts";
import type { Sender } from "./schedule.ts";
import { Sink } from "./sink.ts";
import { Writer } from "./writer.ts";

/** Sockets opened at a time. */
const OPEN_AT_ONCE = 50;
/** A socket that is silent for 50 s is closed as idle. */
const KEEP_ALIVE_MS = 20_000;
const ALIVE_SHARES = 100;
const MEMBERS_PER_PROBE = 100;

export interface CrowdShape {
  readonly rooms: number;
  /** Sockets in each room, those that send included. */
  readonly members: number;
  /** Of them, how many send, by turns. Default 1. */
  readonly writers?: number;
  /** Bytes of a message's text, when it is not the usual. */
  readonly textBytes?: number;
}

export class Crowd implements Sender {
  readonly #probes: readonly Probe[];
  readonly #sinks: readonly Sink[];
  /** By turns over the rooms first, so that consecutive messages go to different rooms. */
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
    shape: CrowdShape,
  ) {
    this.#textBytes = shape.textBytes;
    this.#probes = probes;
    this.#sinks = sinks;
    const talkers = [...probes, ...sinks].slice(0, shape.rooms * (shape.writers ?? 1));
    this.#writers = talkers.map((client, index) => new Writer(client, peer, index));
    this.#keepAlive = setInterval(() => this.#sayAlive(), KEEP_ALIVE_MS / ALIVE_SHARES);
  }

  static async open(peer: Peer, shape: CrowdShape): Promise<Crowd> {
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
    return new Crowd(peer, probes, sinks, shape);
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

  /** Messages that all members together have received. */
  get received(): number {
    let sum = 0;
    for (const probe of this.#probes) sum += probe.received;
    for (const sink of this.#sinks) sum += sink.received;
    return sum;
  }

  /** What they should have received by now. */
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

  /** Sinks do not read pings, so they say by themselves that they are there, a share at a time. */
  #sayAlive(): void {
    const share = this.#nextAlive++ % ALIVE_SHARES;
    for (let i = share; i < this.#sinks.length; i += ALIVE_SHARES) this.#sinks[i]?.sayAlive();
  }

  forgetTimes(): void {
    for (const probe of this.#probes) probe.forgetTimes();
  }

  /** What is wrong, client by client; empty when every message came exactly once and in order. */
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
      add("doubled", Math.max(0, difference));
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
