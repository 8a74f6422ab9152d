import { expect } from "chai";
import { stat } from "node:fs/promises";
import { newProcessId } from "../../process/ids.ts";
import { isProcessId } from "../../protocol/ids.ts";
import { systemClock, systemRandom } from "../clock-system.ts";

function fired(delayMs: number): Promise<number> {
  const began = systemClock.monotonic();
  return new Promise((resolve) => {
    systemClock.after(delayMs, () => resolve(systemClock.monotonic() - began));
  });
}

describe("System clock", () => {
  it("clock.2: fires no timer before its delay, however small or fractional", async () => {
    const delays = Array.from({ length: 200 }, (_, i) => (i % 20) + i / 200);
    const waited = await Promise.all(delays.map(fired));
    expect(waited.every((ms, i) => ms >= delays[i]!)).to.equal(true);
  });

  it("clock.2: a delay above Node's maximum does not fire at once; cancel is idempotent", async () => {
    let early = false;
    const timer = systemClock.after(2 ** 40, () => (early = true));
    await fired(20);
    timer.cancel();
    timer.cancel();
    expect(early).to.equal(false);
  });

  it("clock.2: cancels a timer that was armed again after firing early", async () => {
    let count = 0;
    const timers = Array.from({ length: 100 }, () => systemClock.after(5.5, () => count++));
    await fired(1);
    for (const timer of timers) timer.cancel();
    const before = count; // On a busy machine some have fired.
    await fired(15);
    expect(count).to.equal(before);
  });

  it("clock.3: soon runs after the current turn and before a timer that is due", async () => {
    // A read has ended: this is the phase in which sockets call back.
    await stat(import.meta.dirname);
    const order: string[] = [];
    const timer = fired(0).then(() => order.push("timer"));
    systemClock.soon(() => order.push("soon"));
    order.push("turn");
    await timer;
    expect(order).to.deep.equal(["turn", "soon", "timer"]);
  });

  it("clock.1: random numbers are whole, below 2^32, and differ across batches", () => {
    const numbers = Array.from({ length: 5_000 }, () => systemRandom.next32());
    expect(numbers.every((n) => Number.isInteger(n) && n >= 0 && n < 2 ** 32)).to.equal(true);
    expect(new Set(numbers).size).to.be.above(4_990);
  });

  it("N4: a process id is safe in a subject and new at every start", () => {
    const ids = ["gw", "room", "pers"].map((kind) => newProcessId(kind as "gw"));
    expect(ids.every(isProcessId)).to.equal(true);
    expect(newProcessId("gw")).not.to.equal(newProcessId("gw"));
  });
});
