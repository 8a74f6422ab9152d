import { expect } from "chai";
import { seededRandom } from "../random.ts";
import { Blame, READINGS_MAX } from "../blame.ts";

const MINUTE = 60_000;

/** Sixty minutes of three kinds of operations at rates that change on their own. */
function blameOf(leak: (counts: Record<string, number>, at: number) => number): Blame {
  const random = seededRandom(7);
  const upTo = (n: number): number => random.next32() % n;
  const counts = { joined: 0, sent: 0, paged: 0 };
  const blame = new Blame();
  for (let at = 0; at < 60 * MINUTE; at += MINUTE) {
    counts.joined += upTo(40);
    counts.sent += 500 + upTo(100);
    counts.paged += upTo(10);
    const bytes = 1e7 + leak(counts, at) + upTo(20_000);
    blame.add({ at, bytes, counts: new Map(Object.entries(counts)) });
  }
  return blame;
}

describe("Blame", () => {
  it("blame.1: it stores a bounded number of readings", () => {
    const blame = new Blame();
    for (let at = 0; at < 10 * READINGS_MAX; at++) {
      blame.add({ at, bytes: at, counts: new Map() });
      expect(blame.size).to.be.at.most(READINGS_MAX);
    }
  });

  it("blame.2: it names the operation that leaves memory, and what each leaves", () => {
    const { blamed } = blameOf(({ joined = 0 }) => 86_000 * joined);
    expect(blamed?.what).to.equal("joined");
    expect(blamed?.bytes).to.be.closeTo(86_000, 2_000);
  });

  it("blame.2: it names none when memory grows with time, or not at all", () => {
    expect(blameOf((_, at) => 3 * at).blamed).to.equal(undefined);
    expect(blameOf(() => 0).blamed).to.equal(undefined);
  });
});
