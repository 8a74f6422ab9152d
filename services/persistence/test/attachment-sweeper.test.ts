// AttachmentSweeper: what it removes, and in which order.

import { expect } from "chai";
import type { AttachmentStore } from "#shared/ports/attachment-store.ts";
import type { MessageId, RoomId } from "#shared/protocol/ids.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { AttachmentSweeper } from "../runtime/attachment-sweeper.ts";

const idOf = (n: number): MessageId =>
  `01890000-0000-7000-8000-${String(n).padStart(12, "0")}` as MessageId;

interface Row {
  readonly id: MessageId;
  readonly room: RoomId;
  readonly isErased: boolean;
  readonly bytes: number;
}

function setUp(rows: Row[], more: { readonly behind?: string; readonly away?: boolean } = {}) {
  const log: string[] = [];
  const problems: string[] = [];
  const store = {
    remove: (names: readonly string[]) => {
      if (more.away === true) return Promise.reject(new Error("no answer"));
      log.push(`remove ${names.length}`);
      return Promise.resolve();
    },
  } as Partial<AttachmentStore> as AttachmentStore;
  const sweeper = new AttachmentSweeper({
    records: {
      sweepable: ({ after, most }) => {
        const value = rows.filter(({ id }) => id > after).slice(0, most);
        return Promise.resolve({ kind: "ok", value });
      },
      forget: (ids) => {
        log.push(`forget ${ids.length}`);
        for (const id of ids)
          rows.splice(
            rows.findIndex((row) => row.id === id),
            1,
          );
        return Promise.resolve({ kind: "ok", value: undefined });
      },
    },
    store,
    clock: new FakeClock(),
    isMine: (room) => room !== "theirs",
    isCaughtUp: (room) => room !== more.behind,
    onProblem: (reason) => problems.push(reason),
  });
  return { sweeper, log, problems, rows };
}

const row = (n: number, room = "plans", isErased = false): Row => ({
  id: idOf(n),
  room: room as RoomId,
  isErased,
  bytes: 1_000,
});

describe("AttachmentSweeper", () => {
  it("AT6: removes bytes and thumbnails first, then the records, in parts", async () => {
    const { sweeper, log, rows } = setUp(Array.from({ length: 250 }, (_, n) => row(n + 1)));
    await sweeper.sweep();
    const parts = [
      "remove 200",
      "forget 100",
      "remove 200",
      "forget 100",
      "remove 100",
      "forget 50",
    ];
    expect(log).to.deep.equal(parts);
    expect(rows).to.deep.equal([]);
    expect([sweeper.removed, sweeper.removedBytes]).to.deep.equal([250, 250_000]); // E14
  });

  it("AT6: leaves rooms of other processes, and unsent files of a room whose archive is behind", async () => {
    const rows = [row(1, "theirs", true), row(2, "late"), row(3, "late", true), row(4)];
    const { sweeper } = setUp(rows, { behind: "late" });
    await sweeper.sweep();
    expect(rows.map(({ id }) => id)).to.deep.equal([idOf(1), idOf(2)]);
  });

  it("attachment-sweeper.3: keeps the records while the store does not answer, and says so once", async () => {
    const { sweeper, rows, problems } = setUp([row(1)], { away: true });
    await sweeper.sweep();
    await sweeper.sweep();
    expect(rows).to.have.length(1);
    expect(problems).to.deep.equal(["no answer"]);
    expect([sweeper.failures, sweeper.removedBytes]).to.deep.equal([2, 0]);
    await sweeper.stop();
  });
});
