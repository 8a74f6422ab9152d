// ScaleUsers: the users of a run at scale, each with the SDK on one connection.
//
// Owns: the users, their rooms, the schedule of their messages, and whether each member received
// each message once and in order. Does not own: the cluster, the counts of messages on the bus.
//
//   scale-users.1. Every room has the same number of members, and every user the same number of
//        rooms. Each user connects to a random gateway.
//   scale-users.2. Messages come at random times, at a constant mean rate, in random rooms.

import { Parley } from "#client/sdk/parley.ts";
import type { RoomHandle } from "#client/sdk/room-handle.ts";
import type { Millis, ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import type { SimulatedBroker } from "../sim/broker.ts";
import type { SimulatedCluster } from "../sim/cluster.ts";
import { Pipe } from "../sim/pipe.ts";
import type { SimulatedProcess } from "../sim/process.ts";
import { SeededRng } from "../sim/seeded-rng.ts";
import { SimulatedSocket, webSocketClass } from "../sim/socket.ts";

export interface ScaleUsersOptions {
  readonly seed: number;
  readonly broker: SimulatedBroker;
  readonly cluster: SimulatedCluster;
  readonly rooms: number;
  readonly members: number;
  readonly roomsPerUser: number;
}

interface Member {
  readonly process: SimulatedProcess;
  readonly handle: RoomHandle;
}

const BODY = "x".repeat(80);
const TAIL = { tail: 0 };

export class ScaleUsers {
  sent = 0;
  acked = 0;
  delivered = 0;
  /** Messages that a member received twice, out of order or not directly behind the last one. */
  wrong = 0;
  readonly #options: ScaleUsersOptions;
  readonly #rng: SeededRng;
  readonly #rooms: readonly Member[][];
  readonly #clients: Parley[] = [];
  #sockets = 0;
  #isStopped = false;

  constructor(options: ScaleUsersOptions) {
    this.#options = options;
    this.#rng = new SeededRng(options.seed, "scale users");
    this.#rooms = Array.from({ length: options.rooms }, () => []);
  }

  get users(): number {
    const { rooms, members, roomsPerUser } = this.#options;
    return Math.round((rooms * members) / roomsPerUser);
  }

  get rooms(): RoomId[] {
    return this.#rooms.map((_, number) => roomOf(number));
  }

  get online(): number {
    return this.#clients.filter(({ state }) => state === "online").length;
  }

  /** All users connect, spread evenly over `withinMs`. */
  connect(withinMs: Millis): void {
    const { scheduler } = this.#options.broker.options;
    for (let user = 0; user < this.users; user++) {
      scheduler.after((user / this.users) * withinMs, () => this.#start(user));
    }
  }

  /** No further message is sent. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Sends until `until` (scale-users.2). */
  send(perSecond: number, until: Millis): void {
    const { scheduler } = this.#options.broker.options;
    const gapMs = (-Math.log(1 - this.#rng.between(0, 1)) * 1_000) / perSecond;
    if (scheduler.now + gapMs > until) return;
    scheduler.after(gapMs, () => {
      if (this.#isStopped) return;
      this.#sendOne();
      this.send(perSecond, until);
    });
  }

  #sendOne(): void {
    const member = this.#rng.pick(this.#rng.pick(this.#rooms) ?? []);
    if (member === undefined) return;
    this.sent++;
    member.process.run(() => {
      void member.handle.send({ text: BODY }).done.then(({ kind }) => {
        if (kind === "acked") this.acked++;
      });
    });
  }

  #start(user: number): void {
    const { cluster, rooms, roomsPerUser } = this.#options;
    const process = cluster.createProcess("client", `client-${user}` as ProcessId);
    const token = `user-${user}` as UserId;
    const parley = new Parley({
      url: "ws://gateway.example/v1/ws",
      token,
      webSocket: webSocketClass(() => this.#open(process)),
      clock: process.clock,
      random: process.random,
    });
    this.#clients.push(parley);
    process.run(() => {
      for (let n = 0; n < roomsPerUser; n++) {
        const room = (user * roomsPerUser + n) % rooms; // scale-users.1
        const handle = parley.join(roomOf(room), TAIL);
        this.#rooms[room]?.push({ process, handle });
        this.#watch(handle);
      }
      parley.connect();
    });
  }

  #watch(handle: RoomHandle): void {
    let last: number | undefined;
    handle.on("event", ({ seq }) => {
      if (last !== undefined && seq !== last + 1) this.wrong++;
      last = seq;
      this.delivered++;
    });
  }

  #open(process: SimulatedProcess): SimulatedSocket {
    const { broker, cluster } = this.#options;
    const { scheduler, rng, trace } = broker.options;
    const service = this.#rng.pick(cluster.of("gateway"));
    return new SimulatedSocket({
      number: ++this.#sockets,
      scheduler,
      rng,
      trace,
      up: new Pipe(broker.options),
      down: new Pipe(broker.options),
      client: process,
      gateway: service?.process,
      accept: (client) => {
        if (service?.gateway === undefined) throw new Error("the socket has no gateway");
        return service.gateway.accept(client);
      },
      observer: {
        onSent: () => undefined,
        onReceived: () => undefined,
        onEnded: () => undefined,
        onBuffered: () => undefined,
      },
    });
  }
}

function roomOf(number: number): RoomId {
  return `room-${number}` as RoomId;
}
