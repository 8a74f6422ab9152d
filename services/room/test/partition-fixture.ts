// Partition fixture: a partition that a test drives input by input, and the names, ids and commands
// of the room tests.

import { encodeEntry, decodeEntry } from "#shared/protocol/entry.ts";
import type { RoomLines } from "#shared/protocol/entry.ts";
import type { Command } from "#shared/protocol/commands.ts";
import type { Result } from "#shared/protocol/results.ts";
import type { RoomSnapshot } from "#shared/protocol/history.ts";
import type { LogSeq, MessageId, Millis, ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { encodeEvent } from "#shared/protocol/events.ts";
import type { AppendOutcome } from "#shared/ports/log.ts";
import type { Effect, Input } from "../core/partition-io.ts";
import { Partition } from "../core/partition.ts";
import { RoomMemory } from "../core/room-memory.ts";

export const T0: Millis = 1_795_500_000_000;
export const NODE = "room-a" as ProcessId;
/** The log entry with which a node claims. */
export const claimEntry = (node = NODE): string => encodeEntry({ kind: "claim", node, at: T0 });
export const RIVAL = "room-b" as ProcessId;
export const GW = "gw-1" as ProcessId;
export const ADA = "ada" as UserId;
export const GENERAL = "general" as RoomId;
export const DEV = "dev" as RoomId;

/** A UUIDv7 whose own time is `time`. `n` distinguishes ids with the same time. */
export function idAt(time: Millis, n = 0): MessageId {
  const hex = time.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${n.toString(16).padStart(12, "0")}` as MessageId;
}

let counter = 0;

export function send(overrides: Partial<Extract<Command, { op: "send" }>> = {}): Command {
  const c = ++counter;
  return {
    c,
    op: "send",
    room: GENERAL,
    from: ADA,
    id: idAt(T0, c),
    body: { text: `message ${c}` },
    ...overrides,
  };
}

export function lineOf(room: RoomId, seq: number, id = idAt(T0, seq)): string {
  return encodeEvent({
    t: "msg",
    room,
    seq,
    id,
    from: ADA,
    at: T0 + seq,
    body: { text: `${seq}` },
  });
}

export function linesOf(room: RoomId, first: number, count: number): RoomLines {
  const lines = Array.from({ length: count }, (_, i) => lineOf(room, first + i));
  return { room, first, lines };
}

export function commitEntry(epoch: number, groups: readonly RoomLines[], node = NODE): string {
  return encodeEntry({ kind: "commit", epoch, node, at: T0, groups });
}

export function emptySnapshot(room: RoomId, watermark: LogSeq): RoomSnapshot {
  return { room, watermark, head: 0, born: "", floor: 0, ids: [], tail: [], lastAt: 0 };
}

export function only<K extends Effect["kind"]>(
  effects: readonly Effect[],
  kind: K,
): Extract<Effect, { kind: K }>[] {
  return effects.filter((effect) => effect.kind === kind) as Extract<Effect, { kind: K }>[];
}

export function resultsOf(effects: readonly Effect[]): Result[] {
  return only(effects, "reply").flatMap((reply) => reply.results.map((item) => item.result));
}

/** The interval of a node at rest (runtime/room-node.ts). */
const RUN_TICK_MS = 250;

/** A partition, with inputs for the answers of a correct log and archive. */
export class PartitionFixture {
  readonly partition: Partition;
  readonly memory: RoomMemory;
  now: Millis = T0;
  #n = 0;
  lane = 1;

  constructor(memoryMax = 1 << 24, place?: ConstructorParameters<typeof Partition>[2]) {
    this.memory = new RoomMemory(memoryMax);
    this.partition = new Partition(NODE, this.memory, place);
  }

  step(input: Input): Effect[] {
    return this.partition.step(input, this.now);
  }

  get tenure(): number {
    return this.partition.tenure;
  }

  /** Claims at `claim` over a log that is archived up to `watermark`, and replays `entries`. */
  serve(
    options: {
      claim?: LogSeq;
      watermark?: LogSeq;
      epoch?: number;
      of?: number;
      entries?: Record<LogSeq, string>;
    } = {},
  ): Effect[] {
    const { claim = 1, watermark = 0, epoch = 0, of, entries = {} } = options;
    this.step({ kind: "claim" });
    this.step({
      kind: "last",
      tenure: this.tenure,
      outcome: { kind: "ok", first: 1, last: claim - 1, bytes: 0 },
    });
    this.appended(0, { kind: "ok", seq: claim });
    const value = { seq: watermark, epoch, ...(of !== undefined && { of }) };
    const effects = this.step({
      kind: "watermark-read",
      tenure: this.tenure,
      outcome: { kind: "ok", value },
    });
    for (const [seq, text] of Object.entries(entries)) {
      effects.push(...this.entry(Number(seq), text));
    }
    effects.push(...this.entry(claim, encodeEntry({ kind: "claim", node: NODE, at: T0 })));
    this.restartLane();
    return effects;
  }

  /** The next batch is the first one of a new incarnation. */
  restartLane(): void {
    this.#n = 0;
    this.lane++;
  }

  entry(logSeq: LogSeq, text: string): Effect[] {
    return this.step({ kind: "entry", tenure: this.tenure, logSeq, entry: decodeEntry(text) });
  }

  appended(n: number, outcome: AppendOutcome): Effect[] {
    return this.step({ kind: "appended", tenure: this.tenure, n, outcome });
  }

  last(last: LogSeq): Effect[] {
    const outcome = { kind: "ok", first: 1, last, bytes: 0 } as const;
    return this.step({ kind: "last", tenure: this.tenure, outcome });
  }

  entryRead(logSeq: LogSeq, text: string): Effect[] {
    return this.step({ kind: "entry-read", tenure: this.tenure, logSeq, entry: decodeEntry(text) });
  }

  loaded(snapshot: RoomSnapshot): Effect[] {
    const outcome = { kind: "ok", value: snapshot } as const;
    return this.step({ kind: "room-loaded", tenure: this.tenure, room: snapshot.room, outcome });
  }

  batch(commands: readonly Command[], gw = GW): Effect[] {
    const batch = { v: 1, gw, lane: this.lane, n: ++this.#n, commands } as const;
    return this.step({ kind: "batch", batch });
  }

  flush(): Effect[] {
    return this.step({ kind: "flush" });
  }

  /**
   * Sends texts of 16,000 characters to a loaded room until one of them is refused. Returns that
   * one, the number of the others, and the append of the oldest entry.
   */
  fillWindow(room: RoomId): {
    readonly refused: Command;
    readonly results: readonly Result[];
    readonly taken: number;
    readonly append: Extract<Effect, { kind: "append" }>;
  } {
    const body = { text: "x".repeat(16_000) };
    for (let taken = 0; ; taken++) {
      const refused = send({ room, body });
      const results = resultsOf(this.batch([refused]));
      if (results.length === 0) continue;
      const [append] = only(this.flush(), "append");
      return { refused, results, taken, append: append! };
    }
  }

  /** Passes time as in a process that runs, with ticks. */
  run(ms: number): void {
    for (let left = ms; left > 0; left -= RUN_TICK_MS) this.tick(Math.min(left, RUN_TICK_MS));
  }

  tick(afterMs: number): Effect[] {
    this.now += afterMs;
    return this.step({ kind: "tick" });
  }

  /** Serves, with the given rooms loaded and empty. */
  withRooms(rooms: readonly RoomId[]): this {
    this.serve();
    for (const room of rooms) {
      this.batch([{ c: ++counter, op: "head", room }]);
      this.loaded(emptySnapshot(room, 0));
    }
    return this;
  }
}
