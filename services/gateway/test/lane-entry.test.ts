// Lane entries and syncs, by example: the content of a batch and of a sync, and the answers to a
// command.

import { expect } from "chai";
import { retryAfterMs } from "#shared/protocol/errors.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { COMMAND_BATCH_BYTES_MAX } from "#shared/protocol/limits.ts";
import { SYNC_BYTES_MAX } from "../core/bounds.ts";
import {
  answered,
  encodeEntry,
  firstOf,
  isPostponed,
  refusal,
  takeBatch,
} from "../core/lane-entry.ts";
import type { Entry } from "../core/lane-io.ts";
import { syncCommands } from "../core/sync.ts";
import type { SyncRoom } from "../core/sync.ts";

function entryOf(c: number, more: Partial<Entry<string>> = {}): Entry<string> {
  return {
    c,
    op: "send",
    order: "general ada",
    json: `{"c":${c}}`,
    bytes: 7,
    deadline: 0,
    context: `context ${c}`,
    copies: 1,
    sentAt: 0,
    isDone: false,
    isLate: false,
    ...more,
  };
}

describe("Lane entry", () => {
  it("P8: a batch takes entries that fit exactly with its header of 128 bytes, and no byte more", () => {
    const half = (COMMAND_BATCH_BYTES_MAX - 128) / 2 - 1;
    const sizes = (...bytes: number[]) => {
      const { entries, consumed } = takeBatch(bytes.map((size, c) => entryOf(c, { bytes: size })));
      return [entries.length, consumed];
    };
    expect(sizes(half, half)).to.deep.equal([2, 2]);
    expect(sizes(half, half + 1)).to.deep.equal([1, 1]);
    expect(sizes(half + 1, half)).to.deep.equal([1, 1]);
    expect(sizes(2 * half - 1, 1)).to.deep.equal([2, 2]);
    expect(sizes(2 * half, 1)).to.deep.equal([1, 1]);
    expect(sizes(10 * half, 1), "one at least").to.deep.equal([1, 1]);
    expect(sizes()).to.deep.equal([0, 0]);
  });

  it("P8: a finished entry is consumed and takes no room", () => {
    const done = entryOf(1, { isDone: true, bytes: COMMAND_BATCH_BYTES_MAX - 200 });
    const { entries, consumed } = takeBatch([done, entryOf(2), entryOf(3, { isDone: true })]);
    expect([entries.map(({ c }) => c), consumed]).to.deep.equal([[2], 3]);
    const big = entryOf(2, { bytes: COMMAND_BATCH_BYTES_MAX - 200 });
    expect(takeBatch([done, big]).entries).to.deep.equal([big]);
  });

  it("P8: a late command has its flag after its own fields", () => {
    expect(encodeEntry(entryOf(5))).to.equal('{"c":5}');
    expect(JSON.parse(encodeEntry(entryOf(5, { isLate: true })))).to.deep.equal({
      c: 5,
      late: true,
    });
  });

  it("P9: a temporary error for a send with a second copy becomes unavailable; other answers stay", () => {
    const refused = (error: ErrorName) => ({ result: { c: 7, error } });
    const busy = { kind: "answer", context: "context 7", answer: refused("busy") };
    const afterMs = retryAfterMs("unavailable");
    const uncertain = { ...busy, answer: { result: { c: 7, error: "unavailable", afterMs } } };
    expect(answered(entryOf(7, { copies: 1 }), refused("busy"))).to.deep.equal(busy);
    expect(answered(entryOf(7, { copies: 2 }), refused("busy"))).to.deep.equal(uncertain);
    expect(answered(entryOf(7, { copies: 2, op: "join" }), refused("busy"))).to.deep.equal(busy);
    const final = { ...busy, answer: refused("bad_id") };
    expect(answered(entryOf(7, { copies: 2 }), refused("bad_id"))).to.deep.equal(final);
    const sent = { result: { c: 7, ok: "sent", seq: 3, at: 4 } } as const;
    const unchanged = { ...busy, answer: sent };
    expect(answered(entryOf(7, { copies: 2 }), sent)).to.deep.equal(unchanged);
    const postponed = [sent, refused("busy"), refused("bad_id")].map((each) => isPostponed(each));
    expect(postponed).to.deep.equal([false, true, false]);
  });

  it("L2: a refusal names a retry time only if a retry can help", () => {
    const result = (error: ErrorName) => {
      const effect = refusal(entryOf(7), error);
      return effect.kind === "answer" ? effect.answer.result : effect.kind;
    };
    expect(result("busy")).to.deep.equal({ c: 7, error: "busy", afterMs: 1_000 });
    expect(result("bad_id")).to.have.all.keys("c", "error");
  });

  it("lane.2: the first of a map is the oldest, and an empty map has none", () => {
    const map = new Map([
      [9, "a"],
      [1, "b"],
    ]);
    expect([firstOf(map), firstOf(new Map())]).to.deep.equal(["a", undefined]);
  });
});

describe("Sync commands", () => {
  const ROOM = "a" as RoomId; // 1 + 32 bytes
  const OTHER = "bb" as RoomId; // 2 + 32 bytes
  /** A name that costs `bytes`, including two quotes and a comma. */
  const user = (bytes: number): UserId => "u".repeat(bytes - 3) as UserId;
  /** The commands in words: "sync a:2 bb:0", "join a". */
  const words = (...rooms: SyncRoom[]): string[] =>
    syncCommands(rooms).map((part) =>
      part.op === "sync"
        ? ["sync", ...part.rooms.map(([room, , users]) => `${room}:${users.length}`)].join(" ")
        : `join ${part.room}`,
    );

  it("L3: users fill one sync exactly; with one byte more, the user follows as a join", () => {
    const room = SYNC_BYTES_MAX - 33;
    expect(words([ROOM, 1, [user(room - 10), user(10)]])).to.deep.equal(["sync a:2"]);
    expect(words([ROOM, 1, [user(room - 10), user(11)]])).to.deep.equal(["sync a:1", "join a"]);
    const wide = "é".repeat((room - 3) / 2) as UserId;
    expect(words([ROOM, 1, [wide]])).to.deep.equal(["sync a:1"]);
    expect(words([ROOM, 1, [`${wide}é` as UserId]])).to.deep.equal(["sync a:0", "join a"]);
  });

  it("L3: rooms fill one sync exactly; one byte more begins another, and joins follow all of them", () => {
    const rest = SYNC_BYTES_MAX - 33 - 34;
    const [one, two] = [[user(rest - 10)], [user(10)]];
    expect(words([ROOM, 1, one], [OTHER, 1, two])).to.deep.equal(["sync a:1 bb:1"]);
    expect(words([ROOM, 1, one], [OTHER, 1, [user(11)]])).to.deep.equal(["sync a:1", "sync bb:1"]);
    expect(words([ROOM, 1, [...one, user(rest)]], [OTHER, 1, two])).to.deep.equal([
      "sync a:1 bb:1",
      "join a",
    ]);
    expect(words([ROOM, 1, [user(SYNC_BYTES_MAX - 33)]], [OTHER, 1, []])).to.deep.equal([
      "sync a:1",
      "sync bb:0",
    ]);
  });

  it("L3: the grant of a user counts as bytes of its room, and goes where its user goes", () => {
    const ada = "ada" as UserId; // `"ada",` and `["ada","reader"],`: 6 + 17 bytes
    const grants = [[ada, "reader"]] as const;
    const rest = SYNC_BYTES_MAX - 33 - 23;
    const [fits, exceeds] = [user(rest), user(rest + 1)];
    expect(syncCommands([[ROOM, 1, [fits, ada], grants]])).to.deep.equal([
      { op: "sync", rooms: [[ROOM, 1, [fits, ada], grants]] },
    ]);
    expect(syncCommands([[ROOM, 1, [exceeds, ada], grants]])).to.deep.equal([
      { op: "sync", rooms: [[ROOM, 1, [exceeds]]] },
      { op: "join", room: ROOM, user: ada, grant: "reader" },
    ]);
  });

  it("L3: a sync names the head and the users of each room, and no room makes no sync", () => {
    const [ada, bob] = ["ada", "bob"] as UserId[] as [UserId, UserId];
    const rooms: SyncRoom[] = [
      [ROOM, 7, [ada, bob]],
      [OTHER, 9, []],
    ];
    expect(syncCommands(rooms)).to.deep.equal([{ op: "sync", rooms }]);
    expect(syncCommands([])).to.deep.equal([]);
    const big = user(SYNC_BYTES_MAX);
    expect(syncCommands([[ROOM, 7, [ada, big, bob]]])).to.deep.equal([
      { op: "sync", rooms: [[ROOM, 7, [ada]]] },
      { op: "join", room: ROOM, user: big },
      { op: "join", room: ROOM, user: bob },
    ]);
  });
});
