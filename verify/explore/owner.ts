// Owner: one owner of the model: the real core, and the pipes between it and the rest.
//
// Owns: what is under way to and from one owner. Does not own: the steps (model.ts).

import type { Effect } from "../../services/room/core/partition-io.ts";
import { Partition } from "../../services/room/core/partition.ts";
import { RoomMemory } from "../../services/room/core/room-memory.ts";
import type { Epoch, LogSeq, ProcessId } from "#shared/protocol/ids.ts";
import type { AppendOutcome } from "#shared/ports/log.ts";

export interface PendingAppend {
  readonly n: number;
  readonly text: string;
  readonly expected: LogSeq;
  readonly tenure: number;
}

export interface AppendAnswer {
  readonly n: number;
  readonly tenure: number;
  readonly outcome: AppendOutcome;
}

export type Request =
  | Extract<
      Effect,
      { kind: "read-last" | "read-watermark" | "get-entry" | "load-room" | "look-up" }
    >
  | { readonly kind: "flush-bus" };

export interface Owner {
  readonly name: "a" | "b";
  readonly core: Partition;
  /** The subjects that it subscribes to: 0 is the partition's subject, others are of one epoch. */
  subjects: Epoch[];
  inbox: string[];
  toLog: PendingAppend[];
  fromLog: AppendAnswer[];
  requests: { readonly tenure: number; readonly request: Request }[];
  reader: { next: LogSeq; readonly tenure: number } | undefined;
  results: string[];
  knownWatermark: LogSeq;
}

/** Large enough that no room is shed. */
const MEMORY_BYTES = 1_000_000;

export function createOwner(name: Owner["name"]): Owner {
  return {
    name,
    core: new Partition(`room-${name}` as ProcessId, new RoomMemory(MEMORY_BYTES)),
    subjects: [],
    inbox: [],
    toLog: [],
    fromLog: [],
    requests: [],
    reader: undefined,
    results: [],
    knownWatermark: 0,
  };
}
