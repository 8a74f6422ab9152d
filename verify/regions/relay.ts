// Relay: the cables between network namespaces, with a delay, as one UDP socket in the middle.
//
// Each end of a cable is a VXLAN device whose only peer is this relay. A device sends every packet
// as one datagram, which carries the number of its cable. Owns: the delay and the cuts of each
// direction. Does not own: the devices (region-network.ts).
//
//   relay.1. Every packet of a direction waits the same time, so the packets keep their order.
//   relay.2. A cut direction drops its packets, also those that wait. No connection closes.
//   relay.3. At most HELD_MAX packets wait in one direction. The relay drops further ones, like a
//        router with a full queue, and TCP sends them again.

import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";

export interface Cable {
  /** The VXLAN network identifier. */
  readonly id: number;
  /** The addresses of the two ends. */
  readonly ends: readonly [string, string];
  /** Of one direction. */
  readonly delayMs: number;
}

interface Held {
  readonly packet: Buffer;
  readonly dueAt: number;
}

const HELD_MAX = 20_000;
const SOCKET_BYTES = 4 * 1_024 * 1_024;
/** Bytes 4 to 6 of the VXLAN header. */
const ID_AT = 4;
const ID_BYTES = 3;
const HEADER_BYTES = 8;

export class Relay {
  readonly #socket: Socket;
  readonly #port: number;
  /** By `directionOf`. */
  readonly #directions = new Map<string, Direction>();

  constructor(cables: readonly Cable[], port: number, heldMax = HELD_MAX) {
    this.#port = port;
    this.#socket = createSocket({ type: "udp4", recvBufferSize: SOCKET_BYTES });
    for (const { id, ends, delayMs } of cables) {
      for (const [from, to] of [ends, ends.toReversed() as unknown as typeof ends]) {
        const pass = (packet: Buffer): void => this.#socket.send(packet, this.#port, to);
        this.#directions.set(directionOf(id, from), new Direction({ delayMs, heldMax, pass }));
      }
    }
    this.#socket.on("message", (packet, { address }) => {
      if (packet.length < HEADER_BYTES) return;
      this.#directions.get(directionOf(packet.readUIntBE(ID_AT, ID_BYTES), address))?.take(packet);
    });
    this.#socket.on("error", () => undefined); // An end that is gone refuses datagrams.
  }

  listen(host: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.once("error", reject);
      this.#socket.bind(this.#port, host, resolve);
    });
  }

  /** Drops the packets of a cable that come from `from`, until `isCut` is false again. */
  cut(id: number, from: string, isCut: boolean): void {
    this.#directions.get(directionOf(id, from))?.cut(isCut);
  }

  close(): void {
    for (const direction of this.#directions.values()) direction.cut(true);
    this.#socket.close();
  }
}

interface DirectionOptions {
  readonly delayMs: number;
  readonly heldMax: number;
  readonly pass: (packet: Buffer) => void;
}

class Direction {
  readonly #options: DirectionOptions;
  #held: Held[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isCut = false;

  constructor(options: DirectionOptions) {
    this.#options = options;
  }

  take(packet: Buffer): void {
    const { delayMs, heldMax, pass } = this.#options;
    if (this.#isCut || this.#held.length >= heldMax) return; // relay.2, relay.3
    if (delayMs === 0) {
      pass(packet);
      return;
    }
    this.#held.push({ packet, dueAt: performance.now() + delayMs }); // relay.1
    if (this.#timer === undefined) this.#arm();
  }

  cut(isCut: boolean): void {
    this.#isCut = isCut;
    if (!isCut) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#held = [];
  }

  #arm(): void {
    const waitMs = Math.max(0, (this.#held[0]?.dueAt ?? 0) - performance.now());
    this.#timer = setTimeout(() => this.#passDue(), waitMs);
  }

  #passDue(): void {
    this.#timer = undefined;
    const now = performance.now();
    const waiting = this.#held.findIndex(({ dueAt }) => dueAt > now);
    const due = this.#held.splice(0, waiting === -1 ? this.#held.length : waiting);
    for (const { packet } of due) this.#options.pass(packet);
    if (this.#held.length > 0) this.#arm();
  }
}

function directionOf(id: number, from: string): string {
  return `${id} ${from}`;
}
