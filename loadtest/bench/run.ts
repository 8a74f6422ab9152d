// Run: one shape against one system. Opens the sinks and the probes, plays the schedule, waits for
// everything to arrive, and gives figures; or says what was missing.

import { WebSocket } from "ws";
import { uuidv7 } from "#shared/kit/uuid.ts";
import { systemRandom } from "#shared/adapters/clock-system.ts";
import { until } from "#shared/testing/wait.ts";
import { cpuOf, cpuSince, total } from "./cpu.ts";
import type { CpuByName } from "./cpu.ts";
import { Histogram } from "./histogram.ts";
import { openLoop } from "./schedule.ts";
import { MARKER, Sink } from "./sink.ts";

export interface Shape {
  readonly name: string;
  readonly rooms: number;
  /** Sockets in each room, the one that sends included. */
  readonly members: number;
  /** Messages per second, over all rooms. */
  readonly perSecond: number;
  readonly seconds: number;
}

/** How a system is spoken to. */
export interface Peer {
  readonly name: string;
  readonly port: number;
  readonly pids: ReadonlyMap<string, number>;
  readonly protocol?: string;
  path(room: string): string;
  /** Frames after the upgrade that make a socket a member, and the text that says it is one. */
  enter(room: string): Promise<{ readonly say: readonly string[]; readonly until: string }>;
  message(room: string, id: string, text: string): string;
  /** True when the system answers sends with acks. */
  readonly acks: boolean;
}

export interface Figures {
  readonly shape: string;
  readonly peer: string;
  readonly expected: number;
  readonly delivered: number;
  /** CPU of all server processes per delivered message, in µs. */
  readonly cpuPerDeliveryUs: number;
  readonly cpu: CpuByName;
  readonly ackMs: { readonly p50: number; readonly p99: number };
  readonly deliveryMs: { readonly p50: number; readonly p99: number };
  /** A run whose generator was late says so and is void. */
  readonly slipMs: number;
  readonly outOfOrder: number;
}

const BODY = `${MARKER}${"x".repeat(110)}`;
const DRAIN_MS = 15_000;
/** Sockets opened at a time. */
const OPEN_AT_ONCE = 50;

export async function run(peer: Peer, shape: Shape): Promise<Figures> {
  const rooms = Array.from({ length: shape.rooms }, (_, i) => `bench-${Date.now() % 1e6}-${i}`);
  const writers = await inBatches(rooms, (room) => Writer.open(peer, room));
  const sinkRooms = rooms.flatMap((room) => Array<string>(shape.members - 1).fill(room));
  const sinks = await inBatches(sinkRooms, async (room) => {
    const { port, protocol } = peer;
    const sink = new Sink({
      port,
      path: peer.path(room),
      ...(protocol !== undefined && { protocol }),
      ...(await peer.enter(room)),
    });
    await sink.ready;
    return sink;
  });
  const before = cpuOf(peer.pids);
  const count = shape.perSecond * shape.seconds;
  const slip = await openLoop({ count, perSecond: shape.perSecond }, (i, plannedAt) =>
    writers[i % writers.length]?.send(plannedAt),
  );
  const expected = count * shape.members;
  const received = (): number =>
    [...sinks, ...writers].reduce((sum, reader) => sum + reader.received, 0);
  // What is missing is reported as a figure; the run fails on it, not this wait.
  await until(() => received() >= expected, { withinMs: DRAIN_MS, what: "all messages" }).catch(
    () => undefined,
  );
  const cpu = cpuSince(before, cpuOf(peer.pids));
  const delivered = received();
  for (const reader of [...sinks, ...writers]) reader.close();
  const merge = (pick: (writer: Writer) => Histogram): { p50: number; p99: number } => {
    const histograms = writers.map(pick).filter((one) => one.count > 0);
    const at = (share: number): number => {
      const all = histograms.map((one) => one.percentile(share)).sort((a, b) => a - b);
      return all.length === 0 ? Number.NaN : (all[Math.floor(all.length / 2)] ?? Number.NaN);
    };
    return { p50: at(0.5), p99: at(0.99) };
  };
  return {
    shape: shape.name,
    peer: peer.name,
    expected,
    delivered,
    cpuPerDeliveryUs: total(cpu) / delivered,
    cpu,
    ackMs: merge((writer) => writer.ackMs),
    deliveryMs: merge((writer) => writer.deliveryMs),
    slipMs: slip.worstMs,
    outOfOrder: writers.reduce((sum, writer) => sum + writer.outOfOrder, 0),
  };
}

/** A probe: sends to its room, parses everything, checks numbers, takes times. */
class Writer {
  received = 0;
  outOfOrder = 0;
  readonly ackMs = new Histogram();
  readonly deliveryMs = new Histogram();
  readonly #peer: Peer;
  readonly #room: string;
  readonly #socket: WebSocket;
  readonly #plannedAt = new Map<string, number>();
  #lastSeq = 0;

  private constructor(peer: Peer, room: string, socket: WebSocket) {
    this.#peer = peer;
    this.#room = room;
    this.#socket = socket;
  }

  static async open(peer: Peer, room: string): Promise<Writer> {
    const { say, until: ready } = await peer.enter(room);
    const url = `ws://127.0.0.1:${peer.port}${peer.path(room)}`;
    const socket = new WebSocket(url, peer.protocol === undefined ? [] : [peer.protocol]);
    const writer = new Writer(peer, room, socket);
    await new Promise<void>((resolve, reject) => {
      socket.on("error", reject);
      socket.on("open", () => {
        for (const text of say) socket.send(text);
        if (ready === "") resolve();
      });
      socket.on("message", (data: Buffer) => {
        const text = data.toString();
        if (ready !== "" && text.includes(ready)) resolve();
        for (const line of text.split("\n")) writer.#onLine(line);
      });
    });
    return writer;
  }

  send(plannedAt: number): void {
    const id = uuidv7(Date.now(), systemRandom);
    this.#plannedAt.set(id, plannedAt);
    this.#socket.send(this.#peer.message(this.#room, id, BODY));
  }

  close(): void {
    this.#socket.terminate();
  }

  #onLine(line: string): void {
    const frame = JSON.parse(line) as { t: string; id?: string; seq?: number };
    const plannedAt = this.#plannedAt.get(frame.id ?? "");
    if (plannedAt === undefined) return;
    const ms = performance.now() - plannedAt;
    if (frame.t === "ack") this.ackMs.add(ms);
    if (frame.t !== "msg") return;
    this.received++;
    this.deliveryMs.add(ms);
    if (frame.seq === undefined) return;
    if (frame.seq <= this.#lastSeq) this.outOfOrder++;
    this.#lastSeq = frame.seq;
  }
}

async function inBatches<T, R>(items: readonly T[], open: (item: T) => Promise<R>): Promise<R[]> {
  const opened: R[] = [];
  for (let i = 0; i < items.length; i += OPEN_AT_ONCE) {
    opened.push(...(await Promise.all(items.slice(i, i + OPEN_AT_ONCE).map(open))));
  }
  return opened;
}
