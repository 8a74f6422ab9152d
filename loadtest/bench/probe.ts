// Probe: a client that parses everything it gets, checks it and takes times.
//
// Every message body says which writer sent it, as which of its messages, and when that was planned:
// "^^<writer>.<n>.<planned, µs>.xxxx". So a probe needs no memory of what was sent to find a hole, a
// repeat, a swap and the latency from the intended time; peers without numbers are checked alike.

import { once } from "node:events";
import { WebSocket } from "ws";
import { uuidv7 } from "#shared/kit/uuid.ts";
import { systemRandom } from "#shared/adapters/clock-system.ts";
import { Histogram } from "./histogram.ts";
import type { Peer, Step } from "./peer.ts";
import { MARKER, nextLocalAddress } from "./sink.ts";

/** Bytes of a message's text, as in the figures of other systems that are quoted beside ours. */
export const TEXT_BYTES = 112;

export function newId(): string {
  return uuidv7(Date.now(), systemRandom);
}

export function bodyText(
  from: { readonly writer: number; readonly n: number },
  plannedAt: number,
  bytes: number = TEXT_BYTES,
): string {
  const head = `${MARKER}${from.writer}.${from.n}.${Math.round(plannedAt * 1_000)}.`;
  return head.padEnd(bytes, "x");
}

export class Probe {
  readonly room: string;
  received = 0;
  acked = 0;
  /** Holes, repeats and swaps, and errors by name. */
  readonly complaints = new Map<string, number>();
  ackMs = new Histogram();
  deliveryMs = new Histogram();
  readonly #peer: Peer;
  readonly #socket: WebSocket;
  readonly #plannedAt = new Map<string, number>();
  readonly #lastOf = new Map<string, number>();
  #lastSeq: number | undefined;
  #tellAcks: ((count: number) => void) | undefined;

  private constructor(peer: Peer, room: string, socket: WebSocket) {
    this.#peer = peer;
    this.room = room;
    this.#socket = socket;
  }

  static async open(peer: Peer, room: string, steps: readonly Step[]): Promise<Probe> {
    const url = `ws://127.0.0.1:${peer.port}${peer.path(room)}`;
    const protocols = peer.protocol === undefined ? [] : [peer.protocol];
    const socket = new WebSocket(url, protocols, { localAddress: nextLocalAddress() });
    const probe = new Probe(peer, room, socket);
    let heard = "";
    socket.on("message", (data: Buffer) => {
      const frame = data.toString();
      heard += frame;
      probe.#onFrame(frame);
    });
    await once(socket, "open");
    for (const { say, until } of steps) {
      if (say !== "") socket.send(say);
      while (!heard.includes(until)) await once(socket, "message");
    }
    socket.removeAllListeners("message");
    socket.on("message", (data: Buffer) => probe.#onFrame(data.toString()));
    return probe;
  }

  say(frame: string): void {
    this.#socket.send(frame);
  }

  /** The acks of these are timed. */
  expectAcks(sends: readonly { readonly id: string; readonly plannedAt: number }[]): void {
    for (const { id, plannedAt } of sends) this.#plannedAt.set(id, plannedAt);
  }

  /** `tell` hears of every ack of this client; `_mark` is for those who do not parse. */
  onAcks(_mark: string, tell: (count: number) => void): void {
    this.#tellAcks = tell;
  }

  /** Times of a warm-up are not those of the run. */
  forgetTimes(): void {
    this.ackMs = new Histogram();
    this.deliveryMs = new Histogram();
  }

  close(): void {
    this.#socket.terminate();
  }

  #onFrame(frame: string): void {
    const now = performance.now();
    for (const heard of this.#peer.read(frame)) {
      if (heard.kind === "event") this.#onEvent(heard.text, heard.seq, now);
      else if (heard.kind === "error") this.#complain(heard.name);
      else {
        const plannedAt = this.#plannedAt.get(heard.id);
        if (plannedAt === undefined) continue;
        this.#plannedAt.delete(heard.id);
        this.acked++;
        this.ackMs.add(now - plannedAt);
        this.#tellAcks?.(1);
      }
    }
  }

  #onEvent(text: string, seq: number | undefined, now: number): void {
    if (!text.startsWith(MARKER)) return;
    const [writer = "", n = "", plannedUs = ""] = text.slice(MARKER.length).split(".");
    this.received++;
    this.deliveryMs.add(now - Number(plannedUs) / 1_000);
    const last = this.#lastOf.get(writer) ?? -1;
    this.#lastOf.set(writer, Number(n));
    if (Number(n) !== last + 1) this.#complain(Number(n) > last ? "hole" : "repeat or swap");
    if (seq === undefined) return;
    if (this.#lastSeq !== undefined && seq !== this.#lastSeq + 1) this.#complain("hole in seq");
    this.#lastSeq = seq;
  }

  #complain(what: string): void {
    this.complaints.set(what, (this.complaints.get(what) ?? 0) + 1);
  }
}
