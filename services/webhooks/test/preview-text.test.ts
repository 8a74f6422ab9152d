// PreviewText: which characters of a stranger's text are left, and where a long one is cut.

import { expect } from "chai";
import { cutText } from "../core/preview-text.ts";

describe("PreviewText", () => {
  it("LP6, preview-text.1: no control character and no bidirectional one is left, and joiners stay", () => {
    const hostile = "a\u0000b\u0007\u001b[31m\u202ec\u2066d\u061ce\u200ff\u0085g\u2028h\ufeffi";
    expect(cutText(hostile, 100)).to.equal("a b [31mcdef g hi");
    expect(cutText("\ud800x\udc00", 100)).to.equal("\ufffdx\ufffd");
    expect(cutText("👩‍🚀 می‌خواهم", 100)).to.equal("👩‍🚀 می‌خواهم");
  });

  it("LP6, preview-text.1: spaces around a text go, and a run of them is one", () => {
    expect(cutText(" \n a \t\r\n b\u2028 ", 100)).to.equal("a b");
    expect(cutText(" \u0000\u200e ", 100)).to.equal("");
  });

  it("LP6, preview-text.2: a long text is cut between graphemes; one grapheme without an end is none", () => {
    const flags = "🇩🇪".repeat(100);
    expect(cutText(flags, 50)).to.equal(`${"🇩🇪".repeat(12)}…`);
    expect(cutText("x".repeat(50), 50)).to.equal("x".repeat(50));
    expect(cutText("x".repeat(51), 50)).to.equal(`${"x".repeat(49)}…`);
    expect(cutText(`a${"\u0301".repeat(5_000)}`, 50)).to.equal("");
    expect(cutText("green tea", 7)).to.equal("green…");
  });
});
