// The simulation's own tests: a world without trouble is whole, and a seed is a promise.

import { expect } from "chai";
import { optionsOf } from "../options.ts";
import { overBus } from "../planted-bugs.ts";
import { runSeed, runWorld } from "../simulation.ts";
import type { Plant } from "../cluster.ts";

describe("Simulated world", () => {
  it("O3: without a fault everybody sees what log, archive and history have", async () => {
    const result = await runWorld({ ...optionsOf(1), faults: [] });
    expect(result.findings).to.deep.equal([]);
    expect(result.acked).to.be.above(50);
    expect(result.seen).to.be.above(result.acked);
  });

  it("simulation.1: a seed played twice is the same run, byte by byte", async () => {
    const lines: string[] = [];
    const first = await runSeed(1, { sink: (line) => lines.push(line) });
    const again: string[] = [];
    const second = await runSeed(1, { sink: (line) => again.push(line) });
    expect(second.hash).to.equal(first.hash);
    expect(again).to.deep.equal(lines);
    expect(lines.length).to.be.above(1_000);
    const other = await runSeed(2);
    expect(other.hash).not.to.equal(first.hash);
  });

  it("sim/bus.4: a process that publishes more than a message may hold breaks the world", async () => {
    const plant: Plant = (kind, ports) => {
      const publish: typeof ports.bus.publish = (subject, _, reply) =>
        ports.bus.publish(subject, new Uint8Array(2 ** 20 + 1), reply);
      return kind === "room" ? { ...ports, bus: overBus(ports.bus, { publish }) } : ports;
    };
    const options = { ...optionsOf(1), faults: [], safetyMs: 100, convergeMs: 100 };
    const { findings } = await runWorld(options, { plant });
    expect(findings.map(({ detail }) => detail).join("\n")).to.include("said too much");
  });

  for (const [name, ask] of Object.entries({
    "Date.now": () => Date.now(),
    "new Date": () => new Date(),
    "Math.random": () => Math.random(),
    "performance.now": () => performance.now(),
    setTimeout: () => setTimeout(() => undefined, 0),
    "crypto.randomUUID": () => crypto.randomUUID(),
  })) {
    it(`simulation.2: whoever asks the real world is found out: ${name}`, async () => {
      const plant: Plant = (kind, ports) => {
        const publish: typeof ports.bus.publish = (...message) => {
          ask();
          return ports.bus.publish(...message);
        };
        return kind === "room" ? { ...ports, bus: overBus(ports.bus, { publish }) } : ports;
      };
      const options = { ...optionsOf(1), faults: [], safetyMs: 100, convergeMs: 100 };
      const { findings } = await runWorld(options, { plant });
      expect(findings.map(({ detail }) => detail).join("\n")).to.include("asked the real one");
      ask(); // The real world is back.
    });
  }
});
