// Erase: the passes, the retries and the report, over a list in memory.

import { expect } from "chai";
import type { RoomId } from "#shared/protocol/ids.ts";
import { eraseMessages } from "../erase.ts";
import type { EraseParts, EraseReport, MessagePlace, Removal } from "../erase.ts";

class Archive {
  readonly left = new Set<string>();
  readonly waits: number[] = [];
  answer: (place: MessagePlace) => Removal = () => ({ kind: "erased" });
  onWait: () => void = () => undefined;

  constructor(count: number) {
    for (let i = 0; i < count; i++) this.left.add(`room-${i % 3} ${i + 1}`);
  }

  get parts(): EraseParts {
    return {
      list: (after, limit) => {
        const all = [...this.left].map((key): MessagePlace => {
          const [room = "", seq = ""] = key.split(" ");
          return { room: room as RoomId, seq: Number(seq) };
        });
        const isBehind = ({ room, seq }: MessagePlace): boolean =>
          after === undefined || room > after.room || (room === after.room && seq > after.seq);
        const sorted = all.sort((a, b) =>
          a.room === b.room ? a.seq - b.seq : a.room < b.room ? -1 : 1,
        );
        return Promise.resolve(sorted.filter(isBehind).slice(0, limit));
      },
      remove: (place) => {
        const removal = this.answer(place);
        if (removal.kind === "erased" || removal.kind === "gone") {
          this.left.delete(`${place.room} ${place.seq}`);
        }
        return Promise.resolve(removal);
      },
      wait: (ms) => {
        this.waits.push(ms);
        this.onWait();
        return Promise.resolve();
      },
    };
  }

  run(): Promise<EraseReport> {
    return eraseMessages(this.parts);
  }
}

describe("Erase", () => {
  it("C8: deletes every message, in several lists, and looks again when the archive has caught up", async () => {
    const archive = new Archive(1_203);
    let isLate = true;
    archive.onWait = () => {
      if (isLate) archive.left.add("room-9 1");
      isLate = false;
    };
    const report = await archive.run();
    expect(report).to.deep.equal({ erased: 1_204, gone: 0, rooms: 4, failed: [], remaining: 0 });
    expect(archive.left.size).to.equal(0);
  });

  it("C8: waits as long as the server asks, gives a message up at last, and names it in the report", async () => {
    const archive = new Archive(3);
    let busy = 2;
    archive.answer = ({ seq }) => {
      if (seq === 1 && busy-- > 0) return { kind: "later", afterMs: 1_500 };
      if (seq === 2) return { kind: "failed", error: "not_found" };
      return seq === 3 ? { kind: "later", afterMs: 0 } : { kind: "erased" };
    };
    const report = await archive.run();
    expect(report).to.include({ erased: 1, remaining: 2 });
    expect(report.failed.map(({ seq, error }) => `${seq} ${error}`)).to.deep.equal([
      "2 not_found",
      "3 unavailable",
    ]);
    expect(archive.waits.filter((ms) => ms === 1_500)).to.have.length(2);
  });

  it("C8: continues where it was stopped", async () => {
    const archive = new Archive(700);
    let calls = 0;
    archive.answer = () => {
      if (++calls === 123) throw new Error("killed");
      return calls % 10 === 0 ? { kind: "gone" } : { kind: "erased" };
    };
    await archive.run().catch(() => undefined);
    expect(archive.left.size).to.equal(700 - 122);
    const report = await archive.run();
    expect(report.erased + report.gone).to.equal(700 - 122);
    expect(archive.left.size).to.equal(0);
  });
});
