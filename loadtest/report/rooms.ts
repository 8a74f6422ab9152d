// Rooms scenario: the cost of a room actor: its memory and one command, with 1 k, 10 k and 100 k
// rooms in memory.

import { uuidv7 } from "#shared/kit/uuid.ts";
import { systemRandom } from "#shared/adapters/clock-system.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { Room } from "../../services/room/core/room.ts";
import { RoomMemory } from "../../services/room/core/room-memory.ts";
import type { Row, Scenario } from "./scenario.ts";
import { whole } from "./scenario.ts";

const COUNTS = [1_000, 10_000, 100_000] as const;
const TURNS = 200_000;
const BUDGET_BYTES = 1024 * 1024 * 1024;

export const ROOMS: Scenario = {
  id: "rooms",
  title: "Rooms as actors at 1 k / 10 k / 100 k (S3)",
  method:
    "Room actors in one process, all in memory, each with its first message: heap after a collection, divided by " +
    "the rooms; then one command for each room in turn (check the id, number, encode, remember, commit), " +
    "without log and bus. The article compares the cost of its runtime's concurrency.",
  play() {
    return Promise.resolve(COUNTS.map(measure));
  },
};

function measure(count: number): Row {
  const before = heapBytes();
  const memory = new RoomMemory(BUDGET_BYTES);
  const rooms = Array.from({ length: count }, (_, i) => open(`room-${i}`, memory));
  for (const room of rooms) turn(room);
  const each = (heapBytes() - before) / count;
  const began = process.cpuUsage();
  for (let i = 0; i < TURNS; i++) {
    const room = rooms[i % count];
    if (room !== undefined) turn(room);
  }
  const { user, system } = process.cpuUsage(began);
  return {
    what: `${whole(count)} rooms in memory`,
    source: "–",
    ours: `${(each / 1024).toFixed(1)} KiB a room, ${((user + system) / TURNS).toFixed(1)} µs a turn`,
  };
}

function open(name: string, memory: RoomMemory): Room {
  const room = new Room(name as RoomId, memory, Date.now());
  const id = name as RoomId;
  const nothing = { watermark: 0, head: 0, born: "", floor: 0, ids: [], tail: [], lastAt: 0 };
  room.load({ room: id, ...nothing });
  return room;
}

let commands = 0;

function turn(room: Room): void {
  const now = Date.now();
  const id = uuidv7(now, systemRandom);
  const command = { c: ++commands, op: "send", room: room.id, from: "ada" as UserId, id } as const;
  const decision = room.decide({ ...command, body: { text: "x".repeat(112) } }, now);
  if (decision.kind !== "event") throw new Error(`the room returned ${decision.kind}`);
  room.commit(decision.seq, decision.lines, commands);
  room.onArchived(decision.seq);
}

function heapBytes(): number {
  if (globalThis.gc === undefined) throw new Error("the report needs node --expose-gc");
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
