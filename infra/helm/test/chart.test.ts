// The rendered chart, read as data: what a container may do, which service reads which secret, how
// pods start and stop, which pod may reach which.

import { expect } from "chai";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureGoModule, FLAGGER_MODULE } from "#tools/programs/go-module.ts";
import { ensureGoProgram, KUBECONFORM } from "#tools/programs/go-program.ts";
import { ensureKubernetesSchemas } from "#tools/programs/kubernetes-schemas.ts";
import { runProgram } from "#tools/programs/short-runs.ts";
import type { RunResult } from "#tools/programs/short-runs.ts";
import { foundOrSkip } from "#tools/test-run/skip.ts";
import { readConfig } from "#shared/process/config.ts";
import { configSchema as gatewaySchema } from "../../../services/gateway/config.ts";
import { configSchema as regionSchema } from "../../../services/region/config.ts";
import { configSchema as roomSchema } from "../../../services/room/config.ts";
import { REPOSITORY } from "../../embedded/service-process.ts";
import { SECRETS } from "../secrets.ts";
import {
  componentOf,
  containersOf,
  environmentOf,
  helmOrSkip,
  ofKind,
  podsOf,
  RELEASE,
  render,
  runHelm,
  secretsMountedBy,
  VARIANTS,
} from "./chart.ts";
import type { KubernetesObject } from "./chart.ts";
import { writeCustomSchemas } from "./custom-schemas.ts";

const SERVICES = ["gateway", "room", "persistence"] as const;
const WITH_WEBHOOKS = "webhooks, with monitoring";
const WITH_OPERATOR = "the admin page, with monitoring";
/** Of a release: webhooks and the admin page run only where they are switched on. */
const servicesOf = (name: string): string[] => [
  ...SERVICES,
  ...(name.startsWith(WITH_WEBHOOKS) ? ["webhooks"] : []),
  ...(name.startsWith("the admin page") ? ["operator"] : []),
];
/** Services of one process have none: a budget would keep nothing in service. */
const hasBudget = (service: string): boolean => service !== "operator";
const ONE_GO_BUILD_MS = 30 * 60_000;
/** The Secret that each component mounts; the others mount none. */
const MOUNTS: Readonly<Record<string, keyof typeof SECRETS>> = {
  gateway: "gateway",
  room: "room",
  persistence: "persistence",
  webhooks: "webhooks",
  operator: "operator",
  migrate: "migrate",
  provision: "admin",
  nats: "nats",
  postgres: "postgres",
  region: "region",
};

const read = (path: string): string => readFileSync(join(REPOSITORY, path), "utf8");

/** STOP_DEADLINE_MS of a service's main.ts, in seconds. */
function stopDeadline(service: string): number {
  const text = read(`services/${service}/main.ts`);
  const match = /STOP_DEADLINE_MS = ([\d_]+)/.exec(text);
  return Number(match?.[1]?.replaceAll("_", "")) / 1_000;
}

describe("The Helm chart", function () {
  this.timeout(ONE_GO_BUILD_MS);
  const releases = new Map<string, KubernetesObject[]>();
  let helm = "";
  const release = (name: string): KubernetesObject[] => releases.get(name)!;

  before(async function () {
    helm = await helmOrSkip(this);
    const renders = Object.entries(VARIANTS).flatMap(([name, values]) => [
      [name, render(helm, values)] as const,
      [`${name}, upgraded`, render(helm, values, ["--is-upgrade"])] as const,
    ]);
    for (const [name, objects] of renders) releases.set(name, await objects);
  });

  it("passes helm lint with every set of values", async () => {
    const lints = Object.entries(VARIANTS).map(async ([name, values]) => {
      const { ok, output, errors } = await runHelm(helm, "lint", values, ["--strict"]);
      expect(ok, `${name}: ${output}${errors}`).to.equal(true);
    });
    await Promise.all(lints);
  });

  it("fits the schemas of Kubernetes, and the check finds a planted error", async function () {
    const [kubeconform, schemas, flagger] = await foundOrSkip(
      this,
      Promise.all([
        ensureGoProgram(KUBECONFORM),
        ensureKubernetesSchemas(),
        ensureGoModule(FLAGGER_MODULE),
      ]),
    );
    const custom = mkdtempSync(join(tmpdir(), "parley-schemas-"));
    writeCustomSchemas(`${flagger}/artifacts/flagger/crd.yaml`, custom);
    const locations = [
      `${schemas}/{{.ResourceKind}}{{.KindSuffix}}`,
      `${custom}/{{.ResourceKind}}`,
    ];
    // The schemas of the Prometheus Operator's kinds come in no package.
    const skipped = ["-skip", "ServiceMonitor,PrometheusRule"];
    const sources = locations.flatMap((location) => ["-schema-location", `${location}.json`]);
    // Each of several threads would read every schema itself, which takes three times as long.
    const args = ["-strict", "-n", "1", ...skipped, ...sources];
    const check = (texts: readonly string[]): Promise<RunResult> =>
      runProgram(kubeconform, args, { input: texts.join("\n---\n") });
    // Most objects are the same in several releases.
    const objects = new Set([...releases.values()].flat().map((object) => JSON.stringify(object)));
    const { status, stdout } = await check([...objects]);
    expect(status, stdout).to.equal(0);
    for (const kind of ["Deployment", "Canary"]) {
      const [object] = ofKind(release("a canary"), kind);
      const planted = { ...object, spec: { ...object?.spec, replica: 1 } };
      expect((await check([JSON.stringify(planted)])).status, kind).to.equal(1);
    }
    rmSync(custom, { recursive: true });
  });

  it("gives every container no root, no capability, a read-only root, seccomp and no token", () => {
    for (const [name, objects] of releases) {
      const pods = podsOf(objects);
      expect(pods.length, name).to.be.at.least(5);
      for (const [component, pod] of pods) {
        const what = `${name}: ${component}`;
        expect(pod.automountServiceAccountToken, what).to.equal(false);
        expect(pod.serviceAccountName, what).to.equal(undefined);
        expect(pod.securityContext, what).to.deep.include({
          runAsNonRoot: true,
          seccompProfile: { type: "RuntimeDefault" },
        });
        expect(pod.securityContext["runAsUser"], what).to.be.greaterThan(0);
        for (const container of containersOf(pod)) {
          expect(container.securityContext, what).to.deep.equal({
            allowPrivilegeEscalation: false,
            privileged: false,
            readOnlyRootFilesystem: true,
            runAsNonRoot: true,
            capabilities: { drop: ["ALL"] },
            seccompProfile: { type: "RuntimeDefault" },
          });
          expect(container.resources.limits, what).to.have.property("memory");
          expect(container.resources.requests, what).to.have.keys("cpu", "memory");
        }
      }
    }
  });

  it("X4: a pod mounts only the Secret of its own service, with the files that it reads", () => {
    for (const [name, objects] of releases) {
      for (const [component, pod] of podsOf(objects)) {
        const service = MOUNTS[component]!;
        const mounted = secretsMountedBy(pod);
        const usesBucket =
          name.startsWith("attachments in S3") && /gateway|persistence/.test(component);
        expect(Object.keys(mounted), `${name}: ${component}`).to.deep.equal([
          `${RELEASE}-${service}`,
          ...(usesBucket ? [`${RELEASE}-attachments`] : []),
        ]);
        const files: readonly string[] = SECRETS[service];
        for (const file of mounted[`${RELEASE}-${service}`]!) expect(files).to.include(file);
        for (const container of containersOf(pod)) {
          const mount = container.volumeMounts.find(({ name: volume }) =>
            /secrets|config/.test(volume),
          );
          if (mount !== undefined) expect(mount.readOnly).to.equal(true);
        }
      }
      expect(ofKind(objects, "Secret"), name).to.deep.equal([]);
    }
    const gateway = podsOf(release("auth=jwks")).find(([component]) => component === "gateway")!;
    expect(secretsMountedBy(gateway[1])).to.deep.equal({
      "parley-gateway": ["gateway.seed", "invite-key"],
    });
    const migrate = (name: string): string[] =>
      Object.values(secretsMountedBy(new Map(podsOf(release(name))).get("migrate")!)).flat();
    expect(migrate("auth=jwks")).to.not.include("postgres-webhooks-password");
    expect(migrate(WITH_WEBHOOKS)).to.deep.equal(SECRETS.migrate);
  });

  it("X4: every path below /secrets in the environment is mounted, and no value is a secret", () => {
    for (const [name, objects] of releases) {
      for (const [component, pod] of podsOf(objects)) {
        const files = Object.values(secretsMountedBy(pod)).flat();
        const variables = pod.containers.flatMap((one) => Object.entries(environmentOf(one)));
        for (const [variable, value] of variables) {
          const what = `${name}: ${component} ${variable}`;
          expect(value, what).to.not.match(/:\/\/[^/]*:[^/]*@/);
          if (!/PASSWORD|SECRET|SEED|NKEY|INVITE_KEY/.test(variable)) continue;
          const paths = ["/owned/dev-secret", ...files.map((file) => `/secrets/${file}`)];
          expect(paths, what).to.include(value);
        }
      }
    }
  });

  it("S9: the environment is valid for each service; with auth=jwks a gateway is in production", () => {
    for (const [name, objects] of releases) {
      const pods = new Map(podsOf(objects));
      // The key of the bucket is a file of the Secret.
      const { ATTACHMENTS_S3_SECRET_KEY_FILE: _, ...gateway } = environmentOf(
        pods.get("gateway")!.containers[0]!,
      );
      const { AUTH, NODE_ENV, ...config } = readConfig(gatewaySchema, gateway);
      if (AUTH === "jwks") {
        expect(config.OIDC_CLIENT_ID, name).to.equal("web");
        expect(config.OIDC_SCOPE, name).to.equal("openid profile offline_access");
        expect(config.OIDC_ORIGINS, name).to.deep.equal(["https://login.example"]);
      }
      expect(NODE_ENV, name).to.equal(AUTH === "jwks" ? "production" : "development");
      readConfig(roomSchema, environmentOf(pods.get("room")!.containers[0]!));
      const { DATABASE_URL, NATS_TRIM_NKEY_FILE } = environmentOf(
        pods.get("persistence")!.containers[0]!,
      );
      expect(new URL(DATABASE_URL!).username, name).to.equal("parley_serving");
      expect(NATS_TRIM_NKEY_FILE, name).to.equal("/secrets/trimmer.seed");
      const migrate = environmentOf(pods.get("migrate")!.containers[0]!);
      expect(new URL(migrate["DATABASE_URL"]!).username, name).to.equal("parley");
      expect(migrate["DATABASE_SERVING_ROLE"], name).to.equal("parley_serving");
    }
  });

  it("gives the heap of each service and job 60 % of the memory limit of its container", () => {
    for (const [name, objects] of releases) {
      for (const [component, pod] of podsOf(objects)) {
        if (
          ![...SERVICES, "webhooks", "operator", "region", "provision", "migrate"].includes(
            component,
          )
        )
          continue;
        const { resources, ...container } = pod.containers[0]!;
        const { memory } = resources.limits as { readonly memory: string };
        const mebibytes = parseInt(memory) * (memory.endsWith("Gi") ? 1_024 : 1);
        const { NODE_OPTIONS } = environmentOf({ ...container, resources });
        const heap = `--max-old-space-size=${Math.floor(0.6 * mebibytes)}`;
        const flags = `${heap} --max-semi-space-size=16`;
        expect(NODE_OPTIONS, `${name}: ${component}`).to.equal(flags);
      }
    }
  });

  it("passes the URLs of an own NATS and PostgreSQL on, and brings no server", () => {
    const objects = release("an own NATS and an own PostgreSQL");
    expect(ofKind(objects, "StatefulSet")).to.deep.equal([]);
    const pods = new Map(podsOf(objects));
    const { NATS_URL, DATABASE_URL, DATABASE_REPLICA_URL } = environmentOf(
      pods.get("persistence")!.containers[0]!,
    );
    expect(NATS_URL).to.equal("tls://nats-a.example:4333,tls://nats-b.example");
    expect(DATABASE_URL).to.equal(
      "postgres://parley_serving@db.example:6543/chat?sslmode=verify-full",
    );
    expect(DATABASE_REPLICA_URL).to.equal(
      "postgres://parley_serving@copy.example:6544/chat?sslmode=verify-full",
    );
  });

  it("gives each process of a region its name, and starts one agent of it", () => {
    const objects = release("one of two regions");
    const pods = new Map(podsOf(objects));
    for (const service of [...SERVICES, "region", "provision"]) {
      const { REGION } = environmentOf(pods.get(service)!.containers[0]!);
      expect(REGION, service).to.equal("east");
    }
    const agent = ofKind(objects, "Deployment").find((one) => componentOf(one) === "region")!;
    expect(agent.spec.replicas).to.equal(1);
    expect(agent.spec.strategy).to.deep.equal({ type: "Recreate" });
    const environment = environmentOf(pods.get("region")!.containers[0]!);
    // The password is a file of the Secret.
    const { DATABASE_PASSWORD_FILE: _, ...readable } = environment;
    const config = readConfig(regionSchema, readable);
    expect(config).to.include({
      REGION: "east",
      PEER_REGION: "west",
      WITNESS_URL: "tls://witness.example:4444",
      WITNESS_NKEY_FILE: "/secrets/witness.seed",
      AUTO_PROMOTE: "0",
      NATS_REPLICAS: 3,
    });
    const {
      DATABASE_PASSWORD_FILE: __,
      PEER_DATABASE_PASSWORD_FILE: peer,
      ...ofHome
    } = environmentOf(
      new Map(podsOf(release("one of two regions that both serve"))).get("region")!.containers[0]!,
    );
    expect(peer).to.equal("/secrets/peer-postgres-password");
    expect(readConfig(regionSchema, ofHome)).to.include({
      HOMES: "1",
      PEER_DATABASE_URL: "postgres://parley@db.west.example:6544/chat?sslmode=verify-full",
    });
    for (const [component, pod] of podsOf(release("auth=jwks"))) {
      expect(component).to.not.equal("region");
      for (const one of pod.containers) expect(environmentOf(one)).to.not.have.property("REGION");
    }
  });

  it("starts each process with a startup probe, and gives it a readiness and a liveness probe", () => {
    for (const [name, objects] of releases) {
      for (const [component, pod] of podsOf(objects)) {
        if (component === "provision" || component === "migrate") continue;
        for (const { startupProbe, readinessProbe, livenessProbe } of pod.containers) {
          for (const probe of [startupProbe, readinessProbe, livenessProbe]) {
            const action = probe?.httpGet ?? probe?.exec;
            expect(action, `${name}: ${component}`).to.be.an("object");
          }
          if (!servicesOf(name).includes(component)) continue;
          // Readiness fails while a gateway drains; liveness does not.
          expect(startupProbe?.httpGet).to.deep.equal({ path: "/readyz", port: "metrics" });
          expect(readinessProbe?.httpGet).to.deep.equal({ path: "/readyz", port: "metrics" });
          expect(livenessProbe?.httpGet).to.deep.equal({ path: "/healthz", port: "metrics" });
        }
      }
    }
  });

  it("E10: a pod's grace period is longer than its time before SIGTERM and its stop deadline", async () => {
    const renders = [0, 5, 120].map(
      (preStopSeconds) =>
        [preStopSeconds, render(helm, { auth: "dev", gateway: { preStopSeconds } })] as const,
    );
    for (const [preStopSeconds, objects] of renders) {
      const pods = new Map(podsOf(await objects));
      for (const service of SERVICES) {
        const { terminationGracePeriodSeconds: grace, containers } = pods.get(service)!;
        const before = Number(containers[0]!.lifecycle?.preStop.exec.command[1] ?? 0);
        expect(before, service).to.equal(service === "gateway" ? preStopSeconds : 0);
        expect(stopDeadline(service), service).to.be.greaterThan(10);
        expect(grace, service).to.be.greaterThan(before + stopDeadline(service));
      }
    }
    const webhooks = new Map(podsOf(release(WITH_WEBHOOKS))).get("webhooks")!;
    expect(webhooks.terminationGracePeriodSeconds).to.equal(stopDeadline("webhooks") + 5);
    const operator = new Map(podsOf(release(WITH_OPERATOR))).get("operator")!;
    expect(operator.terminationGracePeriodSeconds).to.equal(stopDeadline("operator") + 5);
  });

  it("replaces a pod only after the new one is ready, and one pod of each kind may be disrupted", () => {
    for (const [name, objects] of releases) {
      for (const object of ofKind(objects, "Deployment")) {
        const { metadata, spec } = object;
        if (componentOf(object) === "region") continue; // Never two agents.
        expect(spec.strategy, `${name}: ${metadata.name}`).to.deep.equal({
          type: "RollingUpdate",
          rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
        });
      }
      const budgets = ofKind(objects, "PodDisruptionBudget");
      const nats = ofKind(objects, "StatefulSet").some((object) => componentOf(object) === "nats");
      expect(budgets.map(componentOf), name).to.have.members([
        ...servicesOf(name).filter(hasBudget),
        ...(nats ? ["nats"] : []),
      ]);
      for (const budget of budgets) {
        expect(budget.spec.maxUnavailable).to.equal(1);
        expect(budget.spec.selector.matchLabels).to.include({
          "app.kubernetes.io/component": componentOf(budget),
          "app.kubernetes.io/instance": RELEASE,
        });
      }
    }
  });

  it("spreads pods over nodes and zones; two NATS servers never share a node by default", async () => {
    const pods = new Map(podsOf(release(WITH_WEBHOOKS)));
    for (const service of servicesOf(WITH_WEBHOOKS)) {
      const constraints = pods.get(service)!.topologySpreadConstraints!;
      expect(constraints.map(({ topologyKey }) => topologyKey)).to.deep.equal([
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
      ]);
    }
    const [nats] = pods.get("nats")!.topologySpreadConstraints!;
    // Without minDomains, three servers may be on one node or on two, where there are no more.
    expect(nats).to.include({ maxSkew: 1, whenUnsatisfiable: "DoNotSchedule", minDomains: 3 });
    const one = new Map(
      podsOf(await render(helm, { auth: "dev", nats: { spread: "ScheduleAnyway" } })),
    );
    // Kubernetes refuses minDomains there.
    expect(one.get("nats")!.topologySpreadConstraints![0]).to.not.have.property("minDomains");
  });

  it("selects each pod by the labels of its own template", () => {
    for (const object of release("auth=jwks")) {
      const labels = object.spec?.template?.metadata.labels as unknown;
      const { matchLabels } = (object.spec?.selector ?? {}) as { matchLabels?: object };
      if (labels === undefined || matchLabels === undefined) continue;
      // Only the selector's labels: a new version of the chart restarts no NATS server by itself.
      expect(labels, object.metadata.name).to.deep.equal(matchLabels);
    }
  });

  it("runs three NATS servers with a claim each, and leaves replicas to the autoscaler", () => {
    const nats = release("auth=jwks").find(
      (object) => object.kind === "StatefulSet" && componentOf(object) === "nats",
    )!;
    expect(nats.spec.replicas).to.equal(3);
    expect(nats.spec.volumeClaimTemplates).to.have.length(1);
    const deployments = (name: string): unknown[] =>
      ofKind(release(name), "Deployment").map(({ spec }) => spec.replicas as unknown);
    expect(deployments("auth=jwks")).to.deep.equal([2, 2, 2]);
    expect(deployments("monitoring, tracing and autoscaling")).to.have.members([
      undefined,
      undefined,
      2,
    ]);
  });

  it("runs provision and migrate before anything changes where their server exists already", () => {
    const hooks = (name: string): (string | undefined)[] =>
      ofKind(release(name), "Job").map(({ metadata }) => metadata.annotations?.["helm.sh/hook"]);
    const before = "pre-install,pre-upgrade";
    expect(hooks("an own NATS and an own PostgreSQL")).to.deep.equal([before, before]);
    expect(hooks("auth=jwks, upgraded")).to.deep.equal([before, before]);
    // The servers of this chart do not run before its first installation.
    expect(hooks("auth=jwks")).to.deep.equal([undefined, undefined]);
    for (const { spec } of ofKind(release("auth=jwks"), "Job")) {
      expect(spec.template.spec.restartPolicy).to.equal("Never");
      expect(spec.backoffLimit).to.equal(10);
    }
    for (const { spec } of ofKind(release("auth=jwks, upgraded"), "Job")) {
      expect(spec.backoffLimit).to.equal(2);
    }
  });

  it("installs the image of the version in package.json", () => {
    const { version } = JSON.parse(read("package.json")) as { readonly version: string };
    const images = podsOf(release("auth=jwks")).flatMap(([, pod]) =>
      containersOf(pod).map(({ image }) => image),
    );
    expect([...new Set(images)]).to.have.members([
      `parley:${version}`,
      "nats:2.15.2-alpine",
      "postgres:18-bookworm",
    ]);
    // The same servers as in compose.
    for (const image of images.filter((one) => !one.startsWith("parley:"))) {
      expect(read("compose.yaml")).to.contain(`image: ${image}\n`);
    }
  });

  it("names every object of a release once", () => {
    for (const [name, objects] of releases) {
      const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
      expect(new Set(names).size, name).to.equal(names.length);
    }
  });

  it("leaves no test or program of this folder in the packaged chart", () => {
    const files = execFileSync("find", [join(REPOSITORY, "infra/helm/parley"), "-name", "*.ts"]);
    expect(files.toString()).to.equal("");
  });
});
