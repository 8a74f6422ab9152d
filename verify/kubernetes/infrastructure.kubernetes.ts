// The OpenTofu module `cluster` on a real cluster: apply, chat, change under load, find changes
// that were made without it, destroy.

import { expect } from "chai";
import { startCluster } from "./cluster.ts";
import type { KubernetesCluster } from "./cluster.ts";
import { IMAGE, imagesFile } from "./images.ts";
import { RecordedRun } from "./recorded-run.ts";
import { TofuRelease } from "./tofu.ts";

const PARTITIONS = 4;
const SMALL = { requests: { cpu: "20m", memory: "64Mi" }, limits: { memory: "1Gi" } };
const INPUTS = {
  image: { ...IMAGE, pull_policy: "Never" },
  auth: "dev",
  origins: ["http://localhost:8080"],
  partitions: PARTITIONS,
  replicas: { gateway: 1, room: 1, persistence: 1 },
  resources: { gateway: SMALL, room: SMALL, persistence: SMALL, nats: SMALL, postgres: SMALL },
  nats: { log_size: "64Mi", claim_size: "2Gi", one_node: true },
  postgres: { claim_size: "2Gi" },
  deletion_protection: false,
};

describe("The OpenTofu module cluster on Kubernetes", () => {
  let cluster: KubernetesCluster;
  let release: TofuRelease;
  const replicas = (name: string): Promise<string> =>
    release.kubectl("get", `deployment/parley-${name}`, "--output=jsonpath={.spec.replicas}");
  const logLevel = async (): Promise<string> => {
    const env = await release.kubectl("get", "deployment/parley-room", "--output=json");
    return /"LOG_LEVEL",\s*"value": "(\w+)"/.exec(env)?.[1] ?? "";
  };

  before(async () => {
    cluster = await startCluster();
    await cluster.importImages(imagesFile());
    release = await TofuRelease.create(cluster, "as-code");
    release.write(INPUTS);
    await release.tofu("init", "-no-color");
  });

  it("refuses a wrong input before anything changes", async () => {
    release.write({ ...INPUTS, replicas: { gateway: 0 } });
    const refused = await release.plan().catch((error: unknown) => String(error));
    expect(refused).to.contain("replicas: expected whole numbers from 1 to 1000.");
    release.write(INPUTS);
    expect(await cluster.kubectl("get", "namespace", "as-code", "--ignore-not-found")).to.equal("");
  });

  it("applies a plan; the second plan is empty, and no secret is stored", async () => {
    expect((await release.plan()).isEmpty).to.equal(false);
    await release.apply();
    const { isEmpty, output } = await release.plan();
    expect(isEmpty, output).to.equal(true);
    const secrets = release.secrets();
    expect([...secrets.keys()]).to.include.members(["room.seed", "postgres-password"]);
    for (const [file, secret] of secrets) {
      expect(release.stored().includes(secret), file).to.equal(false);
    }
  });

  it("scales room nodes while clients chat through the Service, and loses no message", async () => {
    await using run = await RecordedRun.begin(release.url);
    await run.step("a second room node by apply", async () => {
      release.write({ ...INPUTS, replicas: { gateway: 1, room: 2, persistence: 1 } });
      await release.apply();
    });
    expect(await replicas("room")).to.equal("2");
    await run.step("one room node by apply", async () => {
      release.write(INPUTS);
      await release.apply();
    });
    expect(await replicas("room")).to.equal("1");
    const report = await run.judge(release.dumpSource(PARTITIONS));
    expect(report.broken, JSON.stringify(report)).to.deep.equal([]);
  });

  it("finds another number of pods, and sets it", async () => {
    await release.kubectl("scale", "deployment/parley-gateway", "--replicas=2");
    const { isEmpty, output } = await release.plan();
    expect(isEmpty).to.equal(false);
    expect(output).to.contain('kubectl_manifest.deployment["gateway"] will be updated');
    await release.apply();
    expect(await replicas("gateway")).to.equal("1");
    expect((await release.plan()).isEmpty).to.equal(true);
  });

  it("finds another value of the release, and upgrades it", async () => {
    const chart = ["parley", "infra/helm/parley", "--reuse-values", "--set=logLevel=debug"];
    await release.helm("upgrade", ...chart, "--wait");
    expect(await logLevel()).to.equal("debug");
    expect((await release.plan()).isEmpty).to.equal(false);
    await release.apply();
    expect(await logLevel()).to.equal("info");
    expect((await release.plan()).isEmpty).to.equal(true);
  });

  it("finds a removed release, and installs it again", async () => {
    await release.helm("uninstall", "parley", "--wait");
    expect((await release.plan()).isEmpty).to.equal(false);
    await release.apply();
    expect(await replicas("gateway")).to.equal("1");
    expect((await release.plan()).isEmpty).to.equal(true);
  });

  it("destroys all of it, and leaves nothing", async () => {
    await release.destroy();
    expect(await cluster.kubectl("get", "namespace", "as-code", "--ignore-not-found")).to.equal("");
    expect(await release.tofu("state", "list")).to.equal("");
  });
});
