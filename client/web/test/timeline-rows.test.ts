// TimelineRows: the words of each row. The range and the fold are tests of the SDK.

import { expect } from "chai";
import type { Attachment } from "#shared/protocol/attachments.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import { RoomTimeline } from "#client/sdk/timeline/room-timeline.ts";
import { textOf, TimelineRows } from "../store/timeline-rows.ts";
import { FakeServer } from "./fixture/fake-server.ts";

function open(): { rows: TimelineRows; timeline: RoomTimeline; receive: (event: object) => void } {
  const handle = new FakeServer().client("ada").join("general");
  const timeline = new RoomTimeline(handle, { me: () => "ada", now: () => 5 });
  const rows = new TimelineRows(timeline, "ada");
  const head = { room: "general", from: "grace", at: 3 };
  const receive = (event: object): void => {
    const { seq } = event as { seq: number };
    const whole = { ...head, id: `id-${seq}`, ...event } as unknown as RoomEvent;
    timeline.range.receive(whole, { me: "ada", keepEnd: true });
    rows.receive(whole);
  };
  return { rows, timeline, receive };
}

describe("TimelineRows", () => {
  it("an edit, a deletion, a reaction and a pin change the row of their message, and have no row", () => {
    const { rows, receive } = open();
    receive({ t: "msg", seq: 1, body: { text: "first" } });
    receive({ t: "edited", seq: 2, target: 1, at: 4, body: { text: "better" } });
    receive({ t: "reacted", seq: 3, target: 1, emoji: "👍", on: true });
    receive({ t: "reacted", seq: 4, target: 1, emoji: "👍", on: true, from: "ada" });
    receive({ t: "pinned", seq: 5, target: 1, on: true });
    expect(rows.sent.length).to.equal(1);
    expect(rows.sent[0]).to.deep.include({
      text: "better",
      editedAt: 4,
      isPinned: true,
      reactions: [{ emoji: "👍", count: 2, users: ["grace", "ada"], isMine: true }],
    });
    receive({ t: "deleted", seq: 6, target: 1 });
    expect(rows.sent[0]).to.include({ text: "This message was deleted.", isDeleted: true });
    expect(rows.sent[0]).to.not.have.any.keys("editedAt", "isPinned", "reactions");
  });

  it("a message that another user deleted names that user", () => {
    const { rows, receive } = open();
    receive({ t: "msg", seq: 1, body: { text: "first" } });
    receive({ t: "deleted", seq: 2, target: 1, from: "radia" });
    expect(rows.sent[0]?.text).to.equal("radia deleted this message.");
    const tombstone = { body: {}, deleted: { by: "grace", at: 4, seq: 4 } };
    receive({ t: "msg", seq: 3, ...tombstone });
    expect(rows.sent[1]?.text).to.equal("This message was deleted.");
  });

  it("replies in a thread are counted at the root and leave the main line", () => {
    const { rows, receive } = open();
    receive({ t: "msg", seq: 1, body: { text: "root" } });
    receive({ t: "msg", seq: 2, body: { text: "one" }, thread: 1 });
    receive({ t: "msg", seq: 3, body: { text: "two" }, thread: 1 });
    expect(rows.sent.map(({ seq, replies }) => [seq, replies])).to.deep.equal([[1, 2]]);
    receive({ t: "deleted", seq: 4, target: 3 });
    expect(rows.sent[0]?.replies).to.equal(1);
  });

  it("timeline-rows.2: changes of members and settings are notices at their number", () => {
    const { rows, receive } = open();
    receive({ t: "room", seq: 1, kind: "closed" });
    receive({ t: "member", seq: 2, user: "ada", role: "member" });
    receive({ t: "msg", seq: 3, body: { text: "hello" } });
    receive({ t: "member", seq: 4, user: "ben", role: "none" });
    receive({ t: "member", seq: 5, user: "ben", role: "none", banned: true });
    expect(rows.sent.map(({ kind, text }) => `${kind}: ${text}`)).to.deep.equal([
      "notice: created this room.",
      "notice: made ada a member of this room.",
      "sent: hello",
      "notice: removed ben.",
      "notice: banned ben from this room.",
    ]);
  });

  it("F3: an event of a kind that this page does not know keeps its place", () => {
    const { rows, receive } = open();
    receive({ t: "msg", seq: 1, body: { text: "first" } });
    receive({ t: "of-a-later-version", seq: 2 });
    expect(rows.sent.map(({ seq }) => seq)).to.deep.equal([1, 2]);
    expect(rows.sent[1]?.text).to.match(/^Reload/);
  });

  it("timeline-rows.1: the row of an entry stays the same object", () => {
    const { rows, receive } = open();
    receive({ t: "msg", seq: 1, body: { text: "first" } });
    const [row] = rows.sent;
    receive({ t: "msg", seq: 2, body: { text: "second" } });
    expect(rows.sent[0]).to.equal(row);
    expect(rows.find("id-1")).to.equal(row);
  });

  it("a body without a visible text is shown in words", () => {
    const { rows, receive } = open();
    receive({ t: "msg", seq: 1, body: { text: " \u200b\n" } });
    receive({ t: "msg", seq: 2, body: { kind: "poll" } });
    expect(rows.sent.map(({ text }) => text)).to.deep.equal([
      "(a message without text)",
      '{"kind":"poll"}',
    ]);
  });

  it("where no files stand beside a text, their names stand for one that is blank", () => {
    const attachments = [{ name: "plan.pdf" }, { name: "a.png" }] as unknown as Attachment[];
    const words = (text: string): string => textOf({ body: { text }, attachments });
    expect(words("look")).to.equal("look");
    expect(words(" \u200b")).to.equal("Files: plan.pdf and a.png");
    const { rows, receive } = open();
    receive({ t: "msg", seq: 1, body: { text: "" }, attachments });
    expect(rows.sent[0]?.text, "beside its files").to.equal("");
  });

  it("K2: a refused message shows the reason in words", () => {
    const { rows, timeline } = open();
    timeline.range.pend({ id: "mine", body: { text: "hello" }, at: 5 });
    timeline.range.settle("mine", { kind: "refused", error: "busy" });
    expect(rows.unsent[0]).to.include({ kind: "refused", from: "ada", text: "hello" });
    expect(rows.unsent[0]?.reason).to.contain("The server is busy");
  });
});
