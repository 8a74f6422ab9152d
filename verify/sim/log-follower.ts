// Raw log: the heads of all rooms as the partition logs have them, read as they grow.
//
// The truth against which observers are measured while a run goes on. Nothing of the product reads it
// and it shares no code with those who do; verify/checker judges the same entries again at the end.
//
//   log-follower.1. A commit that does not name the newest claim before it is void, and so is what follows it.
//   log-follower.2. `at` never goes backwards within a room, whatever the clocks do.

import type { LoggedEntry } from "../checker/tenures.ts";
import type { Epoch, Partition, RoomId, Seq } from "#shared/protocol/ids.ts";
import type { Findings } from "./findings.ts";

interface Header {
  readonly kind: string;
  readonly epoch: number;
}

const decoder = new TextDecoder();

export class RawLog {
  readonly #findings: Findings;
  readonly #entries: LoggedEntry[] = [];
  readonly #read: { entries: number; epoch: number }[] = [];
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

  /** The newest claim of a partition; 0: nobody claimed it yet. */
  epoch(p: Partition): Epoch {
    return this.#read[p]?.epoch ?? 0;
  }

  /** Reads what partition `p` has more than before. */
  follow(p: Partition, written: readonly Uint8Array[]): void {
    const read = (this.#read[p] ??= { entries: 0, epoch: 0 });
    for (; read.entries < written.length; read.entries++) {
      const seq = read.entries + 1;
      const text = decoder.decode(written[read.entries]);
      this.#entries.push({ p, seq, text });
      const [head = "", ...lines] = text.split("\n");
      const { kind, epoch } = JSON.parse(head) as Header;
      if (kind === "claim") read.epoch = seq;
      if (kind !== "commit") continue;
      if (epoch === read.epoch) for (const line of lines) this.#onLine(line);
      else {
        read.epoch = 0; // What its owner sent behind the append that this one displaced is void too.
        this.#findings.saw("void commit skipped");
      }
    }
  }

  #onLine(line: string): void {
    const { room, seq, at } = JSON.parse(line) as { room: RoomId; seq: Seq; at: number };
    const before = this.#last.get(room)?.at ?? 0;
    if (at < before) this.#findings.broken("O13", `${room} ${seq}: at went backwards`);
    this.#last.set(room, { seq, at });
  }
}
