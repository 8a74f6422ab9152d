// Targets: which messages a room forgets first, and what a hole of a snapshot is.

import { expect } from "chai";
import type { MessageEvent, RoomEvent } from "#shared/protocol/events.ts";
import type { RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { Targets, TARGETS_MAX } from "../core/message-targets.ts";
import { RoomMemory } from "../core/room-memory.ts";
import { idAt, T0 } from "./partition-fixture.ts";

const FIRST = 50_000;
const from = "ada" as UserId;
const about = { room: "general" as RoomId, id: idAt(T0, 1), from, at: T0 };
const deleted = (seq: Seq, target: Seq): RoomEvent => ({ t: "deleted", ...about, seq, target });
const edited = (seq: Seq, target: Seq, mentions?: readonly UserId[]): RoomEvent => ({
  t: "edited",
  ...about,
  seq,
  target,
  body: {},
  ...(mentions !== undefined && { mentions }),
});
type Content = Pick<MessageEvent, "thread" | "mentions">;
const message = (seq: Seq, more: Content = {}): RoomEvent => ({
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
    targets.take(message(FIRST, { thread: 9 }));
    targets.take(deleted(FIRST + 1, 2));
    const learn = (begin: Seq): void => {
      for (let n = 0; n <= TARGETS_MAX; n++) targets.learn(begin + n, { from });
    };
    learn(10);
    targets.trim(FIRST);
    expect(targets.find(2)).to.deep.equal({ isDeleted: true, since: FIRST + 1 });
    expect(targets.find(12)).to.equal(undefined);
    learn(5_000);
    targets.trim(FIRST + 1);
    expect(targets.find(2)).to.equal(undefined);
    expect(targets.find(FIRST)).to.include({ thread: 9 });
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

  it("message-targets.1: a message is known with what changes and replies need of it, and no more", () => {
    const targets = new Targets(1);
    const [thread, mentions, by] = [1, ["ben" as UserId], { by: from, at: T0, seq: 9 }];
    targets.take(message(1));
    targets.take(message(2, { thread }));
    targets.take(message(3, { mentions }));
    targets.take({ ...message(4), deleted: by } as RoomEvent);
    targets.take(edited(5, 1));
    const at = T0;
    expect([1, 2, 3, 4, 5].map((seq) => targets.find(seq))).to.deep.equal([
      { from, at },
      { from, at, since: 2, thread },
      { from, at, since: 3, mentions },
      { from, at, since: 4, isDeleted: true },
      "none",
    ]);
    targets.take(message(3));
    expect(targets.find(6), "an event that was taken before").to.equal("none");
    expect(targets.size).to.equal(5 + 3);
  });

  it("message-targets.4: an edit changes the mentions of a known message, and of no other", () => {
    const [ben, eve] = [["ben"], ["eve"]] as [UserId[], UserId[]];
    const targets = new Targets(FIRST);
    targets.learn(7, { from });
    targets.take(message(FIRST, { mentions: ben }));
    targets.take(edited(FIRST + 1, FIRST));
    expect(targets.find(FIRST), "an edit without mentions").to.include({ since: FIRST });
    targets.take(edited(FIRST + 2, FIRST, eve));
    const about = { from, at: T0, mentions: eve };
    expect(targets.find(FIRST)).to.deep.equal({ ...about, since: FIRST + 2 });
    targets.take(edited(FIRST + 3, 7, eve));
    expect(targets.find(7)).to.deep.equal({ from, mentions: eve, since: FIRST + 3 });
    targets.take(edited(FIRST + 4, 8, eve));
    targets.take(edited(FIRST + 5, FIRST + 1, eve));
    expect([targets.find(8), targets.find(FIRST + 1)]).to.deep.equal([undefined, "none"]);
    targets.take(deleted(FIRST + 6, FIRST));
    targets.take(edited(FIRST + 7, FIRST, ben));
    const gone = { from, at: T0, isDeleted: true, since: FIRST + 6 };
    expect(targets.find(FIRST), "a deleted message mentions no user").to.deep.equal(gone);
    targets.take(deleted(FIRST + 8, FIRST + 1));
    expect(targets.find(FIRST + 1), "no message").to.deep.equal({
      isDeleted: true,
      since: FIRST + 8,
    });
  });

  it("message-targets.2: an answer of the archive changes nothing that memory knows", () => {
    const targets = new Targets(FIRST);
    const eve = "eve" as UserId;
    targets.take(message(FIRST));
    targets.take(deleted(FIRST + 1, 7));
    for (const seq of [7, FIRST, FIRST + 1]) targets.learn(seq, { from: eve });
    expect(targets.find(7)).to.deep.equal({ isDeleted: true, since: FIRST + 1 });
    expect([targets.find(FIRST), targets.find(FIRST + 1)]).to.deep.equal([
      { from, at: T0 },
      "none",
    ]);
  });

  it("message-targets.1: a replay continues what was known, also behind a line that is no event", () => {
    const [targets, replayed] = [new Targets(1), new Targets(5)];
    for (const seq of [1, 2, 3]) targets.take(message(seq));
    targets.take({ ...message(5), at: T0 + 9 });
    replayed.take({ ...message(5), at: T0 + 1 });
    replayed.take({ ...message(6), at: T0 + 2 });
    const size = targets.size;
    targets.absorb(replayed);
    expect(targets.size).to.equal(size + 1);
    expect([1, 4, 5, 6].map((seq) => targets.find(seq))).to.deep.equal([
      { from, at: T0 },
      "none",
      { from, at: T0 + 9 },
      { from, at: T0 + 2 },
    ]);
    const [behind, later] = [new Targets(1), new Targets(5)];
    behind.take(message(1));
    later.take(message(5));
    behind.absorb(later);
    expect([1, 4, 5].map((seq) => behind.find(seq))).to.deep.equal([
      { from, at: T0 },
      "none",
      { from, at: T0 },
    ]);
  });

  it("message-targets.3: a replay that had to forget its beginning ends what was known before it", () => {
    const [targets, replayed] = [new Targets(1), new Targets(2)];
    targets.take(message(1));
    for (const seq of [2, 3, 4]) replayed.take(message(seq));
    replayed.forgetUpTo(2);
    targets.absorb(replayed);
    expect([1, 2].map((seq) => targets.find(seq))).to.deep.equal([undefined, undefined]);
    expect(targets.find(3)).to.deep.equal({ from, at: T0 });
    expect([targets.size, targets.mayAsk(1), targets.mayAsk(2)]).to.deep.equal([2, false, true]);
    // What the replay forgot is known here.
    const [whole, part] = [new Targets(1), new Targets(2)];
    for (const seq of [1, 2]) whole.take(message(seq));
    for (const seq of [2, 3]) part.take(message(seq));
    part.forgetUpTo(2);
    whole.forgetUpTo(0);
    whole.absorb(part);
    expect([1, 3].map((seq) => whole.find(seq))).to.deep.equal([
      { from, at: T0 },
      { from, at: T0 },
    ]);
  });

  it("message-targets.2: a deletion stays when a replay has an older state of the message", () => {
    const [targets, replayed] = [new Targets(FIRST), new Targets(FIRST + 1)];
    targets.take(deleted(FIRST, 7));
    replayed.learn(7, { from });
    replayed.learn(8, { from });
    targets.absorb(replayed);
    expect(targets.find(7)).to.deep.equal({ isDeleted: true, since: FIRST });
    expect(targets.find(8)).to.deep.equal({ from, since: 0 });
  });

  it("message-targets.3: slots go in steps of 64 beyond the bound, and only archived ones", () => {
    const targets = new Targets(1);
    const last = TARGETS_MAX + 64;
    for (let seq = 1; seq < last; seq++) targets.take(message(seq));
    targets.trim(last);
    expect(targets.find(1), "63 too many").to.deep.equal({ from, at: T0 });
    targets.take(message(last));
    targets.trim(63);
    expect(targets.find(1), "63 archived").to.deep.equal({ from, at: T0 });
    targets.trim(64);
    expect([targets.find(64), targets.size]).to.deep.equal([undefined, TARGETS_MAX]);
    targets.trim(last);
    expect(targets.size).to.equal(TARGETS_MAX);
    targets.forgetUpTo(65);
    expect([targets.find(65), targets.size]).to.deep.equal([undefined, TARGETS_MAX - 1]);
    targets.forgetUpTo(20);
    expect(targets.size).to.equal(TARGETS_MAX - 1);
  });

  it("P23, message-targets.3: what is learnt, absorbed and trimmed counts as memory within a step", () => {
    const { account } = new RoomMemory(1 << 24);
    const used = (): number => Math.round(account.usedBy("targets") / 72);
    const targets = new Targets(FIRST, account);
    for (let n = 1; n <= TARGETS_MAX; n++) targets.learn(n, { from });
    expect(used()).to.be.within(TARGETS_MAX - 63, TARGETS_MAX);
    const replayed = new Targets(FIRST);
    for (let n = 0; n < 200; n++) replayed.learn(10_000 + n, { from });
    targets.absorb(replayed);
    expect(used()).to.be.within(TARGETS_MAX + 137, TARGETS_MAX + 200);
    targets.trim(0);
    expect(used()).to.be.within(TARGETS_MAX - 63, TARGETS_MAX + 63);
    targets.clear();
    expect(used()).to.equal(0);
  });
});
