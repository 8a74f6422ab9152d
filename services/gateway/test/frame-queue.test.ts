// FrameQueue against the decoder of whole texts: the same frames in the same order.

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

  it("F1: returns the frames of each text one at a time, and counts the rest", () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 8 }), fc.nat(5), (texts, taken) => {
        const queue = new FrameQueue();
        const frames = [];
        for (const [n, one] of texts.entries()) {
          queue.push(one);
          // Some are taken before the next text arrives.
          if (n === taken) for (const part of drain(queue)) frames.push(decodeClientFrame(part));
        }
        for (const part of drain(queue)) frames.push(decodeClientFrame(part));
        expect(frames).to.deep.equal(texts.flatMap(decodeClientFrames));
        expect(queue.chars).to.equal(0);
      }),
    );
  });

  it("F1: ten thousand texts and one text of ten thousand lines come out complete", () => {
    const queue = new FrameQueue();
    const lines = Array.from({ length: 10_000 }, (_, n) => String(n));
    for (const each of lines) queue.push(each);
    queue.push(lines.join("\n"));
    expect(drain(queue)).to.deep.equal([...lines, ...lines]);
  });

  it("frame-queue.1: blank lines beside others are no frames, and a text of blank lines is one frame", () => {
    const queue = new FrameQueue();
    const cut = (text: string): string[] => {
      queue.push(text);
      return drain(queue);
    };
    expect([cut(""), cut(" "), cut("\n \n\r")]).to.deep.equal([[""], [""], [""]]);
    expect([cut("a\n\n"), cut("\n b \n\nc"), cut("d\n ")]).to.deep.equal([
      ["a"],
      [" b ", "c"],
      ["d"],
    ]);
    expect(cut("\n"), "the text before does not count").to.deep.equal([""]);
  });

  it("frame-queue.1: waiting text counts until the last line of its text is taken", () => {
    const queue = new FrameQueue();
    expect([queue.chars, queue.bytes, queue.peek()]).to.deep.equal([0, 0, undefined]);
    queue.push("ab\ncd");
    queue.push("efg");
    expect([queue.chars, queue.bytes]).to.deep.equal([8, 2 * 8 + 2 * 32]);
    expect([queue.peek(), queue.peek()]).to.deep.equal(["ab", "ab"]);
    queue.drop();
    expect([queue.chars, queue.bytes], "its text has more lines").to.deep.equal([8, 80]);
    queue.push("h");
    expect(queue.peek()).to.equal("cd");
    expect([queue.chars, queue.bytes]).to.deep.equal([4, 2 * 4 + 2 * 32]);
    queue.drop();
    expect(drain(queue)).to.deep.equal(["efg", "h"]);
    expect([queue.chars, queue.bytes]).to.deep.equal([0, 0]);
  });
});
