// Refused writes: a write that was refused permanently stays refused, and what is forgotten.

import { expect } from "chai";
import type { Command, Write } from "#shared/protocol/commands.ts";
import type { MessageId, UserId } from "#shared/protocol/ids.ts";
import type { Effect } from "../core/partition-io.ts";
import { REFUSAL_KEPT_MS, REFUSALS_MAX, RefusedWrites } from "../core/refused-writes.ts";
import { ADA, DEV, GENERAL, PartitionFixture, idAt, only, T0 } from "./partition-fixture.ts";
import { resultsOf, send } from "./partition-fixture.ts";

const BEN = "ben" as UserId;
let c = 60_000;

const change = (op: string, more: object): Command =>
  ({ c: ++c, op, room: GENERAL, from: ADA, id: idAt(T0, c), ...more }) as Command;
const member = (role: string): Command => change("member", { user: BEN, role });
const closed = (): Command =>
  change("create", { kind: "closed", members: [{ user: BEN, role: "member" }] });

function answers(effects: readonly Effect[]): unknown[] {
  return resultsOf(effects).map((result) => ("error" in result ? result.error : result.ok));
}

/** Flushes, settles append `n`, and returns the answers. */
function commit(fixture: PartitionFixture, n: number): unknown[] {
  const [append] = only(fixture.flush(), "append");
  if (append === undefined) return [];
  return answers(fixture.appended(n, { kind: "ok", seq: append.expected + 1 }));
}

describe("Refused writes", () => {
  it("O4: a copy of a refused write stays refused when its sender has the right again", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    const write = send({ from: BEN });
    fixture.batch([closed(), member("none"), write]);
    expect(commit(fixture, 1)).to.deep.equal(["sent", "sent", "forbidden"]);
    fixture.batch([member("member")]);
    expect(commit(fixture, 2)).to.deep.equal(["sent"]);
    expect(answers(fixture.batch([{ ...write, c: ++c }]))).to.deep.equal(["forbidden"]);
    fixture.batch([send({ from: BEN })]);
    expect(commit(fixture, 3)).to.deep.equal(["sent"]);
  });

  it("I2, writes.3: a copy that arrives before the first answer gets that answer too", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    const write = send({ from: BEN });
    fixture.batch([closed(), member("none"), write, member("member"), write]);
    expect(commit(fixture, 1)).to.deep.equal(["sent", "sent", "forbidden", "sent", "forbidden"]);
  });

  it("O4: a change of a message that did not exist yet stays refused", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    const early = change("delete", { target: 1 });
    expect(answers(fixture.batch([early]))).to.deep.equal(["not_found"]);
    fixture.batch([send()]);
    expect(commit(fixture, 1)).to.deep.equal(["sent"]);
    expect(answers(fixture.batch([{ ...early, c: ++c }]))).to.deep.equal(["not_found"]);
    fixture.batch([change("delete", { target: 1 })]);
    expect(commit(fixture, 2)).to.deep.equal(["sent"]);
  });

  it("refused-writes.1: a refusal is kept for its time, by room, sender and id", () => {
    const refusals = new RefusedWrites();
    const write = { room: GENERAL, from: ADA, id: idAt(T0) };
    refusals.add(write, "forbidden", 0);
    refusals.add(write, "not_found", 1);
    expect(refusals.find(write, REFUSAL_KEPT_MS - 1)).to.equal("forbidden");
    expect(refusals.find({ ...write, room: DEV }, 0)).to.equal(undefined);
    expect(refusals.find({ ...write, from: BEN }, 0)).to.equal(undefined);
    expect(refusals.find({ ...write, id: idAt(T0, 1) }, 0)).to.equal(undefined);
    expect(refusals.find(write, REFUSAL_KEPT_MS)).to.equal(undefined);
    expect(refusals.size).to.equal(0);
    refusals.add(write, "conflict", REFUSAL_KEPT_MS);
    expect(refusals.find(write, REFUSAL_KEPT_MS + 1)).to.equal("conflict");
  });

  it("refused-writes.2: the oldest refusals are forgotten beyond the bound, and those of past times", () => {
    const refusals = new RefusedWrites();
    const write = (n: number): Pick<Write, "room" | "from" | "id"> => ({
      room: GENERAL,
      from: ADA,
      id: `id-${n}` as MessageId,
    });
    for (let n = 0; n <= REFUSALS_MAX; n++) refusals.add(write(n), "forbidden", n);
    expect(refusals.size).to.equal(REFUSALS_MAX);
    expect(refusals.find(write(0), REFUSALS_MAX)).to.equal(undefined);
    expect(refusals.find(write(1), REFUSALS_MAX)).to.equal("forbidden");
    refusals.add(write(-1), "forbidden", REFUSALS_MAX + REFUSAL_KEPT_MS);
    expect(refusals.size).to.equal(1);
  });
});
