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

  it("message-search.2: the parts are the text, and wrong highlights change nothing", () => {
    expect(partsOf(hit(1))).to.deep.equal([{ text: "green " }, { text: "tea", isHit: true }]);
    const wrong = [
      [3, 1],
      [0, 99],
      [-1, 2],
    ] as const;
    const parts = partsOf({ ...hit(1), highlights: wrong, cut: true });
    expect(parts.map(({ text }) => text).join("")).to.equal("green tea…");
  });
});
