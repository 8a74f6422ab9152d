// RoomClients: SDK clients of one room, for the rows that measure writes other than messages.
//
//   room-clients.1. Each write has a planned time, from which its ack and its deliveries count.
//   room-clients.2. A client counts the events that it receives; the SDK delivers each of them once
//        and in order (K3).

import { Parley } from "#client/sdk/parley.ts";
import type { Outgoing, RoomHandle } from "#client/sdk/room-handle.ts";
import { until } from "#shared/testing/wait.ts";
import { Histogram } from "./histogram.ts";
import type { ParleyPeer } from "./peers/parley.ts";

const JOINED_WITHIN_MS = 60_000;

export class RoomClients {
  readonly handles: readonly RoomHandle[];
  readonly #clients: readonly Parley[];
  readonly #plannedAt = new Map<string, number>();
  ackMs = new Histogram();
  deliveryMs = new Histogram();
  written = 0;
  acked = 0;
  refused = 0;
  delivered = 0;
  readonly complaints = new Map<string, number>();

  private constructor(clients: readonly Parley[], handles: readonly RoomHandle[]) {
    this.#clients = clients;
    this.handles = handles;
    for (const handle of handles) handle.on("event", ({ id }) => this.#onEvent(id));
  }

  static async open(
    peer: ParleyPeer,
    room: string,
    users: readonly string[],
  ): Promise<RoomClients> {
    const clients: Parley[] = [];
    for (const user of users) {
      const token = (): Promise<string> => peer.token(user);
      clients.push(new Parley({ url: peer.url.replace(/^http/, "ws") + "/v1/ws", token }));
    }
    const handles = clients.map((client) => client.join(room, { tail: 0 }));
    for (const client of clients) client.connect();
    await until(() => handles.every(({ status }) => status === "live"), {
      withinMs: JOINED_WITHIN_MS,
      what: "the clients of the bench to join",
    });
    return new RoomClients(clients, handles);
  }

  get isAnswered(): boolean {
    return this.acked + this.refused === this.written;
  }

  /** The clients write in turn. */
  write(i: number, plannedAt: number, of: (handle: RoomHandle) => Outgoing): void {
    const handle = this.handles[i % this.handles.length];
    if (handle === undefined) return;
    const { id, done } = of(handle);
    this.written++;
    this.#plannedAt.set(id, plannedAt);
    void done.then((result) => {
      if (result.kind === "acked") {
        this.acked++;
        this.ackMs.add(performance.now() - plannedAt);
        return;
      }
      this.refused++;
      this.complaints.set(result.error, (this.complaints.get(result.error) ?? 0) + 1);
    });
  }

  forgetTimes(): void {
    this.ackMs = new Histogram();
    this.deliveryMs = new Histogram();
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  #onEvent(id: string): void {
    const plannedAt = this.#plannedAt.get(id);
    if (plannedAt === undefined) return;
    this.delivered++;
    this.deliveryMs.add(performance.now() - plannedAt);
  }
}
