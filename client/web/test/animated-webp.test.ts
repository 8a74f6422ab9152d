// The container of the recording in the README.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { animatedWebp } from "./animated-webp.ts";

const RECORDING = join(import.meta.dirname, "../../../docs/images/gateway-killed.webp");

/** The chunks of a RIFF file: name, length. */
function chunksOf(file: Buffer, from = 12): [string, number][] {
  const chunks: [string, number][] = [];
  for (let at = from; at < file.length;) {
    const length = file.readUInt32LE(at + 4);
    chunks.push([file.toString("latin1", at, at + 4), length]);
    at += 8 + length + (length % 2);
  }
  return chunks;
}

describe("The recording of the README", () => {
  it("joins still pictures into one animated picture", () => {
    const still = Buffer.from("RIFF\u0011\0\0\0WEBPVP8 \u0005\0\0\0abcde\0", "latin1");
    const file = animatedWebp(
      [
        { webp: still, ms: 300, part: { left: 0, top: 0, width: 300, height: 2 } },
        { webp: still, ms: 5, part: { left: 8, top: 0, width: 20, height: 2 } },
      ],
      { width: 300, height: 2 },
    );
    expect(file.readUInt32LE(4)).to.equal(file.length - 8);
    expect(chunksOf(file)).to.deep.equal([
      ["VP8X", 10],
      ["ANIM", 6],
      ["ANMF", 30],
      ["ANMF", 30],
    ]);
    expect(file.readUIntLE(24, 3)).to.equal(299);
    expect(() =>
      animatedWebp(
        [{ webp: Buffer.alloc(30), ms: 1, part: { left: 0, top: 0, width: 1, height: 1 } }],
        { width: 1, height: 1 },
      ),
    ).to.throw(RangeError);
  });

  it("has at most 500 kB, and more than twenty frames", () => {
    const file = readFileSync(RECORDING);
    expect(file.length).to.be.at.most(500_000);
    expect(chunksOf(file).filter(([name]) => name === "ANMF").length).to.be.above(20);
  });
});
