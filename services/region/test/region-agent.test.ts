import { expect } from "chai";
import { MemoryBroker } from "#shared/adapters/bus-memory.ts";
import { MemoryWitness } from "#shared/adapters/witness-memory.ts";
import { MemoryLog } from "#shared/adapters/log-memory.ts";
import { encodeMirrored } from "#shared/protocol/regions.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { FollowerWatch } from "../runtime/follower-watch.ts";
import { Follower } from "../runtime/follower.ts";
import { RegionAgent } from "../runtime/region-agent.ts";
import type { PromotionSteps } from "../runtime/region-agent.ts";

const LEASE_MS = 1_500;

/** One agent with a witness and logs in memory, on a clock that only the test moves. */
class Fixture {
  readonly clock = new FakeClock();
  readonly witness = new MemoryWitness();
  readonly agent: RegionAgent;
  readonly #bus;
  /** The steps of each promotion that began. */
  readonly promotions: PromotionSteps[] = [];
  canPromote = false;

  constructor() {
    const bus = new MemoryBroker({ after: (ms, run) => this.clock.after(ms, run) }).connect();
    this.#bus = bus;
    const log = new MemoryLog();
    const report = (): void => undefined;
    const shared = { partitions: [0], bus, clock: this.clock, log, report };
    const stores = {
      partitions: [0],
      promote: (_: unknown, steps: PromotionSteps): Promise<void> => {
        this.promotions.push(steps);
        return this.canPromote ? Promise.resolve() : Promise.reject(new Error("no connection"));
      },
      follow: (): Promise<void> => Promise.resolve(),
      logs: (): Promise<[]> => Promise.resolve([]),
    };
    const follower = new Follower({
      region: "east",
      ...shared,
      mirrors: () => Promise.resolve(new Map()),
      trim: () => Promise.resolve(),
    });
    const watch = new FollowerWatch({ peer: "west", ...shared });
    const { clock, witness } = this;
    this.agent = new RegionAgent(
      { region: "east", peer: "west", leaseMs: LEASE_MS, renewMs: 300, autoPromote: false },
      { bus, clock, witness, stores, follower, watch, report },
    );
    this.agent.start();
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 50) {
      this.clock.advance(50);
      for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** The first term. Its promotion begins. */
  async take(): Promise<void> {
    await this.pass(2 * LEASE_MS);
    const answer = await this.agent.handle({ v: 1, by: "test", verb: "promote" });
    expect(answer).to.have.property("ok");
    await this.pass(50);
  }

  /** The other region reports that its mirror has every entry. */
  async follow(): Promise<void> {
    const ends = [[0, 0]] as const;
    for (let n = 0; n < 3; n++) {
      this.#bus.publish(
        subjects.mirrored("west"),
        encodeMirrored({ region: "west", term: 1, ends }),
      );
      await this.pass(500);
    }
    expect(this.agent.term.record).to.include({ phase: "serving", follower: "west" });
  }
}

describe("RegionAgent", () => {
  it("region-agent.6, waits.1: stop ends the wait for the next attempt of a promotion", async () => {
    const fixture = new Fixture();
    await fixture.take();
    await fixture.pass(2_000);
    const before = fixture.promotions.length;
    expect(before, "attempts").to.be.at.least(2);
    fixture.agent.stop();
    await fixture.pass(0);
    expect(fixture.clock.armed, "timers that keep the process running").to.equal(0);
    await fixture.pass(5_000);
    expect(fixture.promotions.length).to.equal(before);
    expect(fixture.promotions.every((steps) => !steps.holds())).to.equal(true);
  });

  it("region-agent.6, region-agent.3: stop during a hand-over ends no wait for rights as if they had ended", async () => {
    const fixture = new Fixture();
    fixture.canPromote = true;
    await fixture.take();
    await fixture.follow();
    const answer = fixture.agent.handle({ v: 1, by: "test", verb: "demote" });
    await fixture.pass(100);
    expect(fixture.agent.state).to.equal("leaving");
    fixture.agent.stop();
    expect(await answer).to.include({ error: "failed" });
    expect(fixture.clock.armed, "timers that keep the process running").to.equal(0);
    const read = await fixture.witness.read();
    expect(read.kind === "ok" && read.record).to.include({ region: "east", phase: "leaving" });
  });
});
