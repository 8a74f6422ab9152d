// LogFollower: reads the partition logs as they grow, and knows the head of each room in them.
//
// It is the reference for the checks during a run. The product does not use it, and it shares no
// code with the product. verify/checker checks the same entries again after the run.
//
//   log-follower.1. A commit is void if its epoch is not that of the newest claim before it. The
//                   commits behind a void commit are void too.
//   log-follower.2. `at` never decreases within a room, whatever the clocks do.

import type { LoggedEntry } from "../checker/tenures.ts";
import type { Epoch, Partition, RoomId, Seq } from "#shared/protocol/ids.ts";
import type { Findings } from "./findings.ts";

interface Header {
  readonly kind: string;
  readonly epoch: number;
}

const decoder = new TextDecoder();

export class LogFollower {
  readonly #findings: Findings;
  readonly #entries: LoggedEntry[] = [];
  readonly #positions: { entries: number; epoch: number }[] = [];
  readonly #last = new Map<RoomId, { seq: Seq; at: number }>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  get entries(): readonly LoggedEntry[] {
    return this.#entries;
  }

  get rooms(): Iterable<RoomId> {
    return this.#last.keys();
  }

  head(room: RoomId): Seq {
    return this.#last.get(room)?.seq ?? 0;
  }

  /** The epoch of the newest claim of a partition; 0 when it was never claimed. */
  epoch(p: Partition): Epoch {
    return this.#positions[p]?.epoch ?? 0;
  }

  /** Reads the new entries of partition `p`. The first one has the log sequence base + 1. */
  follow(
    p: Partition,
    { base, entries: written }: { readonly base: number; readonly entries: readonly Uint8Array[] },
  ): void {
    const position = (this.#positions[p] ??= { entries: 0, epoch: 0 });
    for (; position.entries < written.length; position.entries++) {
      const seq = base + position.entries + 1;
      const text = decoder.decode(written[position.entries]);
      this.#entries.push({ p, seq, text });
      const [head = "", ...lines] = text.split("\n");
      const { kind, epoch } = JSON.parse(head) as Header;
      if (kind === "claim") position.epoch = seq;
      if (kind === "split") {
        if (epoch === position.epoch) this.#findings.count("partition split");
        position.epoch = 0;
      }
      if (kind !== "commit") continue;
      if (epoch === position.epoch) for (const line of lines) this.#onLine(line);
      else {
        position.epoch = 0; // The owner's later appends are void too (log-follower.1).
        this.#findings.count("void commit skipped");
      }
    }
  }

  #onLine(line: string): void {
    const { room, seq, at } = JSON.parse(line) as { room: RoomId; seq: Seq; at: number };
    const before = this.#last.get(room)?.at ?? 0;
    if (at < before) this.#findings.violation("O13", `${room} ${seq}: at decreased`);
    this.#last.set(room, { seq, at });
  }
}
