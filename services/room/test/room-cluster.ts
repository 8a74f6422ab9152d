// Room cluster: room nodes on a memory bus and a memory log, an archive that copies the log on
// command, and the lane of a gateway that resends until it is answered. Time is fake.

import { decodeEntry, epochAfter, isVoid } from "#shared/protocol/entry.ts";
import type { DecodedEntry } from "#shared/protocol/entry.ts";
import type { Command } from "#shared/protocol/commands.ts";
import type { ResultBatch } from "#shared/protocol/results.ts";
import { decodeEvent } from "#shared/protocol/events.ts";
import { messageTime, partitionOf } from "#shared/protocol/ids.ts";
import type { LogSeq, Partition, ProcessId, RoomId } from "#shared/protocol/ids.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { encodeSuspectReport } from "#shared/protocol/suspect-report.ts";
import { encodeWatermark } from "#shared/protocol/watermark.ts";
import { MemoryBroker } from "#shared/adapters/bus-memory.ts";
import type { MemoryBus } from "#shared/adapters/bus-memory.ts";
import { MemoryLog } from "#shared/adapters/log-memory.ts";
import type { ArchiveReader, Read } from "#shared/ports/archive.ts";
import type { AppendOutcome, PartitionLog } from "#shared/ports/log.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import type { LoadReading } from "../core/load-window.ts";
import { RoomNode } from "../runtime/room-node.ts";

export const PARTITIONS = 2;

interface Stored {
  readonly seq: LogSeq;
  readonly entry: DecodedEntry;
  readonly isVoid: boolean;
}

export class RoomCluster {
  readonly clock = new FakeClock();
  readonly broker = new MemoryBroker();
  readonly log = new MemoryLog();
  readonly faults: unknown[] = [];
  readonly reports: string[] = [];
  /** PostgreSQL is away: every read of the archive is `unavailable`. */
  isArchiveAway = false;
  readonly #stored = new Map<Partition, Stored[]>();
  readonly #watermarks = new Map<Partition, LogSeq>();
  readonly #bus = this.broker.connect();
  #nodes = 0;

  constructor() {
    for (let p = 0; p < PARTITIONS; p++) this.#follow(p);
  }

  /** Creates the logs of the upper halves, as `parley partitions split` does. */
  createUpperHalves(): void {
    for (let p = PARTITIONS; p < 2 * PARTITIONS; p++) {
      this.log.create(p, 2);
      this.#follow(p);
    }
  }

  #follow(p: Partition): void {
    const stored: Stored[] = [];
    let epoch = 0;
    this.#stored.set(p, stored);
    this.log.read(p, 1, {
      onEntry: (seq, data) => {
        const entry = decodeEntry(new TextDecoder().decode(data));
        stored.push({ seq, entry, isVoid: isVoid(epoch, entry) });
        epoch = epochAfter(epoch, seq, entry);
      },
      onError: (reason) => this.faults.push(reason),
    });
  }

  /** Archived splits of `p`: the newest `of`. */
  #ofOf(p: Partition): number | undefined {
    const seq = this.#watermarks.get(p) ?? 0;
    const splits = (this.#stored.get(p) ?? []).flatMap(({ entry, ...item }) =>
      entry.kind === "split" && !item.isVoid && item.seq <= seq ? [entry.of] : [],
    );
    return splits.at(-1);
  }

  start(
    log: PartitionLog = this.log,
    name = `n${++this.#nodes}`,
    {
      load,
      ...options
    }: {
      readonly load?: { readonly read: () => LoadReading; readonly balanceMs: number } | undefined;
      readonly memoryMax?: number;
      readonly region?: string;
      readonly mayServe?: (p: Partition) => boolean;
    } = {},
  ): { node: RoomNode; bus: MemoryBus } {
    const bus = this.broker.connect();
    const id = `room-${name}` as ProcessId;
    const node = new RoomNode(
      {
        id,
        partitions: PARTITIONS,
        version: "test",
        memoryMax: 1 << 20,
        ...options,
        ...(load && { balanceMs: load.balanceMs }),
      },
      {
        bus,
        log,
        archive: this.#archive(),
        clock: this.clock,
        report: (event) => this.reports.push(event),
        fault: (error) => this.faults.push(error),
        ...(load && { readLoad: load.read }),
      },
    );
    node.start();
    return { node, bus };
  }

  /** Advances the clock by `ms` in small steps, and delivers all messages in between. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left >= 0; left -= 25) {
      await this.settle();
      this.clock.advance(Math.min(25, Math.max(left, 0)));
    }
    await this.settle();
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      this.clock.advance(0);
    }
  }

  /** Collects the messages on the room's subject from now on. */
  listen(room: RoomId): string[] {
    const received: string[] = [];
    this.#bus.subscribe(subjects.out(room), ({ data }) => {
      received.push(new TextDecoder().decode(data));
    });
    return received;
  }

  /** Publishes a gateway's report that the partition has no responder. */
  suspect(p: Partition): void {
    this.#bus.publish(subjects.suspect(p), encodeSuspectReport(p));
  }

  /** Archives all entries in the log and publishes the watermarks. */
  archiveAll(): void {
    for (const [p, stored] of this.#stored) {
      const seq = Math.max(stored.at(-1)?.seq ?? 0, this.#watermarks.get(p) ?? 0);
      this.#watermarks.set(p, seq);
      const of = this.#ofOf(p);
      const upper = of === undefined ? undefined : p + of / 2;
      if (upper !== undefined && !this.#watermarks.get(upper)) this.#watermarks.set(upper, 1);
      if (seq > 0) this.#bus.publish(subjects.watermark(p), encodeWatermark(p, seq));
    }
  }

  /** The valid lines of a room, as every reader of the log sees them. */
  lines(room: RoomId): string[] {
    return this.#linesUpTo(room, Infinity);
  }

  voids(): number {
    return [...this.#stored.values()].flat().filter((item) => item.isVoid).length;
  }

  #linesUpTo(room: RoomId, watermark: LogSeq): string[] {
    const stored = this.#stored.get(partitionOf(room, PARTITIONS)) ?? [];
    return stored
      .filter((item) => item.seq <= watermark && !item.isVoid && item.entry.kind === "commit")
      .flatMap(({ entry }) => (entry.kind === "commit" ? entry.groups : []))
      .filter((group) => group.room === room)
      .flatMap((group) => group.lines);
  }

  #archive(): ArchiveReader {
    const ok = <T>(value: T): Promise<Read<T>> =>
      Promise.resolve(
        this.isArchiveAway ? { kind: "unavailable", reason: "away" } : { kind: "ok", value },
      );
    const watermarkOf = (p: Partition): LogSeq => this.#watermarks.get(p) ?? 0;
    return {
      watermark: (p) => {
        const seq = watermarkOf(p);
        const before = (this.#stored.get(p) ?? []).filter((item) => item.seq <= seq);
        const epoch = before.reduce((last, item) => epochAfter(last, item.seq, item.entry), 0);
        const of = this.#ofOf(p);
        return ok({ seq, epoch, ...(of !== undefined && { of }) });
      },
      range: (p, room, first, last) => {
        const lines = this.#linesUpTo(room, watermarkOf(p));
        return ok({ first, lines: lines.slice(first - 1, last), head: lines.length });
      },
      snapshot: (p, room, since) => {
        const lines = this.#linesUpTo(room, watermarkOf(p));
        const events = lines.map(decodeEvent);
        const young = events.filter((event) => messageTime(event.id) >= since);
        return ok({
          room,
          watermark: watermarkOf(p),
          head: lines.length,
          born: events[0]?.id ?? "",
          floor: events.length === 0 ? 0 : since,
          ids: young.map((event) => [event.id, event.from, event.seq, event.at] as const),
          tail: lines.slice(-5),
          lastAt: events.at(-1)?.at ?? 0,
        });
      },
      messages: () => Promise.resolve({ kind: "unavailable", reason: "no room test reads pages" }),
      lookup: (p, room, sender, id) => {
        const events = this.#linesUpTo(room, watermarkOf(p)).map(decodeEvent);
        const found = events.find((event) => event.id === id && event.from === sender);
        return ok({
          watermark: watermarkOf(p),
          ...(found && { found: { seq: found.seq, at: found.at } }),
        });
      },
    };
  }
}

/** The lane of a gateway in its simplest form: it resends all unanswered commands in order. */
export class TestLane {
  readonly acked = new Map<number, number>();
  readonly #bus: MemoryBus;
  readonly #id: ProcessId;
  readonly #p: Partition;
  readonly #unanswered = new Map<number, Command>();
  #lane = 0;
  #n = 0;

  constructor(cluster: RoomCluster, p: Partition) {
    this.#bus = cluster.broker.connect();
    this.#id = `gw-p${p}` as ProcessId;
    this.#p = p;
    this.#bus.subscribe(subjects.results(this.#id), ({ data, noResponders }) => {
      if (noResponders !== undefined) return;
      const batch = JSON.parse(new TextDecoder().decode(data).split("\n")[0]!) as ResultBatch;
      if (batch.resync === this.#lane) {
        this.#lane = batch.above ?? this.#lane;
        this.resend();
      }
      for (const result of batch.results) {
        // All errors in these tests are temporary: the command is resent.
        if ("error" in result) continue;
        this.#unanswered.delete(result.c);
        if (result.ok === "sent") this.acked.set(result.c, result.seq);
      }
    });
    this.resend();
  }

  get open(): number {
    return this.#unanswered.size;
  }

  send(command: Command): void {
    this.#unanswered.set(command.c, command);
    this.#publish([command]);
  }

  resend(): void {
    this.#lane++;
    this.#n = 0;
    this.#publish([...this.#unanswered.values()]);
  }

  #publish(commands: Command[]): void {
    const batch = { v: 1, gw: this.#id, lane: this.#lane, n: ++this.#n, commands };
    const reply = subjects.results(this.#id);
    this.#bus.publish(subjects.commands(this.#p), JSON.stringify(batch), reply);
  }
}

/** A log that can delay appends, like a process that is paused with appends in flight. */
export class HeldLog implements PartitionLog {
  readonly #log: PartitionLog;
  #held: (() => void)[] | undefined;

  constructor(log: PartitionLog) {
    this.#log = log;
  }

  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const run of held) run();
  }

  append(p: Partition, data: string | Uint8Array, expected: LogSeq): Promise<AppendOutcome> {
    if (this.#held === undefined) return this.#log.append(p, data, expected);
    return new Promise((resolve) => {
      this.#held?.push(() => void this.#log.append(p, data, expected).then(resolve));
    });
  }

  last: PartitionLog["last"] = (p) => this.#log.last(p);
  read: PartitionLog["read"] = (p, from, handlers) => this.#log.read(p, from, handlers);
  get: PartitionLog["get"] = (p, seq) => this.#log.get(p, seq);
  trim: PartitionLog["trim"] = (p, upTo) => this.#log.trim(p, upTo);
}
