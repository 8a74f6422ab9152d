// ReadPositionsRunner: hands read positions on to the archive and to the other members of a room,
// once a second.
//
// Owns: the timer, the requests. Does not own: the positions and their bounds
// (core/read-positions.ts).
//
//   read-positions-runner.1. Others receive a position while the gateway knows of at most
//        PRESENCE_NAMES_MAX present users in the room. The message can be lost.
//   read-positions-runner.2. A gateway that leaves hands its positions on first, and waits for at
//        most the timeout of a request.

import type { Bus } from "#shared/ports/bus.ts";
import type { Clock, Timer } from "#shared/ports/clock.ts";
import type { RoomListReader } from "#shared/ports/room-lists.ts";
import type { Partition, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { PRESENCE_NAMES_MAX } from "#shared/protocol/limits.ts";
import { encodeLive } from "#shared/protocol/live.ts";
import type { PartitionMap } from "#shared/protocol/partition-map.ts";
import type { ReadPosition } from "#shared/protocol/room-list.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { ReadPositions } from "../core/read-positions.ts";
import type { SharedBound } from "../core/shared-bound.ts";
import type { Rooms } from "./rooms.ts";

const EVERY_MS = 1_000;

export interface ReadPositionsOptions {
  readonly bus: Pick<Bus, "publish">;
  readonly clock: Clock;
  readonly archive: Pick<RoomListReader, "putReads">;
  readonly map: Pick<PartitionMap, "partitionOf">;
  readonly rooms: Pick<Rooms, "lastHead" | "here">;
  readonly total: SharedBound;
}

export class ReadPositionsRunner {
  readonly #options: ReadPositionsOptions;
  readonly #positions: ReadPositions;
  #timer: Timer | undefined;

  constructor(options: ReadPositionsOptions) {
    this.#options = options;
    const { map, total } = options;
    this.#positions = new ReadPositions((room) => map.partitionOf(room), total);
  }

  get size(): number {
    return this.#positions.size;
  }

  get dropped(): number {
    return this.#positions.dropped;
  }

  start(): void {
    this.#timer = this.#options.clock.every(EVERY_MS, () => this.#handOn());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  say(user: UserId, room: RoomId, seq: Seq): void {
    this.#positions.say(user, room, seq);
  }

  /** Resolves when the archive has the positions of the user, or cannot take them now. */
  async flush(user: UserId): Promise<void> {
    this.#announce();
    await Promise.all(this.#positions.ofUser(user).map(([p, batch]) => this.#store(p, batch)));
  }

  /** read-positions-runner.2. Never rejects. */
  async leave(): Promise<void> {
    this.stop();
    this.#announce();
    for (let attempt = 0; attempt < 2 && this.#positions.size > 0; attempt++) {
      const batches = this.#positions.take(Infinity);
      await Promise.all(batches.map(([p, batch]) => this.#storeNext(p, batch)));
    }
  }

  #handOn(): void {
    this.#announce();
    const { clock } = this.#options;
    for (const [p, batch] of this.#positions.take(clock.monotonic())) {
      void this.#storeNext(p, batch);
    }
  }

  /** read-positions-runner.1. */
  #announce(): void {
    const { bus, rooms } = this.#options;
    for (const [room, said] of this.#positions.settle((id) => rooms.lastHead(id))) {
      if (rooms.here(room) > PRESENCE_NAMES_MAX) continue;
      const reads = said.slice(0, PRESENCE_NAMES_MAX);
      bus.publish(subjects.live(room), encodeLive({ t: "reads", room, reads }));
    }
  }

  async #storeNext(p: Partition, batch: readonly ReadPosition[]): Promise<void> {
    const isStored = await this.#store(p, batch);
    this.#positions.onDone(p, isStored, this.#options.clock.monotonic());
  }

  async #store(p: Partition, batch: readonly ReadPosition[]): Promise<boolean> {
    const read = await this.#options.archive.putReads(p, batch);
    if (read.kind === "ok") this.#positions.onStored(p, batch, read.value);
    return read.kind === "ok";
  }
}
