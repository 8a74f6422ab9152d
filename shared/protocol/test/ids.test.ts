// Ids: which names are valid, and the partition of a room.

import { expect } from "chai";
import * as fc from "fast-check";
import {
  fnv1a32,
  isMessageId,
  isProcessId,
  isRoomId,
  isStorable,
  isTextWithin,
  STORABLE_PATTERN,
} from "../ids.ts";
import { isUserId, messageTime, partitionOf, utf8Length } from "../ids.ts";
import type { MessageId, RoomId } from "../ids.ts";
import { subjects } from "../subjects.ts";
import * as arbitrary from "./arbitraries.ts";

describe("Ids", () => {
  it("H5: a text fits exactly when it fits the published length and pattern", () => {
    const pattern = new RegExp(STORABLE_PATTERN, "u");
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 20 }), fc.nat(20), (text, max) => {
        const isPublished = Array.from(text).length <= max && pattern.test(text);
        expect(isTextWithin(text, max)).to.equal(isPublished);
      }),
    );
    expect(isTextWithin("😀".repeat(256), 256)).to.equal(true);
    expect(isTextWithin("😀".repeat(257), 256)).to.equal(false);
    expect("a\u0000").not.to.match(pattern);
    expect(isTextWithin("a\u0000", 2)).to.equal(false);
    expect(isTextWithin("\ud800", 2)).to.equal(false);
  });

  it("N1: a room id has 1 to 64 characters of [A-Za-z0-9_-]", () => {
    fc.assert(fc.property(arbitrary.room, (room) => isRoomId(room)));
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(isRoomId(text)).to.equal(/^[\w-]{1,64}$/.test(text) && !text.endsWith("\n"));
      }),
    );
    for (const value of [
      "",
      "a\n",
      "\na",
      "a.b",
      "*",
      ">",
      "ä",
      "x".repeat(65),
      7,
      null,
      undefined,
    ]) {
      expect(isRoomId(value), String(value)).to.equal(false);
    }
  });

  it("N1: a room or process id is always one token of a subject", () => {
    fc.assert(
      fc.property(arbitrary.room, arbitrary.processId, (room, id) => {
        expect(isProcessId(id)).to.equal(true);
        for (const subject of [subjects.out(room), subjects.live(room), subjects.results(id)]) {
          expect(subject.split(".")).to.have.length(2);
          expect(subject).to.match(/^[a-z]+\.[A-Za-z0-9_-]+$/);
        }
        expect(subjects.ping(id)).to.match(/^node\.[a-z]+-[a-z0-9]+\.ping$/);
      }),
    );
    for (const value of ["room-", "-a", "room-A", "room-a.b", "room-a*", "room-a\n", "room", 7]) {
      expect(isProcessId(value), String(value)).to.equal(false);
    }
  });

  it("N2: a message id has its own time, and other UUIDs are refused", () => {
    expect(messageTime("01995f2e-7b3a-7c4d-8e5f-0123456789ab" as MessageId)).to.equal(
      0x01995f2e7b3a,
    );
    for (const value of [
      "01995f2e-7b3a-4c4d-8e5f-0123456789ab",
      "01995f2e-7b3a-7c4d-ce5f-0123456789ab",
      "01995F2E-7B3A-7C4D-8E5F-0123456789AB",
      " 01995f2e-7b3a-7c4d-8e5f-0123456789ab",
      "01995f2e7b3a7c4d8e5f0123456789ab",
    ]) {
      expect(isMessageId(value), value).to.equal(false);
    }
  });

  it("N3: the partition of a room is the published hash of its name", () => {
    // From the published test vectors of FNV-1a, 32 bit.
    expect(fnv1a32("")).to.equal(0x811c9dc5);
    expect(fnv1a32("a")).to.equal(0xe40c292c);
    expect(fnv1a32("foobar")).to.equal(0xbf9cf968);
    // These must never change: every existing cluster would read the wrong log.
    const places = ["general", "dev", "A-1_z"].map((room) => [
      partitionOf(room as RoomId, 16),
      partitionOf(room as RoomId, 64),
    ]);
    expect(places).to.deep.equal([
      [11, 43],
      [12, 60],
      [3, 19],
    ]);
  });

  it("N3: rooms are distributed evenly over the partitions", () => {
    const counts = Array.from({ length: 16 }, () => 0);
    for (let i = 0; i < 16_000; i++) counts[partitionOf(`room-${i}` as RoomId, 16)]!++;
    // 1,000 expected each; a fair hash stays within five standard deviations (31).
    for (const count of counts) expect(count).to.be.within(840, 1_160);
  });

  it("N4: a user id is 1 to 128 UTF-8 bytes of storable text", () => {
    for (const value of ["a", "ada@example.org", "Ä 🎉 >*.", "x".repeat(128), "🎉".repeat(32)]) {
      expect(isUserId(value), value).to.equal(true);
    }
    for (const value of [
      "",
      "x".repeat(129),
      "🎉".repeat(33),
      "é".repeat(65),
      "a\u0000",
      "\ud83c",
      7,
    ]) {
      expect(isUserId(value), String(value)).to.equal(false);
    }
    fc.assert(fc.property(arbitrary.userId, (user) => isUserId(user)));
  });

  it("F2: text is storable when UTF-8 returns it unchanged and it has no U+0000", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.nat(0xffff).map((n) => String.fromCharCode(n)) }),
        (text) => {
          const back = new TextDecoder("utf-8", { ignoreBOM: true }).decode(
            new TextEncoder().encode(text),
          );
          expect(isStorable(text)).to.equal(back === text && !text.includes("\u0000"));
        },
      ),
    );
    expect(isStorable("a\u0000b")).to.equal(false);
    expect(isStorable("a\ud83cb")).to.equal(false);
    expect(isStorable("a\ud83c\udf89b")).to.equal(true);
  });

  it("F2: the length of text as UTF-8 is the length that an encoder produces", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", size: "medium" }), (text) => {
        expect(utf8Length(text)).to.equal(new TextEncoder().encode(text).length);
      }),
    );
  });
});
