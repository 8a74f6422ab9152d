import { expect } from "chai";
import { LOST_ENTRIES_MAX } from "#shared/ports/restore.ts";
import { planPromotion } from "../core/promotion-plan.ts";

const at = (p: number, end: number, archived: number, last: number) => ({ p, end, archived, last });

describe("Promotion plan", () => {
  it("T5, promotion-plan.1: whole logs keep their births, and continue behind an archive that is ahead", () => {
    const plan = planPromotion("whole", [at(0, 10, 4, 10), at(1, 12, 12, 10), at(2, 0, 0, 0)]);
    expect(plan.lost).to.deep.equal([]);
    expect(plan.unarchived).to.deep.equal([]);
    expect([...plan.firstSeqs]).to.deep.equal([[1, 13]]);
  });

  it("T5, promotion-plan.2: partial logs are archived first, and then everything behind them is lost", () => {
    const waiting = planPromotion("partial", [at(0, 10, 9, 10), at(1, 5, 5, 5)]);
    expect(waiting).to.deep.equal({ unarchived: [0], lost: [], firstSeqs: new Map() });
    const plan = planPromotion("partial", [at(0, 10, 10, 10), at(1, 5, 6, 5)]);
    expect(plan.unarchived).to.deep.equal([]);
    expect(plan.lost).to.deep.equal([
      { p: 0, from: 10, to: 10 + LOST_ENTRIES_MAX },
      { p: 1, from: 6, to: 6 + LOST_ENTRIES_MAX },
    ]);
    expect([...plan.firstSeqs]).to.deep.equal([
      [0, 11 + LOST_ENTRIES_MAX],
      [1, 7 + LOST_ENTRIES_MAX],
    ]);
  });

  it("promotion-plan.3: continues after an interruption, and declares nothing twice", () => {
    const declared = 10 + LOST_ENTRIES_MAX;
    const plan = planPromotion("partial", [
      at(0, 10, declared, 10), // Declared, the log not yet created.
      at(1, 10, declared, declared), // Both done.
      at(2, 10, 10, 10), // Neither.
    ]);
    expect(plan.lost.map(({ p }) => p)).to.deep.equal([2]);
    expect([...plan.firstSeqs.keys()]).to.deep.equal([0, 2]);
  });

  it("promotion-plan.2: a log that was recreated before and has no entry yet is lost again", () => {
    const before = LOST_ENTRIES_MAX;
    const plan = planPromotion("partial", [at(0, before, before, 0)]);
    expect(plan.lost).to.deep.equal([{ p: 0, from: before, to: 2 * LOST_ENTRIES_MAX }]);
  });
});
