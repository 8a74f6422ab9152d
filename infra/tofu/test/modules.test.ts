// The modules, checked by the real OpenTofu: format, references and types, and the tests of each
// module with a stand-in for the provider. verify/ applies them to a real cluster.

import { expect } from "chai";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { helmOrSkip, render } from "../../helm/test/chart.ts";
import { TofuWorkspace, tofuOrSkip } from "./workspace.ts";

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

describe("The OpenTofu modules", function () {
  this.timeout(TWO_GO_BUILDS_MS);
  let workspace: TofuWorkspace;

  before(async function () {
    workspace = new TofuWorkspace(await tofuOrSkip(this));
    for (const module of [...MODULES, ...EXAMPLES]) {
      const { ok, output } = workspace.run(module, ["init", "-backend=false", "-no-color"]);
      expect(ok, output).to.equal(true);
    }
  });
  after(() => workspace?.remove());

  it("are formatted, and the check finds a planted error", () => {
    const words = ["fmt", "-check", "-recursive", "-diff", "-no-color"];
    const { ok, output } = workspace.run(".", words);
    expect(ok, output).to.equal(true);
    writeFileSync(join(workspace.folder, "planted.tf"), 'variable   "planted" {}\n');
    expect(workspace.run(".", words).ok).to.equal(false);
    writeFileSync(join(workspace.folder, "planted.tf"), "");
  });

  for (const example of EXAMPLES) {
    it(`${example} is valid`, () => {
      const { ok, output } = workspace.run(example, ["validate", "-no-color"]);
      expect(ok, output).to.equal(true);
    });
  }

  for (const module of MODULES) {
    it(`${module} is valid, and passes its tests`, () => {
      const validated = workspace.run(module, ["validate", "-no-color"]);
      expect(validated.ok, validated.output).to.equal(true);
      const tested = workspace.run(module, ["test", "-test-directory=test", "-no-color"]);
      expect(tested.ok, tested.output).to.equal(true);
      expect(tested.output).to.match(/Success! [1-9]\d* passed, 0 failed/);
    });
  }

  it("fail their tests when the module ignores an input", () => {
    const values = join(workspace.folder, "modules/cluster/values.tf");
    const text = readFileSync(values, "utf8");
    const planted = text.replace("= var.replicas.gateway\n", "= 2\n");
    expect(planted).to.not.equal(text);
    writeFileSync(values, planted);
    const words = ["test", "-test-directory=test", "-filter=test/plan.tftest.hcl", "-no-color"];
    const { ok, output } = workspace.run("modules/cluster", words);
    writeFileSync(values, text);
    expect(ok).to.equal(false);
    expect(output).to.contain("The chart gets the pods of each service.");
  });

  it("give Helm values that the chart accepts, with the checksum that the chart renders", async function () {
    const helm = await helmOrSkip(this);
    const sets: Readonly<Record<string, object>> = {
      "the smallest inputs": {},
      "each input": {
        auth: "jwks",
        jwks: {
          url: "https://issuer.example/keys?a=1&b=<2>",
          issuer: "https://issuer.example",
          audience: "chat",
        },
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
        tracing_endpoint: "http://collector.example:4318",
        image: { repository: "registry.example/parley", tag: "1.2.3", pull_policy: "Always" },
      },
    };
    for (const [name, inputs] of Object.entries(sets)) {
      const file = join(workspace.folder, "modules/cluster/inputs.tfvars.json");
      writeFileSync(file, JSON.stringify({ ...INPUTS, ...inputs }));
      const { ok, output } = workspace.run(
        "modules/cluster",
        ["console", "-no-color", "-var-file=inputs.tfvars.json"],
        "base64encode(local.values_json)\nlocal.values_checksum\n",
      );
      expect(ok, `${name}: ${output}`).to.equal(true);
      const [values, checksum] = output
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as string);
      const chart = JSON.parse(Buffer.from(values!, "base64").toString()) as object;
      const rendered = render(helm, chart).find(
        ({ metadata }) => metadata.name === "parley-release",
      );
      expect(rendered?.data?.["values"], name).to.equal(checksum);
    }
  });
});
