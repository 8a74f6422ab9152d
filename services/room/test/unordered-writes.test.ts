// Unordered writes: the writes of HTTP requests, and the order that sends over a socket keep beside
// them.

import { expect } from "chai";
import type { SendCommand, Write } from "#shared/protocol/commands.ts";
import { DEDUPE_WINDOW_MS } from "#shared/protocol/limits.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import { HOLD_MS } from "../core/holds.ts";
import { WAITING_SENDS_PER_SENDER_MAX } from "../core/look-ups.ts";
import type { Effect } from "../core/partition-io.ts";
import { WAITING_MAX } from "../core/room.ts";
import { emptySnapshot, GENERAL, idAt, only, PartitionFixture } from "./partition-fixture.ts";
import { resultsOf, send, T0 } from "./partition-fixture.ts";

const EVE = "eve" as UserId;
const FLOOR = T0 - DEDUPE_WINDOW_MS;
const SLOW_S = 2;

/** A send of Eve over a socket, and one over HTTP. */
const ordered = (more: Partial<SendCommand> = {}): SendCommand =>
  send({ from: EVE, ...more }) as SendCommand;
const unordered = (more: Partial<SendCommand> = {}): SendCommand =>
  ordered({ unordered: true, ...more });
/** A send whose id needs a look-up. */
const old = (n: number): Partial<SendCommand> => ({ id: idAt(FLOOR - 1, n) });

const answers = (effects: readonly Effect[]): unknown[] =>
  resultsOf(effects).map((result) => ("error" in result ? result.error : result.ok));

class Scene extends PartitionFixture {
  #appends = 0;

  /** The answers of a batch, and then of its entry. */
  do(...commands: Write[]): unknown[] {
    const refused = answers(this.batch(commands));
    const [append] = only(this.flush(), "append");
    if (append === undefined) return refused;
    const outcome = { kind: "ok", seq: append.expected + 1 } as const;
    return [...refused, ...answers(this.appended(++this.#appends, outcome))];
  }

  /** An open room in slow mode, in which Eve has just sent a message. */
  static slow(): Scene {
    const scene = new Scene().withRooms([GENERAL]);
    const { body: _body, ...place } = send() as SendCommand;
    const update: Write = { ...place, op: "update", slowMode: SLOW_S, grant: "owner" };
    expect(scene.do(update, unordered())).to.deep.equal(["sent", "sent"]);
    return scene;
  }

  /** A loaded room whose memory has no ids before FLOOR. */
  static withFloor(): Scene {
    const scene = new Scene();
    scene.serve();
    scene.batch([{ c: 90_000, op: "head", room: GENERAL }]);
    scene.loaded({ ...emptySnapshot(GENERAL, 0), floor: FLOOR });
    return scene;
  }
}

describe("Unordered writes", () => {
  it("M10, O4: after a refusal by slow mode, the next send over HTTP waits for slow mode alone", () => {
    const scene = Scene.slow();
    expect(scene.do(unordered(), unordered())).to.deep.equal(["rate_limited", "rate_limited"]);
    scene.run(SLOW_S * 1_000);
    expect(SLOW_S * 1_000).to.be.below(HOLD_MS);
    expect(scene.do(unordered())).to.deep.equal(["sent"]);
  });

  it("O4: a write over HTTP does not wait for the refused sends of a socket, which keep their order", () => {
    const scene = Scene.slow();
    const [first, second] = [ordered(), ordered()];
    expect(scene.do(first, second)).to.deep.equal(["rate_limited", "busy"]);
    const { body: _body, ...place } = unordered();
    const react: Write = { ...place, op: "react", target: 2, emoji: "👍", on: true };
    const overSocket: Write = { ...react, id: idAt(T0, 7_777), unordered: undefined };
    expect(scene.do(react, overSocket)).to.deep.equal(["busy", "sent"]);
    scene.run(SLOW_S * 1_000);
    expect(scene.do(unordered())).to.deep.equal(["sent"]);
    scene.run(SLOW_S * 1_000);
    expect(scene.do(second, first)).to.deep.equal(["busy", "sent"]);
  });

  it("O4: a refused send over HTTP does not hold the sends of a socket", () => {
    const scene = Scene.slow();
    expect(scene.do(unordered())).to.deep.equal(["rate_limited"]);
    const [first, second] = [ordered(), ordered()];
    scene.run(SLOW_S * 1_000);
    expect(scene.do(first, second)).to.deep.equal(["rate_limited", "sent"]);
  });

  it("O4, P21: a send over HTTP waits for its own look-up, and not for those of a socket", () => {
    const scene = Scene.withFloor();
    expect(only(scene.batch([ordered(old(1)), ordered()]), "look-up")).to.have.length(1);
    expect(scene.do(unordered())).to.deep.equal(["sent"]);
    expect(only(scene.batch([unordered(old(2))]), "look-up")).to.have.length(1);
  });

  it("look-ups.5: beyond the bound of waiting sends, a send over HTTP gets `busy` at once", () => {
    const scene = Scene.withFloor();
    const many = Array.from({ length: WAITING_SENDS_PER_SENDER_MAX }, (_, n) => ordered(old(n)));
    expect(answers(scene.batch(many))).to.deep.equal([]);
    expect(answers(scene.batch([unordered(old(9_999)), ordered()]))).to.deep.equal(["busy"]);
    expect(scene.do(unordered())).to.deep.equal(["sent"]);
  });

  it("O4: beyond the bound of a room that is being loaded, a send over HTTP gets `busy` at once", () => {
    const scene = new Scene();
    scene.serve();
    const full = Array.from({ length: WAITING_MAX }, () => ordered());
    expect(answers(scene.batch(full))).to.deep.equal([]);
    expect(answers(scene.batch([unordered(), ordered()]))).to.deep.equal(["busy"]);
  });
});
