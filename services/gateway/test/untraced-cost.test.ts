// The cost of an untraced send in counts, not in time: clock reads, random numbers, searched texts,
// spans, and the lane's command. It is the same with and without an exporter. `make bench
// ONLY=TRACE` measures time.

import { expect } from "chai";
import { MemoryBroker } from "#shared/adapters/bus-memory.ts";
import type { Clock } from "#shared/ports/clock.ts";
import { noTracer } from "#shared/ports/tracer.ts";
import type { Tracer } from "#shared/ports/tracer.ts";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { Sampling } from "../core/sampling.ts";
import type { ClientWrite } from "../core/room-api-port.ts";
import { GatewayStats } from "../runtime/gateway-stats.ts";
import { MessageTraces } from "../runtime/message-traces.ts";
import { GatewayRoomApi } from "../runtime/room-api.ts";
import { idOf } from "./owner-model.ts";

const SENDS = 100;
const ASKING = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;

interface Cost {
  clocks: number;
  dice: number;
  patterns: number;
  spans: number;
  commands: string[];
}

/** The cost of `SENDS` answered sends. `dice`: the value of every random number. */
function costOf(options: { tracer: boolean; ratio: number; dice?: number; trace?: string }): Cost {
  const cost: Cost = { clocks: 0, dice: 0, patterns: 0, spans: 0, commands: [] };
  const fake = new FakeClock();
  const counted = <T>(read: () => T): T => {
    cost.clocks++;
    return read();
  };
  const clock: Clock = {
    now: () => counted(() => fake.now()),
    monotonic: () => counted(() => fake.monotonic()),
    after: (delayMs, run) => fake.after(delayMs, run),
    every: (periodMs, run) => fake.every(periodMs, run),
    soon: (run) => fake.soon(run),
  };
  const next32 = (): number => {
    cost.dice++;
    return options.dice ?? 0xffff_ffff;
  };
  const tracer: Tracer = {
    isOn: true,
    start: () => {
      cost.spans++;
      return { traceparent: ASKING, end: () => undefined };
    },
  };
  const stats = new GatewayStats();
  const traces = new MessageTraces({
    tracer: options.tracer ? tracer : noTracer,
    sampling: new Sampling({ next32 }, options.ratio),
    clock,
    stats,
  });
  const talk = new GatewayRoomApi({
    lanes: {
      submit: (command, onAnswer) => {
        cost.commands.push(JSON.stringify(command));
        onAnswer({ result: { c: 1, ok: "sent", seq: 1, at: 0 } });
      },
    },
    pages: { page: () => Promise.resolve({ kind: "refused", error: "unavailable" }) },
    bus: new MemoryBroker().connect(),
    clock,
    stats,
    traces,
  });
  const patterns = countPatterns();
  for (let n = 0; n < SENDS; n++) talk.writeWithCallback(send(n, options.trace), () => undefined);
  cost.patterns = patterns.end();
  return cost;
}

/** The number of pattern searches until `end`. */
function countPatterns(): { end(): number } {
  let count = 0;
  const shared = Object.getPrototypeOf(/./) as object;
  const original = Object.getOwnPropertyDescriptor(shared, "test")!;
  const test = original.value as (this: RegExp, text: string) => boolean;
  Object.defineProperty(shared, "test", {
    ...original,
    value(this: RegExp, text: string) {
      count++;
      return test.call(this, text);
    },
  });
  return {
    end() {
      Object.defineProperty(shared, "test", original);
      return count;
    },
  };
}

function send(n: number, trace?: string): ClientWrite {
  const room = "general" as RoomId;
  const frame = { t: "send", room, id: idOf(n + 1) as MessageId, body: {}, trace } as const;
  return { user: "ada" as UserId, frame };
}

describe("Cost of an untraced send", () => {
  it("E3: with an exporter and ratio 0 the cost is the same as without one: two clock reads", () => {
    const off = costOf({ tracer: false, ratio: 0 });
    expect(off).to.include({ clocks: 2 * SENDS, dice: 0, patterns: 0, spans: 0 });
    expect(costOf({ tracer: true, ratio: 0 })).to.deep.equal(off);
    expect(off.commands.every((command) => !command.includes("trace"))).to.equal(true);
  });

  it("E3: a ratio above 0 adds one random number", () => {
    const off = costOf({ tracer: false, ratio: 0.01 });
    expect(off.dice, "without an exporter").to.equal(0);
    const on = costOf({ tracer: true, ratio: 0.01 });
    expect(on).to.deep.equal({ ...off, dice: SENDS });
  });

  it("E3: without an exporter a sender's context is neither read nor forwarded", () => {
    const off = costOf({ tracer: false, ratio: 1, trace: ASKING });
    expect(off).to.deep.equal(costOf({ tracer: false, ratio: 0 }));
  });

  it("E3: the counts show a traced send", () => {
    const some = costOf({ tracer: true, ratio: 0.01, dice: 0 });
    expect(some).to.include({ spans: SENDS, clocks: 3 * SENDS });
    expect(some.commands.every((command) => command.includes(ASKING))).to.equal(true);
  });
});
