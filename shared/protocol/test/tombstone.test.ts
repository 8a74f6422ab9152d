// Tombstones and emoji.

import { expect } from "chai";
import * as fc from "fast-check";
import { isEmoji } from "../emoji.ts";
import { decodeEvent, encodeEvent } from "../events.ts";
import type { EditedEvent } from "../events.ts";
import { erasedWith, isTombstoneOf, tombstoneOf } from "../tombstone.ts";
import { event } from "./arbitraries.ts";

const DELETION = { by: "ada", at: 7, seq: 9 } as never;

describe("Tombstone", () => {
  it("tombstone.1: keeps everything of a line but its body, and only a text has one", () => {
    fc.assert(
      fc.property(event, (known) => {
        const line = encodeEvent(known);
        const tombstone = tombstoneOf(line, DELETION);
        const hasText = (known.t === "msg" || known.t === "edited") && known.deleted === undefined;
        expect(tombstone !== undefined, line).to.equal(hasText);
        expect(erasedWith(known) !== undefined).to.equal(known.t === "msg" || known.t === "edited");
        if (tombstone === undefined) return;
        const { mentions: _mentions, ...rest } = known as EditedEvent;
        expect(decodeEvent(tombstone)).to.deep.equal({ ...rest, body: {}, deleted: DELETION });
      }),
    );
  });

  it("U3, U9: the tombstones of a message and of its edits have no mentions", () => {
    const head = { room: "general", seq: 3, id: "x", from: "ada", at: 5 };
    for (const kept of [
      { t: "msg", ...head, replyTo: 1 },
      { t: "edited", ...head, target: 1 },
    ]) {
      const line = JSON.stringify({ ...kept, body: { text: "hi" }, mentions: ["ben"] });
      const tombstone = { ...kept, body: {}, deleted: DELETION };
      expect(JSON.parse(tombstoneOf(line, DELETION) ?? "")).to.deep.equal(tombstone);
    }
  });

  it("tombstone.2: of the same line is the same text, of a tombstone none, and is recognised", () => {
    fc.assert(
      fc.property(event, event, (one, other) => {
        const [line, another] = [encodeEvent(one), encodeEvent(other)];
        const tombstone = tombstoneOf(line, DELETION);
        if (tombstone === undefined) return;
        expect(tombstoneOf(line, DELETION)).to.equal(tombstone);
        expect(tombstoneOf(tombstone, DELETION)).to.equal(undefined);
        expect(isTombstoneOf(tombstone, line)).to.equal(true);
        expect(isTombstoneOf(line, line)).to.equal(false);
        expect(isTombstoneOf(tombstone, another)).to.equal(
          tombstoneOf(another, DELETION) === tombstone,
        );
      }),
    );
    expect(tombstoneOf("not json", DELETION)).to.equal(undefined);
  });
});

describe("Emoji", () => {
  it("emoji.1: is one grapheme that shows something, or a name, and never a text", () => {
    for (const one of ["👍", "👍🏽", "🇫🇷", "👩‍👩‍👧‍👦", "❤️", "1️⃣", ":ok:", ":party_parrot+1:"]) {
      expect(isEmoji(one), one).to.equal(true);
    }
    for (const one of [
      "",
      "a",
      "hello",
      "👍👍",
      "👍 ",
      " ",
      ":ok",
      "::",
      ":OK:",
      "1",
      "é",
      "\u0000",
      7,
    ]) {
      expect(isEmoji(one), String(one)).to.equal(false);
    }
    expect(isEmoji(`👩${"\u200d👩".repeat(12)}`)).to.equal(false);
    expect(isEmoji(`👍\ud800`)).to.equal(false);
  });
});
