// Judge: whether a world that had time to heal is whole again, and whether all of it agrees.
//
// Owns: the conditions of convergence (I13) and the final comparison of everything with everything.
// The truth is the raw log and what was recorded on the wire; nothing is asked of the product except
// what a user would ask: its history.

import { check } from "../checker/check.ts";
import type { HistoryRecord } from "../checker/record.ts";
import type { MessageId, Partition, RoomId, Seq } from "#shared/protocol/ids.ts";
import type { Cluster } from "./cluster.ts";
import type { Findings } from "./findings.ts";
import type { LogServer } from "./log-server.ts";
import type { Person } from "./user.ts";
import type { RawLog } from "./log-follower.ts";

export interface Scene {
  readonly partitions: number;
  readonly people: readonly Person[];
  readonly cluster: Cluster;
  readonly logs: LogServer;
  readonly raw: RawLog;
  /** How far each partition is archived, as the database has it. */
  readonly archivedTo: ReadonlyMap<Partition, number>;
  /** Calls of the door that have not ended. */
  readonly openCalls: number;
}

/** What is still missing for the world to be whole; undefined: nothing (I11, I13, I14). */
export function whatIsMissing(scene: Scene): string | undefined {
  const { people, cluster, logs, raw, partitions, archivedTo, openCalls } = scene;
  for (const person of people) {
    if (!person.isOnline) return `${person.user} is not online`;
    if (person.open > 0) return `${person.user} waits for ${person.open} sends or pages`;
    for (const [room, handle] of person.handles) {
      if (handle.status !== "live") return `${person.user} is ${handle.status} in ${room}`;
      const [seen, head] = [handle.completeThrough, raw.head(room)];
      if (seen !== head) return `${person.user} has ${room} up to ${seen} of ${head}`;
    }
    const [owed] = person.owed;
    if (owed !== undefined) return `${person.user} was not answered: ${owed}`;
  }
  if (openCalls > 0) return `${openCalls} calls of the door have not ended`;
  for (let p = 0; p < partitions; p++) {
    const [archived, last] = [archivedTo.get(p) ?? 0, logs.last(p)];
    if (archived < last) return `partition ${p} is archived up to ${archived} of ${last}`;
  }
  const owner = wrongOwner(scene);
  if (owner !== undefined) return owner;
  const leaving = cluster.members.find(({ isLeaving }) => isLeaving);
  if (leaving !== undefined) return `${leaving.process.id} is still leaving`;
  return wrongPresence(people);
}

/** Every partition is served by whoever claimed it last, and by nobody else (I10). */
function wrongOwner({ partitions, cluster, raw }: Scene): string | undefined {
  for (let p = 0; p < partitions; p++) {
    const owners = cluster.of("room").filter(({ room }) => room?.owns()[p] !== undefined);
    const epochs = owners.map(({ process, room }) => `${process.id} in ${room?.owns()[p]}`);
    const isRight = owners.length === 1 && owners[0]?.room?.owns()[p] === raw.epoch(p);
    if (!isRight)
      return `partition ${p}, claimed in ${raw.epoch(p)}, is served by ${epochs.join()}`;
  }
  return undefined;
}

/** I11: everybody in a room sees exactly those who are in it. */
function wrongPresence(people: readonly Person[]): string | undefined {
  for (const { user, handles } of people) {
    for (const [room, handle] of handles) {
      const there = people.filter((other) => other.handles.has(room)).map((other) => other.user);
      const shown = [...handle.users].sort();
      if (shown.join() !== there.sort().join() || handle.here !== there.length) {
        return `${user} sees ${shown.join()} (${handle.here}) in ${room}, where ${there.join()} are`;
      }
    }
  }
  return undefined;
}

export interface Evidence {
  readonly records: readonly HistoryRecord[];
  readonly raw: RawLog;
  /** room → number → line, as the database has it. */
  readonly archive: ReadonlyMap<RoomId, ReadonlyMap<Seq, string>>;
  /** The product's own pages; undefined when they could not be read. */
  readonly pages: readonly string[] | undefined;
  readonly people: readonly Person[];
}

export interface Verdict {
  readonly acked: number;
  readonly seen: number;
}

/** Everything against everything. */
export function judge(evidence: Evidence, findings: Findings): Verdict {
  const { records, raw, archive, pages, people } = evidence;
  const archived = [...archive.values()].flatMap((room) =>
    [...room].sort(([a], [b]) => a - b).map(([, line]) => line),
  );
  const report = check({ records, archive: archived, log: raw.entries, ...(pages && { pages }) });
  for (const { invariant, detail } of report.violations) findings.broken(invariant, detail);
  for (let i = 0; i < report.sometimes.ownerChanged; i++) findings.saw("owner changed");
  for (const person of people) checkHanded(person, archive, findings);
  const { acked, seen } = report.counts;
  return { acked, seen };
}

/** K3: what the SDK handed over is what stands there; user.ts judged its order. */
function checkHanded(person: Person, archive: Evidence["archive"], findings: Findings): void {
  for (const { room, seq, id } of person.handed) {
    const line = archive.get(room)?.get(seq);
    const stored = line === undefined ? undefined : (JSON.parse(line) as { id: MessageId }).id;
    if (stored === id) continue;
    findings.broken("K3", `${person.user} was handed ${id} as ${room} ${seq}, not ${stored}`);
  }
}
