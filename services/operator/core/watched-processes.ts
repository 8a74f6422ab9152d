// WatchedProcesses: the processes that answer, and those that answered a moment ago.
//
// Owns: how long a silent process stays on the page. Does not own: the questions
// (runtime/cluster-watch.ts), what a silent process means for its partitions (the room nodes).
//
//   watched-processes.1. A process that does not answer stays for SILENT_SHOWN_MS, with the status
//        and the time of its last answer. So a killed process is seen to be gone, and a paused one
//        is seen although other processes took over.
//   watched-processes.2. At most SILENT_MAX silent processes are kept; the longest silent leave
//        first.

import type { ProcessStatus } from "#shared/protocol/control.ts";
import type { Millis, ProcessId } from "#shared/protocol/ids.ts";
import type { WatchedProcess } from "#shared/protocol/operator-page.ts";

export const SILENT_SHOWN_MS = 120_000;
export const SILENT_MAX = 50;

export class WatchedProcesses {
  readonly #seen = new Map<ProcessId, WatchedProcess>();

  /** Takes the answers of one moment. Returns all processes to show, sorted by id. */
  take(answers: readonly ProcessStatus[], now: Millis): readonly WatchedProcess[] {
    for (const answer of answers) this.#seen.set(answer.id, { ...answer, lastAt: now });
    const silent = [...this.#seen.values()]
      .filter(({ lastAt }) => lastAt < now)
      .toSorted((a, b) => b.lastAt - a.lastAt);
    for (const [n, { id, lastAt }] of silent.entries()) {
      if (n >= SILENT_MAX || now - lastAt >= SILENT_SHOWN_MS) this.#seen.delete(id);
    }
    return [...this.#seen.values()].toSorted((a, b) => a.id.localeCompare(b.id));
  }
}
