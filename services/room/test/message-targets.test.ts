// Targets: which messages a room forgets first, and what a hole of a snapshot is.

import { expect } from "chai";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { Targets, TARGETS_MAX } from "../core/message-targets.ts";
import { idAt, T0 } from "./partition-fixture.ts";

const FIRST = 50_000;
const from = "ada" as UserId;
const about = { room: "general" as RoomId, id: idAt(T0, 1), from, at: T0 };
const deleted = (seq: Seq, target: Seq): RoomEvent => ({ t: "deleted", ...about, seq, target });
const message = (seq: Seq, more: { readonly thread?: Seq } = {}): RoomEvent => ({
  t: "msg",
  ...about,
  seq,
  body: {},
  ...more,
});

describe("Targets", () => {
  it("message-targets.3: of the answers of the archive the oldest beyond the bound go", () => {
    const targets = new Targets(FIRST);
    for (let seq = 1; seq <= TARGETS_MAX + 3; seq++) targets.learn(seq, { from });
    targets.trim(0);
    expect(targets.size).to.equal(TARGETS_MAX);
    expect([targets.find(3), targets.find(4)]).to.deep.equal([undefined, { from, since: 0 }]);
  });

  it("message-targets.2, message-targets.3: a deletion stays until the archive has it, and a message of a slot as long as its slot", () => {
    const targets = new Targets(FIRST);
    targets.take(deleted(FIRST, 2));
    targets.take(message(FIRST + 1, { thread: 9 }));
    const learn = (begin: Seq): void => {
      for (let n = 0; n <= TARGETS_MAX; n++) targets.learn(begin + n, { from });
    };
    learn(10);
    targets.trim(FIRST - 1);
    expect(targets.find(2)).to.deep.equal({ isDeleted: true, since: FIRST });
    expect(targets.find(12)).to.equal(undefined);
    learn(5_000);
    targets.trim(FIRST + 1);
    expect(targets.find(2)).to.equal(undefined);
    expect(targets.find(FIRST + 1)).to.include({ thread: 9 });
  });

  it("message-targets.3: a trim examines a bounded number of targets", () => {
    const targets = new Targets(FIRST);
    const most = 2_048;
    for (let n = 0; n < most; n++) targets.take(deleted(FIRST + n, n + 1));
    targets.learn(40_000, { from });
    targets.trim(0);
    expect(targets.find(40_000)).to.include({ from });
    targets.trim(FIRST); // One of the deletions is archived now.
    targets.trim(0);
    expect(targets.find(40_000)).to.equal(undefined);
  });

  it("message-targets.1: a line of a snapshot that is no event belongs to no message", () => {
    const targets = new Targets(1);
    targets.take(message(1));
    targets.take(message(4));
    expect([1, 2, 3, 4].map((seq) => targets.find(seq) === "none")).to.deep.equal([
      false,
      true,
      true,
      false,
    ]);
  });
});
