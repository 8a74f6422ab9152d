// MessageSearch: pages, slow answers, highlights.

import { expect } from "chai";
import { ApiError } from "../store/chat-api.ts";
import type { FoundMessage, FoundMessages, SearchQuery } from "../store/chat-api.ts";
import { MessageSearch, partsOf } from "../store/message-search.ts";

function hit(seq: number, text = "green tea"): FoundMessage {
  return { room: "tea", seq, from: "ada", at: seq, text, highlights: [[6, 9]] };
}

describe("message search", () => {
  it("message-search.1: shows page after page, and drops a slow answer to an earlier search", async () => {
    const asked: SearchQuery[] = [];
    const answers: ((page: FoundMessages) => void)[] = [];
    const api = {
      search: (query: SearchQuery): Promise<FoundMessages> => {
        asked.push(query);
        return new Promise((resolve) => answers.push(resolve));
      },
    };
    const search = new MessageSearch(api, () => undefined);
    const slow = search.begin({ text: "tea" });
    const fast = search.begin({ text: "green tea", room: "tea" });
    answers[1]?.({ messages: [hit(2)], next: "cursor" });
    answers[0]?.({ messages: [hit(1)] });
    await Promise.all([slow, fast]);
    expect(search.found.map(({ seq }) => seq)).to.deep.equal([2]);
    const more = search.more();
    expect(asked[2]).to.deep.equal({ text: "green tea", room: "tea", cursor: "cursor" });
    answers[2]?.({ messages: [hit(1)] });
    await more;
    expect(search.found.map(({ seq }) => seq)).to.deep.equal([2, 1]);
    expect(search.hasMore).to.equal(false);
    await search.begin({ text: "  " });
    expect([search.state, search.found.length]).to.deep.equal(["none", 0]);
  });

  it("message-search.1: a failure is one sentence, and the found messages stay", async () => {
    let isDown = false;
    const api = {
      search: async (): Promise<FoundMessages> => {
        if (isDown) throw new ApiError("unavailable");
        return { messages: [hit(2)], next: "cursor" };
      },
    };
    const search = new MessageSearch(api, () => undefined);
    await search.begin({ text: "tea" });
    isDown = true;
    await search.more();
    expect(search.problem).to.be.a("string");
    expect(search.found.length).to.equal(1);
  });

  it("message-search.3: the parts are the plain text, and wrong highlights change nothing", () => {
    expect(partsOf(hit(1))).to.deep.equal([{ text: "green " }, { text: "tea", isHit: true }]);
    const wrong = [
      [3, 1],
      [0, 99],
      [-1, 2],
    ] as const;
    const parts = partsOf({ ...hit(1), highlights: wrong, cut: true });
    expect(parts).to.deep.equal([{ text: "green tea…" }]);
  });

  it("H4, message-search.3, plain-text.3: an excerpt shows no markers, and marks the found words", () => {
    /** Found words in brackets. */
    const shown = (text: string, words: RegExp, more: Partial<FoundMessage> = {}): string => {
      const highlights = [...text.matchAll(words)].map(({ 0: word, index }) => {
        return [index, index + word.length] as const;
      });
      return partsOf({ ...hit(1, text), highlights, ...more })
        .map((part) => (part.isHit === true ? `[${part.text}]` : part.text))
        .join("");
    };
    expect(shown("**green *black* tea** tea", /tea/gu)).to.equal("green black [tea] [tea]");
    expect(shown("`tea` ~~tea~~ snake_tea_name", /tea/gu)).to.equal("[tea] [tea] snake_[tea]_name");
    expect(shown("**te**a", /te|a/gu)).to.equal("[tea]");
    expect(shown("> tea\n> two\n- tea\n- *b*", /tea|b/gu)).to.equal("[tea]\ntwo\n• [tea]\n• [b]");
    expect(shown("12. 1\n13. x", /\b(?:1|x)\b/gu)).to.equal("12. [1]\n13. [x]");
    expect(shown("```bash\na\n```- a", /\ba\b/gu)).to.equal("[a]\n• [a]");
    expect(shown("[a tea](https://Tea.example/tea) tea", /tea/giu)).to.equal(
      "a [tea] ([tea].example) [tea]",
    );
    expect(shown("see https://tea.example/tea.", /tea/gu)).to.equal(
      "see https://[tea].example/[tea].",
    );
    expect(shown("an end** of bold, ~~gone", /bold/gu)).to.equal("an end** of [bold], ~~gone");
    expect(shown("an end** of bold, ~~gone", /bold/gu, { cut: true })).to.equal(
      "an end of [bold], gone…",
    );
    expect(shown("2**3 ** 4", /4/gu, { cut: true })).to.equal("2**3 ** [4]…");
  });
});
