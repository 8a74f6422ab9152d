// Event loop stall: a gateway that did not run (SIGSTOP, a long collection, a suspended machine)
// does not count that time against its clients.

import { expect } from "chai";
import { MemoryBroker } from "#shared/adapters/bus-memory.ts";
import { systemRandom } from "#shared/adapters/clock-system.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";
import { HELLO_TIMEOUT_MS } from "#shared/protocol/limits.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { frameMaker } from "../adapters/websocket.ts";
import { COST_PER_ITERATION_MAX } from "../core/frame-limit.ts";
import type { SocketHandlers } from "../runtime/client-socket.ts";
import { Gateway } from "../runtime/gateway.ts";
import { ScriptedArchive, ScriptedOwner } from "./scripted-owner.ts";
import { silentSocket } from "./silent-socket.ts";

/** Its time can jump, as for a stopped process, without a timer in between. */
class StoppableClock extends FakeClock {
  stoodMs = 0;
  /** Its timers run, and its iterations do not end. */
  isBusy = false;
  override monotonic(): number {
    return super.monotonic() + this.stoodMs;
  }
  override soon(run: () => void): void {
    if (!this.isBusy) super.soon(run);
  }
}

function openGateway(): { clock: StoppableClock; closes: number[]; accept: () => SocketHandlers } {
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
  return { clock, closes, accept: () => gateway.accept(socket) };
}

describe("A gateway after an event loop stall", () => {
  it("S1: closes a connection without hello after five seconds of running time", () => {
    const { clock, closes, accept } = openGateway();
    clock.advance(1_000);
    accept();
    clock.advance(HELLO_TIMEOUT_MS - 1_000);
    expect(closes).to.deep.equal([]);
    clock.advance(1_500);
    expect(closes).to.deep.equal([4002]);
  });

  it("S1: reads the waiting sockets first and checks again before it closes a connection", () => {
    const { clock, closes, accept } = openGateway();
    clock.advance(1_000);
    accept();
    clock.advance(500);
    clock.stoodMs = HELLO_TIMEOUT_MS;
    clock.advance(250); // The first housekeeping after the stall.
    expect(closes).to.deep.equal([]);
    clock.advance(250); // No data had waited.
    expect(closes).to.deep.equal([4002]);
  });

  it("S1: closes no connection whose hello waits for its turn", () => {
    const { clock, closes, accept } = openGateway();
    clock.advance(1_000);
    const connections = Array.from({ length: COST_PER_ITERATION_MAX + 1 }, accept);
    clock.advance(500);
    clock.isBusy = true;
    for (const connection of connections) connection.onText(`{"t":"hello","token":"t"}`);
    clock.advance(HELLO_TIMEOUT_MS);
    expect(closes).to.deep.equal([]);
  });

  it("S1: pings before the hello do not extend its time", () => {
    const { clock, closes, accept } = openGateway();
    clock.advance(1_000);
    const connection = accept();
    for (let n = 0; n < 2 * HELLO_TIMEOUT_MS; n += 250) {
      for (let ping = 0; ping < COST_PER_ITERATION_MAX; ping++) connection.onPing();
      clock.advance(250);
    }
    expect(closes).to.deep.equal([4002]);
  });
});
