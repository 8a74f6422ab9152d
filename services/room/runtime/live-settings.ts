// Live settings: the settings that a room node follows at run time, beside those of every service.

import type { LiveSettings } from "#shared/process/live-settings.ts";
import { BALANCE_MS } from "./room-node.ts";
import type { RoomNode } from "./room-node.ts";

const MS = 1_000;

/** `partitions`: the number at creation. */
export function followRoomSettings(
  settings: LiveSettings,
  { node, partitions }: { readonly node: RoomNode; readonly partitions: number },
): void {
  settings.on("balance.seconds", BALANCE_MS / MS, (seconds) => {
    if (node.load !== undefined) node.load.balance.intervalMs = seconds * MS;
  });
  settings.on("partitions.count", partitions, (count) => node.split(count));
}
