// Crowd: one writer in each of some rooms, and the verdict on what all of them saw.
//
// Owns: the writers and their records. Does not own: faults (the caller's), judgement (verify/checker).

import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import type { Report } from "../checker/check.ts";
import { devToken } from "../dumps/dump.ts";
import type { ClientRecord, HistoryRecord } from "../checker/record.ts";
import { Writer } from "./saturating-writer.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { Acks } from "./acks.ts";
import { judge } from "./verdict.ts";

export interface CrowdOptions {
  readonly cluster: Cluster;
  readonly partitions: number;
  readonly rooms: readonly RoomId[];
  /** Unanswered sends of each writer. */
  readonly inFlightMax: number;
  /** Records are needed for a verdict, and cost memory. */
  readonly keepsRecords?: boolean;
  /** Sees every record as it is made. */
  readonly onRecord?: (record: ClientRecord) => void;
}

const PATIENCE_MS = 90_000;

export class Crowd implements Disposable {
  readonly acks = new Acks();
  readonly #options: CrowdOptions;
  readonly #writers: Writer[] = [];
  readonly #records: HistoryRecord[] = [];

  static async open(options: CrowdOptions): Promise<Crowd> {
    const crowd = new Crowd(options);
    for (const room of options.rooms) await crowd.#join(room);
    return crowd;
  }

  private constructor(options: CrowdOptions) {
    this.#options = options;
  }

  get surprises(): readonly string[] {
    return this.#writers.flatMap((writer) => writer.surprises);
  }

  async ackedMore(count: number): Promise<void> {
    const goal = this.acks.count + count;
    await until(() => this.acks.count >= goal, {
      withinMs: PATIENCE_MS,
      what: `${count} more acknowledgements`,
    });
  }

  /** How long each of the rooms waited since `acks.begin`; resolves when all are back. */
  async back(rooms: readonly RoomId[] = this.#options.rooms): Promise<number[]> {
    const { back } = this.acks;
    await until(() => rooms.every((room) => back.has(room)), {
      withinMs: PATIENCE_MS,
      what: "every room to be back",
    });
    return rooms.map((room) => back.get(room) ?? NaN);
  }

  /** Nothing new; resolves when everything that was sent is acknowledged. */
  async drain(): Promise<void> {
    for (const writer of this.#writers) writer.finish();
    await until(() => this.#writers.every((writer) => writer.isDrained), {
      withinMs: PATIENCE_MS,
      what: "every send to be acknowledged",
    });
  }

  /** After `drain`: what verify/checker says to the records, the log, the archive and the pages. */
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

  async #join(room: RoomId): Promise<void> {
    const { cluster, inFlightMax, keepsRecords = true } = this.#options;
    const user = `writer-${room}` as UserId;
    const writer = new Writer({
      url: () => `${cluster.url.replace("http", "ws")}/v1/ws`,
      user,
      token: await devToken(cluster.url, user),
      room,
      inFlightMax,
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
