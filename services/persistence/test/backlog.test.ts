// Backlog: what a batch takes along beside its events.

import { expect } from "chai";
import type { ProjectedEntry } from "../core/projection.ts";
import { Backlog, TRACES_PER_BATCH_MAX } from "../core/backlog.ts";

const BOUNDS = { linesMax: 1_000, bytesMax: 1_000_000 };

function take(entries: readonly (readonly string[] | undefined)[]) {
  const backlog = new Backlog(BOUNDS);
  for (const [i, traces] of entries.entries()) {
    const entry = {
      seq: i + 1,
      epoch: 1,
      isVoid: false,
      isRelease: false,
      events: [],
      unread: [],
      traces,
    };
    backlog.push(entry satisfies ProjectedEntry, 100);
  }
  return backlog.take(0, 0, BOUNDS);
}

describe("Backlog", () => {
  it("E3: a batch without a traced message says nothing of traces", () => {
    expect(take([undefined, undefined])).to.not.have.property("traces");
  });

  it("E2: a batch names the contexts of its traced messages, in order and bounded", () => {
    expect(take([undefined, ["a", "b"], undefined, ["c"]]).traces).to.deep.equal(["a", "b", "c"]);
    const many = Array.from({ length: TRACES_PER_BATCH_MAX + 5 }, (_, n) => `${n}`);
    expect(take([many]).traces).to.have.length(TRACES_PER_BATCH_MAX);
  });
});
