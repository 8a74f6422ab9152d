// A gateway that stood still (SIGSTOP, a long collection, a machine that slept) judges nobody by it.

import { expect } from "chai";
import { MemoryBroker } from "#shared/adapters/bus-memory.ts";
import { systemRandom } from "#shared/adapters/clock-system.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";
import { HELLO_TIMEOUT_MS } from "#shared/protocol/limits.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { frameMaker } from "../adapters/websocket.ts";
import { Gateway } from "../runtime/gateway.ts";
import { ScriptedArchive, ScriptedOwner } from "./scripted-owner.ts";
import { silentSocket } from "./silent-socket.ts";

/** Its scale can leap as it does for a process that was stopped: no timer ran in between. */
class StoppableClock extends FakeClock {
  stoodMs = 0;
  override monotonic(): number {
    return super.monotonic() + this.stoodMs;
  }
}

function openGateway(): { clock: StoppableClock; closes: number[]; accept: () => void } {
  const clock = new StoppableClock();
  const broker = new MemoryBroker();
  const owner = new ScriptedOwner(broker.connect(), 1);
  const closes: number[] = [];
  const gateway = new Gateway(
    { id: "gw-1" as ProcessId, partitions: 1, version: "test", limits: false },
    {
      bus: broker.connect(),
      archive: new ScriptedArchive(owner.model),
      clock,
      random: systemRandom,
      auth: { verify: () => new Promise(() => undefined) },
      frames: frameMaker,
      report: () => undefined,
    },
  );
  gateway.start();
  const socket = silentSocket(closes);
  return { clock, closes, accept: () => void gateway.accept(socket) };
}

describe("A gateway that stood still", () => {
  it("S1: closes who has not said hello in five seconds, of which it was awake", () => {
    const { clock, closes, accept } = openGateway();
    clock.advance(1_000);
    accept();
    clock.advance(HELLO_TIMEOUT_MS - 1_000);
    expect(closes).to.deep.equal([]);
    clock.advance(1_500);
    expect(closes).to.deep.equal([4002]);
  });

  it("S1: looks again after what waited in the sockets was read, before it closes anybody", () => {
    const { clock, closes, accept } = openGateway();
    clock.advance(1_000);
    accept();
    clock.advance(500);
    clock.stoodMs = HELLO_TIMEOUT_MS;
    clock.advance(250); // The first housekeeping after it went on.
    expect(closes).to.deep.equal([]);
    clock.advance(250); // Nothing had waited.
    expect(closes).to.deep.equal([4002]);
  });
});
