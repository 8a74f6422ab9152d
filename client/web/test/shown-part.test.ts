// ShownPart: which of the loaded messages are rendered in each step.

import { expect } from "chai";
import { ShownPart, START_MESSAGES, STEP_MESSAGES } from "../store/shown-part.ts";
import type { Part } from "../store/shown-part.ts";

const run = (first: number, last: number): { seq: number }[] =>
  Array.from({ length: last - first + 1 }, (_, i) => ({ seq: first + i }));
const ends = ({ messages }: Part<{ seq: number }>): (number | undefined)[] => [
  messages[0]?.seq,
  messages.at(-1)?.seq,
];

const now = { hasTime: false };
const frame = { hasTime: true };

describe("ShownPart", () => {
  it("shown-part.1: a page is added in steps, and all of it is shown in the end", () => {
    const part = new ShownPart();
    part.step(run(101, 120), now);
    const sizes: number[] = [];
    let step = part.step(run(51, 120), now);
    expect(ends(step)).to.deep.equal([101, 120]);
    step = part.step(run(51, 120), frame);
    expect(step).to.include({ hasFirst: false, hasLast: true });
    while (!step.hasFirst) {
      sizes.push(step.messages.length);
      step = part.step(run(51, 120), frame);
    }
    sizes.push(step.messages.length);
    expect(sizes).to.deep.equal([28, 36, 44, 52, 60, 68, 70]);
    expect(ends(step)).to.deep.equal([51, 120]);
  });

  it("shown-part.1: a page behind the part is added in steps, and what was dropped is gone at once", () => {
    const part = new ShownPart();
    part.step(run(1, 20), now);
    const step = part.step(run(11, 70), now);
    expect(ends(step)).to.deep.equal([11, 20 + STEP_MESSAGES]);
    expect(step).to.include({ hasFirst: true, hasLast: false });
  });

  it("shown-part.2: it begins at the end, and with the message that was jumped to", () => {
    const part = new ShownPart();
    expect(part.step([], now)).to.deep.equal({ messages: [], hasFirst: true, hasLast: true });
    expect(ends(part.step(run(1, 100), now))).to.deep.equal([101 - START_MESSAGES, 100]);
    expect(ends(part.step(run(301, 350), { ...now, target: 301 }))).to.deep.equal([
      301,
      300 + START_MESSAGES,
    ]);
    expect(ends(part.step(run(501, 600), { ...now, target: 550 }))).to.deep.equal([535, 564]);
    expect(ends(part.step(run(701, 750), now))).to.deep.equal([751 - START_MESSAGES, 750]);
    expect(ends(part.step(run(1, 3), now))).to.deep.equal([1, 3]);
  });
});
