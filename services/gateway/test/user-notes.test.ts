// UserNotes: when the subscription of a user begins and ends.

import { expect } from "chai";
import { Refusals } from "#shared/kit/refusals.ts";
import type { BusMessage, BusSubscription } from "#shared/ports/bus.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import { encodeNote } from "#shared/protocol/note.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { SharedBound } from "../core/shared-bound.ts";
import { GatewayStats } from "../runtime/gateway-stats.ts";
import { PACE_MS, SUBSCRIPTION_BYTES, UserNotes, WAITING_MAX } from "../runtime/user-notes.ts";

const user = (n: number): UserId => `user-${n}` as UserId;

class Sink {
  readonly buffered = 0;
  readonly written: string[] = [];
  writeText(text: string): void {
    this.written.push(text);
  }
  grantIn(): undefined {
    return undefined;
  }
}

function open() {
  const clock = new FakeClock();
  const handlers = new Map<string, (message: BusMessage) => void>();
  /** The number of subscriptions at each time. */
  const made: number[] = [];
  const bus = {
    subscribe(subject: string, handler: (message: BusMessage) => void): BusSubscription {
      handlers.set(subject, handler);
      made[clock.monotonic()] = (made[clock.monotonic()] ?? 0) + 1;
      return { unsubscribe: () => handlers.delete(subject), drain: () => Promise.resolve() };
    },
  };
  const refusals = new Refusals(() => undefined, clock);
  const total = new SharedBound(Infinity);
  const notes = new UserNotes({ bus, clock, refusals, stats: new GatewayStats(), total });
  const add = (n: number): Sink => {
    const sink = new Sink();
    notes.add(user(n), sink);
    return sink;
  };
  return { clock, handlers, made, notes, total, add };
}

describe("UserNotes", () => {
  it("user-notes.1: a user with several sessions has one subscription until the last one ends", () => {
    const { clock, handlers, notes, total, add } = open();
    const [first, second] = [add(1), add(1)];
    clock.advance(PACE_MS);
    expect(handlers.size).to.equal(1);
    notes.remove(user(1), first);
    notes.remove(user(1), first);
    expect([handlers.size, total.bytes]).to.deep.equal([1, SUBSCRIPTION_BYTES]);
    notes.remove(user(1), second);
    expect([handlers.size, total.bytes]).to.deep.equal([0, 0]);
  });

  it("user-notes.4: the first one is made at once, the others of 20 ms together", () => {
    const { clock, made, add } = open();
    for (let n = 0; n < 50; n++) {
      add(n);
      clock.advance(1);
    }
    clock.advance(PACE_MS);
    expect(Object.entries(made)).to.deep.equal([
      ["0", 1],
      ["20", 19],
      ["40", 20],
      ["60", 10],
    ]);
    clock.advance(PACE_MS);
    add(50);
    expect(made[clock.monotonic()], "after a pause").to.equal(1);
    expect(clock.armed).to.equal(0);
  });

  it("user-notes.4: no more than WAITING_MAX users wait", () => {
    const { clock, handlers, add } = open();
    for (let n = 0; n < WAITING_MAX; n++) add(n);
    expect(handlers.size).to.equal(1);
    add(WAITING_MAX);
    expect([handlers.size, clock.armed]).to.deep.equal([WAITING_MAX + 1, 0]);
  });

  it("user-notes.4: subscribeNow makes what waits, once", () => {
    const { clock, handlers, made, notes, add } = open();
    for (let n = 0; n < 3; n++) add(n);
    clock.advance(5);
    notes.subscribeNow();
    expect([handlers.size, clock.armed, made[5]]).to.deep.equal([3, 0, 2]);
    notes.subscribeNow();
    clock.advance(PACE_MS);
    expect(made.reduce((sum, count) => sum + count, 0)).to.equal(3);
  });

  it("user-notes.4: a user who leaves while it waits gets none, and one who came twice gets one", () => {
    const { clock, handlers, made, notes, total, add } = open();
    add(0);
    const gone = add(1);
    notes.remove(user(1), gone);
    const again = add(2);
    notes.remove(user(2), again);
    const stays = add(2);
    clock.advance(PACE_MS);
    expect([...handlers.keys()]).to.have.length(2);
    expect([made[PACE_MS], total.bytes]).to.deep.equal([1, 2 * SUBSCRIPTION_BYTES]);
    const [, subject] = [...handlers.keys()];
    const data = new TextEncoder().encode(
      encodeNote({ room: "general" as never, seq: 3, why: "mention" }),
    );
    handlers.get(subject!)?.({ subject: subject!, data });
    expect([stays.written.length, again.written.length]).to.deep.equal([1, 0]);
  });

  it("user-notes.4: nothing is made after the end", () => {
    const { clock, handlers, notes, add } = open();
    for (let n = 0; n < 3; n++) add(n);
    notes.stop();
    clock.advance(PACE_MS);
    expect([handlers.size, clock.armed]).to.deep.equal([0, 0]);
  });
});
