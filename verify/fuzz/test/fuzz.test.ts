// A short run of the fuzzer: enough to see a decoder that trusts what it reads.

import { expect } from "chai";
import { seededRandom } from "#shared/kit/random.ts";
import { fuzz } from "../fuzz.ts";
import { mutate } from "../mutate.ts";
import { targets } from "../targets.ts";

const RUNS = 3_000;

describe("Fuzz", () => {
  for (const target of targets()) {
    it(`N5: no message makes the decoder throw: ${target.name}`, () => {
      for (const seed of target.seeds) expect(target.take(seed), seed).to.equal(true);
      const { findings, refused, taken } = fuzz(target, RUNS, 1);
      expect(findings).to.deep.equal([]);
      // Without both, the messages would be too broken or not broken enough to find anything.
      expect(refused, "refused").to.be.above(RUNS / 10);
      expect(taken, "taken").to.be.above(RUNS / 100);
    });
  }

  it("targets.1: a decoder that trusts what it reads is found", () => {
    const trusting = {
      name: "trusting",
      seeds: [JSON.stringify({ v: 1, commands: [{ op: "send" }] })],
      take: (text: string) => {
        let batch: { commands?: { op: string }[] } | null;
        try {
          batch = JSON.parse(text) as typeof batch;
        } catch {
          return false;
        }
        if (!Array.isArray(batch?.commands)) return false;
        return batch.commands.every(({ op }) => op === "send");
      },
    };
    const { findings } = fuzz(trusting, RUNS, 1);
    expect(findings.map(({ error }) => error).join()).to.include("TypeError");
  });

  it("mutate.1: the same seed makes the same messages", () => {
    const make = (): string[] => {
      const random = seededRandom(7);
      return Array.from({ length: 500 }, () => mutate('{"v":1,"list":[1,"a",{}]}\nline', random));
    };
    expect(make()).to.deep.equal(make());
    expect(new Set(make()).size).to.be.above(300);
  });
});
