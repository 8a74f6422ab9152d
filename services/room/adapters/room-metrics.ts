// RoomMetrics: the names under which a room node's counters appear to Prometheus.

import type { Metrics } from "#shared/process/metrics.ts";
import type { RoomNode } from "../runtime/room-node.ts";
import type { RoomStats } from "../runtime/room-stats.ts";

const OWNERSHIP_COUNTERS = [
  ["parley_room_claims_total", "Claims that the node began", "claims"],
  ["parley_room_refused_total", "Appends that the log refused", "refused"],
  ["parley_room_fenced_total", "Partitions lost to a rival", "fenced"],
  ["parley_room_condemned_total", "Peers declared dead", "declaredDead"],
] as const;

export function registerRoomNode(metrics: Metrics, node: RoomNode, stats: RoomStats): void {
  metrics.gauge("parley_partitions", "Partitions of the cluster", () => node.partitions);
  metrics.gauge("parley_room_partition_epoch", "Epoch of each partition served here", () =>
    Object.entries(node.owns()).map(([partition, epoch]) => [{ partition }, epoch] as const),
  );
  metrics.gauge("parley_room_partition_states", "Partitions by their state on this node", () =>
    Array.from(node.states(), ([state, count]) => [{ state }, count] as const),
  );
  metrics.gauge("parley_room_rooms", "Rooms in memory", () => node.rooms);
  metrics.gauge("parley_room_memory_bytes", "Bytes that rooms hold, by what they hold", () =>
    Array.from(node.memory, ([line, bytes]) => [{ line }, bytes] as const),
  );
  metrics.gauge("parley_room_memory_max_bytes", "What they may hold", () => node.memory.bytesMax);
  metrics.counter("parley_room_batches_total", "Batches of commands taken", () => stats.batches);
  metrics.counter("parley_room_commands_total", "Commands in them", () => stats.commands);
  metrics.counter("parley_room_events_total", "Events committed and shown", () => stats.events);
  metrics.counter("parley_room_appends_total", "Appends to the log by outcome", () =>
    Array.from(stats.appends, ([outcome, count]) => [{ outcome }, count] as const),
  );
  metrics.histogram(
    "parley_room_append_seconds",
    "From an append to the log's answer",
    () => stats.appendSeconds,
  );
  metrics.histogram("parley_room_entry_events", "Events of a commit", () => stats.entryEvents);
  metrics.histogram(
    "parley_room_entry_size",
    "Size of a commit in UTF-16 units",
    () => stats.entryUnits,
  );
  metrics.counter("parley_room_refused_messages_total", "Messages that did not decode", () =>
    Array.from(stats.refused, ([what, count]) => [{ what }, count] as const),
  );
  metrics.counter("parley_room_resyncs_total", "Batches out of step", () => stats.resyncs);
  metrics.counter("parley_room_loads_total", "Rooms loaded from the archive", () => stats.loads);
  metrics.counter("parley_room_lookups_total", "Ids looked up there", () => stats.lookUps);
  for (const [name, help, count] of OWNERSHIP_COUNTERS) {
    metrics.counter(name, help, () => node.counts[count]);
  }
  metrics.counter(
    "parley_room_transitions_total",
    "What partitions reported: claims served, fences, doubts",
    () => Array.from(stats.reports, ([event, count]) => [{ event }, count] as const),
  );
}
