// OverloadReaders: users of the overload drill who do not write. They read history and change
// rooms, and others connect, at rates that do not depend on the answers.
//
// Owns: their connections and what they got. Does not own: the messages of the writers, whose
// answers alone are the goodput.
//
//   overload-readers.1. A reader that is refused does not repeat the request: its next one comes
//        with the schedule.

import { systemRandom } from "#shared/adapters/clock-system.ts";
import { below } from "#shared/kit/random.ts";
import type { JsonObject } from "#shared/kit/json.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { WireClient } from "../wire-client/wire-client.ts";

export interface ReaderOptions {
  readonly url: string;
  readonly rooms: readonly RoomId[];
  /** One reader each. */
  readonly tokens: readonly string[];
  readonly addressOf: (n: number) => string;
}

/** What the readers asked for, by kind, and what they got. */
export interface ReadCounts {
  readonly asked: number;
  readonly pages: number;
  readonly joins: number;
  readonly connections: number;
  /** `busy`, and other errors. */
  readonly busy: number;
  readonly otherwise: number;
  /** New connections that were refused. */
  readonly notConnected: number;
}

type Kind = keyof ReadCounts;

const TICK_MS = 20;
/** Of ten reads, this many are pages; the others are joins of another room. */
const PAGES_OF_TEN = 7;
const PAGE_EVENTS = 50;
const JOIN_TAIL = 50;
const CONNECTS_PER_SECOND = 5;
const CONNECTED_WITHIN_MS = 120_000;
/** Above the refs of the client itself. */
const FIRST_REF = 1_000_000;

const NONE: Readonly<Record<Kind, number>> = {
  asked: 0,
  pages: 0,
  joins: 0,
  connections: 0,
  busy: 0,
  otherwise: 0,
  notConnected: 0,
};

export class OverloadReaders {
  readonly #options: ReaderOptions;
  readonly #clients: WireClient[] = [];
  /** The room of each reader. */
  readonly #rooms = new Map<WireClient, RoomId>();
  #counts = { ...NONE };
  #ref = FIRST_REF;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** Resolves when every reader is connected. */
  async open(): Promise<void> {
    const { tokens } = this.#options;
    for (const n of tokens.keys()) {
      const client = this.#client(n, { onFrame: (frame) => this.#onFrame(frame) });
      this.#clients.push(client);
      client.connect();
    }
    const isOpen = (): boolean => this.#clients.every(({ isWelcome }) => isWelcome);
    await until(isOpen, { withinMs: CONNECTED_WITHIN_MS, what: "every reader to connect" });
  }

  /** `perSecond`: pages and joins. */
  start(perSecond: number): void {
    this.#counts = { ...NONE };
    const beganAt = performance.now();
    let [reads, connects] = [0, 0];
    this.#timer = setInterval(() => {
      const seconds = (performance.now() - beganAt) / 1_000;
      for (; reads < seconds * perSecond; reads++) this.#read(reads);
      for (; connects < seconds * CONNECTS_PER_SECOND; connects++) this.#connect(connects);
    }, TICK_MS);
  }

  stop(): ReadCounts {
    clearInterval(this.#timer);
    return this.#counts;
  }

  close(): void {
    clearInterval(this.#timer);
    for (const client of this.#clients) client.close();
  }

  #client(n: number, hooks: ConstructorParameters<typeof WireClient>[0]["hooks"] = {}): WireClient {
    const { url, tokens, addressOf } = this.#options;
    return new WireClient({
      user: `reader-${n}` as UserId,
      token: tokens[n % tokens.length] ?? "",
      endpoint: () => ({ name: "gateway-1", url }),
      reconnects: false,
      welcomeWithinMs: CONNECTED_WITHIN_MS,
      localAddress: addressOf(n),
      hooks,
    });
  }

  #read(n: number): void {
    const client = this.#clients[n % this.#clients.length];
    if (client?.isWelcome !== true) return;
    const { rooms } = this.#options;
    const room = rooms[below(systemRandom, rooms.length)] as RoomId;
    const ref = ++this.#ref;
    this.#counts.asked++;
    if (n % 10 < PAGES_OF_TEN) {
      client.write({ t: "history", ref, room, after: 0, limit: PAGE_EVENTS });
      return;
    }
    const before = this.#rooms.get(client);
    const leave = { t: "leave", ref: ++this.#ref, room: before };
    const join = { t: "join", ref, room, tail: JOIN_TAIL };
    this.#rooms.set(client, room);
    client.write(...(before === undefined ? [] : [leave]), join);
  }

  /** A client that connects, and leaves when it is welcome. */
  #connect(n: number): void {
    this.#counts.asked++;
    let isWelcome = false;
    const client = this.#client(n, {
      onFrame: ({ t }) => {
        if (t !== "welcome") return;
        isWelcome = true;
        this.#counts.connections++;
        client.close();
      },
      onClosed: () => {
        if (!isWelcome) this.#counts.notConnected++;
      },
    });
    client.connect();
  }

  #onFrame({ t, name }: JsonObject): void {
    if (t === "page") this.#counts.pages++;
    else if (t === "joined") this.#counts.joins++;
    // A reader whose join was refused is not in the room that it leaves next.
    else if (t === "error" && name !== "not_joined") {
      this.#counts[name === "busy" ? "busy" : "otherwise"]++;
    }
  }
}
