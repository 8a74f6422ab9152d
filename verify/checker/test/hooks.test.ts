// Checker: webhooks. Deliveries that are complete and in order have no violation; each other run
// violates I19.

import { expect } from "chai";
import type { RoomId } from "#shared/protocol/ids.ts";
import { check } from "../check.ts";
import type { HistoryRecord, HookRecord } from "../record.ts";

const ROOM = "plans" as RoomId;
const line = (seq: number, t = "msg", room = "plans"): string =>
  JSON.stringify({ t, room, seq, id: `i${seq}`, from: "ada", at: seq, body: {} });
const ARCHIVE = [line(1, "room"), line(2), line(3), line(4), line(1, "msg", "other")];
const HOOK: HookRecord = { t: 1, op: "hook", phase: "invoke", kinds: ["msg"], rooms: [ROOM] };
const END: HistoryRecord = { t: 99, op: "mark", what: "end" };

function got(seq: number, more: object = {}): HookRecord {
  const base = { t: seq, op: "hook", phase: "ok", kind: "msg", room: ROOM, id: `i${seq}` } as const;
  return { ...base, seq, ...more };
}

function judged(records: readonly HistoryRecord[]): string[] {
  const { violations } = check({ records, archive: ARCHIVE, log: [] });
  return violations.flatMap(({ invariant, detail }) => (invariant === "I19" ? [detail] : []));
}

describe("check: webhooks", () => {
  it("I19: each event once, with repetitions behind it, is no violation; a run without a webhook neither", () => {
    expect(judged([HOOK, got(2), got(3), got(2), got(4), got(3), END])).to.deep.equal([]);
    expect(judged([END])).to.deep.equal([]);
  });

  it("I19: an event that never arrived is a violation, unless the run was cut", () => {
    expect(judged([HOOK, got(2), got(4), END])).to.deep.equal([
      "1 events never reached a webhook, first plans 3",
    ]);
    expect(judged([HOOK, got(2)])).to.deep.equal([]);
  });

  it("I19: a first delivery behind a later one is a violation", () => {
    expect(judged([HOOK, got(2), got(4), got(3), END])).to.deep.equal([
      "plans 3 first reached a webhook behind 4",
    ]);
  });

  it("I19: an invented event, another id, another room and another kind are violations", () => {
    const good = [HOOK, got(2), got(3), got(4)];
    expect(judged([...good, got(9), END])).to.have.length(1);
    expect(judged([HOOK, got(2), got(3, { id: "x" }), got(4), END])).to.have.length(1);
    expect(judged([...good, got(2, { id: "x" }), END])).to.have.length(1);
    expect(judged([...good, got(1, { room: "other" }), END])).to.have.length(1);
    expect(judged([...good, got(1, { kind: "room" }), END])).to.have.length(1);
  });
});
