// Timeline, by example and against a model: a plain list of all messages.

import { expect } from "chai";
import * as fc from "fast-check";
import type { MessageEvent, RoomEvent } from "#shared/protocol/events.ts";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { applyChange } from "../timeline/shown-message.ts";
import type { ShownMessage } from "../timeline/shown-message.ts";
import { Timeline } from "../timeline/timeline.ts";

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
  return timeline.entries.map((message) => message.seq);
}

const change = (seq: number, more: object): RoomEvent =>
  ({ room: "general", id: `id-${seq}`, from: "grace", at: seq, ...more }) as unknown as RoomEvent;

const at = (seq: number, more: object): RoomEvent => change(seq, { seq, ...more });

const textsOf = (timeline: Timeline): unknown[] =>
  timeline.entries.map(({ message }) => message?.body["text"]);

describe("Timeline", () => {
  it("timeline.5: later events change their message in the range", () => {
    const timeline = new Timeline({ max: 10 });
    const receive = (event: RoomEvent): void => timeline.receive(event, { me: ME, keepEnd: true });
    for (const one of events(1, 2)) receive(one);
    receive(at(3, { t: "edited", target: 1, body: { text: "better" } }));
    receive(at(4, { t: "reacted", target: 1, emoji: "👍", on: true }));
    receive(at(5, { t: "pinned", target: 1, on: true }));
    receive({ ...event(6), thread: 1 });
    expect(timeline.entries[0]?.message?.body).to.deep.equal({ text: "better" });
    expect(timeline.entries[0]?.message?.state).to.deep.equal({
      edited: { seq: 3, at: 3 },
      reactions: [{ emoji: "👍", count: 1, users: ["grace"] }],
      pinned: 5,
      replies: 1,
      lastReply: 6,
    });
    receive(at(7, { t: "deleted", target: 1 }));
    expect(timeline.entries[0]?.message).to.deep.include({
      body: {},
      deleted: { by: "grace", at: 7, seq: 7 },
      state: { replies: 1, lastReply: 6 },
    });
    expect(window(timeline), "the main line").to.deep.equal([1, 2]);
    expect(timeline.last).to.equal(7);
  });

  it("timeline.5: a change that precedes its message waits for it, in the order of the room", () => {
    const timeline = new Timeline({ max: 10, view: "events" });
    timeline.replace({
      events: [
        at(4, { t: "edited", target: 1, body: { text: "newest" } }),
        at(5, { t: "reacted", target: 1, emoji: "👍", on: false }),
      ],
    });
    timeline.prepend({
      events: [
        event(1),
        at(2, { t: "edited", target: 1, body: { text: "older" } }),
        at(3, { t: "reacted", target: 1, emoji: "👍", on: true }),
      ],
    });
    expect(textsOf(timeline)[0]).to.equal("newest");
    expect(timeline.entries[0]?.message?.state).to.deep.equal({ edited: { seq: 4, at: 4 } });
  });

  it("timeline.5: a page of messages has the changes up to its event, and gets the later ones", () => {
    const timeline = new Timeline({ max: 10 });
    const receive = (event: RoomEvent): void => timeline.receive(event, { me: ME, keepEnd: true });
    receive(event(100));
    const reacted = { t: "reacted", target: 50, emoji: "👍", on: true, from: "ada" };
    receive(at(101, reacted));
    receive(at(102, { ...reacted, from: "ben" }));
    const state = { reactions: [{ emoji: "👍", count: 1, users: ["ada"] }] };
    const message = { ...event(50), state } as unknown as ShownMessage;
    timeline.prepend({ events: [message], first: 41, last: 99, asOf: 101 });
    expect(timeline.first).to.equal(41);
    expect(timeline.entries[0]?.message?.state?.reactions?.[0]?.users).to.deep.equal([
      "ada",
      "ben",
    ]);
    receive(at(103, { t: "deleted", target: 50 }));
    expect(timeline.entries[0]?.message?.deleted?.seq).to.equal(103);
  });

  it("U9, timeline.5: an edit with mentions replaces those of its message, and a deletion ends them", () => {
    const timeline = new Timeline({ max: 10 });
    const receive = (event: RoomEvent): void => timeline.receive(event, { me: ME, keepEnd: true });
    const named = () => timeline.at(1)?.message?.mentions;
    receive(at(1, { t: "msg", body: { text: "one" }, mentions: ["ada"] }));
    receive(at(2, { t: "edited", target: 1, body: { text: "two" } }));
    expect(named()).to.deep.equal(["ada"]);
    receive(at(3, { t: "edited", target: 1, body: { text: "three" }, mentions: ["ben"] }));
    expect(named()).to.deep.equal(["ben"]);
    receive(at(4, { t: "edited", target: 1, body: { text: "four" }, mentions: [] }));
    expect(named()).to.deep.equal([]);
    receive(at(5, { t: "edited", target: 1, body: { text: "five" }, mentions: "@room" }));
    receive(at(6, { t: "deleted", target: 1 }));
    expect(timeline.at(1)?.message).to.not.have.property("mentions");
  });

  it("timeline.5: a deleted reply counts no more", () => {
    const timeline = new Timeline({ max: 10, view: "events" });
    const receive = (event: RoomEvent): void => timeline.receive(event, { me: ME, keepEnd: true });
    receive(event(1));
    receive({ ...event(2), thread: 1 });
    receive({ ...event(3), thread: 1 });
    receive(at(4, { t: "deleted", target: 2 }));
    expect(timeline.entries[0]?.message?.state).to.deep.equal({ replies: 1, lastReply: 3 });
  });

  it("timeline.5: a deleted reply of the thread counts no more at a root of the main line", () => {
    const timeline = new Timeline({ max: 10 });
    const receive = (event: RoomEvent): void => timeline.receive(event, { me: ME, keepEnd: true });
    receive(event(1));
    for (const seq of [2, 3]) receive({ ...event(seq), thread: 1 });
    expect(timeline.at(1)?.message?.state?.replies).to.equal(2);
    receive(at(4, { t: "deleted", target: 2 }));
    expect(timeline.at(1)?.message?.state?.replies).to.equal(1);
  });

  it("timeline.1: a thread has its replies only", () => {
    const thread = new Timeline({ max: 10, thread: 1 });
    for (const one of [
      event(1),
      { ...event(2), thread: 1 },
      { ...event(3), thread: 9 },
      event(4),
    ]) {
      thread.receive(one, { me: ME, keepEnd: true });
    }
    expect(window(thread)).to.deep.equal([2]);
    expect([thread.first, thread.last]).to.deep.equal([1, 4]);
  });

  it("shown-message.2 and timeline.4: an event twice changes nothing, and replaces no object", () => {
    const run = fc.property(fc.array(anyChange(), { maxLength: 30 }), (changes) => {
      const inOrder = changes.map((one, i) => at(i + 2, { ...one, target: 1 }));
      const once = inOrder.reduce(applyChange, event(1) as ShownMessage);
      const last = inOrder.at(-1);
      if (last !== undefined) expect(applyChange(once, last)).to.equal(once);
    });
    fc.assert(run);
  });

  it("K3: each event is in the range once and in order", () => {
    const timeline = new Timeline({ max: 10, view: "events" });
    for (const seq of [4, 5, 5, 6, 4]) timeline.receive(event(seq), { me: ME, keepEnd: true });
    expect(window(timeline)).to.deep.equal([4, 5, 6]);
    expect(timeline.isAttached).to.equal(true);
  });

  it("F3: an event of a kind that this page does not know keeps its place", () => {
    const timeline = new Timeline({ max: 10, view: "events" });
    const { body: _body, ...head } = event(2);
    timeline.receive(event(1), { me: ME, keepEnd: true });
    timeline.receive({ ...head, t: "of-a-later-version" } as unknown as MessageEvent, {
      me: ME,
      keepEnd: true,
    });
    expect(window(timeline)).to.deep.equal([1, 2]);
    expect(timeline.entries[1]?.message).to.equal(undefined);
  });

  it("K3: a full range drops its oldest message for a user at the end, and accepts no event for another user", () => {
    const atEnd = new Timeline({ max: 3, view: "events" });
    const above = new Timeline({ max: 3, view: "events" });
    for (const item of events(1, 5)) {
      atEnd.receive(item, { me: ME, keepEnd: true });
      above.receive(item, { me: ME, keepEnd: false });
    }
    expect(window(atEnd)).to.deep.equal([3, 4, 5]);
    expect(window(above)).to.deep.equal([1, 2, 3]);
    expect(above.isAttached).to.equal(false);
    expect(above.newest).to.equal(5);
  });

  it("O12: pages extend the range at either end without a gap, and drop the far end", () => {
    const timeline = new Timeline({ max: 6, view: "events" });
    for (const item of events(7, 9)) timeline.receive(item, { me: ME, keepEnd: true });
    timeline.prepend({ events: events(4, 6) });
    expect(window(timeline)).to.deep.equal([4, 5, 6, 7, 8, 9]);
    timeline.prepend({ events: events(2, 3) });
    expect(window(timeline)).to.deep.equal([2, 3, 4, 5, 6, 7]);
    expect(timeline.isAttached).to.equal(false);
    timeline.append({ events: events(8, 9) });
    expect(window(timeline)).to.deep.equal([4, 5, 6, 7, 8, 9]);
    expect(timeline.isAttached).to.equal(true);
  });

  it("O12: a page that does not touch the range changes nothing", () => {
    const timeline = new Timeline({ max: 10, view: "events" });
    for (const item of events(7, 9)) timeline.receive(item, { me: ME, keepEnd: true });
    timeline.prepend({ events: events(3, 5) });
    timeline.append({ events: events(11, 12) });
    timeline.prepend({ events: [] });
    expect(window(timeline)).to.deep.equal([7, 8, 9]);
  });

  it("O2: an own message is pending until it has its number, and then appears once", () => {
    const timeline = new Timeline({ max: 10, view: "events" });
    timeline.receive(event(1), { me: ME, keepEnd: true });
    timeline.pend({ id: "mine", body: { text: "hello" }, at: 5 });
    expect(timeline.unsent.map((message) => message.kind)).to.deep.equal(["pending"]);
    timeline.settle("mine", { kind: "acked", seq: 2, at: 7 });
    expect(timeline.unsent).to.deep.include.members([
      { kind: "acked", id: "mine", seq: 2, at: 7, body: { text: "hello" } },
    ]);
    timeline.receive(event(2, ME, "mine"), { me: ME, keepEnd: true });
    expect(timeline.unsent).to.deep.equal([]);
    expect(timeline.entries.map((message) => message.id)).to.deep.equal(["id-1", "mine"]);
  });

  it("O2: an event before its ack leaves no pending message", () => {
    const timeline = new Timeline({ max: 10, view: "events" });
    timeline.pend({ id: "mine", body: { text: "hello" }, at: 5 });
    timeline.receive(event(1, ME, "mine"), { me: ME, keepEnd: true });
    timeline.settle("mine", { kind: "acked", seq: 1, at: 7 });
    expect(timeline.unsent).to.deep.equal([]);
    expect(window(timeline)).to.deep.equal([1]);
  });

  it("O5: another user's message with the same id does not end the own pending message", () => {
    const timeline = new Timeline({ max: 10, view: "events" });
    timeline.pend({ id: "same", body: { text: "hello" }, at: 5 });
    timeline.receive(event(1, "grace", "same"), { me: ME, keepEnd: true });
    expect(timeline.unsent.map((message) => message.id)).to.deep.equal(["same"]);
  });

  it("K2: a refused message keeps its place and its id on a retry", () => {
    const timeline = new Timeline({ max: 10, view: "events" });
    timeline.pend({ id: "a", body: { text: "first" }, at: 1 });
    timeline.pend({ id: "b", body: { text: "second" }, at: 2 });
    timeline.settle("a", { kind: "refused", error: "busy" });
    expect(timeline.unsent[0]?.kind).to.equal("refused");
    expect(timeline.unsent[0]?.error).to.equal("busy");
    timeline.pend({ id: "a", body: { text: "first" }, at: 3 });
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
      const timeline = new Timeline({ max: max, view: "events" });
      let head = 20 + tail;
      for (const item of events(21, head)) timeline.receive(item, { me: ME, keepEnd: true });
      for (const step of actions) {
        const { first, last } = timeline;
        if (step.kind === "send") timeline.receive(event(++head), { me: ME, keepEnd: step.atEnd });
        if (step.kind === "older")
          timeline.prepend({ events: events(Math.max(1, first - step.limit), first - 1) });
        if (step.kind === "newer")
          timeline.append({ events: events(last + 1, Math.min(head, last + step.limit)) });
        if (step.kind === "stale")
          timeline.prepend({ events: events(step.first + 1, step.first + step.size) });
        if (step.kind === "end") timeline.replace({ events: events(head - step.limit + 1, head) });
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

function anyChange(): fc.Arbitrary<object> {
  const from = fc.constantFrom("ada", "ben", "grace");
  const on = fc.boolean();
  return fc.oneof(
    fc.record({ t: fc.constant("reacted"), from, on, emoji: fc.constantFrom("👍", "🎉") }),
    fc.record({ t: fc.constant("edited"), from, body: fc.constant({ text: "edited" }) }),
    fc.record({ t: fc.constant("pinned"), from, on }),
    fc.record({ t: fc.constant("deleted"), from }),
  );
}
