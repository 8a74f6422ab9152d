// Outbox, by example: order, holds, bounds, and every end of a send.

import { expect } from "chai";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { AFTER_MS_MAX, OUTBOX_MAX, RETRY, SEND_DEADLINE_MS } from "../core/bounds.ts";
import { Outbox } from "../core/outbox.ts";
import { CLOSED, FULL, LEFT, NO_ANSWER, NOT_JOINED, REMOVED } from "../core/refusals.ts";
import { halfRandom } from "./half-random.ts";

const A = "a" as RoomId;
const B = "b" as RoomId;
const WINDOW = 60;
const FIRST_WAIT = RETRY.baseMs / 2;
const busy = (afterMs?: number) =>
  ({ name: "busy", message: "full", retry: true, afterMs }) as const;
const everywhere = (): boolean => true;

/** An outbox with the sends "a1", "b2", …: the letter of a room and a number. */
function holding(...ids: string[]): Outbox {
  const outbox = new Outbox(halfRandom);
  for (const id of ids) add(outbox, id);
  return outbox;
}

function add(outbox: Outbox, id: string, now = 0) {
  return outbox.add({ id, room: id[0] as RoomId, text: `text ${id}` }, now);
}

function taken(
  outbox: Outbox,
  now: number,
  window = WINDOW,
  isJoined = everywhere as (room: RoomId) => boolean,
) {
  return outbox.take(now, window, isJoined).map((text) => text.replace("text ", ""));
}

function acked(id: string, seq = 1) {
  return { id, result: { kind: "acked", seq, at: 5 } };
}

function refused(id: string, error: ErrorName, message: string) {
  return { id, result: { kind: "refused", error, message } };
}

describe("Refusals", () => {
  it("F6: a refusal of the client has the name that a server gives for the same cause", () => {
    const causes = { FULL, NO_ANSWER, CLOSED, NOT_JOINED, LEFT, REMOVED };
    expect(Object.entries(causes).map(([cause, { name }]) => `${cause} ${name}`)).to.deep.equal([
      "FULL busy",
      "NO_ANSWER unavailable",
      "CLOSED unavailable",
      "NOT_JOINED not_joined",
      "LEFT not_joined",
      "REMOVED forbidden",
    ]);
    for (const { message } of Object.values(causes)) expect(message).to.match(/^[A-Z].+\.$/);
  });
});

describe("Outbox: writing", () => {
  it("sdk/outbox.2: sends are written once, in the order of submission, over all rooms", () => {
    const outbox = holding("a1", "b1", "a2");
    expect(outbox.size).to.equal(3);
    expect(outbox.unansweredSince).to.equal(undefined);
    expect(taken(outbox, 10)).to.deep.equal(["a1", "b1", "a2"]);
    expect(taken(outbox, 11)).to.deep.equal([]);
    expect(outbox.unansweredSince).to.equal(10);
  });

  it("sdk/outbox.2: a room that is not joined does not block other rooms", () => {
    const outbox = holding("a1", "b1", "a2");
    expect(taken(outbox, 0, WINDOW, (room) => room === B)).to.deep.equal(["b1"]);
    expect(taken(outbox, 0)).to.deep.equal(["a1", "a2"]);
  });

  it("sdk/outbox.3: at most `window` sends are unanswered, and an answer admits one more", () => {
    const outbox = holding("a1", "a2", "a3", "a4");
    expect(taken(outbox, 5, 2)).to.deep.equal(["a1", "a2"]);
    expect(taken(outbox, 6, 2)).to.deep.equal([]);
    expect(outbox.onAck("a1", 7, 5)).to.deep.equal([acked("a1", 7)]);
    expect(taken(outbox, 8, 2)).to.deep.equal(["a3"]);
    expect(outbox.unansweredSince).to.equal(5);
    outbox.onAck("a2", 8, 5);
    expect(outbox.unansweredSince).to.equal(8);
  });

  it("sdk/outbox.3: beyond OUTBOX_MAX a send is refused with busy and not kept", () => {
    const outbox = new Outbox(halfRandom);
    for (let n = 0; n < OUTBOX_MAX; n++) expect(add(outbox, `a${n}`)).to.deep.equal([]);
    const refusals = [refused("over", FULL.name, FULL.message)];
    expect(outbox.add({ id: "over", room: A, text: "" }, 0)).to.deep.equal(refusals);
    expect(outbox.size).to.equal(OUTBOX_MAX);
    expect(outbox.has("over")).to.equal(false);
    outbox.onAck("a0", 1, 5);
    expect(outbox.has("a0")).to.equal(false);
    expect(add(outbox, "fits")).to.deep.equal([]);
    expect(outbox.has("fits")).to.equal(true);
  });

  it("sdk/outbox.1: an answer to a send with an outcome has no effect", () => {
    const outbox = holding("a1");
    taken(outbox, 0);
    outbox.onAck("a1", 1, 5);
    expect(outbox.onAck("a1", 1, 5)).to.deep.equal([]);
    expect(outbox.onRefused("a1", busy(), 0)).to.deep.equal([]);
  });
});

describe("Outbox: refusals", () => {
  it("sdk/outbox.2: after a temporary refusal the same text is written first, after the wait", () => {
    const outbox = holding("a1", "a2", "b1");
    taken(outbox, 0);
    expect(outbox.onRefused("a1", busy(), 100)).to.deep.equal([]);
    outbox.onRefused("a2", busy(), 100);
    add(outbox, "a3", 100);
    add(outbox, "b2", 100);
    expect(taken(outbox, 100)).to.deep.equal(["b2"]);
    expect(outbox.wakeAt(100)).to.equal(100 + FIRST_WAIT);
    expect(taken(outbox, 100 + FIRST_WAIT - 1)).to.deep.equal([]);
    expect(taken(outbox, 100 + FIRST_WAIT)).to.deep.equal(["a1", "a2", "a3"]);
  });

  it("sdk/outbox.2: no send of the room is written while another one of it is unanswered", () => {
    const outbox = holding("a1", "a2", "a3");
    taken(outbox, 0);
    outbox.onRefused("a2", busy(), 0);
    add(outbox, "a4");
    expect(taken(outbox, 10_000)).to.deep.equal([]);
    outbox.onAck("a1", 1, 5);
    expect(taken(outbox, 10_000)).to.deep.equal([]);
    outbox.onRefused("a3", busy(0), 10_000);
    expect(taken(outbox, 10_000)).to.deep.equal(["a2", "a3", "a4"]);
    add(outbox, "a5");
    expect(taken(outbox, 10_000), "the refused one has no outcome yet").to.deep.equal([]);
    outbox.onAck("a2", 2, 5);
    expect(taken(outbox, 10_000)).to.deep.equal(["a5"]);
  });

  it("sdk/outbox.2: a longer wait of the server counts, up to AFTER_MS_MAX", () => {
    const waits = [0, FIRST_WAIT + 1, AFTER_MS_MAX + 1].map((afterMs) => {
      const outbox = holding("a1");
      taken(outbox, 0);
      outbox.onRefused("a1", busy(afterMs), 1_000);
      return outbox.wakeAt(1_000)! - 1_000;
    });
    expect(waits).to.deep.equal([FIRST_WAIT, FIRST_WAIT + 1, AFTER_MS_MAX]);
  });

  it("sdk/outbox.5: a slow mode that takes one send at a time does not make the waits longer", () => {
    const ids = Array.from({ length: 12 }, (_, n) => `a${n}`);
    const outbox = holding(...ids);
    let now = 0;
    for (const [n, id] of ids.entries()) {
      expect(taken(outbox, now)[0]).to.equal(id);
      // A refusal is faster than an answer that waits for the log.
      for (const later of ids.slice(n + 1)) outbox.onRefused(later, busy(2_000), now);
      outbox.onAck(id, n + 1, now + 5);
      now += 2_000;
    }
    expect(outbox.size).to.equal(0);
  });

  it("sdk/outbox.5: without an answer in between the waits grow, and an ack makes them short again", () => {
    const outbox = holding("a1", "a2");
    let now = 0;
    const waits = [1, 2, 3].map(() => {
      taken(outbox, now);
      outbox.onRefused("a1", busy(0), now);
      outbox.onRefused("a2", busy(0), now);
      const wait = outbox.wakeAt(now)! - now;
      now += wait;
      return wait;
    });
    expect(waits).to.deep.equal([FIRST_WAIT, 2 * FIRST_WAIT, 4 * FIRST_WAIT]);
    taken(outbox, now);
    outbox.onRefused("a2", busy(0), now);
    expect(outbox.wakeAt(now)).to.equal(now + 8 * FIRST_WAIT);
    outbox.onAck("a1", 1, now);
    expect(outbox.wakeAt(now)).to.equal(now + FIRST_WAIT);
    taken(outbox, now + FIRST_WAIT);
    outbox.onRefused("a2", busy(0), now);
    expect(outbox.wakeAt(now)).to.equal(now + 2 * FIRST_WAIT);
  });

  it("sdk/outbox.2: several refusals in a row are one attempt with the longest of their waits", () => {
    const outbox = holding("a1", "a2", "a3");
    taken(outbox, 0);
    outbox.onRefused("a1", busy(1_000), 0);
    outbox.onRefused("a2", busy(3_000), 100);
    outbox.onRefused("a3", busy(2_000), 100);
    expect(outbox.wakeAt(100)).to.equal(3_100);
    expect(taken(outbox, 3_099)).to.deep.equal([]);
    expect(taken(outbox, 3_100)).to.have.length(3);
    outbox.onRefused("a1", busy(), 3_100);
    expect(outbox.wakeAt(3_100), "the second attempt waits twice as long").to.equal(
      3_100 + 2 * FIRST_WAIT,
    );
  });

  it("sdk/outbox.5: an ack shortens a hold to the longest wait of the server, and not below it", () => {
    const outbox = holding("a1", "a2", "a3");
    taken(outbox, 0);
    outbox.onRefused("a1", busy(1), 0);
    outbox.onRefused("a2", busy(3_000), 0);
    outbox.onAck("a3", 1, 0);
    expect(outbox.wakeAt(0)).to.equal(3_000);
    expect(taken(outbox, 2_999)).to.deep.equal([]);
    expect(taken(outbox, 3_000)).to.deep.equal(["a1", "a2"]);
  });

  it("sdk/outbox.2: waits grow with each attempt, and an ack of the refused send resets them", () => {
    const outbox = holding("a1", "a2");
    const waits: number[] = [];
    let now = 0;
    for (let n = 0; n < 7; n++) {
      taken(outbox, now);
      outbox.onRefused("a1", busy(), now);
      outbox.onRefused("a2", busy(), now);
      waits.push(outbox.wakeAt(now)! - now);
      now = outbox.wakeAt(now)!;
    }
    const capped = RETRY.capMs / 2;
    expect(waits).to.deep.equal([250, 500, 1_000, 2_000, 4_000, capped, capped]);
    taken(outbox, now);
    outbox.onAck("a1", 1, 5);
    outbox.onRefused("a2", busy(), now);
    expect(outbox.wakeAt(now)! - now).to.equal(FIRST_WAIT);
  });

  it("sdk/outbox.2: an ack of an earlier send does not end the hold of a refused send", () => {
    const outbox = holding("a1", "a2");
    taken(outbox, 0);
    outbox.onRefused("a2", busy(), 0);
    outbox.onAck("a1", 1, 5);
    expect(taken(outbox, FIRST_WAIT - 1)).to.deep.equal([]);
    expect(taken(outbox, FIRST_WAIT)).to.deep.equal(["a2"]);
  });

  it("sdk/outbox.1: a final refusal is the outcome, with the server's text, and ends the hold of its room", () => {
    const outbox = holding("a1", "a2");
    taken(outbox, 0);
    outbox.onRefused("a1", busy(), 0);
    outbox.onRefused("a2", busy(), 0);
    taken(outbox, FIRST_WAIT);
    const refusal = { name: "forbidden", message: "no", retry: false } as const;
    expect(outbox.onRefused("a1", refusal, FIRST_WAIT)).to.deep.equal([
      refused("a1", "forbidden", "no"),
    ]);
    expect(outbox.has("a1")).to.equal(false);
    add(outbox, "a3");
    expect(taken(outbox, FIRST_WAIT)).to.deep.equal(["a3"]);
  });
});

describe("Outbox: connections and ends", () => {
  it("K2: after a disconnect all sends without an outcome are written again in order", () => {
    const outbox = holding("a1", "b1", "a2");
    taken(outbox, 0);
    outbox.onAck("b1", 1, 5);
    add(outbox, "b2");
    expect(outbox.onDisconnected()).to.deep.equal([]);
    expect(outbox.unansweredSince).to.equal(undefined);
    expect(taken(outbox, 10)).to.deep.equal(["a1", "a2", "b2"]);
  });

  it("sdk/outbox.4: leaving a room refuses unwritten sends; a written send can still be answered", () => {
    const outbox = holding("a1", "a2", "b1");
    taken(outbox, 0, 1);
    expect(outbox.onLeft(A, LEFT)).to.deep.equal([refused("a2", LEFT.name, LEFT.message)]);
    expect(outbox.has("b1")).to.equal(true);
    expect(outbox.onAck("a1", 3, 5)).to.deep.equal([acked("a1", 3)]);
  });

  it("sdk/outbox.4: a send of a left room is not written again", () => {
    const refusedOne = holding("a1");
    taken(refusedOne, 0);
    refusedOne.onLeft(A, LEFT);
    expect(refusedOne.onRefused("a1", busy(), 0)).to.deep.equal([refused("a1", "busy", "full")]);

    const lost = holding("a1", "b1");
    taken(lost, 0);
    lost.onLeft(A, LEFT);
    expect(lost.onDisconnected()).to.deep.equal([refused("a1", NO_ANSWER.name, NO_ANSWER.message)]);
    expect(taken(lost, 0)).to.deep.equal(["b1"]);
  });

  it("sdk/outbox.4: leaving a room ends its hold", () => {
    const outbox = holding("a1");
    taken(outbox, 0);
    outbox.onRefused("a1", busy(5_000), 0);
    outbox.onLeft(A, LEFT);
    add(outbox, "a2");
    expect(taken(outbox, 1)).to.deep.equal(["a2"]);

    const retried = holding("a1");
    taken(retried, 0);
    retried.onRefused("a1", busy(), 0);
    taken(retried, FIRST_WAIT);
    retried.onLeft(A, LEFT);
    add(retried, "a2");
    expect(taken(retried, FIRST_WAIT), "while the refused one is on the wire").to.deep.equal([
      "a2",
    ]);
  });

  it("sdk/connection.4: silence counts from the earliest written send, at any position", () => {
    const outbox = holding("a1", "b1", "b2");
    taken(outbox, 0);
    outbox.onRefused("a1", busy(), 0);
    outbox.onRefused("b1", busy(), 0);
    expect(outbox.unansweredSince).to.equal(0);
    outbox.onAck("b2", 1, 5);
    expect(outbox.unansweredSince).to.equal(undefined);
    expect(taken(outbox, 1_000, 1)).to.deep.equal(["a1"]);
    taken(outbox, 2_000);
    expect(outbox.unansweredSince, "a1 was written before b1").to.equal(1_000);
    outbox.onRefused("a1", busy(0), 2_000);
    taken(outbox, 9_000);
    expect(outbox.unansweredSince, "b1 was written before a1").to.equal(2_000);
  });

  it("sdk/outbox.1: a send without an outcome for five minutes is refused with unavailable", () => {
    const outbox = holding("a1");
    add(outbox, "a2", 1);
    expect(outbox.wakeAt(0)).to.equal(SEND_DEADLINE_MS);
    expect(outbox.tick(SEND_DEADLINE_MS - 1)).to.deep.equal([]);
    expect(outbox.tick(SEND_DEADLINE_MS)).to.deep.equal([
      refused("a1", NO_ANSWER.name, NO_ANSWER.message),
    ]);
    expect(outbox.wakeAt(SEND_DEADLINE_MS)).to.equal(SEND_DEADLINE_MS + 1);
    expect(outbox.tick(SEND_DEADLINE_MS + 1)).to.deep.equal([
      refused("a2", NO_ANSWER.name, NO_ANSWER.message),
    ]);
    expect(outbox.wakeAt(SEND_DEADLINE_MS + 1)).to.equal(undefined);
  });

  it("sdk/outbox.1: the deadline of a refused send ends the hold of its room", () => {
    const outbox = holding("a1");
    taken(outbox, 0);
    const late = SEND_DEADLINE_MS - 1;
    outbox.onRefused("a1", busy(1_000), late);
    add(outbox, "a2", late);
    expect(outbox.wakeAt(late), "the deadline comes before the end of the wait").to.equal(
      SEND_DEADLINE_MS,
    );
    outbox.tick(SEND_DEADLINE_MS);
    expect(taken(outbox, SEND_DEADLINE_MS)).to.deep.equal(["a2"]);
  });

  it("sdk/outbox.1: a close refuses all sends with unavailable, in order, and removes them", () => {
    const outbox = holding("a1", "b1");
    taken(outbox, 0);
    outbox.onRefused("a1", busy(5_000), 0);
    expect(outbox.onClosed()).to.deep.equal([
      refused("a1", CLOSED.name, CLOSED.message),
      refused("b1", CLOSED.name, CLOSED.message),
    ]);
    expect(outbox.size).to.equal(0);
    expect(outbox.wakeAt(0)).to.equal(undefined);
    add(outbox, "a2");
    expect(taken(outbox, 0)).to.deep.equal(["a2"]);
  });

  it("sdk/outbox.2: a hold that is over requests no wake-up", () => {
    const outbox = holding("a1");
    taken(outbox, 0);
    outbox.onRefused("a1", busy(), 0);
    expect(outbox.wakeAt(FIRST_WAIT - 1)).to.equal(FIRST_WAIT);
    expect(outbox.wakeAt(FIRST_WAIT)).to.equal(SEND_DEADLINE_MS);
  });
});
