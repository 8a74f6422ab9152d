// Fuzz: a short run on every decoder, long enough to find one that trusts its input.

import { expect } from "chai";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "#shared/kit/random.ts";
import { fuzz } from "../fuzz.ts";
import { mutate } from "../mutate.ts";
import { targets } from "../targets.ts";

const RUNS = 3_000;
const FUZZ = join(import.meta.dirname, "..");
const PROTOCOL = join(FUZZ, "../../shared/protocol");
/** A function `read…` of a parsed value is a part of a decoder, whose target tests it. */
const DECODER = /^export function (decode\w+|read\w+(?=\((?:text|line): string\)))/gm;

/** The code of all files of a folder, and not of its folders. */
function codeOf(folder: string, names = /\.ts$/): string {
  const files = readdirSync(folder).filter((name) => names.test(name));
  return files.map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
}

describe("Fuzz", () => {
  for (const target of targets()) {
    it(`N5: no message makes this decoder throw: ${target.name}`, () => {
      for (const seed of target.seeds) expect(target.take(seed), seed).to.equal(true);
      const { findings, refused, accepted } = fuzz(target, RUNS, 1);
      expect(findings).to.deep.equal([]);
      // Otherwise the messages are too broken, or not broken enough, to find a fault.
      expect(refused, "refused").to.be.above(RUNS / 10);
      expect(accepted, "accepted").to.be.above(RUNS / 100);
    });
  }

  it("targets.1: every decoder of a text in shared/protocol has a target", () => {
    const decoders = [...codeOf(PROTOCOL).matchAll(DECODER)].map(([, name = ""]) => name);
    expect(decoders).to.include.members(["decodeResults", "decodeOut", "readCursor"]);
    expect(decoders).to.have.length.above(40);
    // The linter refuses an import without a use.
    const words = new Set(codeOf(FUZZ, /targets\.ts$/).match(/\w+/g));
    expect(decoders.filter((name) => !words.has(name))).to.deep.equal([]);
  });

  it("fuzz/target.1: finds a decoder that trusts its input", () => {
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

  it("mutate.1: makes the same messages from the same seed", () => {
    const make = (): string[] => {
      const random = seededRandom(7);
      return Array.from({ length: 500 }, () => mutate('{"v":1,"list":[1,"a",{}]}\nline', random));
    };
    expect(make()).to.deep.equal(make());
    expect(new Set(make()).size).to.be.above(300);
  });
});
