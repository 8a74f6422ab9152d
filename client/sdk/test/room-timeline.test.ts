// RoomTimeline with the view "messages", against a source that the test controls. The web
// client's tests (room-store.test.ts) run the view "events".

import { expect } from "chai";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { PageRange, RoomStatus } from "../core/effects.ts";
import { Listeners } from "../listeners.ts";
import { RoomTimeline } from "../timeline/room-timeline.ts";
import type { ResumedSend, TimelineSource } from "../timeline/room-timeline.ts";
import type { SendOutcome, TimelinePage } from "../timeline/timeline.ts";

const message = (seq: number): RoomEvent =>
  ({
    t: "msg",
    room: "r",
    seq,
    id: `m${seq}`,
    from: "ben",
    at: seq,
    body: { text: `${seq}` },
  }) as unknown as RoomEvent;
const run = (first: number, last: number): RoomEvent[] =>
  Array.from({ length: last - first + 1 }, (_, i) => message(first + i));

class FakeSource implements TimelineSource {
  status: RoomStatus = "joining";
  head = 0;
  readonly asked: PageRange[] = [];
  readonly sent: { body: object; options: object; settle: (outcome: SendOutcome) => void }[] = [];
  readonly listeners = new Listeners<{
    event: RoomEvent;
    status: undefined;
    reset: undefined;
    resumed: ResumedSend;
  }>();
  #answers: ((page: TimelinePage | undefined) => void)[] = [];

  history(range: PageRange): Promise<TimelinePage> {
    this.asked.push(range);
    return new Promise((resolve, reject) => {
      this.#answers.push((page) => {
        if (page === undefined) reject(new Error("no connection"));
        else resolve(page);
      });
    });
  }
  send(
    body: object,
    options: { id?: string | undefined } = {},
  ): { id: string; done: Promise<SendOutcome> } {
    const { promise, resolve } = Promise.withResolvers<SendOutcome>();
    this.sent.push({ body, options, settle: resolve });
    return { id: options.id ?? `sent-${this.sent.length}`, done: promise };
  }
  on(name: "event" | "status" | "reset" | "resumed", handler: (value: never) => void): () => void {
    return this.listeners.on(name, handler as (value: unknown) => void);
  }
  async answer(page: TimelinePage | undefined): Promise<void> {
    this.#answers.shift()?.(page);
    for (let i = 0; i < 5; i++) await Promise.resolve();
  }
  deliver(...events: RoomEvent[]): void {
    for (const event of events) {
      this.head = event.seq;
      this.listeners.emit("event", event);
    }
  }
  become(status: RoomStatus): void {
    this.status = status;
    this.listeners.emit("status", undefined);
  }
}

function open(view = {}): { source: FakeSource; timeline: RoomTimeline } {
  const source = new FakeSource();
  const options = { me: () => "ada", now: () => 7, pageSize: 3, ...view };
  return { source, timeline: new RoomTimeline(source, options) };
}

const numbers = (timeline: RoomTimeline): number[] =>
  timeline.snapshot.entries.map(({ seq }) => seq);

describe("RoomTimeline", () => {
  it("a tail with few messages gets a page of messages before it", async () => {
    const { source, timeline } = open();
    source.deliver(message(9));
    source.become("live");
    expect(source.asked).to.deep.equal([{ before: 9, limit: 3, view: "messages" }]);
    expect(timeline.snapshot.older).to.equal("loading");
    await source.answer({ events: run(4, 6), first: 3, last: 8, asOf: 9 });
    expect(numbers(timeline)).to.deep.equal([4, 5, 6, 9]);
    expect(timeline.snapshot).to.include({ older: "idle", isFromBeginning: false });
  });

  it("a room that was joined from its head gets its end", async () => {
    const { source, timeline } = open();
    source.head = 20;
    source.become("live");
    expect(source.asked).to.deep.equal([{ before: 21, limit: 3, view: "messages" }]);
    await source.answer({ events: run(18, 20), first: 18, last: 20, asOf: 20 });
    expect(numbers(timeline)).to.deep.equal([18, 19, 20]);
  });

  it("room-timeline.1: the answer to a page before a jump is ignored, and a failure can be retried", async () => {
    const { source, timeline } = open();
    source.deliver(...run(50, 53));
    source.become("live");
    const older = timeline.loadOlder();
    void timeline.loadOlder();
    const jump = timeline.jumpTo(10);
    expect(source.asked).to.have.length(2);
    await source.answer({ events: run(47, 49), first: 47, last: 49, asOf: 53 });
    await source.answer(undefined);
    await older;
    expect(await jump).to.equal(false);
    expect(timeline.snapshot).to.include({ newer: "failed", older: "idle" });
    expect(numbers(timeline)).to.deep.equal([50, 51, 52, 53]);
    const again = timeline.jumpTo(10);
    await source.answer({ events: run(10, 12), first: 10, last: 12, asOf: 53 });
    expect(await again).to.equal(true);
    expect(numbers(timeline)).to.deep.equal([10, 11, 12]);
    expect(timeline.snapshot.isAttached).to.equal(false);
  });

  it("room-timeline.1: a jump within the range replaces a pending jump", async () => {
    const { source, timeline } = open();
    source.deliver(...run(50, 53));
    source.become("live");
    const away = timeline.jumpTo(10);
    expect(await timeline.jumpToEnd()).to.equal(true);
    await source.answer({ events: run(10, 12), first: 10, last: 12, asOf: 53 });
    expect(await away).to.equal(false);
    expect(numbers(timeline)).to.deep.equal([50, 51, 52, 53]);
    expect(timeline.snapshot).to.include({ isAttached: true, newer: "idle" });
  });

  it("room-timeline.4: messages that arrive while the end is requested follow it", async () => {
    for (const view of ["messages", "events"] as const) {
      const { source, timeline } = open({ view });
      source.deliver(...run(50, 53));
      source.become("live");
      const away = timeline.jumpTo(10);
      await source.answer({ events: run(10, 12), first: 10, last: 12, asOf: 53 });
      await away;
      source.deliver(message(54));
      const end = timeline.jumpToEnd();
      source.deliver(message(55), message(56));
      // The page can have the first of them.
      await source.answer({ events: run(53, 55), first: 53, last: 55, asOf: 55 });
      expect(await end).to.equal(true);
      expect(numbers(timeline)).to.deep.equal([53, 54, 55, 56]);
      source.deliver(message(57));
      expect(numbers(timeline)).to.deep.equal([53, 54, 55, 56, 57]);
      expect(timeline.snapshot.isAttached).to.equal(true);
    }
  });

  it("room-timeline.2: a thread sends into the thread, and a retry repeats body, id and place", async () => {
    const { source, timeline } = open({ thread: 4 });
    const { id } = timeline.send({ text: "hello" }, { replyTo: 5, mentions: ["ada"] });
    source.sent[0]?.settle({ kind: "refused", error: "busy" });
    await Promise.resolve();
    await Promise.resolve();
    expect(timeline.snapshot.unsent[0]).to.include({ kind: "refused", error: "busy", thread: 4 });
    timeline.retry(id);
    expect(source.sent[1]?.body).to.deep.equal({ text: "hello" });
    expect(source.sent[1]?.options).to.deep.equal({
      id,
      replyTo: 5,
      thread: 4,
      mentions: ["ada"],
      attachments: undefined,
    });
    expect(timeline.snapshot.unsent[0]).to.include({ kind: "pending" });
  });

  it("room-timeline.5: an own message that a page adds is pending no more, one of another user with its id is", async () => {
    const { source, timeline } = open({ thread: 4 });
    const done = new Promise<SendOutcome>(() => undefined);
    for (const id of ["m6", "m7"]) {
      source.listeners.emit("resumed", { id, at: 1, body: { text: id }, thread: 4, done });
    }
    source.head = 9;
    source.become("live");
    const events = [message(5), { ...message(6), from: "ada" }, message(7)] as RoomEvent[];
    const replies = events.map((event) => ({ ...event, thread: 4 })) as RoomEvent[];
    await source.answer({ events: replies, first: 5, last: 9, asOf: 9 });
    expect(numbers(timeline)).to.deep.equal([5, 6, 7]);
    expect(timeline.snapshot.unsent.map(({ id }) => id)).to.deep.equal(["m7"]);
    timeline.close();
  });

  it("room-timeline.3: a snapshot is one object until a change, and none follows close", () => {
    const { source, timeline } = open();
    let changes = 0;
    timeline.on("change", () => changes++);
    const before = timeline.snapshot;
    expect(timeline.snapshot).to.equal(before);
    source.deliver(message(1));
    expect(timeline.snapshot).to.not.equal(before);
    expect(changes).to.equal(1);
    timeline.close();
    source.deliver(message(2));
    expect(changes).to.equal(1);
  });
});
