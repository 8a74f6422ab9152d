// Shutdown without help: services exit within their deadline also when they lose their supervisor,
// the reader of their logs, NATS or PostgreSQL, or get a signal more than once.

import { expect } from "chai";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isSame } from "#shared/process/identity.ts";
import type { Identity } from "#shared/process/identity.ts";
import { until, within } from "#shared/testing/wait.ts";
import { clearLeftovers } from "#infra/embedded/leftovers.ts";
import { openFaultCluster } from "./fault-cluster.ts";
import { StartProcess } from "./start-process.ts";

/** The longest deadline, with a margin for a busy machine. */
const EXITED_WITHIN_MS = 120_000;
const SERVICES = ["gateway-1", "room-1", "persistence-1"];
/** With this setting the services log more than a pipe to a log reader holds. */
const NOISY = { LOG_LEVEL: "trace", PORT: "0", PARTITIONS: "4", ROOMS: "2" };

function allExited(processes: readonly Identity[], what: string): Promise<void> {
  expect(processes).to.not.have.length(0);
  return until(() => !processes.some(isSame), { withinMs: EXITED_WITHIN_MS, what });
}

describe("Shutdown without help", function () {
  this.timeout(4 * EXITED_WITHIN_MS);

  let dataDir = "";
  let cluster: StartProcess | undefined;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "parley-ending-"));
  });
  afterEach(async () => {
    await cluster?.interrupt();
    cluster = undefined;
    await clearLeftovers(dataDir);
    await rm(dataDir, { recursive: true, force: true });
  });

  it("E10, scheduler.3: kill -9 of the supervisor leaves no service behind", async () => {
    cluster = new StartProcess(dataDir, NOISY);
    await cluster.ready();
    const services = cluster.services();
    cluster.killSupervisor();
    await allExited(services, "the services to notice the loss of their supervisor");
  });

  it("E10: SIGTERM to the process group of make start, sent twice, stops every process in order", async () => {
    cluster = new StartProcess(dataDir, NOISY);
    await cluster.ready();
    const all = cluster.processes();
    const { output } = cluster;
    cluster.signalGroup("SIGTERM");
    // The kernel merges two equal signals at once, so the second one waits for the first.
    await until(() => output.some((line) => line.startsWith("SIGTERM: stopping")), {
      withinMs: EXITED_WITHIN_MS,
      what: "make start to handle the first signal",
    });
    cluster.signalGroup("SIGTERM");
    expect(await cluster.exited()).to.equal(0);
    await allExited(all, "all processes to exit");
    expect(cluster.output.join("\n")).to.contain("stopped").and.not.to.contain("sending SIGKILL");
  });

  it("E10: a second Ctrl-C exits at once and leaves no process behind", async () => {
    cluster = new StartProcess(dataDir, NOISY);
    await cluster.ready();
    const all = cluster.processes();
    const started = cluster;
    let pressed = 0;
    // Repeats until it exits: whether a press counts as the second one depends on the time alone.
    const pressing = setInterval(() => (pressed++, started.signalGroup("SIGINT")), 1_000);
    try {
      started.signalGroup("SIGINT");
      await started.exited();
    } finally {
      clearInterval(pressing);
    }
    await allExited(all, `all processes to exit after ${pressed} presses`);
  });

  for (const [what, strike] of [
    ["are killed", "kill"],
    ["are paused", "pause"],
  ] as const) {
    it(`E10: services whose NATS and PostgreSQL ${what} exit on SIGTERM`, async () => {
      await using fixture = await openFaultCluster({ restart: false, partitions: 4 });
      const { cluster: inner } = fixture;
      for (const server of ["nats-1", "postgres"]) await inner[strike](server);
      const ends = SERVICES.map((name) => inner.terminate(name));
      await within(Promise.all(ends), { withinMs: EXITED_WITHIN_MS, what: "the services to exit" });
      expect(SERVICES.map((name) => inner.pid(name))).to.deep.equal(SERVICES.map(() => undefined));
    });
  }
});
