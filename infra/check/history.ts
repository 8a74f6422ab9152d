// Check: is what clients were told true of the log, of the archive and of history?
//
// Pure functions over dumps, so that a saved run can be judged again, and so that the judge itself
// can be tested with histories that are wrong. The code under test never grades itself.
//
//   I1. Acked ⇒ there exactly once, at the acked number.   I2. No phantom.   I3. One order everywhere.
//   I4. Dense: 1 … n.                                       I6. A retried id has one number.

export interface Stored {
  readonly seq: number;
  readonly id: string;
}

/** One room as one store (the log, the archive, the HTTP history, an observer) has it. */
export type RoomDump = ReadonlyMap<string, readonly Stored[]>;

export interface Acked {
  readonly room: string;
  readonly id: string;
  readonly seq: number;
}

export interface Evidence {
  /** Every ack that any client got, retries included. */
  readonly acked: readonly Acked[];
  /** Every id that was ever sent. */
  readonly sent: ReadonlySet<string>;
  /** By name: "log", "archive", "history" … The first one is the reference. */
  readonly dumps: ReadonlyMap<string, RoomDump>;
}

/** What is wrong, each with its invariant; empty when all is well. */
export function check(evidence: Evidence): string[] {
  const problems: string[] = [];
  for (const [name, dump] of evidence.dumps) {
    for (const [room, events] of dump)
      problems.push(...checkRoom(name, room, events, evidence.sent));
  }
  const [reference, ...others] = evidence.dumps;
  if (reference === undefined) return ["no dump was given"];
  for (const [name, dump] of others) problems.push(...compare(reference, [name, dump]));
  for (const { room, id, seq } of evidence.acked) {
    const stored = reference[1].get(room)?.[seq - 1];
    if (stored?.id !== id)
      problems.push(`I1: ${room}#${seq} was acked as ${id}, and is ${stored?.id}`);
  }
  const numbers = new Map<string, number>();
  for (const { id, seq } of evidence.acked) {
    const first = numbers.get(id) ?? seq;
    numbers.set(id, first);
    if (first !== seq) problems.push(`I6: ${id} was acked as ${first} and as ${seq}`);
  }
  return problems;
}

function checkRoom(
  name: string,
  room: string,
  events: readonly Stored[],
  sent: ReadonlySet<string>,
): string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  events.forEach(({ seq, id }, index) => {
    if (seq !== index + 1) problems.push(`I4: ${name} has ${room}#${seq} in place ${index + 1}`);
    if (seen.has(id)) problems.push(`I1: ${name} has ${id} twice in ${room}`);
    if (!sent.has(id)) problems.push(`I2: ${name} has ${id} in ${room}, which nobody sent`);
    seen.add(id);
  });
  return problems;
}

function compare(
  [referenceName, reference]: readonly [string, RoomDump],
  [name, dump]: readonly [string, RoomDump],
): string[] {
  const problems: string[] = [];
  for (const room of new Set([...reference.keys(), ...dump.keys()])) {
    const [a, b] = [reference.get(room) ?? [], dump.get(room) ?? []];
    const at = a.findIndex((event, index) => event.id !== b[index]?.id);
    if (at >= 0) problems.push(`I3: ${room}#${at + 1} differs in ${referenceName} and ${name}`);
    else if (a.length !== b.length)
      problems.push(`I3: ${name} has more of ${room} than ${referenceName}`);
  }
  return problems;
}
