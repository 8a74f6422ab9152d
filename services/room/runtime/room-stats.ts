// RoomStats: the counters of a room node. Runners increment them, and a scrape reads them.
//
// Owns: the sums over all partitions. Does not own: metric names and help texts
// (adapters/room-metrics.ts). No counter is kept per room, user or gateway.

import { Counts } from "#shared/kit/counts.ts";
import { Histogram, LATENCY_SECONDS } from "#shared/kit/histogram.ts";
import type { AppendOutcome } from "#shared/ports/log.ts";

const ENTRY_EVENTS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000] as const;
const ENTRY_UNITS = [512, 1_024, 4_096, 16_384, 65_536, 262_144] as const;

const REFUSED_MESSAGES = ["commands", "watermark", "beat", "suspect"] as const;
export type RefusedMessage = (typeof REFUSED_MESSAGES)[number];

export class RoomStats {
  readonly appends = new Counts<AppendOutcome["kind"]>();
  /** From an append to the answer of the log, fsync included. */
  readonly appendSeconds = new Histogram(LATENCY_SECONDS);
  /** Events of one commit. */
  readonly entryEvents = new Histogram(ENTRY_EVENTS);
  /** The text of one commit in UTF-16 units. For ASCII this is the number of bytes. */
  readonly entryUnits = new Histogram(ENTRY_UNITS);
  readonly reports = new Counts();
  /** Bus messages that did not decode, by their expected kind. */
  readonly refused = new Counts<RefusedMessage>(REFUSED_MESSAGES);
  batches = 0;
  commands = 0;
  /** Events that the log confirmed and that were broadcast. */
  events = 0;
  resyncs = 0;
  loads = 0;
  lookUps = 0;

  /** For the blame of a leak (kit/blame.ts). */
  get operations(): Readonly<Record<string, number>> {
    const { commands, events, batches, loads, lookUps } = this;
    return {
      command: commands,
      event: events,
      batch: batches,
      "room load": loads,
      "look-up": lookUps,
    };
  }
}
