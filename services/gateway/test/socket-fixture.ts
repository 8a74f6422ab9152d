// SocketFixture: the real gateway behind a real HTTP server, for real WebSocket clients, with a
// scripted owner and archive on a memory bus.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket } from "ws";
import { MemoryBroker } from "#shared/adapters/bus-memory.ts";
import type { MemoryBus } from "#shared/adapters/bus-memory.ts";
import { systemClock, systemRandom } from "#shared/adapters/clock-system.ts";
import type { Clock } from "#shared/ports/clock.ts";
import { createLogger } from "#shared/process/logger.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import type { ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { addressKey } from "../adapters/client-address.ts";
import { attachWebSockets, frameMaker } from "../adapters/websocket.ts";
import { Gateway } from "../runtime/gateway.ts";
import type { GatewayOptions } from "../runtime/gateway.ts";
import type { Authenticator, Verification } from "#shared/ports/identity.ts";
import { ScriptedArchive, ScriptedOwner } from "./scripted-owner.ts";
import { SocketClient } from "./socket-client.ts";

export const ORIGIN = "http://app.example";
export const PARTITIONS = 2;
/** A drain waits for time, so a fake clock passes this much in each such time. */
const DRAIN_STEP_MS = 10;
export const GENERAL = "general" as RoomId;

/** A token is a user's name, with its expiry if it has one: "ada" or "ada@12345". */
class NameTokens implements Authenticator {
  /** Verifications that wait until a test releases them. */
  held: (() => void)[] | undefined;

  async verify(token: string, now: number): Promise<Verification> {
    if (this.held !== undefined) await new Promise<void>((go) => this.held?.push(go));
    if (token === "throws") throw new Error("the authenticator failed");
    const [user = "", until = "Infinity"] = token.split("@");
    if (user === "refused") return { kind: "refused", error: "unauthorized" };
    const expiresAt = Number(until);
    if (expiresAt <= now) return { kind: "refused", error: "token_expired" };
    return { kind: "ok", identity: { user: user as UserId, admin: false, expiresAt } };
  }
}

export interface DialOptions {
  readonly origin?: string;
  readonly protocol?: string | undefined;
  readonly path?: string;
}

export class SocketFixture implements AsyncDisposable {
  readonly gateway: Gateway;
  readonly owner: ScriptedOwner;
  readonly archive: ScriptedArchive;
  readonly auth = new NameTokens();
  readonly bus: MemoryBus;
  readonly broker = new MemoryBroker();
  /** The events that the gateway reported. */
  readonly reports: string[] = [];
  readonly #server = createServer();
  readonly #clients: SocketClient[] = [];
  readonly clock: Clock;
  #isDrained = false;

  constructor(
    options: Partial<GatewayOptions> = {},
    auth?: Authenticator,
    clock: Clock = systemClock,
  ) {
    this.clock = clock;
    this.bus = this.broker.connect();
    this.owner = new ScriptedOwner(this.broker.connect(), PARTITIONS);
    this.archive = new ScriptedArchive(this.owner.model);
    this.gateway = new Gateway(
      {
        id: "gw-1" as ProcessId,
        partitions: PARTITIONS,
        version: "test",
        limits: false,
        ...options,
      },
      {
        bus: this.bus,
        archive: this.archive,
        clock,
        random: systemRandom,
        auth: auth ?? this.auth,
        frames: frameMaker,
        report: (event) => this.reports.push(event),
      },
    );
    attachWebSockets({
      server: this.#server,
      origins: [ORIGIN],
      accept: (socket) => this.gateway.accept(socket),
      addressOf: ({ socket }) => addressKey(socket.remoteAddress ?? ""),
      isDraining: () => this.gateway.roomApi.health.draining,
      logger: createLogger({ name: "test", level: "silent" }),
    });
  }

  /** `auth` replaces the tokens that are names. */
  static async open(
    options: Partial<GatewayOptions> = {},
    auth?: Authenticator,
    clock?: Clock,
  ): Promise<SocketFixture> {
    const fixture = new SocketFixture(options, auth, clock);
    fixture.owner.serve();
    fixture.gateway.start();
    await new Promise<void>((resolve) => {
      fixture.#server.listen(0, "127.0.0.1", resolve);
    });
    return fixture;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** A socket that has sent nothing. Rejects with the HTTP status of a refused upgrade. */
  async dial(options: DialOptions = {}): Promise<SocketClient> {
    const { path = "/v1/ws", origin } = options;
    const protocol = "protocol" in options ? options.protocol : "parley.v1";
    const socket = new WebSocket(
      `ws://127.0.0.1:${this.port}${path}`,
      protocol === undefined ? [] : [protocol],
      { ...(origin !== undefined && { origin }), perMessageDeflate: false },
    );
    const client = new SocketClient(socket);
    this.#clients.push(client);
    await new Promise((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
      socket.once("unexpected-response", (_request, response) => {
        reject(new Error(`status ${response.statusCode}`));
        response.resume();
        socket.terminate();
      });
    });
    return client;
  }

  /** A client after its hello. */
  async connect(token = "ada"): Promise<SocketClient> {
    const client = await this.dial();
    client.sendFrames({ t: "hello", token });
    await client.first(({ t }) => t === "welcome", "welcome");
    return client;
  }

  /** A client that has joined and caught up. */
  async member(token = "ada", room = "general", from: object = {}): Promise<SocketClient> {
    const client = await this.connect(token);
    await client.join(room, from);
    await client.caughtUp(room);
    return client;
  }

  async drain(): Promise<void> {
    this.#isDrained = true;
    const { clock } = this;
    const pass = (): void =>
      clock instanceof FakeClock ? clock.advance(DRAIN_STEP_MS) : undefined;
    const passing = setInterval(pass, DRAIN_STEP_MS);
    try {
      await this.gateway.drain();
    } finally {
      clearInterval(passing);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.#clients) socket.terminate();
    if (!this.#isDrained) await this.drain();
    this.owner.stop();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
