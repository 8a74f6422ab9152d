import { expect } from "chai";
import { MemoryBroker } from "#shared/adapters/bus-memory.ts";
import type { LastOutcome } from "#shared/ports/log.ts";
import { encodeMirrored } from "#shared/protocol/regions.ts";
import type { TermRecord } from "#shared/protocol/regions.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { FollowerWatch } from "../runtime/follower-watch.ts";

const RECORD: TermRecord = {
  v: 1,
  region: "east",
  term: 3,
  mode: "synchronous",
  phase: "serving",
  follower: null,
  logs: "whole",
  leaseMs: 1_000,
};

class Fixture {
  readonly clock = new FakeClock();
  readonly watch: FollowerWatch;
  readonly #agent;
  /** The last entry of each log. */
  last = 5;

  constructor(home?: string) {
    const broker = new MemoryBroker();
    this.#agent = broker.connect();
    const log = {
      last: (): Promise<LastOutcome> =>
        Promise.resolve({ kind: "ok", first: 1, last: this.last, bytes: 0 }),
    };
    const parts = { peer: "west", home, partitions: [0, 2], bus: broker.connect(), log };
    this.watch = new FollowerWatch({ ...parts, clock: this.clock, report: () => undefined });
    const change = (): Promise<{ kind: "ok" }> => Promise.resolve({ kind: "ok" });
    this.watch.start({ record: () => RECORD, change });
  }

  /** Half a second in which the follower reports this end. */
  async check(end: number, home?: string): Promise<void> {
    const ends = [0, 2].map((p) => [p, end] as const);
    const report = { region: "west", term: 3, ends, ...(home !== undefined && { home }) };
    this.#agent.publish(subjects.mirrored("west"), encodeMirrored(report));
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
    this.clock.advance(500);
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("FollowerWatch", () => {
  it("T13, follower-watch.4: owners wait for a mirror that comes back only when it moves", async () => {
    const fixture = new Fixture("east");
    for (let n = 0; n < 4; n++) {
      fixture.last++;
      await fixture.check(5, "east"); // NATS has not resumed the mirror.
    }
    expect(fixture.watch.lag).to.equal(8);
    expect(fixture.watch.catchingUp).to.equal(null);
    await fixture.check(9, "west"); // Another home.
    expect(fixture.watch.catchingUp).to.equal(null);
    await fixture.check(9, "east");
    expect(fixture.watch.catchingUp).to.equal("west");
    fixture.watch.stop();
  });

  it("T4, follower-watch.2: with one term owners wait as soon as the lag is small", async () => {
    const fixture = new Fixture();
    fixture.last = 9;
    await fixture.check(5);
    expect(fixture.watch.catchingUp).to.equal("west");
    fixture.watch.stop();
  });
});
