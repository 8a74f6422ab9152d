// ScriptedOwner: the owner model on a bus, and an archive of the same log. Tests choose what it
// loses and when it stops.

import type { ArchiveReader, Read } from "#shared/ports/archive.ts";
import type { RoomListReader } from "#shared/ports/room-lists.ts";
import type { NameReader } from "#shared/ports/names.ts";
import type { SearchReader } from "#shared/ports/search.ts";
import type { Bus, Subscription } from "#shared/ports/bus.ts";
import { encodeResults, encodeResync } from "#shared/protocol/results.ts";
import type { CommandBatch } from "#shared/protocol/commands.ts";
import type { Partition, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { partitionOf } from "#shared/protocol/ids.ts";
import type { NamedUser, SaidName } from "#shared/protocol/names.ts";
import { encodeHead, encodeOut } from "#shared/protocol/lines.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { OwnerModel } from "./owner-model.ts";
import type { Outgoing } from "./owner-model.ts";

export class ScriptedOwner {
  readonly model = new OwnerModel();
  readonly #bus: Bus;
  readonly #partitions: number;
  #subscriptions: Subscription[] = [];
  /** Committed lines that are not broadcast. */
  losesOut: (outgoing: Outgoing) => boolean = () => false;
  /** Commands that are applied and not answered. */
  losesResults = false;

  constructor(bus: Bus, partitions: number) {
    this.#bus = bus;
    this.#partitions = partitions;
  }

  serve(): void {
    for (let p = 0; p < this.#partitions; p++) {
      const queue = { queue: "owner" };
      const take = (data: Uint8Array, reply: string | undefined): void => {
        this.#onBatch(p, JSON.parse(Buffer.from(data).toString()) as CommandBatch, reply ?? "");
      };
      this.#subscriptions.push(
        this.#bus.subscribe(subjects.commands(p), ({ data, reply }) => take(data, reply), queue),
        this.#bus.subscribe(subjects.commandsOf(p, this.model.epoch), ({ data, reply }) =>
          take(data, reply),
        ),
      );
    }
  }

  /** Stops at once: further commands find no subscriber. */
  stop(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#subscriptions = [];
  }

  /** Another owner takes over and publishes a beat. */
  replace(): void {
    this.model.beginTenure();
    this.serve();
    this.beat();
  }

  beat(): void {
    const owns = Object.fromEntries(
      Array.from({ length: this.#partitions }, (_, p) => [p, this.model.epoch]),
    );
    const beat = { v: 1, id: "room-1", state: "live", version: "test", owns };
    this.#bus.publish(subjects.beat("room"), JSON.stringify(beat));
  }

  /** Commits lines of other users, in one broadcast. */
  commit(room: RoomId, ...texts: string[]): void {
    const lines = texts.map((text) => this.model.append(room, text));
    this.#publish({ room, first: lines[0]!.first, lines: lines.flatMap((line) => line.lines) });
  }

  /** Appends lines to the log without a broadcast. */
  preload(room: RoomId, count: number, text = "old"): void {
    for (let n = 0; n < count; n++) this.model.append(room, text);
  }

  repeatHead(room: RoomId): void {
    this.#bus.publish(subjects.out(room), encodeHead(this.model.head(room), this.model.born(room)));
  }

  #onBatch(p: Partition, batch: CommandBatch, reply: string): void {
    const { epoch } = this.model;
    const taken = this.model.take(batch);
    if (taken.kind === "resync") this.#bus.publish(reply, encodeResync(p, epoch, taken.lane));
    if (taken.kind !== "taken") return;
    const messages = this.losesResults ? [] : encodeResults(p, epoch, taken.results);
    for (const message of messages) this.#bus.publish(reply, message);
    for (const outgoing of taken.out) this.#publish(outgoing);
  }

  #publish(outgoing: Outgoing): void {
    if (this.losesOut(outgoing)) return;
    const { room, first, lines } = outgoing;
    this.#bus.publish(subjects.out(room), encodeOut(first, lines));
  }
}

/** Reads the archived part of the owner's log, with the bounds of the real archive. */
export class ScriptedArchive implements ArchiveReader, RoomListReader, SearchReader, NameReader {
  readonly #model: OwnerModel;
  /** The last archived number of each room. */
  archivedTo: Seq = Infinity;
  isDown = false;
  readonly said: SaidName[] = [];
  reads: { readonly first: Seq; readonly last: Seq }[] = [];

  constructor(model: OwnerModel) {
    this.#model = model;
  }

  range(p: Partition, room: RoomId, first: Seq, last: Seq): ReturnType<ArchiveReader["range"]> {
    if (p !== partitionOf(room, 2)) throw new Error("a read used the wrong partition");
    this.reads.push({ first, last });
    if (this.isDown) return this.#unavailable();
    const lines = this.#model.range(room, first, Math.min(last, this.archivedTo));
    const head = Math.min(this.archivedTo, this.#model.head(room));
    return Promise.resolve({ kind: "ok", value: { first, lines, head } });
  }

  watermark(): Promise<Read<never>> {
    return this.#unavailable();
  }

  snapshot(): Promise<Read<never>> {
    return this.#unavailable();
  }

  messages(): Promise<Read<never>> {
    return Promise.resolve({ kind: "unavailable", reason: "not scripted" });
  }

  lookup(): Promise<Read<never>> {
    return this.#unavailable();
  }

  rooms(): Promise<Read<never>> {
    return this.#unavailable();
  }

  findRooms(): Promise<Read<never>> {
    return this.#unavailable();
  }

  search(): Promise<Read<never>> {
    return this.#unavailable();
  }

  names(_p: Partition, users: readonly UserId[]): Promise<Read<readonly NamedUser[]>> {
    if (this.isDown) return this.#unavailable();
    const value = this.said.filter(({ user }) => users.includes(user));
    return Promise.resolve({
      kind: "ok",
      value: value.map(({ user, name }) => [user, name] as const),
    });
  }

  putName(_p: Partition, said: SaidName): Promise<Read<undefined>> {
    if (this.isDown) return this.#unavailable();
    this.said.push(said);
    return Promise.resolve({ kind: "ok", value: undefined });
  }

  putReads(): Promise<Read<never>> {
    return this.#unavailable();
  }

  #unavailable(): Promise<Read<never>> {
    return Promise.resolve({ kind: "unavailable", reason: "scripted" });
  }
}
