// The modules, checked by the real OpenTofu: format, references and types, and the tests of each
// module with a stand-in for the provider. verify/ applies them to a real cluster.

import { expect } from "chai";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { helmOrSkip, render } from "../../helm/test/chart.ts";
import { TofuWorkspace, tofuOrSkip } from "./workspace.ts";
import type { TofuResult } from "./workspace.ts";

const TWO_GO_BUILDS_MS = 60 * 60_000;
const MODULES = ["modules/cluster", "modules/dr"];
/** Examples whose providers are in the mirror. */
const EXAMPLES = ["examples/google/parley"];
const INPUTS = {
  kubeconfig: "kubeconfig",
  namespace: "chat",
  image: { repository: "registry.example/parley" },
  auth: "dev",
  origins: ["http://localhost:8080"],
  keys_folder: "keys",
};

/** Sets of inputs whose values the chart must accept. */
const SETS: Readonly<Record<string, object>> = {
  "the smallest inputs": {},
  "each input": {
    auth: "jwks",
    jwks: {
      url: "https://issuer.example/keys?a=1&b=<2>",
      issuer: "https://issuer.example",
      audience: "chat",
    },
    oidc: { client_id: "web", scope: "openid email", origins: ["https://login.example"] },
    origins: ["https://chat.example", "https://b.example"],
    trusted_proxies: ["10.0.0.0/8", "fd00::/8"],
    replicas: { gateway: 12, room: 3 },
    autoscaling: { gateway: { min: 3, max: 40 }, room: { min: 1, max: 2 } },
    resources: { room: { requests: { cpu: "20m" }, limits: { memory: "1Gi" } } },
    partitions: 64,
    nats: { log_size: "128Mi", claim_size: "100Gi", storage_class: "fast", one_node: true },
    postgres: { url: "postgres://db.example:5432/chat?sslmode=verify-full", owner: "a" },
    service: { type: "LoadBalancer", port: 8080, annotations: { "a.example/b": "c" } },
    monitoring: { release: "prometheus" },
    webhooks: {
      allow: ["10.0.0.0/8"],
      http: true,
      link_previews: true,
      link_previews_allow: ["192.168.7.0/24"],
    },
    operator: {
      origins: ["https://admin.example"],
      oidc_client_id: "admin-page",
      administrators: [{ podSelector: { matchLabels: { app: "ingress" } } }],
    },
    attachments: { store: "s3", s3_url: "https://s3.example/chat?a=1&b=2", s3_region: "eu-1" },
    search_language: "german",
    environment: { persistence: { LOG_KEEP_HOURS: "720" }, gateway: { REVOCATIONS_WAIT_S: "5" } },
    tracing_endpoint: "http://collector.example:4318",
    image: { repository: "registry.example/parley", tag: "1.2.3", pull_policy: "Always" },
  },
};
const FORMAT = ["fmt", "-check", "-recursive", "-diff", "-no-color"];
const test = (file: string): string[] => [
  "test",
  "-test-directory=test",
  `-filter=test/${file}`,
  "-no-color",
];

describe("The OpenTofu modules", function () {
  this.timeout(TWO_GO_BUILDS_MS);
  let workspace: TofuWorkspace | undefined;
  let planted: TofuWorkspace | undefined;
  let formatted: Promise<TofuResult>;
  let plantedFormat: Promise<TofuResult>;
  let plantedTest: Promise<TofuResult>;
  let values: Promise<ReadonlyMap<string, TofuResult>>;
  const validated = new Map<string, Promise<TofuResult>>();
  const tested = new Map<string, Promise<TofuResult>[]>();

  /** Starts all runs: none waits for the result of another one. */
  before(async function () {
    const here = new TofuWorkspace(await tofuOrSkip(this));
    workspace = here;
    const folders = [...MODULES, ...EXAMPLES];
    const inits = folders.map((folder) =>
      here.run(folder, ["init", "-backend=false", "-no-color"]),
    );
    for (const { ok, output } of await Promise.all(inits)) expect(ok, output).to.equal(true);
    planted = here.copy();
    for (const module of MODULES) {
      const files = readdirSync(join(here.folder, module, "test"));
      const tests = files.filter((file) => file.endsWith(".tftest.hcl"));
      tested.set(
        module,
        tests.map((file) => here.run(module, test(file))),
      );
    }
    plantedTest = testWithPlantedError(planted);
    values = valuesOf(here);
    for (const folder of folders)
      validated.set(folder, here.run(folder, ["validate", "-no-color"]));
    formatted = here.run(".", FORMAT);
    plantedFormat = planted.run(".", FORMAT);
  });
  after(async () => {
    const runs = [...validated.values(), ...[...tested.values()].flat()];
    await Promise.all([...runs, formatted, plantedFormat, plantedTest, values]);
    workspace?.remove();
    planted?.remove();
  });

  it("are formatted, and the check finds a planted error", async () => {
    const { ok, output } = await formatted;
    expect(ok, output).to.equal(true);
    const found = await plantedFormat;
    expect(found.ok).to.equal(false);
    expect(found.output).to.contain("planted.tf");
  });

  for (const example of EXAMPLES) {
    it(`${example} is valid`, async () => {
      const { ok, output } = await validated.get(example)!;
      expect(ok, output).to.equal(true);
    });
  }

  for (const module of MODULES) {
    it(`${module} is valid, and passes its tests`, async () => {
      const { ok, output } = await validated.get(module)!;
      expect(ok, output).to.equal(true);
      const runs = await Promise.all(tested.get(module)!);
      expect(runs.length).to.be.greaterThan(0);
      for (const run of runs) {
        expect(run.ok, run.output).to.equal(true);
        expect(run.output).to.match(/Success! [1-9]\d* passed, 0 failed/);
      }
    });
  }

  it("modules/dr gives both regions the same inputs", () => {
    const text = readFileSync(join(workspace!.folder, "modules/dr/main.tf"), "utf8");
    const [first, second] = [...text.matchAll(/^module "(\w+)" \{\n([^]*?)^\}/gm)];
    expect([first![1], second![1]]).to.deep.equal(["first", "second"]);
    expect(second![2]).to.equal(first![2]!.replaceAll(".first", ".second"));
  });

  it("fail their tests when the module ignores an input", async () => {
    const { ok, output } = await plantedTest;
    expect(ok).to.equal(false);
    expect(output).to.contain("The chart gets the pods of each service.");
  });

  it("give Helm values that the chart accepts, with the checksum that the chart renders", async function () {
    const helm = await helmOrSkip(this);
    for (const [name, { ok, output }] of await values) {
      expect(ok, `${name}: ${output}`).to.equal(true);
      const [encoded, checksum] = output
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as string);
      const chart = JSON.parse(Buffer.from(encoded!, "base64").toString()) as object;
      const objects = await render(helm, chart);
      const release = objects.find(({ metadata }) => metadata.name === "parley-release");
      expect(release?.data?.["values"], name).to.equal(checksum);
    }
  });
});

/** A file with another format, and a module that ignores an input. */
function testWithPlantedError(planted: TofuWorkspace): Promise<TofuResult> {
  writeFileSync(join(planted.folder, "planted.tf"), 'variable   "planted" {}\n');
  const file = join(planted.folder, "modules/cluster/values.tf");
  const text = readFileSync(file, "utf8");
  const changed = text.replace("= var.replicas.gateway\n", "= 2\n");
  expect(changed).to.not.equal(text);
  writeFileSync(file, changed);
  return planted.run("modules/cluster", test("plan.tftest.hcl"));
}

/** The values that the module makes of each set of inputs, and their checksum. */
async function valuesOf(workspace: TofuWorkspace): Promise<ReadonlyMap<string, TofuResult>> {
  const values = new Map<string, TofuResult>();
  // One after the other: each run locks the state of the folder.
  for (const [name, inputs] of Object.entries(SETS)) {
    const file = join(workspace.folder, "modules/cluster/inputs.tfvars.json");
    writeFileSync(file, JSON.stringify({ ...INPUTS, ...inputs }));
    const words = ["console", "-no-color", "-var-file=inputs.tfvars.json"];
    const input = "base64encode(local.values_json)\nlocal.values_checksum\n";
    values.set(name, await workspace.run("modules/cluster", words, input));
  }
  return values;
}
