// Invariants: the rules that every state must fulfil, checked on the text of the log alone.
//
// The file shares no code with the services. Shared code could hide an error that both contain.
//
//   invariants.1. A commit is valid if its epoch is the log sequence of the newest claim before it,
//                 and no void commit stands between the claim and the commit (P15). All valid
//                 commits between two claims have one epoch (P1).

export interface Validity {
  /** The lines of all valid commits, in order. */
  readonly lines: readonly string[];
  /** The epoch in force at the end of the log. */
  readonly epoch: number;
}

interface Header {
  readonly kind: string;
  readonly epoch?: number;
}

export function validLines(log: readonly string[]): Validity {
  const lines: string[] = [];
  let epoch = 0;
  for (const [i, text] of log.entries()) {
    const [head = "", ...body] = text.split("\n");
    const header = JSON.parse(head) as Header;
    if (header.kind === "claim") epoch = i + 1;
    else if (header.kind === "commit" && header.epoch === epoch) lines.push(...body);
    else if (header.kind === "commit") epoch = 0; // invariants.1
  }
  return { lines, epoch };
}

/** O1 and O5: valid lines are numbered 1, 2, 3, … and contain no message id twice. */
export function logViolation(log: readonly string[]): string | undefined {
  const ids = new Set<string>();
  for (const [i, line] of validLines(log).lines.entries()) {
    const { seq, id } = JSON.parse(line) as { readonly seq: number; readonly id: string };
    if (seq !== i + 1) return `O1: the log has sequence number ${seq} instead of ${i + 1}`;
    if (ids.has(id)) return `O5: the log has message ${id} twice`;
    ids.add(id);
  }
  return undefined;
}

/** O2, O5: the log has the acknowledged message at the acknowledged sequence number. */
export function ackViolation(log: readonly string[], seq: number, id?: string): string | undefined {
  const line = validLines(log).lines[seq - 1];
  if (line === undefined)
    return `O2: sequence number ${seq} was acknowledged and is not in the log`;
  const stored = JSON.parse(line) as { readonly id: string };
  if (id === undefined || stored.id === id) return undefined;
  return `O5: ${id} was acknowledged with sequence number ${seq}, which the log gives to ${stored.id}`;
}

/** O2: the log has the line that members received, at its sequence number. */
export function shownViolation(
  log: readonly string[],
  seq: number,
  line: string,
): string | undefined {
  if (validLines(log).lines[seq - 1] === line) return undefined;
  return `O2: the line with sequence number ${seq} was shown, and the log has another one or none`;
}
