// WriterLoad: one saturating writer in each of several rooms, and the verdict on what they
// recorded.
//
// Owns: the writers and their records. Does not own: the faults (the caller's), the judgement
// (verify/checker).

import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import type { Report } from "../checker/check.ts";
import type { ClientRecord, HistoryRecord } from "../checker/record.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { devToken, socketUrlOf } from "../wire-client/dev-token.ts";
import { Acks } from "./acks.ts";
import { SaturatingWriter } from "./saturating-writer.ts";
import { judge } from "./verdict.ts";

export interface WriterLoadOptions {
  readonly cluster: Cluster;
  readonly partitions: number;
  readonly rooms: readonly RoomId[];
  /** Sends of each writer without an acknowledgement. */
  readonly pendingMax: number;
  /** A verdict needs the records; they cost memory. Default: true. */
  readonly keepsRecords?: boolean;
  /** Receives every record. */
  readonly onRecord?: (record: ClientRecord) => void;
}

const DRAINED_WITHIN_MS = 90_000;

export class WriterLoad implements Disposable {
  readonly acks = new Acks();
  readonly #options: WriterLoadOptions;
  readonly #writers: SaturatingWriter[] = [];
  readonly #records: HistoryRecord[] = [];

  static async open(options: WriterLoadOptions): Promise<WriterLoad> {
    const load = new WriterLoad(options);
    for (const room of options.rooms) await load.#addWriter(room);
    return load;
  }

  private constructor(options: WriterLoadOptions) {
    this.#options = options;
  }

  get surprises(): readonly string[] {
    return this.#writers.flatMap((writer) => writer.surprises);
  }

  async ackedMore(count: number): Promise<void> {
    const goal = this.acks.count + count;
    await until(() => this.acks.count >= goal, {
      withinMs: DRAINED_WITHIN_MS,
      what: `${count} more acknowledgements`,
    });
  }

  /** Resolves when every room is back, with the wait of each since `acks.begin`. */
  async back(rooms: readonly RoomId[] = this.#options.rooms): Promise<number[]> {
    const { back } = this.acks;
    await until(() => rooms.every((room) => back.has(room)), {
      withinMs: DRAINED_WITHIN_MS,
      what: "every room to be back",
    });
    return rooms.map((room) => back.get(room) ?? NaN);
  }

  /** Stops new sends; resolves when every send is acknowledged. */
  async drain(): Promise<void> {
    for (const writer of this.#writers) writer.finish();
    await until(() => this.#writers.every((writer) => writer.isDrained), {
      withinMs: DRAINED_WITHIN_MS,
      what: "every send to be acknowledged",
    });
  }

  /** After `drain`: the checker's report on the records, the log, the archive and the history. */
  async judge(): Promise<Report> {
    const { report } = await judge({
      ...this.#options,
      records: this.#records,
      isRead: (heads) => this.#writers.every(({ seen, room }) => seen === heads.get(room)),
    });
    return report;
  }

  [Symbol.dispose](): void {
    for (const writer of this.#writers) writer.close();
  }

  async #addWriter(room: RoomId): Promise<void> {
    const { cluster, pendingMax, keepsRecords = true } = this.#options;
    const user = `writer-${room}` as UserId;
    const endpoint = { name: "gateway-1", url: socketUrlOf(cluster.url) };
    const writer = new SaturatingWriter({
      endpoint: () => endpoint,
      user,
      token: await devToken(cluster.url, user),
      room,
      pendingMax,
      record: (record: ClientRecord) => {
        this.acks.take(record);
        this.#options.onRecord?.(record);
        if (keepsRecords) this.#records.push(record);
      },
    });
    writer.connect();
    this.#writers.push(writer);
  }
}
