// UnreadCount: what the list says, what events add, what reading removes.

import { expect } from "chai";
import type { RoomEvent } from "#shared/protocol/events.ts";
import { UNREAD_MAX } from "#shared/protocol/limits.ts";
import { UnreadCount } from "../store/unread-count.ts";

function event(seq: number, more: object = {}): RoomEvent {
  const head = { t: "msg", room: "general", seq, id: `id-${seq}`, from: "grace", at: seq };
  return { ...head, body: { text: "x" }, ...more } as unknown as RoomEvent;
}

function counts({ unread, mentions }: UnreadCount): readonly number[] {
  return [unread, mentions];
}

describe("unread count", () => {
  it("unread-count.1: messages of others count, replies too, and no change of a message", () => {
    const count = new UnreadCount("ada", 3);
    for (const one of [
      event(3),
      event(4),
      event(5, { from: "ada" }),
      event(6, { thread: 4 }),
      event(7, { t: "edited", target: 4 }),
      event(8, { t: "reacted", target: 4, emoji: "👍", on: true }),
      event(9, { mentions: ["ada", "bob"] }),
      event(10, { mentions: "@room" }),
      event(11, { mentions: ["bob"] }),
      event(12, { deleted: { by: "grace", at: 1, seq: 13 } }),
    ]) {
      count.receive(one);
    }
    expect(counts(count)).to.deep.equal([5, 2]);
    count.receive(event(14, { t: "deleted", target: 9 }));
    expect(counts(count)).to.deep.equal([4, 1]);
    count.markRead(10);
    expect(counts(count)).to.deep.equal([1, 0]);
    count.markRead(4);
    expect(counts(count)).to.deep.equal([1, 0]);
  });

  it("unread-count.2: a list replaces the events that it covers, unless the user has read further", () => {
    const count = new UnreadCount("ada", 0);
    for (const seq of [1, 2, 3, 4]) count.receive(event(seq));
    count.sync({ head: 3, read: 1, unread: 2, mentions: 1 });
    expect(counts(count)).to.deep.equal([3, 1]);
    count.receive(event(3));
    expect(counts(count)).to.deep.equal([3, 1]);
    count.markRead(4);
    expect(counts(count)).to.deep.equal([0, 0]);
    count.sync({ head: 4, read: 1, unread: 3, mentions: 1 });
    expect(counts(count)).to.deep.equal([0, 0]);
    count.receive(event(5));
    count.sync({ head: 5, read: 5, unread: 0, mentions: 0 });
    expect(counts(count)).to.deep.equal([0, 0]);
  });

  it("unread-count.3: counts at most as many as a list", () => {
    const count = new UnreadCount("ada", 0);
    count.sync({ head: 500, read: 0, unread: UNREAD_MAX, mentions: 3 });
    for (let seq = 501; seq < 700; seq++) count.receive(event(seq));
    expect(counts(count)).to.deep.equal([UNREAD_MAX, 3]);
  });

  it("unread-count.1: without a read position nothing counts until there is one", () => {
    const count = new UnreadCount("ada", undefined);
    count.receive(event(1));
    expect(counts(count)).to.deep.equal([0, 0]);
    count.markRead(1);
    count.receive(event(2));
    expect(counts(count)).to.deep.equal([1, 0]);
    count.reset();
    expect(counts(count)).to.deep.equal([0, 0]);
  });
});
