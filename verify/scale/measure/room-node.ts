// Room node: the CPU that a room node needs without any chat: its tick, and the beats and
// watermarks that it receives. The real class on a bus without a server.

import { encodeBeat } from "#shared/protocol/beat.ts";
import { encodeWatermark } from "#shared/protocol/watermark.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { rendezvous } from "#shared/kit/rendezvous.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import type { ArchiveReader } from "#shared/ports/archive.ts";
import type { PartitionLog } from "#shared/ports/log.ts";
import { RoomNode } from "../../../services/room/runtime/room-node.ts";
import { cpuOf } from "./cpu-of.ts";
import { StubBus } from "./stub-bus.ts";

const MIB = 1024 * 1024;
const TICK_MS = 100;
const TICKS = 8;
const BEATS = 2_000;
const encoder = new TextEncoder();

/** Microseconds of CPU. */
export interface RoomNodeCosts {
  /** One tick for one partition. The number of room nodes makes no difference (shares.ts). */
  readonly tickUs: number;
  /** A received beat of a room node, without its partitions. */
  readonly beatUs: number;
  /** In addition, for each partition that it lists. */
  readonly beatPerPartitionUs: number;
  readonly gatewayBeatUs: number;
  readonly watermarkUs: number;
}

export function measureRoomNode(): RoomNodeCosts {
  const partitions = 1_024;
  const empty = emptyBeat(subjects.beat("room"));
  return {
    tickUs: tickOf(partitions),
    beatUs: empty,
    beatPerPartitionUs: (beatOf(partitions, 32) - empty) / (partitions / 32),
    gatewayBeatUs: emptyBeat(subjects.beat("gateway")),
    watermarkUs: watermark(),
  };
}

interface Bench {
  readonly bus: StubBus;
  readonly clock: FakeClock;
  /** The beats of all other room nodes. */
  readonly beats: readonly Uint8Array[];
}

/** A live node, and `nodes - 1` peers that each report their share of the partitions. */
function open(partitions: number, nodes: number): Bench {
  const bus = new StubBus();
  const clock = new FakeClock();
  const ids = Array.from({ length: nodes }, (_, n) => `room-${n}` as ProcessId);
  const owns = new Map<ProcessId, { [p: string]: number }>(ids.map((id) => [id, {}]));
  for (let p = 0; p < partitions; p++) {
    const owner = rendezvous(`partition-${p}`, ids);
    const share = owner === undefined ? undefined : owns.get(owner);
    if (share !== undefined) share[p] = 1 + p;
  }
  const [self = "room-0" as ProcessId, ...peers] = ids;
  const node = new RoomNode(
    { id: self, partitions, version: "scale", memoryMax: 256 * MIB },
    {
      bus: bus.port,
      log: silentLog(),
      archive: silentArchive(), // A claim waits for its first answer.
      clock,
      report: () => undefined,
      fault: (error) => {
        throw error;
      },
    },
  );
  node.start();
  const beats = peers.map((id) => {
    const beat = { id, state: "live", version: "scale", owns: owns.get(id) ?? {} } as const;
    return encoder.encode(encodeBeat(beat));
  });
  const bench = { bus, clock, beats };
  for (let second = 0; second < 2; second++) {
    receiveBeats(bench);
    clock.advance(1_000);
  }
  return bench;
}

function receiveBeats({ bus, beats }: Bench): void {
  for (const beat of beats) bus.deliver(subjects.beat("room"), beat);
}

function tickOf(partitions: number): number {
  const { clock } = open(partitions, 1);
  return cpuOf(TICKS * partitions, () => clock.advance(TICKS * TICK_MS));
}

function beatOf(partitions: number, nodes: number): number {
  const { bus, beats } = open(partitions, nodes);
  const rounds = Math.ceil(BEATS / beats.length);
  return cpuOf(rounds * beats.length, () => {
    for (let i = 0; i < rounds; i++) {
      for (const beat of beats) bus.deliver(subjects.beat("room"), beat);
    }
  });
}

/** A beat without partitions. */
function emptyBeat(subject: string): number {
  const { bus } = open(64, 2);
  const beats = Array.from({ length: 100 }, (_, n) =>
    encoder.encode(encodeBeat({ id: `node-${n}` as ProcessId, state: "live", version: "scale" })),
  );
  const rounds = BEATS / beats.length;
  return cpuOf(BEATS, () => {
    for (let i = 0; i < rounds; i++) {
      for (const beat of beats) bus.deliver(subject, beat);
    }
  });
}

function watermark(): number {
  const partitions = 1_000;
  const { bus } = open(partitions, 2);
  const messages = Array.from({ length: partitions }, (_, p) => ({
    subject: subjects.watermark(p),
    data: encoder.encode(encodeWatermark(p, 1)),
  }));
  return cpuOf(partitions, () => {
    for (const { subject, data } of messages) bus.deliver(subject, data);
  });
}

const never = (): Promise<never> => new Promise(() => undefined);

function silentArchive(): ArchiveReader {
  return { watermark: never, snapshot: never, range: never, messages: never, lookup: never };
}

function silentLog(): PartitionLog {
  const read: PartitionLog["read"] = () => ({ close: () => undefined });
  return { append: never, last: never, get: never, trim: never, read };
}
