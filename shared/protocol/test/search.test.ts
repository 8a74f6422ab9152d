// Search messages: both halves of their codec.

import { expect } from "chai";
import { decodeReply, decodeRequest, encodeReply, encodeRequest } from "../history.ts";
import type { HistoryReply } from "../history.ts";
import type { RoomId, UserId } from "../ids.ts";
import { SEARCH_PAGE_MAX, SEARCH_TEXT_LENGTH_MAX } from "../limits.ts";
import { readSearchCursor, searchCursor } from "../search.ts";
import type { FoundMessage, SearchPlace, SearchQuery } from "../search.ts";

const GENERAL = "general" as RoomId;
const ADA = "ada" as UserId;
const QUERY: SearchQuery = { user: ADA, text: "tea", order: "newest", limit: 5 };
const FOUND: FoundMessage = {
  room: GENERAL,
  seq: 3,
  from: ADA,
  at: 9,
  text: "tea",
  highlights: [[0, 3]],
};

describe("Search messages", () => {
  it("protocol/search.1: a request comes back as it was, and one with a wrong part is refused", () => {
    const full = { room: GENERAL, upTo: 4, from: ADA, before: 9, after: 2, has: "link" } as const;
    for (const query of [
      QUERY,
      { ...QUERY, ...full, order: "best", cursor: "best.9.5" } as const,
    ]) {
      const decoded = decodeRequest(encodeRequest({ op: "search", ...query }));
      expect(JSON.parse(JSON.stringify(decoded))).to.deep.equal({ v: 1, op: "search", ...query });
    }
    const wrong = [
      { user: "" },
      { text: "x".repeat(SEARCH_TEXT_LENGTH_MAX + 1) },
      { text: "\u0000" },
      { limit: 0 },
      { limit: SEARCH_PAGE_MAX + 1 },
      { order: "oldest" },
      { has: "cake" },
      { room: GENERAL },
      { upTo: 3 },
      { room: "a b", upTo: 3 },
      { from: 3 },
      { before: -1 },
      { cursor: "9.general" },
    ];
    for (const part of wrong) {
      const text = JSON.stringify({ v: 1, op: "search", ...QUERY, ...part });
      expect(decodeRequest(text), text).to.equal(undefined);
    }
  });

  it("protocol/search.1: a reply comes back as it was, and one with a wrong part is refused", () => {
    const whole = { ...FOUND, thread: 1, cut: true } as const;
    for (const found of [{ messages: [] }, { messages: [FOUND, whole], next: "9.3.general" }]) {
      const reply: HistoryReply = { ok: true, op: "search", found };
      expect(decodeReply(encodeReply(reply))).to.deep.equal(reply);
    }
    const wrong = [
      [],
      { messages: {} },
      { messages: [{ ...FOUND, seq: "3" }] },
      { messages: [{ ...FOUND, highlights: [[1]] }] },
      { messages: [{ ...FOUND, cut: 1 }] },
      { messages: Array.from({ length: SEARCH_PAGE_MAX + 1 }, () => FOUND) },
      { messages: [], next: "9" },
    ];
    for (const found of wrong) {
      const text = JSON.stringify({ v: 1, ok: true, op: "search", found });
      expect(decodeReply(text), text).to.equal(undefined);
    }
  });

  it("protocol/search.2: a cursor comes back as it was", () => {
    const places: SearchPlace[] = [
      { order: "newest", at: 9, seq: 3, room: GENERAL },
      { order: "best", asOf: 999_999_999_999_999, skip: 480 },
    ];
    for (const place of places) {
      expect(readSearchCursor(searchCursor(place))).to.deep.equal(place);
    }
    for (const text of ["", "9.3", "9.3.a b", "best.9", "best.9.12345", "best.9.5.x", "-1.3.a"]) {
      expect(readSearchCursor(text), text).to.equal(undefined);
    }
  });
});
