// A failover in a long outage of the archive: the successors replay a backlog that is much larger
// than the memory of their rooms.

import { expect } from "chai";
import { encodeEntry } from "#shared/protocol/entry.ts";
import { partitionOf } from "#shared/protocol/ids.ts";
import type { ProcessId, RoomId } from "#shared/protocol/ids.ts";
import { NODE_TIMEOUT_MS } from "#shared/protocol/beat.ts";
import { heapBytes } from "#shared/testing/heap.ts";
import type { PartitionLog } from "#shared/ports/log.ts";
import type { RoomNode } from "../runtime/room-node.ts";
import { line, MIB } from "./backlog.ts";
import { idAt, send, T0 } from "./partition-fixture.ts";
import { PARTITIONS, RoomCluster, TestLane } from "./room-cluster.ts";

const P = 0;
const MEMORY_MAX = 4 * MIB;
/** What a node may keep beside the memory of its rooms: objects of the runtime and the test. */
const BESIDE = 12 * MIB;
const ROOMS = roomsOf(P, 40);
/** Entries of ten lines for four rooms, each line with 1,000 characters: 40 kB. */
const ENTRIES = 800;
const PER_ROOM = (ENTRIES * 40) / ROOMS.length;
const FAILOVER_MS = NODE_TIMEOUT_MS + 1_000;

function roomsOf(p: number, count: number): RoomId[] {
  const all = Array.from({ length: 10 * count }, (_, n) => `room-${n}` as RoomId);
  return all.filter((room) => partitionOf(room, PARTITIONS) === p).slice(0, count);
}

/** The claim of an owner that is gone, and its entries. The archive has none of them. */
async function fill(log: PartitionLog): Promise<void> {
  const node = "room-gone" as ProcessId;
  await log.append(P, encodeEntry({ kind: "claim", node, at: T0 }), 0);
  for (let n = 0; n < ENTRIES; n++) {
    const groups = Array.from({ length: 4 }, (_, i) => {
      const index = 4 * n + i;
      const room = ROOMS[index % ROOMS.length]!;
      const first = 1 + 10 * Math.floor(index / ROOMS.length);
      return {
        room,
        first,
        lines: Array.from({ length: 10 }, (_, k) => line(room, first + k, 1_000)),
      };
    });
    await log.append(P, encodeEntry({ kind: "commit", epoch: 1, node, at: T0, groups }), n + 1);
  }
}

/** The log with a look at the memory of a node after every hundredth entry that it reads. */
function watched(log: PartitionLog, look: () => void): PartitionLog {
  let entries = 0;
  return {
    append: (p, data, expected) => log.append(p, data, expected),
    last: (p) => log.last(p),
    get: (p, seq) => log.get(p, seq),
    trim: (p, upTo) => log.trim(p, upTo),
    read: (p, from, handlers) =>
      log.read(p, from, {
        ...handlers,
        onEntry(seq, data) {
          handlers.onEntry(seq, data);
          if (++entries % 100 === 0) look();
        },
      }),
  };
}

describe("Room nodes in an outage of the archive", () => {
  for (const [what, ageMs] of [
    ["the last minute", 0],
    ["an hour ago", 3_600_000],
  ] as const)
    it(`P23: two successors in turn replay a backlog from ${what} of eight times the bound, stay within it, and serve`, async function () {
      this.timeout(120_000);
      const cluster = new RoomCluster();
      await fill(cluster.log);
      cluster.clock.advance(ageMs);
      const lane = new TestLane(cluster, P);
      const [room] = ROOMS as [RoomId];
      const before = heapBytes();
      let head = PER_ROOM;
      let serving: { node: RoomNode; leave(): void } | undefined;
      for (const successor of ["first", "second"]) {
        cluster.isArchiveAway = true;
        serving?.leave();
        const most = { used: 0, heap: 0 };
        let entries = 0;
        const log = watched(cluster.log, () => {
          entries += 100;
          most.used = Math.max(most.used, node.memory.used);
          if (entries % 300 === 0) most.heap = Math.max(most.heap, heapBytes() - before);
        });
        const { node, bus } = cluster.start(log, successor, { memoryMax: MEMORY_MAX });
        serving = {
          node,
          leave(): void {
            node.close();
            bus.disconnect();
          },
        };
        await cluster.pass(FAILOVER_MS);
        // It cannot know what the archive has, so it waits and keeps nothing meanwhile.
        expect(node.owns(), successor).to.deep.equal({});
        expect(node.memory.used, successor).to.be.below(MIB);

        cluster.isArchiveAway = false; // It answers, and has still stored nothing.
        await cluster.pass(5_000);
        expect(Object.keys(node.owns()), successor).to.include(String(P));
        expect(entries, successor).to.be.at.least(ENTRIES);
        expect(most.used, successor).to.be.within(MEMORY_MAX / 2, MEMORY_MAX);
        expect(most.heap, successor).to.be.below(MEMORY_MAX + BESIDE);

        const command = send({ room, id: idAt(cluster.clock.now(), head) });
        lane.send(command);
        await cluster.pass(500);
        expect(lane.acked.get(command.c), successor).to.equal(++head);
        expect(node.memory.used, successor).to.be.at.most(MEMORY_MAX);
        expect(heapBytes() - before, successor).to.be.below(MEMORY_MAX + BESIDE);
      }
      expect(cluster.faults).to.deep.equal([]);
      serving?.leave();
    });
});
