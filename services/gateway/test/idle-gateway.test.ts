// Idle gateway: how often a gateway without connections runs.

import { expect } from "chai";
import { BEAT_MS } from "#shared/protocol/beat.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { openScriptedGateway } from "./scripted-gateway.ts";
import { silentSocket } from "./silent-socket.ts";

/** Counts the moments at which periodic work runs. */
class CountingClock extends FakeClock {
  readonly #turns = new Set<number>();

  override every(periodMs: number, run: () => void): ReturnType<FakeClock["every"]> {
    return super.every(periodMs, () => {
      this.#turns.add(this.monotonic());
      run();
    });
  }

  turnsIn(ms: number): number {
    this.#turns.clear();
    this.advance(ms);
    return this.#turns.size;
  }
}

describe("A gateway without connections", () => {
  it("gateway.4: runs for its beats only, and more often while it has a connection", () => {
    const clock = new CountingClock();
    const { gateway } = openScriptedGateway(clock);
    clock.advance(10 * BEAT_MS);
    expect(clock.turnsIn(30 * BEAT_MS)).to.equal(30);
    const handlers = gateway.accept(silentSocket([]));
    expect(clock.turnsIn(2 * BEAT_MS)).to.be.at.least(8);
    handlers.onClose();
    clock.advance(BEAT_MS);
    // The clock of the process moves both works of a beat into one turn (periodic-work.1).
    expect(clock.turnsIn(30 * BEAT_MS)).to.be.at.most(60);
  });
});
