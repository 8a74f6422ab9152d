// Owners: which room node owns which partition, from the beats on the bus.

import { connectNats } from "#shared/adapters/nats-connect.ts";
import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import { partitionOf } from "#shared/protocol/ids.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { decodeBeat } from "#shared/protocol/beat.ts";
import { subjects } from "#shared/protocol/subjects.ts";

export class Owners implements Disposable {
  readonly #owns: Map<string, ReadonlySet<number>> = new Map();
  readonly #close: () => void;

  static async open(access: NatsAccess): Promise<Owners> {
    const connection = await connectNats({
      ...access,
      name: "owners",
      inboxPrefix: "_INBOX_owners",
    });
    const owners = new Owners(() => void connection.close());
    connection.subscribe(subjects.beat("room"), {
      callback: (_error, message) => owners.#onBeat(message.string()),
    });
    return owners;
  }

  private constructor(close: () => void) {
    this.#close = close;
  }

  /** Those of `rooms` whose partition is in the last beat of the process `id`. */
  roomsOf(id: string, rooms: readonly RoomId[], partitions: number): RoomId[] {
    const owned = this.#owns.get(id) ?? new Set();
    return rooms.filter((room) => owned.has(partitionOf(room, partitions)));
  }

  [Symbol.dispose](): void {
    this.#close();
  }

  #onBeat(text: string): void {
    const beat = decodeBeat(text);
    if (beat !== undefined)
      this.#owns.set(beat.id, new Set(Object.keys(beat.owns ?? {}).map(Number)));
  }
}
