// Judgement: what must hold in every state, read from the text of the log alone.
//
// It shares no code with the services: a rule that both read wrongly would hide its own fault.
//
//   1. A commit counts when its epoch is the newest claim's place and no void commit stands between
//      them (P15). Everything that counts is one epoch's between two claims (P1).

export interface Validity {
  /** The lines that count, in order. */
  readonly lines: readonly string[];
  /** The epoch in force at the end. */
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
    else if (header.kind === "commit") epoch = 0; // 1
  }
  return { lines, epoch };
}

/** O1 and O5: what counts is numbered 1, 2, 3, … and holds no id twice. */
export function faultOfLog(log: readonly string[]): string | undefined {
  const ids = new Set<string>();
  for (const [i, line] of validLines(log).lines.entries()) {
    const { seq, id } = JSON.parse(line) as { readonly seq: number; readonly id: string };
    if (seq !== i + 1) return `O1: the log holds number ${seq} where ${i + 1} belongs`;
    if (ids.has(id)) return `O5: the log holds message ${id} twice`;
    ids.add(id);
  }
  return undefined;
}

/** O2, O5: the acknowledged number is in the log, and it is this message's. */
export function faultOfAck(log: readonly string[], seq: number, id?: string): string | undefined {
  const line = validLines(log).lines[seq - 1];
  if (line === undefined) return `O2: number ${seq} was acknowledged and is not in the log`;
  const stored = JSON.parse(line) as { readonly id: string };
  if (id === undefined || stored.id === id) return undefined;
  return `O5: ${id} was acknowledged with number ${seq}, which is ${stored.id}`;
}

/** O2: the line that members are shown is in the log at its number. */
export function faultOfShown(
  log: readonly string[],
  seq: number,
  line: string,
): string | undefined {
  if (validLines(log).lines[seq - 1] === line) return undefined;
  return `O2: number ${seq} was shown and is not in the log like this`;
}
