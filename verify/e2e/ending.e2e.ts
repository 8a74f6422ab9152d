// Ending without help: services that lose their supervisor, the reader of their logs, NATS or
// PostgreSQL, or that get a signal more than once, are gone within their deadline all the same.

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

/** More than the longest deadline, and what a busy machine adds. */
const GONE_WITHIN_MS = 120_000;
const SERVICES = ["gateway-1", "room-1", "persistence-1"];
/** A pipe to a log reader holds less than its services log in this setting. */
const NOISY = { LOG_LEVEL: "trace", PORT: "0", PARTITIONS: "4", ROOMS: "2" };

function allGone(processes: readonly Identity[], what: string): Promise<void> {
  expect(processes).to.not.have.length(0);
  return until(() => !processes.some(isSame), { withinMs: GONE_WITHIN_MS, what });
}

describe("Ending without help", function () {
  this.timeout(4 * GONE_WITHIN_MS);

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
    await allGone(services, "the services to miss their supervisor");
  });

  it("E10: SIGTERM to the group of make start, passed on once more, stops everything in order", async () => {
    cluster = new StartProcess(dataDir, NOISY);
    await cluster.ready();
    const all = cluster.processes();
    const { said } = cluster;
    cluster.signalGroup("SIGTERM");
    // Two signals of one kind that are sent at once are one signal; a parent's comes later.
    await until(() => said.some((line) => line.startsWith("SIGTERM: stopping")), {
      withinMs: GONE_WITHIN_MS,
      what: "the first signal to be seen",
    });
    cluster.signalGroup("SIGTERM");
    expect(await cluster.exited()).to.equal(0);
    await allGone(all, "all processes to be gone");
    expect(cluster.said.join("\n")).to.contain("stopped").and.not.to.contain("is killed");
  });

  it("E10: a second Ctrl-C leaves at once, and leaves nothing behind", async () => {
    cluster = new StartProcess(dataDir, NOISY);
    await cluster.ready();
    const all = cluster.processes();
    const started = cluster;
    let pressed = 0;
    // Until it ends: that a press counts as the second one depends on the machine's clock alone.
    const pressing = setInterval(() => (pressed++, started.signalGroup("SIGINT")), 1_000);
    try {
      started.signalGroup("SIGINT");
      await started.exited();
    } finally {
      clearInterval(pressing);
    }
    await allGone(all, `all processes to be gone after ${pressed} presses`);
  });

  for (const [what, strike] of [
    ["are gone", "kill"],
    ["stand still", "pause"],
  ] as const) {
    it(`E10: services whose NATS and PostgreSQL ${what} end when they are told to`, async () => {
      await using world = await openFaultCluster({ restart: false, partitions: 4 });
      const { cluster: inner } = world;
      for (const server of ["nats-1", "postgres"]) await inner[strike](server);
      const ends = SERVICES.map((name) => inner.terminate(name));
      await within(Promise.all(ends), { withinMs: GONE_WITHIN_MS, what: "the services to end" });
      expect(SERVICES.map((name) => inner.pid(name))).to.deep.equal(SERVICES.map(() => undefined));
    });
  }
});
