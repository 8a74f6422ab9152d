// Timeline, by example and against a model: a plain list of all messages.

import { expect } from "chai";
import * as fc from "fast-check";
import type { MessageEvent, RoomEvent } from "#shared/protocol/events.ts";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { Timeline } from "../store/timeline.ts";

const ME = "ada";

function event(seq: number, from = "grace", id = `id-${seq}`): MessageEvent {
  return {
    t: "msg",
    room: "general" as RoomId,
    seq,
    id: id as MessageId,
    from: from as UserId,
    at: 1_000 * seq,
    body: { text: `text ${seq}` },
  };
}

function events(first: number, last: number): MessageEvent[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => event(first + i));
}

function window(timeline: Timeline): number[] {
  return timeline.sent.map((message) => message.seq);
}

describe("timeline", () => {
  it("timeline.5: an edit replaces the text of its message, and a deletion removes it", () => {
    const timeline = new Timeline("ada", 10);
    for (const one of events(1, 2)) timeline.receive(one, true);
    const head = { room: "general", id: "id-3", from: "grace", at: 3, target: 1 };
    const change = (seq: number, more: object): RoomEvent =>
      ({ ...head, seq, ...more }) as unknown as RoomEvent;
    timeline.receive(change(3, { t: "edited", body: { text: "better" } }), true);
    expect(timeline.sent[0]?.text).to.equal("better");
    expect(timeline.sent[2]?.text).to.equal("edited a message.");
    timeline.receive(change(4, { t: "deleted" }), true);
    expect(timeline.sent[0]?.text).to.equal("This message was deleted.");
    timeline.receive(change(5, { t: "reacted", emoji: "👍", on: true }), true);
    expect(JSON.stringify(timeline.sent)).to.include("reacted 👍").and.to.not.include("better");
    const scrolled = new Timeline("ada", 10);
    scrolled.replace([change(3, { t: "edited", body: { text: "newest" } })]);
    scrolled.prepend([...events(1, 1), change(2, { t: "edited", body: { text: "older" } })]);
    expect(scrolled.sent.map(({ text }) => text))
      .to.include("newest")
      .and.to.not.include("older");
    const tombstone = { ...events(1, 1)[0]!, body: {}, deleted: { by: "ada", at: 4, seq: 4 } };
    timeline.replace([tombstone as unknown as RoomEvent]);
    expect(timeline.sent[0]?.text).to.equal("This message was deleted.");
  });

  it("K3: each event is in the range once and in order", () => {
    const timeline = new Timeline(ME, 10);
    for (const seq of [4, 5, 5, 6, 4]) timeline.receive(event(seq), true);
    expect(window(timeline)).to.deep.equal([4, 5, 6]);
    expect(timeline.isAttached).to.equal(true);
  });

  it("F3: an event of a kind that this page does not know keeps its place", () => {
    const timeline = new Timeline(ME, 10);
    const { body: _body, ...head } = event(2);
    timeline.receive(event(1), true);
    timeline.receive({ ...head, t: "of-a-later-version" } as unknown as MessageEvent, true);
    expect(window(timeline)).to.deep.equal([1, 2]);
    expect(timeline.sent[1]?.text).to.match(/^Reload/);
  });

  it("K3: a full range drops its oldest message for a user at the end, and accepts no event for another user", () => {
    const atEnd = new Timeline(ME, 3);
    const above = new Timeline(ME, 3);
    for (const item of events(1, 5)) {
      atEnd.receive(item, true);
      above.receive(item, false);
    }
    expect(window(atEnd)).to.deep.equal([3, 4, 5]);
    expect(window(above)).to.deep.equal([1, 2, 3]);
    expect(above.isAttached).to.equal(false);
    expect(above.newest).to.equal(5);
  });

  it("O12: pages extend the range at either end without a gap, and drop the far end", () => {
    const timeline = new Timeline(ME, 6);
    for (const item of events(7, 9)) timeline.receive(item, true);
    timeline.prepend(events(4, 6));
    expect(window(timeline)).to.deep.equal([4, 5, 6, 7, 8, 9]);
    timeline.prepend(events(2, 3));
    expect(window(timeline)).to.deep.equal([2, 3, 4, 5, 6, 7]);
    expect(timeline.isAttached).to.equal(false);
    timeline.append(events(8, 9));
    expect(window(timeline)).to.deep.equal([4, 5, 6, 7, 8, 9]);
    expect(timeline.isAttached).to.equal(true);
  });

  it("O12: a page that does not touch the range changes nothing", () => {
    const timeline = new Timeline(ME, 10);
    for (const item of events(7, 9)) timeline.receive(item, true);
    timeline.prepend(events(3, 5));
    timeline.append(events(11, 12));
    timeline.prepend([]);
    expect(window(timeline)).to.deep.equal([7, 8, 9]);
  });

  it("O2: an own message is pending until it has its number, and then appears once", () => {
    const timeline = new Timeline(ME, 10);
    timeline.receive(event(1), true);
    timeline.pend("mine", "hello", 5);
    expect(timeline.unsent.map((message) => message.kind)).to.deep.equal(["pending"]);
    timeline.settle("mine", { kind: "acked", seq: 2, at: 7 });
    expect(timeline.unsent).to.deep.include.members([
      { kind: "acked", id: "mine", seq: 2, at: 7, from: ME, text: "hello" },
    ]);
    timeline.receive(event(2, ME, "mine"), true);
    expect(timeline.unsent).to.deep.equal([]);
    expect(timeline.sent.map((message) => message.id)).to.deep.equal(["id-1", "mine"]);
  });

  it("O2: an event before its ack leaves no pending message", () => {
    const timeline = new Timeline(ME, 10);
    timeline.pend("mine", "hello", 5);
    timeline.receive(event(1, ME, "mine"), true);
    timeline.settle("mine", { kind: "acked", seq: 1, at: 7 });
    expect(timeline.unsent).to.deep.equal([]);
    expect(window(timeline)).to.deep.equal([1]);
  });

  it("O5: another user's message with the same id does not end the own pending message", () => {
    const timeline = new Timeline(ME, 10);
    timeline.pend("same", "hello", 5);
    timeline.receive(event(1, "grace", "same"), true);
    expect(timeline.unsent.map((message) => message.id)).to.deep.equal(["same"]);
  });

  it("K2: a refused message keeps its place and its id on a retry", () => {
    const timeline = new Timeline(ME, 10);
    timeline.pend("a", "first", 1);
    timeline.pend("b", "second", 2);
    timeline.settle("a", { kind: "refused", error: "busy" });
    expect(timeline.unsent[0]?.kind).to.equal("refused");
    expect(timeline.unsent[0]?.reason).to.contain("The server is busy");
    timeline.pend("a", "first", 3);
    expect(timeline.unsent.map(({ id, kind }) => [id, kind])).to.deep.equal([
      ["a", "pending"],
      ["b", "pending"],
    ]);
  });

  it("K3: after any order of pages and events the range is contiguous", () => {
    const action = fc.oneof(
      fc.record({ kind: fc.constant("send" as const), atEnd: fc.boolean() }),
      fc.record({ kind: fc.constant("older" as const), limit: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ kind: fc.constant("newer" as const), limit: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ kind: fc.constant("stale" as const), first: fc.nat(40), size: fc.nat(9) }),
      fc.record({ kind: fc.constant("end" as const), limit: fc.integer({ min: 1, max: 9 }) }),
    );
    const run = fc.property(fc.nat(30), fc.array(action, { maxLength: 60 }), (tail, actions) => {
      const max = 12;
      const timeline = new Timeline(ME, max);
      let head = 20 + tail;
      for (const item of events(21, head)) timeline.receive(item, true);
      for (const step of actions) {
        const { first, last } = timeline;
        if (step.kind === "send") timeline.receive(event(++head), step.atEnd);
        if (step.kind === "older")
          timeline.prepend(events(Math.max(1, first - step.limit), first - 1));
        if (step.kind === "newer")
          timeline.append(events(last + 1, Math.min(head, last + step.limit)));
        if (step.kind === "stale") timeline.prepend(events(step.first + 1, step.first + step.size));
        if (step.kind === "end") timeline.replace(events(head - step.limit + 1, head));
        const held = window(timeline);
        expect(held).to.deep.equal(
          events(timeline.first, timeline.last)
            .slice(0, held.length)
            .map((e) => e.seq),
        );
        expect(held.length).to.be.at.most(max);
        expect(timeline.isAttached).to.equal(
          held.length === 0 || timeline.last === timeline.newest,
        );
      }
    });
    fc.assert(run);
  });
});
