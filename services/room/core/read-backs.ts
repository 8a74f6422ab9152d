// Read-backs: range requests that wait for an entry to be read from the log, because memory
// pressure dropped the texts of its lines (recent.2 of recent.ts).
//
// Owns: the waiting requests of each entry. Requests for the same entry share one read. At most
// READ_BACKS_MAX entries are read at a time; a further request gets an empty range, and the gateway
// asks again.

import type { RangeCommand } from "#shared/protocol/commands.ts";
import type { ResultWithLines } from "#shared/protocol/results.ts";
import type { DecodedEntry } from "#shared/protocol/entry.ts";
import type { LogSeq, ProcessId, Seq } from "#shared/protocol/ids.ts";

export const READ_BACKS_MAX = 256;

/** The line as it may be shown. */
type Redact = (seq: Seq, line: string) => string;

interface Waiting {
  readonly gateway: ProcessId;
  readonly command: RangeCommand;
  readonly redact: Redact;
}

export class ReadBacks {
  readonly #waiting = new Map<LogSeq, Waiting[]>();

  /**
   * "first": the caller must read the entry. "joined": the entry is being read. "full": not
   * accepted.
   */
  ask(
    logSeq: LogSeq,
    gateway: ProcessId,
    command: RangeCommand,
    redact: Redact = (_seq, line) => line,
  ): "first" | "joined" | "full" {
    const waiting = this.#waiting.get(logSeq);
    if (waiting !== undefined) {
      waiting.push({ gateway, command, redact });
      return "joined";
    }
    if (this.#waiting.size >= READ_BACKS_MAX) return "full";
    this.#waiting.set(logSeq, [{ gateway, command, redact }]);
    return "first";
  }

  /**
   * The answers to all requests that wait for this entry. The ranges are empty when it could not be
   * read.
   */
  *answer(
    logSeq: LogSeq,
    entry: DecodedEntry | undefined,
  ): Generator<{ readonly gateway: ProcessId; readonly item: ResultWithLines }> {
    const waiting = this.#waiting.get(logSeq) ?? [];
    this.#waiting.delete(logSeq);
    const groups = entry?.kind === "commit" ? entry.groups : [];
    for (const { gateway, command, redact } of waiting) {
      const { c, room, first, last } = command;
      const group = groups.find((item) => item.room === room);
      const isHere = group !== undefined && first >= group.first;
      const part = isHere ? group.lines.slice(first - group.first, last + 1 - group.first) : [];
      const lines = part.map((line, i) => redact(first + i, line));
      const result = { c, ok: "range", first, count: lines.length } as const;
      yield { gateway, item: { result, lines } };
    }
  }
}
