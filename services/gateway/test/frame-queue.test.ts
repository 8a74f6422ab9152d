// FrameQueue against the decoder of whole texts: the same frames, in the same order.

import { expect } from "chai";
import * as fc from "fast-check";
import { decodeClientFrame, decodeClientFrames } from "#shared/protocol/client-frames.ts";
import { FrameQueue } from "../core/frame-queue.ts";

function drain(queue: FrameQueue): string[] {
  const lines: string[] = [];
  for (let line = queue.peek(); line !== undefined; line = queue.peek()) {
    lines.push(line);
    queue.drop();
  }
  return lines;
}

describe("FrameQueue", () => {
  const line = fc.constantFrom("", " ", '{"t":"ping","ref":1}', "x", '{"t":"?"}', "\r");
  const text = fc.array(line, { minLength: 1, maxLength: 6 }).map((lines) => lines.join("\n"));

  it("F1: gives the frames of each text, one at a time, and counts what is left", () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 8 }), fc.nat(5), (texts, taken) => {
        const queue = new FrameQueue();
        const frames = [];
        for (const [n, one] of texts.entries()) {
          queue.push(one);
          // Some are taken before the next text comes.
          if (n === taken) for (const part of drain(queue)) frames.push(decodeClientFrame(part));
        }
        for (const part of drain(queue)) frames.push(decodeClientFrame(part));
        expect(frames).to.deep.equal(texts.flatMap(decodeClientFrames));
        expect(queue.chars).to.equal(0);
      }),
    );
  });

  it("F1: ten thousand texts and one of ten thousand lines come out whole", () => {
    const queue = new FrameQueue();
    const lines = Array.from({ length: 10_000 }, (_, n) => String(n));
    for (const each of lines) queue.push(each);
    queue.push(lines.join("\n"));
    expect(drain(queue)).to.deep.equal([...lines, ...lines]);
    queue.push("a\nb");
    queue.peek();
    queue.clear();
    expect([queue.peek(), queue.chars]).to.deep.equal([undefined, 0]);
  });
});
