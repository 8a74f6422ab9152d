// Convergence: the conditions that a cluster must fulfil some time after all faults have ended
// (I13).
//
// Owns: the conditions. Does not own: the deadline (simulation.ts), the comparison of everything
// that was stored and shown (final-check.ts). The reference is the text of the log, read by
// log-follower.ts.

import type { Partition } from "#shared/protocol/ids.ts";
import type { SimulatedCluster } from "./cluster.ts";
import type { LogFollower } from "./log-follower.ts";
import type { LogServer } from "./log-server.ts";
import type { SimulatedUser } from "./user.ts";

export interface ConvergenceInput {
  readonly partitions: number;
  readonly users: readonly SimulatedUser[];
  readonly cluster: SimulatedCluster;
  readonly logs: LogServer;
  readonly logFollower: LogFollower;
  /** The watermark of each partition, as the database has it. */
  readonly archivedTo: ReadonlyMap<Partition, number>;
  /** The number of HTTP calls that have not ended. */
  readonly openCalls: number;
}

/** Describes the first condition that does not hold; undefined when all hold (I11, I13, I14). */
export function firstUnmetCondition(input: ConvergenceInput): string | undefined {
  const { users, cluster, logs, logFollower, partitions, archivedTo, openCalls } = input;
  for (const user of users) {
    if (!user.isOnline) return `${user.id} is not online`;
    if (user.open > 0) return `${user.id} waits for ${user.open} sends or pages`;
    for (const [room, handle] of user.handles) {
      if (handle.status !== "live") return `${user.id} is ${handle.status} in ${room}`;
      const [seen, head] = [handle.completeThrough, logFollower.head(room)];
      if (seen !== head) return `${user.id} has ${room} up to ${seen} of ${head}`;
    }
    const [pending] = user.pending;
    if (pending !== undefined) return `${user.id} has no answer to ${pending}`;
  }
  // The client of a command may be gone: its write gets its number whenever the owner answers.
  for (const { process, gateway } of cluster.of("gateway")) {
    const unanswered = gateway?.gauges.unanswered ?? 0;
    if (unanswered > 0) return `${process.id} waits for ${unanswered} commands`;
  }
  if (openCalls > 0) return `${openCalls} HTTP calls have not ended`;
  for (let p = 0; p < partitions; p++) {
    const [archived, last] = [archivedTo.get(p) ?? 0, logs.last(p)];
    if (archived < last) return `partition ${p} is archived up to ${archived} of ${last}`;
  }
  const ownership = unmetOwnership(input);
  if (ownership !== undefined) return ownership;
  const leaving = cluster.services.find(({ isLeaving }) => isLeaving);
  if (leaving !== undefined) return `${leaving.process.id} is still leaving`;
  return unmetPresence(users);
}

/** I10: exactly one room node serves each partition, in the epoch of the newest claim. */
function unmetOwnership(input: ConvergenceInput): string | undefined {
  const { partitions, cluster, logFollower } = input;
  for (let p = 0; p < partitions; p++) {
    const owners = cluster.of("room").filter(({ room }) => room?.owns()[p] !== undefined);
    const epochs = owners.map(({ process, room }) => `${process.id} in ${room?.owns()[p]}`);
    const epoch = logFollower.epoch(p);
    if (owners.length === 1 && owners[0]?.room?.owns()[p] === epoch) continue;
    return `partition ${p} has epoch ${epoch} and is served by ${epochs.join()}`;
  }
  return undefined;
}

/** I11: each member of a room sees exactly the members of the room. */
function unmetPresence(users: readonly SimulatedUser[]): string | undefined {
  for (const { id, handles } of users) {
    for (const [room, handle] of handles) {
      const members = users.filter((other) => other.handles.has(room)).map((other) => other.id);
      const shown = [...handle.users].sort();
      if (shown.join() !== members.sort().join() || handle.here !== members.length) {
        return `${id} sees ${shown.join()} (${handle.here}) in ${room} instead of ${members.join()}`;
      }
    }
  }
  return undefined;
}
