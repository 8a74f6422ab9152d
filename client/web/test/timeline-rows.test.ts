// TimelineRows: the words of each row. The range and the fold are tests of the SDK.

import { expect } from "chai";
import type { RoomEvent } from "#shared/protocol/events.ts";
import { RoomTimeline } from "#client/sdk/timeline/room-timeline.ts";
import { TimelineRows } from "../store/timeline-rows.ts";
import { FakeServer } from "./fixture/fake-server.ts";

function open(): { rows: TimelineRows; timeline: RoomTimeline; receive: (event: object) => void } {
  const handle = new FakeServer().client("ada").join("general");
  const options = { view: "events", me: () => "ada", now: () => 5 } as const;
  const timeline = new RoomTimeline(handle, options);
  const head = { room: "general", from: "grace", at: 3 };
  const receive = (event: object): void => {
    const { seq } = event as { seq: number };
    const whole = { ...head, id: `id-${seq}`, ...event } as unknown as RoomEvent;
    timeline.range.receive(whole, { me: "ada", keepEnd: true });
  };
  return { rows: new TimelineRows(timeline, "ada"), timeline, receive };
}

describe("TimelineRows", () => {
  it("an edit shows its text at the message, and a deletion that the text is gone", () => {
    const { rows, receive } = open();
    receive({ t: "msg", seq: 1, body: { text: "first" } });
    receive({ t: "edited", seq: 2, target: 1, body: { text: "better" } });
    expect(rows.sent.map(({ text }) => text)).to.deep.equal(["better", "edited a message."]);
    receive({ t: "deleted", seq: 3, target: 1 });
    expect(rows.sent[0]?.text).to.equal("This message was deleted.");
    receive({ t: "reacted", seq: 4, target: 1, emoji: "👍", on: true });
    expect(rows.sent[3]?.text).to.equal("reacted 👍.");
    const tombstone = { body: {}, deleted: { by: "ada", at: 4, seq: 6 } };
    receive({ t: "msg", seq: 5, ...tombstone });
    expect(rows.sent[4]?.text).to.equal("This message was deleted.");
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

  it("K2: a refused message shows the reason in words", () => {
    const { rows, timeline } = open();
    timeline.range.pend({ id: "mine", body: { text: "hello" }, at: 5 });
    timeline.range.settle("mine", { kind: "refused", error: "busy" });
    expect(rows.unsent[0]).to.include({ kind: "refused", from: "ada", text: "hello" });
    expect(rows.unsent[0]?.reason).to.contain("The server is busy");
  });
});
