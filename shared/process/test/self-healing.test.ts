import { expect } from "chai";
import { MemoryBroker } from "../../adapters/bus-memory.ts";
import { MemoryLeases } from "../../adapters/leases-memory.ts";
import { seededRandom } from "../../kit/random.ts";
import { encodeBeat } from "../../protocol/beat.ts";
import type { Beat } from "../../protocol/beat.ts";
import type { ProcessId } from "../../protocol/ids.ts";
import { LEASE_MS } from "../../protocol/leases.ts";
import { subjects } from "../../protocol/subjects.ts";
import { FakeClock } from "../../testing/fake-clock.ts";
import { until } from "../../testing/wait.ts";
import { OtherProcesses } from "../other-processes.ts";
import { REPLACED, SelfHealing } from "../self-healing.ts";

const MIB = 1_024 * 1_024;
const FULL = { live: 320 * MIB, limit: 400 * MIB };
const CALM = { live: 100 * MIB, limit: 400 * MIB };
const HOUR = 3_600_000;
const [first, second] = ["gw-000000000001", "gw-000000000002"] as ProcessId[] as [
  ProcessId,
  ProcessId,
];

function fixture() {
  const clock = new FakeClock();
  const leases = new MemoryLeases(clock, LEASE_MS);
  const open = (by: ProcessId, hasReplacement?: () => boolean) => {
    const lines: string[] = [];
    let replaced = 0;
    const healing = new SelfHealing({
      request: { name: "gateway", by },
      afterMs: HOUR,
      clock,
      random: seededRandom(3),
      leases,
      logger: {
        warn: ((detail: { reason?: string }, text: string) =>
          void lines.push(detail.reason ?? text)) as never,
      },
      ...(hasReplacement !== undefined && { hasReplacement }),
      replace: () => void replaced++,
    });
    return { healing, lines, replaced: () => replaced };
  };
  /** Lets the jitter pass, and the answer of the lease arrive. */
  const settle = async (): Promise<void> => {
    clock.advance(5_000);
    for (let i = 0; i < 5; i++) await Promise.resolve();
  };
  return { clock, leases, open, settle };
}

describe("SelfHealing", () => {
  it("E13, self-healing.1: a process whose heap stays full is replaced once, after a jitter", async () => {
    const { clock, open, settle } = fixture();
    const { healing, lines, replaced } = open(first);
    clock.advance(HOUR);
    healing.onHeap(FULL);
    expect(replaced()).to.equal(0);
    healing.onHeap(CALM);
    await settle();
    expect(replaced(), "no longer full when the jitter is over").to.equal(0);
    healing.onHeap(FULL);
    await settle();
    healing.onHeap(FULL);
    await settle();
    expect(replaced()).to.equal(1);
    expect(lines).to.deep.equal([REPLACED]);
  });

  it("E13, self-healing.2: one process of a service at a time; the other follows when the lease has ended", async () => {
    const { clock, open, settle } = fixture();
    const [one, two] = [open(first), open(second)];
    clock.advance(HOUR);
    for (const { healing } of [one, two]) healing.onHeap(FULL);
    await settle();
    expect([one.replaced(), two.replaced()]).to.deep.equal([1, 0]);
    expect(two.lines).to.deep.equal(["another process is being replaced"]);
    clock.advance(LEASE_MS);
    two.healing.onHeap(FULL);
    await settle();
    expect(two.replaced()).to.equal(1);
  });

  it("E13, self-healing.3, self-healing.5: a young process stays, and reports that once a minute", async () => {
    const { clock, open, settle } = fixture();
    const { healing, lines, replaced } = open(first);
    clock.advance(HOUR - 10_000);
    for (let i = 0; i < 3; i++) healing.onHeap(FULL);
    await settle();
    expect(replaced()).to.equal(0);
    expect(lines).to.deep.equal(["the process has not run for long enough"]);
  });

  it("self-healing.2: without an answer of the lease the process stays", async () => {
    const { clock, leases, open, settle } = fixture();
    const { healing, lines, replaced } = open(first);
    leases.isAway = true;
    clock.advance(HOUR);
    healing.onHeap(FULL);
    await settle();
    expect(replaced()).to.equal(0);
    expect(lines).to.deep.equal(["the lease did not answer"]);
  });

  it("E13, self-healing.4: a gateway is replaced only while beats of another gateway arrive", async () => {
    const { clock, open, settle } = fixture();
    const broker = new MemoryBroker();
    const [bus, peer] = [broker.connect(), broker.connect()];
    const others = new OtherProcesses({ id: first, kind: "gateway", bus, clock });
    others.start();
    const beat = async (id: ProcessId, state: Beat["state"]): Promise<void> => {
      peer.publish(subjects.beat("gateway"), encodeBeat({ id, state, version: "1" }));
      await peer.flush();
      await bus.flush();
    };
    const { healing, replaced } = open(first, () => others.isAnyLive());
    clock.advance(HOUR);
    await beat(first, "live");
    healing.onHeap(FULL);
    await settle();
    expect(replaced(), "alone").to.equal(0);
    await beat(second, "live");
    await until(() => others.isAnyLive(), { withinMs: 5_000, what: "the beat" });
    await beat(second, "leaving");
    await until(() => !others.isAnyLive(), { withinMs: 5_000, what: "the leave" });
    healing.onHeap(FULL);
    await settle();
    expect(replaced(), "the other one leaves").to.equal(0);
    await beat(second, "live");
    healing.onHeap(FULL);
    await settle();
    expect(replaced()).to.equal(1);
    others.stop();
  });
});
