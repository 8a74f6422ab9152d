// Check, second half: logs, presence, memory, recovery and requests.

import { expect } from "chai";
import { encodeEntry } from "#shared/protocol/entry.ts";
import { fnv1a32 } from "#shared/protocol/ids.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";
import { check } from "../check.ts";
import { REQUEST_MS_MAX } from "../conns.ts";
import { LOST } from "../record.ts";
import type { ClientRecord, HistoryRecord } from "../record.ts";
import {
  ADA,
  EVE,
  ROOM,
  origin,
  invoke,
  line,
  ok,
  unanswered,
  joinRequest,
  joined,
  NODE,
  CLAIM,
  entries,
  stores,
  LINES,
  GOOD,
  broken,
  QUIET,
} from "./record-builders.ts";

describe("check of faults", () => {
  it("I10: finds an epoch without a claim, a commit of another node, and a commit after a release", () => {
    const commit = (n: number, epoch: number, node = NODE): string => {
      const groups = [{ room: ROOM, first: n, lines: [line(n)] }];
      return encodeEntry({ kind: "commit", epoch, node, at: 1, groups });
    };
    const release = encodeEntry({ kind: "release", epoch: 1, node: NODE, at: 1 });
    const rival = "room-b" as ProcessId;
    const claim = encodeEntry({ kind: "claim", node: rival, at: 1 });
    const judge = (...texts: string[]): string[] => {
      return broken(GOOD, stores(LINES, { log: entries(texts) }));
    };
    const all = [commit(1, 1), commit(2, 1), commit(3, 1)];
    expect(judge(CLAIM, ...all)).to.deep.equal([]);
    expect(judge(CLAIM, ...all, commit(4, 9))).to.deep.equal(["I10"]);
    expect(judge(CLAIM, ...all.slice(0, 2), commit(3, 1, rival))).to.deep.equal(["I10"]);
    expect(judge(CLAIM, ...all.slice(0, 2), release, commit(3, 1))).to.deep.equal(["I10"]);
    // The later appends of the rival would leave a gap after the append that 2 displaced: void too.
    const late = [CLAIM, commit(1, 1), claim, commit(2, 1), commit(3, 3, rival), claim];
    const again = [commit(2, 6, rival), commit(3, 6, rival)];
    const run = { records: GOOD, ...stores(LINES, { log: entries([...late, ...again]) }) };
    expect(check(run).broken).to.deep.equal([]);
    expect(check(run).counts).to.include({ claims: 3, voided: 2 });
  });

  it("I10: finds an entry of a tenure behind its split, and a room that the split has moved away", () => {
    const commit = (n: number, epoch: number): string => {
      const groups = [{ room: ROOM, first: n, lines: [line(n)] }];
      return encodeEntry({ kind: "commit", epoch, node: NODE, at: 1, groups });
    };
    // Of two and of four partitions, ROOM is in one only.
    const hash = fnv1a32(ROOM);
    const split = encodeEntry({ kind: "split", epoch: 1, node: NODE, at: 1, of: 2 });
    const claim = encodeEntry({ kind: "claim", node: NODE, at: 1 });
    const judge = (p: number, ...texts: string[]): string[] => {
      const log = entries(texts).map((entry) => ({ ...entry, p }));
      return broken(GOOD, stores(LINES, { log }));
    };
    const [home, away] = [hash % 2, 1 - (hash % 2)];
    const whole = [commit(1, 1), commit(2, 1)];
    expect(judge(home, CLAIM, ...whole, split, claim, commit(3, 5))).to.deep.equal([]);
    expect(judge(away, CLAIM, ...whole, split, claim, commit(3, 5))).to.deep.equal(["I10"]);
    expect(judge(home, CLAIM, ...whole, split, commit(3, 1), claim)).to.deep.equal(["I10"]);
  });

  it("I4: the log of an upper half begins with entry 2, and is not trimmed by that", () => {
    const commit = (p: number, n: number, epoch: number): string => {
      const groups = [{ room: ROOM, first: n, lines: [line(n)] }];
      return encodeEntry({ kind: "commit", epoch, node: NODE, at: p, groups });
    };
    const upper = fnv1a32(ROOM) % 2;
    // The log of partition 0 of 1, then that of 1 of 2, or again of 0.
    const split = encodeEntry({ kind: "split", epoch: 1, node: NODE, at: 1, of: 2 });
    const before = [CLAIM, commit(0, 1, 1), commit(0, 2, 1), split];
    const behind =
      upper === 1
        ? [CLAIM, commit(1, 3, 2)].map((text, i) => ({ p: 1, seq: i + 2, text }))
        : [CLAIM, commit(0, 3, 5)].map((text, i) => ({ p: 0, seq: i + 5, text }));
    const log = [...entries(before).map((entry) => ({ ...entry, p: 0 })), ...behind];
    expect(broken(GOOD, stores(LINES, { log }))).to.deep.equal([]);
  });

  it("I11: finds a missing user, an absent one, and a wrong count", () => {
    const here = (more: object): HistoryRecord => {
      return { ...origin({ client: EVE }), op: "here", room: ROOM, ...more };
    };
    const two = [joinRequest(), joined(1), joinRequest(0, {}), joined(1, {})];
    const judge = (...more: HistoryRecord[]): string[] => {
      return broken([...two, ...more, QUIET], stores([]));
    };
    expect(judge(here({ join: [ADA, EVE], here: 2 }))).to.deep.equal([]);
    expect(judge(here({ join: [EVE], here: 2 }))).to.deep.equal(["I11"]);
    expect(judge(here({ join: [ADA, EVE], here: 3 }))).to.deep.equal(["I11"]);
    const closed: HistoryRecord = { ...origin(), op: "close", phase: "info" };
    expect(judge(here({ join: [ADA, EVE], here: 2 }), closed)).to.deep.equal(["I11"]);
    const leave = here({ leave: [ADA], here: 1 });
    expect(judge(here({ join: [ADA, EVE], here: 2 }), closed, leave)).to.deep.equal([]);
  });

  it("I12: finds a process above its memory bound", () => {
    const sample = (mib: number): HistoryRecord => {
      return { t: 1, op: "sample", process: "room-1", mib, mibMax: 100 };
    };
    expect(broken([sample(100)], stores([]))).to.deep.equal([]);
    expect(broken([sample(101)], stores([]))).to.deep.equal(["I12"]);
  });

  it("I13: finds a room that never comes back, one that comes back late, and an archive that stays behind", () => {
    const begin = (more: object = {}): HistoryRecord => {
      const about = { fault: "F2", target: "room-1", scope: { kind: "all" }, backMs: 50 } as const;
      return { t: 10, op: "fault", n: 1, phase: "invoke", ...about, since: "start", ...more };
    };
    const heal: HistoryRecord = { t: 40, op: "fault", n: 1, phase: "ok" };
    const at = (t: number, record: ClientRecord): HistoryRecord => ({ ...record, t });
    const before = [invoke(1), ok(1), invoke(2)];
    const judge = (backAt: number, ...faults: HistoryRecord[]): string[] => {
      // The answer to 2 is not fresh: the client sent it before the fault.
      const after = [at(backAt, invoke(3)), at(20, ok(2)), at(backAt, ok(3))];
      return broken([...before, ...faults, ...after], stores(LINES));
    };
    expect(judge(60, begin(), heal)).to.deep.equal([]);
    expect(judge(61, begin(), heal)).to.deep.equal(["I13"]);
    expect(judge(90, begin({ since: "heal" }), heal)).to.deep.equal([]);
    expect(judge(91, begin({ since: "heal" }), heal)).to.deep.equal(["I13"]);
    expect(broken([...before, ok(2), begin(), heal], stores(LINES.slice(0, 2)))).to.deep.equal([
      "I13",
    ]);
    const entered = { ...invoke(1), sum: undefined } as unknown as ClientRecord;
    expect(broken([entered, ok(1), begin(), heal], stores(LINES.slice(0, 1)))).to.deep.equal([]);
    const drain = { t: 50, op: "fault", n: 1, phase: "info", backlog: 9, drainMs: 31 } as const;
    expect(judge(60, begin(), heal, { ...drain, withinMs: 31 })).to.deep.equal([]);
    expect(judge(60, begin(), heal, { ...drain, withinMs: 30 })).to.deep.equal(["I13"]);
  });

  it("I13: finds an error that a client got while the services restart in turn", () => {
    const scope = { kind: "all" } as const;
    const about = { fault: "F22", target: "all", scope, backMs: 50, since: "start" } as const;
    const begin: HistoryRecord = { t: 0, op: "fault", n: 1, phase: "invoke", ...about };
    const silent: HistoryRecord = { ...begin, isSilent: true };
    const heal: HistoryRecord = { t: 0, op: "fault", n: 1, phase: "ok" };
    const judge = (fault: HistoryRecord, err: string): string[] => {
      const answers = [unanswered(1, "info", err), invoke(1), ok(1)];
      return broken(
        [invoke(1), fault, ...answers, invoke(2), ok(2), heal],
        stores(LINES.slice(0, 2)),
      );
    };
    expect(judge(silent, LOST)).to.deep.equal([]);
    expect(judge(begin, "unavailable")).to.deep.equal([]);
    expect(judge(silent, "unavailable")).to.deep.equal(["I13"]);
    // A room answers so without any fault.
    for (const decision of ["forbidden", "conflict", "rate_limited"]) {
      expect(judge(silent, decision), decision).to.deep.equal([]);
    }
  });

  describe("I13: refusals that follow from one by a slow mode, while the services restart", () => {
    const scope = { kind: "all" } as const;
    const about = { fault: "F22", target: "all", scope, backMs: 50_000, since: "start" } as const;
    const isSilent = true;
    const begin: HistoryRecord = { t: 0, op: "fault", n: 1, phase: "invoke", ...about, isSilent };
    const heal: HistoryRecord = { t: 9_000, op: "fault", n: 1, phase: "ok" };
    const judge = (...records: HistoryRecord[]): string[] =>
      broken([invoke(1), begin, ...records, heal], stores(LINES.slice(0, 2)));

    it("I13: the same refusal, sent twice, is no error", () => {
      const judgeTwice = (unavailableAt: number): string[] => {
        const paced = { ...unanswered(1, "fail", "rate_limited"), t: 1_000 };
        const twice = { ...unanswered(1, "info", "unavailable"), t: unavailableAt };
        return judge(paced, invoke(1), twice, invoke(1), ok(1), invoke(2), ok(2));
      };
      expect(judgeTwice(6_000)).to.deep.equal([]);
      expect(judgeTwice(6_001)).to.deep.equal(["I13"]);
    });

    it("I13: a send behind a refused one gets `busy`, which is no error (O4)", () => {
      const judgeBehind = (firstErr: string, busyAt: number): string[] => {
        const first = { ...unanswered(1, "fail", firstErr), t: 1_000 };
        const behind = { ...unanswered(2, "fail", "busy"), t: busyAt };
        return judge(invoke(2), first, behind, invoke(1), ok(1), invoke(2), ok(2));
      };
      expect(judgeBehind("rate_limited", 6_000)).to.deep.equal([]);
      expect(judgeBehind("rate_limited", 6_001)).to.deep.equal(["I13"]);
      expect(judgeBehind("busy", 1_000)).to.deep.equal(["I13"]);
    });
  });

  it("I13: a send that had to wait for a slow mode shows that its room is back, and no latency", () => {
    const late = { t: 5_000 };
    const waited = [invoke(1), unanswered(1, "fail", "rate_limited"), invoke(1), ok(1, 1, late)];
    const judged = check({ records: waited, ...stores(LINES.slice(0, 1)) });
    expect(judged.sometimes.senderSlowed).to.equal(1);
    expect(judged.ackMs.max).to.equal(0);
    const refused = [invoke(1), unanswered(1, "info", LOST), unanswered(1, "fail", "forbidden")];
    const decided = check({ records: [...refused, invoke(2), ok(2, 1)], ...stores([line(1, 2)]) });
    expect(decided.counts).to.include({ refused: 1, unknown: 0, acked: 1 });
    expect(decided.sometimes.writeRefused).to.equal(1);
  });

  it("I13: finds a full log that refuses no send in time, and a bad network that moves a partition", () => {
    const scope = { kind: "all" } as const;
    const about = { fault: "F10", target: "x", scope, backMs: 50, since: "heal" } as const;
    const judge = (more: object, refusedAt: number, tenures: number): string[] => {
      const begin: HistoryRecord = { t: 0, op: "fault", n: 1, phase: "invoke", ...about, ...more };
      const heal: HistoryRecord = { t: 40, op: "fault", n: 1, phase: "ok", tenures };
      const refused = { ...unanswered(1, "fail", "busy"), t: refusedAt };
      const after = [
        { ...invoke(2), t: 41 },
        { ...ok(2, 1), t: 42 },
      ];
      return broken([invoke(1), begin, refused, heal, ...after], stores([line(1, 2)]));
    };
    expect(judge({}, 30, 3)).to.deep.equal([]);
    expect(judge({ refusalMs: 30 }, 30, 3)).to.deep.equal([]);
    expect(judge({ refusalMs: 30 }, 31, 3)).to.deep.equal(["I13"]);
    expect(judge({ isSteady: true }, 30, 0)).to.deep.equal([]);
    expect(judge({ isSteady: true }, 30, 1)).to.deep.equal(["I13"]);
  });

  it("I13: does not wait for a room without recent sends", () => {
    const scope = { kind: "all" } as const;
    const about = { fault: "F5", target: "x", scope, backMs: 50, since: "start" } as const;
    const judge = (t: number): string[] => {
      const begin: HistoryRecord = { t, op: "fault", n: 1, phase: "invoke", ...about };
      return broken([invoke(1), ok(1), begin], stores(LINES.slice(0, 1)));
    };
    expect(judge(4_999)).to.deep.equal(["I13"]);
    expect(judge(5_000)).to.deep.equal([]);
  });

  it("I13: waits for the clients of a killed gateway that sent recently", () => {
    const scope = { kind: "via", gateway: "gateway-1" } as const;
    const about = { fault: "F1", target: "gateway-1", scope, backMs: 50, since: "start" } as const;
    const opened = (client: typeof ADA): HistoryRecord => {
      return { ...origin({ client }), op: "open", phase: "ok", via: "gateway-1" };
    };
    const judge = (t: number): string[] => {
      const begin: HistoryRecord = { t, op: "fault", n: 1, phase: "invoke", ...about };
      const sends = [opened(ADA), opened(EVE), invoke(1), ok(1)];
      return broken([...sends, begin], stores(LINES.slice(0, 1)));
    };
    expect(judge(4_999)).to.deep.equal(["I13"]); // For Ada. Eve has sent nothing.
    expect(judge(5_000)).to.deep.equal([]);
  });

  it("I14: finds a request without an end, with two ends, or with a late one", () => {
    expect(broken([invoke(1)], stores([]))).to.deep.equal(["I14"]);
    expect(broken([invoke(1), ok(1), ok(1)], stores([line(1)]))).to.deep.equal(["I14"]);
    expect(broken([joinRequest()], stores([]))).to.deep.equal(["I14"]);
    const closed: HistoryRecord = { ...origin(), op: "close", phase: "info" };
    expect(broken([invoke(1), closed], stores([]))).to.deep.equal(["I14"]);
    const late = { ...ok(1), t: REQUEST_MS_MAX + 1 };
    expect(broken([invoke(1), late], stores([line(1)]))).to.deep.equal(["I14"]);
  });
});
