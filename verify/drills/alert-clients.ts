// Alert clients: the clients beside the steady load that a fault of the alerts drill needs.
//
// ResumingReaders resume from far behind and need events that only the archive has. LargeSender
// sends large messages to some rooms. UnsignedClients connect with unsigned tokens. Uploader
// uploads files.

import { systemClock, systemRandom } from "#shared/adapters/clock-system.ts";
import { uuidv7 } from "#shared/kit/uuid.ts";
import { Parley } from "#client/sdk/parley.ts";
import type { RoomHandle } from "#client/sdk/room-handle.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { devToken } from "../wire-client/dev-token.ts";
import { WireClient } from "../wire-client/wire-client.ts";
import type { AlertCluster } from "./alert-cluster.ts";
import { NOTICED_MS } from "./steady-load.ts";

const ONLINE_WITHIN_MS = 30_000;
const SENT_WITHIN_MS = 60_000;
/**
 * Just below the limit of a body. The one wide character makes V8 use two bytes for each character.
 */
const LARGE_TEXT = `${"x".repeat(15_000)}😀`;
const IN_FLIGHT_MAX = 32;

async function connect(alertCluster: AlertCluster, user: string, gateway: number): Promise<Parley> {
  const token = await devToken(alertCluster.cluster.url, user);
  const parley = new Parley({ url: alertCluster.socketUrl(gateway), token });
  parley.connect();
  return parley;
}

/** Sends `count` large messages to each room, so that its first ones leave every ring. */
export async function fillRooms(
  alertCluster: AlertCluster,
  rooms: readonly RoomId[],
  count: number,
): Promise<void> {
  const parley = await connect(alertCluster, "filler", 0);
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

export class ResumingReaders implements Disposable {
  readonly #clients: Parley[] = [];
  #joinedAt = 0;
  #isLate: (() => boolean) | undefined;
  #noticed = false;
  #timer: NodeJS.Timeout | undefined;

  /** Connects the readers; none has joined a room yet. */
  static async open(alertCluster: AlertCluster, count: number): Promise<ResumingReaders> {
    const readers = new ResumingReaders();
    for (let n = 0; n < count; n++)
      readers.#clients.push(await connect(alertCluster, `reader-${n}`, n));
    await until(() => readers.#clients.every(({ state }) => state === "online"), {
      withinMs: ONLINE_WITHIN_MS,
      what: "the readers to be online",
    });
    return readers;
  }

  /** Each reader joins one of the rooms at its first message. */
  begin(rooms: readonly RoomId[]): void {
    this.#joinedAt = performance.now();
    const handles: RoomHandle[] = this.#clients.flatMap((parley, n) => {
      const room = rooms[n % rooms.length];
      return room === undefined ? [] : [parley.join(room, { after: 0 })];
    });
    this.#isLate = () => handles.some(({ status }) => status !== "live");
    this.#timer = setTimeout(() => (this.#noticed = this.#isLate?.() ?? false), NOTICED_MS);
  }

  /** The time at which a reader was not live NOTICED_MS after its join; undefined when all were. */
  noticedAfterMs(since: number): number | undefined {
    return this.#noticed ? this.#joinedAt + NOTICED_MS - since : undefined;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const parley of this.#clients) parley.close();
  }
}

export class LargeSender implements Disposable {
  readonly #parley: Parley;
  readonly #timer: NodeJS.Timeout;

  static async open(
    alertCluster: AlertCluster,
    rooms: readonly RoomId[],
    rate: number,
  ): Promise<LargeSender> {
    const parley = await connect(alertCluster, "large-sender", 1);
    const handles = rooms.map((room) => parley.join(room, { tail: 0 }));
    await until(() => parley.state === "online", {
      withinMs: SENT_WITHIN_MS,
      what: "the sender to be online",
    });
    return new LargeSender(parley, handles, rate);
  }

  private constructor(parley: Parley, rooms: readonly RoomHandle[], rate: number) {
    this.#parley = parley;
    let sent = 0;
    let pending = 0;
    this.#timer = setInterval(() => {
      if (pending >= IN_FLIGHT_MAX) return; // A lower rate rather than an unbounded queue.
      pending++;
      void rooms[sent++ % rooms.length]?.send({ text: LARGE_TEXT }).done.then(() => pending--);
    }, 1_000 / rate);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#parley.close();
  }
}

export class UnsignedClients implements Disposable {
  readonly #timer: NodeJS.Timeout;
  #refusedAt: number | undefined;

  /** Connects `rate` of them a second, spread over the gateways. */
  static async open(alertCluster: AlertCluster, rate: number): Promise<UnsignedClients> {
    const token = await devToken(alertCluster.cluster.url, "unsigned");
    const [head, body] = token.split(".");
    return new UnsignedClients(alertCluster, `${head}.${body}.${"A".repeat(43)}`, rate);
  }

  private constructor(alertCluster: AlertCluster, token: string, rate: number) {
    let n = 0;
    this.#timer = setInterval(() => {
      const url = alertCluster.socketUrl(n++);
      new WireClient({
        user: "unsigned" as UserId,
        token,
        endpoint: () => ({ name: "gateway", url }),
        reconnects: false,
        hooks: { onClosed: () => (this.#refusedAt ??= performance.now()) },
      }).connect();
    }, 1_000 / rate);
  }

  noticedAfterMs(since: number): number | undefined {
    return this.#refusedAt === undefined ? undefined : this.#refusedAt - since;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Uploads small files, and does not repeat a refused one. */
export class Uploader implements Disposable {
  readonly #timer: NodeJS.Timeout;
  #refusedAt: number | undefined;

  static async open(alertCluster: AlertCluster, rate: number): Promise<Uploader> {
    const { url } = alertCluster.cluster;
    return new Uploader(url, await devToken(url, "uploader"), rate);
  }

  private constructor(url: string, token: string, rate: number) {
    let inFlight = 0;
    this.#timer = setInterval(() => {
      if (inFlight >= IN_FLIGHT_MAX) return; // A lower rate rather than an unbounded queue.
      inFlight++;
      void this.#upload(url, token).finally(() => inFlight--);
    }, 1_000 / rate);
  }

  noticedAfterMs(since: number): number | undefined {
    return this.#refusedAt === undefined ? undefined : this.#refusedAt - since;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #upload(url: string, token: string): Promise<void> {
    const id = uuidv7(systemClock.now(), systemRandom);
    const path = `/v1/rooms/uploads/attachments/${id}?name=note.txt`;
    const headers = { authorization: `Bearer ${token}` };
    const isTaken = await fetch(new URL(path, url), {
      method: "PUT",
      headers,
      body: "a note",
    }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (!isTaken) this.#refusedAt ??= performance.now();
  }
}
