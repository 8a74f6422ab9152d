// ReadPositions: the read positions that users of this gateway have said and the archive does not
// have yet.
//
// Owns: the newest position of each user and room, what is due to be stored and to be announced,
// and the wait after a failure. Does not own: the bus, the clock, the heads of rooms.
//
//   read-positions.1. A position only grows. Of two positions of one user in one room the higher
//        one counts.
//   read-positions.2. A position is at most the head of its room that the gateway knows. It is
//        dropped when the gateway has no feed of the room.
//   read-positions.3. At most POSITIONS_MAX positions are kept. Beyond it a position of another
//        user or room is dropped and counted: the client says it again.
//   read-positions.4. A position stays until the archive has it, or knows that the user is no
//        member. Batches of a partition leave one after the other, and after a failure with a
//        growing wait.

import type { Millis, Partition, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { READS_BATCH_MAX } from "#shared/protocol/limits.ts";
import type { ReadPosition } from "#shared/protocol/room-list.ts";
import type { SharedBound } from "./shared-bound.ts";
import { POSITION_RETRY_BASE_MS, POSITION_RETRY_CAP_MS, POSITIONS_MAX } from "./bounds.ts";

/** The memory of a position without its names: two map entries and the object. */
const POSITION_BYTES = 192;

interface Position {
  readonly room: RoomId;
  readonly user: UserId;
  seq: Seq;
  /** Said since the last settling. */
  isFresh: boolean;
}

interface Queue {
  readonly positions: Map<string, Position>;
  isInFlight: boolean;
  failures: number;
  notBefore: Millis;
}

export class ReadPositions {
  readonly #partitionOf: (room: RoomId) => Partition;
  readonly #total: Pick<SharedBound, "add" | "isFull">;
  readonly #queues = new Map<Partition, Queue>();
  #fresh: Position[] = [];
  #size = 0;
  /** Positions that were dropped (read-positions.3). */
  dropped = 0;

  /** `total`: the memory of the positions; beyond it read-positions.3 applies, too. */
  constructor(
    partitionOf: (room: RoomId) => Partition,
    total: Pick<SharedBound, "add" | "isFull">,
  ) {
    this.#partitionOf = partitionOf;
    this.#total = total;
  }

  get size(): number {
    return this.#size;
  }

  say(user: UserId, room: RoomId, seq: Seq): void {
    const queue = this.#queueOf(this.#partitionOf(room));
    const key = keyOf(room, user);
    let position = queue.positions.get(key);
    if (position !== undefined && seq <= position.seq) return; // read-positions.1
    if (position === undefined) {
      if (this.#size >= POSITIONS_MAX || this.#total.isFull) {
        this.dropped++;
        return;
      }
      this.#size++;
      this.#total.add(bytesOf(room, user));
      queue.positions.set(key, (position = { room, user, seq, isFresh: false }));
    }
    position.seq = seq;
    if (position.isFresh) return;
    position.isFresh = true;
    this.#fresh.push(position);
  }

  /**
   * Applies the heads to what was said since the last call, and returns it by room
   * (read-positions.2).
   */
  settle(headOf: (room: RoomId) => Seq | undefined): ReadonlyMap<RoomId, readonly Said[]> {
    const said = new Map<RoomId, Said[]>();
    for (const position of this.#fresh) {
      position.isFresh = false;
      const { room, user } = position;
      const head = headOf(room);
      if (head === undefined || head === 0) {
        this.#drop(position);
        continue;
      }
      position.seq = Math.min(position.seq, head);
      const ofRoom = said.get(room) ?? [];
      said.set(room, ofRoom);
      ofRoom.push([user, position.seq]);
    }
    this.#fresh = [];
    return said;
  }

  /** The batches to store now, one of each partition. Positions that are not settled wait. */
  take(now: Millis): (readonly [Partition, readonly ReadPosition[]])[] {
    const batches: (readonly [Partition, readonly ReadPosition[]])[] = [];
    for (const [p, queue] of this.#queues) {
      if (queue.isInFlight || queue.notBefore > now) continue;
      const batch: ReadPosition[] = [];
      for (const { room, user, seq, isFresh } of queue.positions.values()) {
        if (!isFresh) batch.push([room, user, seq]);
        if (batch.length === READS_BATCH_MAX) break;
      }
      if (batch.length === 0) continue;
      queue.isInFlight = true;
      batches.push([p, batch]);
    }
    return batches;
  }

  /** The positions of one user, by partition, whether or not they are in flight. */
  ofUser(user: UserId): (readonly [Partition, readonly ReadPosition[]])[] {
    return [...this.#queues].flatMap(([p, { positions }]) => {
      const own = [...positions.values()].filter((position) => position.user === user);
      if (own.length === 0) return [];
      const batch = own.map(({ room, seq }): ReadPosition => [room, user, seq]);
      return [[p, batch.slice(0, READS_BATCH_MAX)] as const];
    });
  }

  /** The archive has these positions, or needs none of them, but those to say again `later`. */
  onStored(
    p: Partition,
    batch: readonly ReadPosition[],
    later: readonly ReadPosition[] = [],
  ): void {
    const { positions } = this.#queueOf(p);
    const waiting = new Set(later.map(([room, user]) => keyOf(room, user)));
    for (const [room, user, seq] of batch) {
      const key = keyOf(room, user);
      const position = positions.get(key);
      if (position === undefined) continue;
      if (waiting.has(key)) {
        positions.delete(key); // To the end, so that the others have their turn.
        positions.set(key, position);
      } else if (position.seq <= seq && !position.isFresh) this.#drop(position);
    }
  }

  /** The batch of `take` has ended. */
  onDone(p: Partition, isStored: boolean, now: Millis): void {
    const queue = this.#queueOf(p);
    queue.isInFlight = false;
    queue.failures = isStored ? 0 : queue.failures + 1;
    const wait = POSITION_RETRY_BASE_MS * 2 ** Math.min(queue.failures - 1, 16);
    queue.notBefore = isStored ? 0 : now + Math.min(wait, POSITION_RETRY_CAP_MS);
  }

  #drop({ room, user }: Position): void {
    // A split moves a room to another queue; its old positions end where they are.
    for (const { positions } of this.#queues.values()) {
      if (!positions.delete(keyOf(room, user))) continue;
      this.#size--;
      this.#total.add(-bytesOf(room, user));
      return;
    }
  }

  #queueOf(p: Partition): Queue {
    let queue = this.#queues.get(p);
    if (queue === undefined) {
      queue = { positions: new Map(), isInFlight: false, failures: 0, notBefore: 0 };
      this.#queues.set(p, queue);
    }
    return queue;
  }
}

export type Said = readonly [UserId, Seq];

function bytesOf(room: RoomId, user: UserId): number {
  return POSITION_BYTES + 2 * (room.length + user.length);
}

/** A room id has no space. */
function keyOf(room: RoomId, user: UserId): string {
  return `${room} ${user}`;
}
