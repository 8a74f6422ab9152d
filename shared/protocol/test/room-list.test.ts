// Room list, notes and read positions: both halves of their codecs, and the begin of a text.

import { expect } from "chai";
import { decodeReply, decodeRequest, encodeReply, encodeRequest } from "../history.ts";
import type { HistoryReply } from "../history.ts";
import type { RoomId, UserId } from "../ids.ts";
import {
  ATTACHMENTS_MAX,
  PRESENCE_NAMES_MAX,
  PREVIEW_LENGTH_MAX,
  READS_BATCH_MAX,
  ROOMS_PAGE_MAX,
} from "../limits.ts";
import { decodeLive, encodeLive } from "../live.ts";
import { decodeNote, encodeNote, NOTE_REASONS } from "../note.ts";
import { CURSOR_PATTERN, cursorOf, excerptOf, previewOf, readCursor } from "../room-list.ts";
import type { ListedRoom } from "../room-list.ts";

const GENERAL = "general" as RoomId;
const ADA = "ada" as UserId;
const last = { seq: 3, from: ADA, at: 7, text: "hi" };
const counts = { read: 1, unread: 2, mentions: 1 };
const listed: ListedRoom = {
  room: GENERAL,
  kind: "closed",
  title: "Plans",
  role: "owner",
  head: 3,
  at: 9,
  ...counts,
  last,
};

describe("Room list messages", () => {
  it("room-list.1: a request comes back as it was, and one with a wrong part is refused", () => {
    const requests = [
      { op: "rooms", user: ADA, limit: 3 },
      { op: "rooms", user: ADA, limit: ROOMS_PAGE_MAX, after: "12.general" },
      { op: "find", user: ADA, text: "tea", limit: 1 },
      { op: "find", user: ADA, text: "", limit: 1, after: GENERAL },
      { op: "reads", reads: [[GENERAL, ADA, 3]] },
    ] as const;
    for (const request of requests) {
      expect(decodeRequest(encodeRequest(request))).to.deep.equal({ v: 1, ...request });
    }
    const [rooms, , find, , reads] = requests;
    const many = Array.from({ length: READS_BATCH_MAX + 1 }, () => [GENERAL, ADA, 3]);
    for (const broken of [
      { ...rooms, user: "" },
      { ...rooms, limit: ROOMS_PAGE_MAX + 1 },
      { ...rooms, limit: 0 },
      { ...rooms, after: "general" },
      { ...find, text: 3 },
      { ...find, text: "x".repeat(65) },
      { ...find, text: "\u0000" },
      { ...find, after: "a b" },
      { ...reads, reads: many },
      { ...reads, reads: [[GENERAL, ADA]] },
      { ...reads, reads: [[GENERAL, ADA, -1]] },
      { ...reads, reads: ["x"] },
      { ...reads, reads: {} },
    ]) {
      const text = JSON.stringify({ v: 1, ...broken });
      expect(decodeRequest(text), text).to.equal(undefined);
    }
  });

  it("room-list.1: a reply comes back as it was, and one with a wrong part is refused", () => {
    const { title: _title, last: _last, ...bare } = listed;
    const found = { room: GENERAL, role: "member", head: 3, at: 9 } as const;
    const replies: HistoryReply[] = [
      { ok: true, op: "rooms", page: { rooms: [listed, bare], next: "9.general" } },
      {
        ok: true,
        op: "rooms",
        page: { rooms: [{ ...bare, last: { ...last, files: ["a.png"] } }] },
      },
      { ok: true, op: "rooms", page: { rooms: [] } },
      { ok: true, op: "find", found: { rooms: [found], next: GENERAL } },
      { ok: true, op: "find", found: { rooms: [{ ...found, title: "x", topic: "y" }] } },
      { ok: true, op: "reads", again: [[GENERAL, ADA, 3]] },
      { ok: true, op: "reads", again: [] },
    ];
    for (const reply of replies) {
      expect(decodeReply(encodeReply(reply))).to.deep.equal(reply);
    }
    const page = (room: object, more: object = {}): object => ({
      op: "rooms",
      page: { rooms: [{ ...listed, ...room }], ...more },
    });
    for (const broken of [
      page({ room: "a b" }),
      page({ kind: "secret" }),
      page({ role: "king" }),
      page({ unread: -1 }),
      page({ at: "x" }),
      page({ title: 3 }),
      page({ last: { ...last, from: 3 } }),
      page({ last: "x" }),
      page({ last: { ...last, files: [3] } }),
      page({ last: { ...last, files: Array.from({ length: ATTACHMENTS_MAX + 1 }, () => "x") } }),
      page({}, { next: 3 }),
      page({}, { next: "x" }),
      { op: "rooms", page: { rooms: Array.from({ length: ROOMS_PAGE_MAX + 1 }, () => listed) } },
      { op: "rooms" },
      { op: "find", found: { rooms: [{ ...found, head: "x" }] } },
      { op: "find", found: { rooms: [found], next: "a b" } },
      { op: "find", found: [] },
      { op: "reads" },
      { op: "reads", again: [[GENERAL]] },
    ]) {
      const text = JSON.stringify({ v: 1, ok: true, ...broken });
      expect(decodeReply(text), text).to.equal(undefined);
    }
  });

  it("room-list.2: a cursor is the time and the id of a room, and no other text is one", () => {
    expect(readCursor(cursorOf(listed))).to.deep.equal({ at: 9, room: GENERAL });
    for (const text of ["", "9", "9.", ".general", "x.general", "9.a b", "9".repeat(17) + ".a"]) {
      expect(readCursor(text), text).to.equal(undefined);
    }
  });

  it("room-list.2: each text that fits the published pattern is a cursor", () => {
    const largest = `${"9".repeat(15)}.${GENERAL}`;
    expect(largest).to.match(new RegExp(CURSOR_PATTERN, "u"));
    expect(readCursor(largest)).to.deep.equal({ at: 999_999_999_999_999, room: GENERAL });
    // Sixteen digits can be more than a number holds exactly.
    const larger = `9485915369082624.${GENERAL}`;
    expect(larger).not.to.match(new RegExp(CURSOR_PATTERN, "u"));
    expect(readCursor(larger)).to.equal(undefined);
  });

  it("U4: the begin of a text has whole characters, and a body without text has none", () => {
    expect(previewOf({ text: "hi" })).to.equal("hi");
    const long = previewOf({ text: "a" + "😀".repeat(PREVIEW_LENGTH_MAX) });
    expect(Array.from(long)).to.have.length(PREVIEW_LENGTH_MAX);
    expect(long.isWellFormed()).to.equal(true);
    for (const body of [{}, { text: 3 }, undefined, "x", []]) expect(previewOf(body)).to.equal("");
  });

  it("U4 and room-list.3: the names of files that fit together, with whole characters", () => {
    const files = (...names: unknown[]): unknown =>
      excerptOf(
        { text: "" },
        names.map((name) => ({ name })),
      ).files;
    expect(files("plan.pdf", "a.png")).to.deep.equal(["plan.pdf", "a.png"]);
    const long = "x".repeat(PREVIEW_LENGTH_MAX - 4);
    expect(files(long, "photo.png", "third")).to.deep.equal([long, "phot"]);
    expect(files("😀".repeat(128))).to.deep.equal(["😀".repeat(PREVIEW_LENGTH_MAX)]);
    for (const none of [undefined, [], "x", [3], [{ name: 3 }]]) {
      expect(excerptOf({ text: "hi" }, none)).to.deep.equal({ text: "hi" });
    }
  });

  it("note.1: a note comes back as it was, and one with a wrong part is refused", () => {
    for (const why of NOTE_REASONS) {
      const note = { room: GENERAL, seq: 3, why };
      expect(decodeNote(encodeNote(note))).to.deep.equal(note);
    }
    for (const broken of [
      { v: 3, room: GENERAL, seq: 3, why: "added" },
      { v: 1, room: "a b", seq: 3, why: "added" },
      { v: 1, room: GENERAL, seq: -1, why: "added" },
      { v: 1, room: GENERAL, seq: 3, why: "bored" },
    ]) {
      expect(decodeNote(JSON.stringify(broken))).to.equal(undefined);
    }
    expect(decodeNote("x")).to.equal(undefined);
  });

  it("live.1: read positions come back as they were, within the bound of names", () => {
    const frame = { t: "reads", room: GENERAL, reads: [[ADA, 3]] } as const;
    expect(decodeLive(encodeLive(frame), GENERAL)).to.deep.equal({ v: 1, ...frame });
    expect(decodeLive(encodeLive(frame), "dev" as RoomId)).to.equal(undefined);
    const many = Array.from({ length: PRESENCE_NAMES_MAX + 1 }, () => [ADA, 3]);
    for (const reads of [many, [[ADA]], [["", 3]], [[ADA, -1]], ["x"], {}]) {
      const text = JSON.stringify({ v: 1, t: "reads", room: GENERAL, reads });
      expect(decodeLive(text, GENERAL)).to.equal(undefined);
    }
  });
});
