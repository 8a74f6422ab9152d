// NATS faults: the faults of the servers of an embedded cluster (rows F5 to F7) for the drill and
// the test.
//
// Each starts the clock of the load when the deadline of its row begins, and returns the rooms that
// must come back.

import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { connectNats } from "#shared/adapters/nats-connect.ts";
import { partitionOf } from "#shared/protocol/ids.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { until } from "#shared/testing/wait.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import type { Acks } from "./acks.ts";

const BACK_WITHIN_MS = 90_000;
const ASK_WITHIN_MS = 2_000;
export const PAUSE_MS = 10_000;

export interface Target {
  readonly cluster: Cluster;
  readonly acks: Acks;
  readonly partitions: number;
  readonly rooms: readonly RoomId[];
}

/** F5. Returns the rooms whose streams the killed server led. */
export async function killLeader(target: Target): Promise<readonly RoomId[]> {
  const { cluster, acks, rooms, partitions } = target;
  const leaders = await leadersOf(target);
  const leader = leaders[0] ?? "";
  acks.begin(performance.now());
  await cluster.kill(leader);
  return rooms.filter((room) => leaders[partitionOf(room, partitions)] === leader);
}

/** F6. Resumes the server after PAUSE_MS in any case. */
export async function pauseLeader(target: Target): Promise<readonly RoomId[]> {
  const { cluster, acks, rooms } = target;
  const leader = (await leadersOf(target))[0] ?? "";
  acks.begin(performance.now());
  cluster.pause(leader);
  setTimeout(() => cluster.resume(leader), PAUSE_MS);
  return rooms;
}

/** F7. The clock runs from the heal: when all servers accept connections again. */
export async function killAllServers({ cluster, acks, rooms }: Target): Promise<readonly RoomId[]> {
  const names = cluster.info().nats.map(({ name }) => name);
  await Promise.all(names.map((name) => cluster.kill(name)));
  await until(() => names.every((name) => cluster.pid(name) !== undefined), {
    withinMs: BACK_WITHIN_MS,
    what: "all servers to run again",
  });
  acks.begin(performance.now());
  return rooms;
}

/** The name of each partition's leader. After a fault some have none for a while. */
async function leadersOf({ cluster, partitions }: Target): Promise<readonly string[]> {
  const options = { ...cluster.natsAccess, name: "drill", inboxPrefix: "_INBOX_admin" };
  const connection = await connectNats(options);
  try {
    let leaders: readonly string[] = [];
    const areThere = async (): Promise<boolean> => {
      // No answer: no leader yet.
      leaders = await askLeaders(connection, partitions).catch(() => []);
      return leaders.length === partitions && leaders.every((name) => name !== "");
    };
    await until(areThere, { withinMs: BACK_WITHIN_MS, what: "every log to have a leader" });
    return leaders;
  } finally {
    await connection.close();
  }
}

async function askLeaders(connection: NatsConnection, partitions: number): Promise<string[]> {
  const manager = await jetstreamManager(connection, { checkAPI: false, timeout: ASK_WITHIN_MS });
  const found: string[] = [];
  for (let p = 0; p < partitions; p++) {
    found.push((await manager.streams.info(subjects.stream(p))).cluster?.leader ?? "");
  }
  return found;
}
