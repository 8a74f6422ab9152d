// Alert people: those beside the steady crowd whom a fault is made of, or made for.
//
// Readers: come back from far behind, and need what only the archive has. Talkers: send large
// messages into some rooms. Strangers: knock with tokens that nobody signed.

import { WebSocket } from "ws";
import { Parley } from "#client/sdk/parley.ts";
import type { RoomHandle } from "#client/sdk/room-handle.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { devToken } from "../wire-client/dev-token.ts";
import type { AlertCluster } from "./alert-cluster.ts";
import { NOTICED_MS } from "./steady-load.ts";

const ONLINE_WITHIN_MS = 30_000;
const SENT_WITHIN_MS = 60_000;
/** Just below what a body may have. The one wide character makes V8 keep two bytes for each. */
const LARGE_TEXT = `${"x".repeat(15_000)}😀`;
const IN_FLIGHT_MAX = 32;

async function person(alertCluster: AlertCluster, user: string, gateway: number): Promise<Parley> {
  const token = await devToken(alertCluster.cluster.url, user);
  const parley = new Parley({ url: alertCluster.socketUrl(gateway), token });
  parley.connect();
  return parley;
}

/** Sends `count` large messages into each room, so that its first ones are in no ring any more. */
export async function fillRooms(
  alertCluster: AlertCluster,
  rooms: readonly RoomId[],
  count: number,
): Promise<void> {
  const parley = await person(alertCluster, "filler", 0);
  try {
    for (const room of rooms) {
      const handle = parley.join(room, { tail: 0 });
      for (let sent = 0; sent < count; sent += IN_FLIGHT_MAX) {
        const batch = Array.from({ length: Math.min(IN_FLIGHT_MAX, count - sent) }, () =>
          handle.send({ text: LARGE_TEXT }),
        );
        await Promise.all(batch.map(({ done }) => done));
      }
    }
  } finally {
    parley.close();
  }
}

export class Readers implements Disposable {
  readonly #people: Parley[] = [];
  #joinedAt = 0;
  #late: (() => boolean) | undefined;
  #noticed = false;
  #timer: NodeJS.Timeout | undefined;

  /** They are connected; nothing is read yet. */
  static async open(alertCluster: AlertCluster, count: number): Promise<Readers> {
    const readers = new Readers();
    for (let n = 0; n < count; n++)
      readers.#people.push(await person(alertCluster, `reader-${n}`, n));
    await until(() => readers.#people.every(({ state }) => state === "online"), {
      withinMs: ONLINE_WITHIN_MS,
      what: "the readers to be online",
    });
    return readers;
  }

  /** Each reads one of the rooms from its first message on. */
  begin(rooms: readonly RoomId[]): void {
    this.#joinedAt = performance.now();
    const handles: RoomHandle[] = this.#people.flatMap((parley, n) => {
      const room = rooms[n % rooms.length];
      return room === undefined ? [] : [parley.join(room, { after: 0 })];
    });
    this.#late = () => handles.some(({ status }) => status !== "live");
    this.#timer = setTimeout(() => (this.#noticed = this.#late?.() ?? false), NOTICED_MS);
  }

  /** Somebody looks at an empty room for longer than NOTICED_MS. */
  noticedAfterMs(since: number): number | undefined {
    return this.#noticed ? this.#joinedAt + NOTICED_MS - since : undefined;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const parley of this.#people) parley.close();
  }
}

export class Talkers implements Disposable {
  readonly #parley: Parley;
  readonly #timer: NodeJS.Timeout;

  static async open(
    alertCluster: AlertCluster,
    rooms: readonly RoomId[],
    rate: number,
  ): Promise<Talkers> {
    const parley = await person(alertCluster, "talker", 1);
    const handles = rooms.map((room) => parley.join(room, { tail: 0 }));
    await until(() => parley.state === "online", {
      withinMs: SENT_WITHIN_MS,
      what: "the talker to be online",
    });
    return new Talkers(parley, handles, rate);
  }

  private constructor(parley: Parley, rooms: readonly RoomHandle[], rate: number) {
    this.#parley = parley;
    let sent = 0;
    let open = 0;
    this.#timer = setInterval(() => {
      if (open >= IN_FLIGHT_MAX) return; // Slower than asked rather than without bound.
      open++;
      void rooms[sent++ % rooms.length]?.send({ text: LARGE_TEXT }).done.then(() => open--);
    }, 1_000 / rate);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#parley.close();
  }
}

export class Strangers implements Disposable {
  readonly #timer: NodeJS.Timeout;
  #refusedAt: number | undefined;

  /** `rate` of them a second, spread over the gateways. */
  static async open(alertCluster: AlertCluster, rate: number): Promise<Strangers> {
    const token = await devToken(alertCluster.cluster.url, "stranger");
    const [head, body] = token.split(".");
    return new Strangers(alertCluster, `${head}.${body}.${"A".repeat(43)}`, rate);
  }

  private constructor(alertCluster: AlertCluster, token: string, rate: number) {
    let n = 0;
    this.#timer = setInterval(() => {
      const socket = new WebSocket(alertCluster.socketUrl(n++), "parley.v1");
      socket.on("open", () => socket.send(JSON.stringify({ t: "hello", token })));
      socket.on("close", () => (this.#refusedAt ??= performance.now()));
      socket.on("error", () => undefined); // "close" follows.
    }, 1_000 / rate);
  }

  noticedAfterMs(since: number): number | undefined {
    return this.#refusedAt === undefined ? undefined : this.#refusedAt - since;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
