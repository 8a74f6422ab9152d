// The chart on a real Kubernetes of one node: bad input, installation, chat through the Service,
// webhooks, the admin page, files, killed pods, upgrade, rollback, autoscaling 1 → 4 → 1,
// uninstallation.
//
// `make test-kubernetes` runs it in a sandbox; `make test` does not. Clients send and read during
// all steps after the installation, and the checker judges their records at the end. The steps
// build on each other, so the first failure ends the run.

import { expect } from "chai";
import { until } from "#shared/testing/wait.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { printFigure } from "#tools/test-run/figure.ts";
import { HookReceiver } from "../chaos/hook-receiver.ts";
import type { HookRecord } from "../checker/record.ts";
import { reportText } from "../checker/report-text.ts";
import { passFile, readAdminPage } from "../wire-client/optional-parts.ts";
import { LOOK_EVERY_MS } from "./api.ts";
import { Metrics } from "./autoscaling.ts";
import { CommandFailed, startCluster } from "./cluster.ts";
import type { KubernetesCluster } from "./cluster.ts";
import { IMAGE, imagesFile, NEXT_TAG } from "./images.ts";
import { RecordedRun } from "./recorded-run.ts";
import { NAMESPACE, OPTIONAL_PARTS, Release } from "./release.ts";
import { NODE_ADDRESS } from "./sandbox.ts";

const WITHIN_MS = 300_000;
const COMPONENTS = ["gateway", "room", "persistence", "nats", "postgres"];
const SERVICES = ["gateway", "room", "persistence", "webhooks", "operator"];
/** A back end gets the events of this room, one of the load. */
const HOOKED = "room-0" as RoomId;
/** Connections for each gateway pod. The clients that are always connected need one pod. */
const CONNECTIONS = 8;
const PODS_MAX = 4;
const GUESTS = 26;
const COUNT_EVERY_MS = 100;

function scaledFrom(min: number): object {
  const scaleDown = { stabilizationSeconds: 10, periodSeconds: 10 };
  const limits = { min, max: PODS_MAX, connections: CONNECTIONS, eventLoopPercent: 100 };
  return { gateway: { autoscaling: { enabled: true, ...limits, scaleDown } } };
}

/** Helm's or the API's error; fails when the command succeeds. */
async function refusalOf(command: Promise<unknown>): Promise<string> {
  const error = await command.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error, "the command succeeded").to.be.instanceOf(CommandFailed);
  return String(error);
}

describe("The chart on Kubernetes", function () {
  this.bail(true);
  this.timeout(900_000);

  const figures: string[] = [];
  let cluster: KubernetesCluster;
  let release: Release;
  let run: RecordedRun;
  let metrics: Metrics;
  const delivered: HookRecord[] = [];
  const receiver = new HookReceiver((record) => delivered.push(record), NODE_ADDRESS);

  before(async () => {
    cluster = await startCluster((line) => figures.push(line));
    const began = performance.now();
    await cluster.importImages(imagesFile());
    figures.push(`the images are imported after ${secondsSince(began)}`);
    release = new Release(cluster, NAMESPACE, OPTIONAL_PARTS);
    await release.createNamespace();
    await release.createFilesClaim();
  });
  after(async () => {
    await receiver.close();
    await metrics?.[Symbol.asyncDispose]();
    await run?.[Symbol.asyncDispose]();
    for (const line of figures) printFigure(line);
  });

  describe("refuses bad input with one error, and changes nothing", () => {
    afterEach(async () => {
      expect(await release.objects()).to.deep.equal([]);
    });

    it("a Secret that is missing", async () => {
      const error = await refusalOf(release.install());
      expect(error).to.include(
        "the Secret parley-gateway lacks gateway.seed, invite-key, dev-secret",
      );
      await release.createSecrets();
    });

    it("a key that is unknown", async () => {
      const error = await refusalOf(release.install({ gatway: { replicas: 3 } }));
      expect(error)
        .to.include("gatway")
        .and.match(/not allowed/);
    });

    it("auth without a choice", async () => {
      const error = await refusalOf(release.install({ auth: "" }));
      expect(error).to.include("auth is not chosen: set auth=jwks");
    });

    it("a claim that is too small", async () => {
      const error = await refusalOf(release.install({ nats: { claim: { size: "1Gi" } } }));
      expect(error).to.include("nats.claim.size: 1Gi is too small");
    });

    it("a PostgreSQL that does not exist, before any part is installed", async () => {
      const url = "postgres://no-such-host.example:5432/parley";
      const error = await refusalOf(release.install({ postgres: { url } }));
      expect(error).to.include("failed pre-install").and.include("parley-migrate failed");
      const log = await release.kubectl("logs", "job/parley-migrate");
      expect(log).to.include("the schema could not be migrated");
      const others = (await release.objects()).filter((name) => !/^(job|pod)/.test(name));
      expect(others).to.deep.equal([]);
      await release.uninstall();
      await release.kubectl("delete", "job", "parley-migrate");
    });
  });

  // In a suite of its own: mocha runs the tests of a suite before its inner suites.
  describe("from installation to uninstallation", () => {
    it("installs three NATS servers, PostgreSQL and all services", async () => {
      const began = performance.now();
      await release.install();
      figures.push(`helm install --wait: ${secondsSince(began)}`);
      const ready = await Promise.all(COMPONENTS.map((name) => release.readyPods(name)));
      expect(ready).to.deep.equal([2, 2, 2, 3, 1]);
      const parts = [release.readyPods("webhooks"), release.readyPods("operator")];
      expect(await Promise.all(parts)).to.deep.equal([1, 1]);
    });

    it("serves clients through the Service", async () => {
      run = await RecordedRun.begin(release.url);
      await run.step("chat", async () => {
        const { acked } = run.load.state;
        await until(() => run.load.state.acked > acked + 100, {
          withinMs: WITHIN_MS,
          what: "a hundred acknowledgements",
        });
      });
    });

    it("sends the events of a room to a back end", async () => {
      await receiver.subscribe(release.url, [HOOKED]);
      await nextDelivery();
    });

    it("shows all services to an administrator", async () => {
      await readAdminPage({ page: release.adminPage, gateway: release.url }, SERVICES);
    });

    it("passes a file from one user to another", async () => {
      await passFile([release.url]);
    });

    for (const component of COMPONENTS) {
      it(`continues when a pod of ${component} is killed`, async () => {
        await run.step(`kill ${component}`, () => release.crash(component));
      });
    }

    it("upgrades all services and NATS under load, and rolls back", async () => {
      const memory = { limits: { memory: "900Mi" } };
      await run.step("upgrade", () =>
        release.upgrade({
          image: { tag: NEXT_TAG },
          nats: { resources: memory },
        }),
      );
      expect(await release.images("gateway")).to.deep.equal([`${IMAGE.repository}:${NEXT_TAG}`]);
      await run.step("rollback", () => release.rollback(1));
      expect(await release.images("gateway")).to.deep.equal([`${IMAGE.repository}:${IMAGE.tag}`]);
    });

    it("keeps the pods of gateways when an upgrade turns autoscaling on", async () => {
      metrics = await Metrics.serve(cluster, NAMESPACE, "parley_gateway_connections");
      let least = 2;
      const count = async (): Promise<void> => {
        least = Math.min(least, await release.wantedPods("gateway"));
      };
      const counting = setInterval(() => void count(), COUNT_EVERY_MS);
      await run.step("autoscaling on", () => release.upgrade(scaledFrom(2)));
      clearInterval(counting);
      expect(least).to.equal(2);
    });

    it("scales gateways from one pod to four and back by the connections of clients", async () => {
      await run.step("2 → 1", async () => {
        await release.upgrade(scaledFrom(1));
        await podsBecome(1);
      });
      await run.step("1 → 4", async () => {
        await run.load.addGuests(GUESTS);
        await until(async () => (await release.wantedPods("gateway")) > 1, {
          withinMs: WITHIN_MS,
          everyMs: LOOK_EVERY_MS,
          what: "the autoscaler to decide",
        });
        const decided = performance.now();
        await until(async () => (await release.readyPods("gateway")) > 1, {
          withinMs: WITHIN_MS,
          everyMs: LOOK_EVERY_MS,
          what: "the second pod to serve",
        });
        figures.push(`autoscaler's decision → a pod that serves: ${secondsSince(decided)}`);
        await podsBecome(PODS_MAX);
      });
      await run.step("4 → 1", async () => {
        await run.load.removeGuests();
        await podsBecome(1);
      });
    });

    it("still sends webhooks, shows the admin page and passes files after all of it", async () => {
      await nextDelivery();
      expect(receiver.forged).to.equal(0);
      await readAdminPage({ page: release.adminPage, gateway: release.url }, SERVICES);
      await passFile([release.url]);
    });

    it("loses, doubles and reorders no message in any step", async () => {
      const report = await run.judge(release.dumpSource());
      for (const { fault, ackMs } of report.faults) {
        figures.push(`${fault}: longest wait of a sender ${ackMs.max} ms`);
      }
      const { sent, acked, unknown, violations } = report.counts;
      figures.push(
        `${sent} sent, ${acked} acknowledged, ${unknown} unknown, ${violations} violations`,
      );
      expect(violations, reportText(report)).to.equal(0);
      expect(acked).to.equal(sent);
      expect(run.load.state.surprises).to.deep.equal([]);
    });

    it("leaves nothing but claims when it is uninstalled", async () => {
      await release.uninstall();
      await until(async () => (await release.objects()).every((name) => /claim/.test(name)), {
        withinMs: WITHIN_MS,
        everyMs: LOOK_EVERY_MS,
        what: "all objects but claims to be gone",
      });
      expect(await release.objects()).to.have.length(4);
    });
  });

  /** hook-receiver.2: each one has a valid signature. */
  async function nextDelivery(): Promise<void> {
    const before = delivered.length;
    await until(() => delivered.length > before, { withinMs: WITHIN_MS, what: "a webhook" });
  }

  async function podsBecome(count: number): Promise<void> {
    await until(
      async () => {
        const pods = await release.pods("gateway");
        return pods.length === count && (await release.readyPods("gateway")) === count;
      },
      { withinMs: WITHIN_MS, everyMs: LOOK_EVERY_MS, what: `${count} pods of gateways` },
    );
  }
});

function secondsSince(began: number): string {
  return `${((performance.now() - began) / 1_000).toFixed(1)} s`;
}
