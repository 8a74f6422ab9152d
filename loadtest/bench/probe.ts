// Probe: a client that parses and checks every frame and measures latencies.
//
// Every message body contains its writer, its number and its planned time:
// "^^^<writer>.<n>.<planned, µs>.xxxx". A probe therefore detects a gap, a repetition and a swap,
// and measures the latency from the planned time, without a list of sent messages. This also works
// for peers without sequence numbers.

import { once } from "node:events";
import { WebSocket } from "ws";
import { uuidv7 } from "#shared/kit/uuid.ts";
import { systemRandom } from "#shared/adapters/clock-system.ts";
import { Histogram } from "./histogram.ts";
import { nextLocalEnd } from "./local-end.ts";
import type { Peer, Step } from "./peer.ts";
import { MARKER } from "./sink.ts";

/** Bytes of a message text, as in published figures of other systems. */
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
  /** Gaps, repetitions and swaps, and errors by name. */
  readonly complaints = new Map<string, number>();
  ackMs = new Histogram();
  deliveryMs = new Histogram();
  readonly #peer: Peer;
  readonly #socket: WebSocket;
  readonly #plannedAt = new Map<string, number>();
  readonly #lastOf = new Map<string, number>();
  #lastSeq: number | undefined;
  #onAckCount: ((count: number) => void) | undefined;

  private constructor(peer: Peer, room: string, socket: WebSocket) {
    this.#peer = peer;
    this.room = room;
    this.#socket = socket;
  }

  static async open(peer: Peer, room: string, steps: readonly Step[]): Promise<Probe> {
    const url = `ws://127.0.0.1:${peer.port}${peer.path(room)}`;
    const protocols = peer.protocol === undefined ? [] : [peer.protocol];
    const socket = new WebSocket(url, protocols, { ...nextLocalEnd() });
    const probe = new Probe(peer, room, socket);
    let received = "";
    socket.on("message", (data: Buffer) => {
      const frame = data.toString();
      received += frame;
      probe.#onFrame(frame);
    });
    await once(socket, "open");
    for (const { say, until } of steps) {
      if (say !== "") socket.send(say);
      while (!received.includes(until)) await once(socket, "message");
    }
    socket.removeAllListeners("message");
    socket.on("message", (data: Buffer) => probe.#onFrame(data.toString()));
    return probe;
  }

  say(frame: string): void {
    this.#socket.send(frame);
  }

  /** Planned times of sends without an ack. */
  expectAcks(sends: readonly { readonly id: string; readonly plannedAt: number }[]): void {
    for (const { id, plannedAt } of sends) this.#plannedAt.set(id, plannedAt);
  }

  /** Calls `onCount` for every ack of this client; `_mark` is for clients that do not parse. */
  onAcks(_mark: string, onCount: (count: number) => void): void {
    this.#onAckCount = onCount;
  }

  /** Discards the latencies of the warm-up. */
  forgetTimes(): void {
    this.ackMs = new Histogram();
    this.deliveryMs = new Histogram();
  }

  close(): void {
    this.#socket.terminate();
  }

  #onFrame(frame: string): void {
    const now = performance.now();
    for (const content of this.#peer.read(frame)) {
      if (content.kind === "event") this.#onEvent(content.text, content.seq, now);
      else if (content.kind === "error") this.#complain(content.name);
      else {
        const plannedAt = this.#plannedAt.get(content.id);
        if (plannedAt === undefined) continue;
        this.#plannedAt.delete(content.id);
        this.acked++;
        this.ackMs.add(now - plannedAt);
        this.#onAckCount?.(1);
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
    if (Number(n) !== last + 1) this.#complain(Number(n) > last ? "gap" : "repeat or swap");
    if (seq === undefined) return;
    if (this.#lastSeq !== undefined && seq !== this.#lastSeq + 1) this.#complain("gap in seq");
    this.#lastSeq = seq;
  }

  #complain(what: string): void {
    this.complaints.set(what, (this.complaints.get(what) ?? 0) + 1);
  }
}
