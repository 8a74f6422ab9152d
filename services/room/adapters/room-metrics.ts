// RoomMetrics: the Prometheus names and help texts of a room node's counters.

import type { Metrics } from "#shared/process/metrics.ts";
import type { RoomNode } from "../runtime/room-node.ts";
import type { RoomStats } from "../runtime/room-stats.ts";

const OWNERSHIP_COUNTERS = [
  ["parley_room_claims_total", "Claims that the node began", "claims"],
  ["parley_room_refused_total", "Appends that the log refused", "refused"],
  ["parley_room_fenced_total", "Partitions lost to a rival", "fenced"],
  ["parley_room_condemned_total", "Peers declared dead", "declaredDead"],
] as const;

const MILLION = 1_000_000;

export function registerRoomNode(metrics: Metrics, node: RoomNode, stats: RoomStats): void {
  metrics.gauge("parley_partitions", "Partitions of the cluster", () => node.begun);
  metrics.gauge("parley_room_partition_epoch", "Epoch of each partition that this node owns", () =>
    Object.entries(node.owns()).map(([partition, epoch]) => [{ partition }, epoch] as const),
  );
  metrics.gauge("parley_room_partition_states", "Partitions by their state on this node", () =>
    Array.from(node.states(), ([state, count]) => [{ state }, count] as const),
  );
  metrics.gauge("parley_room_rooms", "Rooms in memory", () => node.rooms);
  metrics.gauge("parley_room_memory_bytes", "Memory of rooms in bytes, by category", () =>
    Array.from(node.memory, ([line, bytes]) => [{ line }, bytes] as const),
  );
  metrics.gauge(
    "parley_room_memory_max_bytes",
    "Maximum memory of rooms in bytes",
    () => node.memory.bytesMax,
  );
  registerLoad(metrics, node);
  metrics.counter("parley_room_batches_total", "Command batches taken", () => stats.batches);
  metrics.counter(
    "parley_room_commands_total",
    "Commands in the batches taken",
    () => stats.commands,
  );
  metrics.counter("parley_room_events_total", "Events committed and broadcast", () => stats.events);
  metrics.counter("parley_room_appends_total", "Appends to the log, by outcome", () =>
    Array.from(stats.appends, ([outcome, count]) => [{ outcome }, count] as const),
  );
  metrics.histogram(
    "parley_room_append_seconds",
    "Time from an append to the answer of the log",
    () => stats.appendSeconds,
  );
  metrics.histogram("parley_room_entry_events", "Events of one commit", () => stats.entryEvents);
  metrics.histogram(
    "parley_room_entry_size",
    "Size of one commit in UTF-16 units",
    () => stats.entryUnits,
  );
  metrics.counter(
    "parley_room_refused_messages_total",
    "Bus messages refused because they did not decode",
    () => Array.from(stats.refused, ([what, count]) => [{ what }, count] as const),
  );
  metrics.counter(
    "parley_room_resyncs_total",
    "Batches answered with a resync",
    () => stats.resyncs,
  );
  metrics.counter("parley_room_loads_total", "Rooms loaded from the archive", () => stats.loads);
  metrics.counter(
    "parley_room_lookups_total",
    "Message ids looked up in the archive",
    () => stats.lookUps,
  );
  for (const [name, help, count] of OWNERSHIP_COUNTERS) {
    metrics.counter(name, help, () => node.counts[count]);
  }
  metrics.counter(
    "parley_room_transitions_total",
    "Log events of partitions: serving, tenure ended, fenced, and others",
    () => Array.from(stats.reports, ([event, count]) => [{ event }, count] as const),
  );
}

/** P26, P27. */
function registerLoad(metrics: Metrics, { load }: RoomNode): void {
  if (load === undefined) return;
  metrics.gauge(
    "parley_room_capacity_cores",
    "CPU that the node can get, in cores",
    () => load.status.capacity,
  );
  metrics.gauge(
    "parley_room_busy_cores",
    "CPU that the node used in the last minute, in cores",
    () => load.status.busy,
  );
  metrics.gauge(
    "parley_room_weight",
    "Factor of the node's share of the partitions",
    () => load.status.weight,
  );
  metrics.gauge("parley_room_partition_cost_cores", "CPU of each partition, in cores", () =>
    Object.entries(load.announced.costs ?? {}).map(
      ([partition, cost]) => [{ partition }, cost / MILLION] as const,
    ),
  );
  metrics.gauge(
    "parley_room_hot_partition",
    "1 for a partition whose cost no move can distribute",
    () => load.hot.map((p) => [{ partition: String(p) }, 1] as const),
  );
  metrics.counter(
    "parley_room_moves_total",
    "Moves of a partition by load that this node began",
    () => load.balance.moves,
  );
}
