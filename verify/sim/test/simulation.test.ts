// Simulation tests: a run without faults has no findings, and a seed determines its run.

import { expect } from "chai";
import { optionsOf } from "../options.ts";
import { overBus } from "../over-bus.ts";
import { runSeed, runSimulation } from "../simulation.ts";
import type { PlantedBug } from "../cluster.ts";

describe("Simulation", () => {
  it("O3: without faults all clients see what the log, the archive and the history have", async () => {
    const result = await runSimulation({ ...optionsOf(1), faults: [] });
    expect(result.findings).to.deep.equal([]);
    expect(result.acked).to.be.above(50);
    expect(result.seen).to.be.above(result.acked);
  });

  it("P28: splits under load change nothing that a client sees, and send it no error", async () => {
    const options = { ...optionsOf(1), partitions: 1, rooms: 6, faults: ["split"] as const };
    const result = await runSimulation({ ...options, faultMs: 2_000 });
    expect(result.findings).to.deep.equal([]);
    expect(result.counts["partition split"]).to.equal(3); // 1 becomes 2, and 2 become 4.
    // Requests without the right in closed rooms, and changes of deleted messages (M3, M6, C2).
    const own = new Set(["send forbidden", "send not_found", "request forbidden"]);
    expect(result.shown.filter((failure) => !own.has(failure))).to.deep.equal([]);
    expect(result.acked).to.be.above(50);
  });

  it("simulation.1: two runs of one seed are equal, byte for byte", async () => {
    const lines: string[] = [];
    const first = await runSeed(1, { sink: (line) => lines.push(line) });
    const again: string[] = [];
    const second = await runSeed(1, { sink: (line) => again.push(line) });
    expect(second.fingerprint).to.equal(first.fingerprint);
    expect(again).to.deep.equal(lines);
    expect(lines.length).to.be.above(1_000);
    const other = await runSeed(2);
    expect(other.fingerprint).not.to.equal(first.fingerprint);
  });

  it("sim/bus.4: reports a process that publishes a payload above the limit", async () => {
    const bug: PlantedBug = (kind, ports) => {
      const publish: typeof ports.bus.publish = (subject, _, reply) =>
        ports.bus.publish(subject, new Uint8Array(2 ** 20 + 1), reply);
      return kind === "room" ? { ...ports, bus: overBus(ports.bus, { publish }) } : ports;
    };
    const options = { ...optionsOf(1), faults: [], safetyMs: 100, convergeMs: 100 };
    const { findings } = await runSimulation(options, { plantedBug: bug });
    expect(findings.map(({ detail }) => detail).join("\n")).to.include("too large payload");
  });

  for (const [name, call] of Object.entries({
    "Date.now": () => Date.now(),
    "new Date": () => new Date(),
    "Math.random": () => Math.random(),
    "performance.now": () => performance.now(),
    setTimeout: () => setTimeout(() => undefined, 0),
    "crypto.randomUUID": () => crypto.randomUUID(),
  })) {
    it(`simulation.2: reports a process that calls ${name}`, async () => {
      const bug: PlantedBug = (kind, ports) => {
        const publish: typeof ports.bus.publish = (...message) => {
          call();
          return ports.bus.publish(...message);
        };
        return kind === "room" ? { ...ports, bus: overBus(ports.bus, { publish }) } : ports;
      };
      const options = { ...optionsOf(1), faults: [], safetyMs: 100, convergeMs: 100 };
      const { findings } = await runSimulation(options, { plantedBug: bug });
      expect(findings.map(({ detail }) => detail).join("\n")).to.include("it must use the port");
      call(); // Allowed again after the run.
    });
  }
});
