// The canary of gateways: what Flagger may own, and how its checks judge metrics.
//
// promtool evaluates each query on series of the pods of a canary, of the stable version and of
// another release.

import { expect } from "chai";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LATENCY_SECONDS } from "#shared/kit/histogram.ts";
import { whichOn } from "#tools/programs/programs.ts";
import { runProgram } from "#tools/programs/short-runs.ts";
import { skipTest } from "#tools/test-run/skip.ts";
import { REPOSITORY } from "../../embedded/service-process.ts";
import {
  CANARY,
  containersOf,
  helmOrSkip,
  JWKS,
  ofKind,
  podsOf,
  render,
  VARIANTS,
} from "./chart.ts";
import type { KubernetesObject } from "./chart.ts";

const read = (path: string): string => readFileSync(join(REPOSITORY, path), "utf8");
const NAME = "parley-gateway";
const CHECKS = ["sends", "connections", "errors", "lag", "restarts", "scrapes"] as const;
type Check = (typeof CHECKS)[number];
/** A check fails, passes, or finds too little to judge, which counts as a failure. */
type Verdict = "fails" | "passes" | "no evidence";

/** A metric with its labels → the values of a sample each 15 s, in the notation of promtool. */
type Series = Readonly<Record<string, string>>;

/** Names as Kubernetes makes them. */
const PODS = {
  canary: 'namespace="chat",pod="parley-gateway-5d8f7c9b6d-x2k4z"',
  stable: 'namespace="chat",pod="parley-gateway-primary-7b9c6f5d84-q8w7e"',
  room: 'namespace="chat",pod="parley-room-6f7d8c9b5d-a1b2c"',
  elsewhere: 'namespace="other",pod="parley-gateway-5d8f7c9b6d-x2k4z"',
} as const;
const STEADY = "1700000000x60";

/** Series of a gateway: 300 sends in 5 minutes, `slow` of them slower than 500 ms. */
function gateway(
  pod: keyof typeof PODS,
  {
    slow = 0,
    unavailable = 0,
    badIds = 0,
    sends = 15,
    refusals = 0,
    shed = 0,
    tokens = 10,
    crashes = 0,
    lag = 0.05,
    up = "1x60",
    started = STEADY,
  } = {},
): Series {
  const labels = PODS[pod];
  const series = (metric: string, label: string, each: number): [string, string] => [
    `parley_gateway_${metric}{${labels}${label}}`,
    `0+${each}x60`,
  ];
  return {
    ...Object.fromEntries([
      series("sends_total", ',outcome="ok"', sends),
      series("sends_total", ',outcome="unavailable"', unavailable),
      series("sends_total", ',outcome="bad_id"', badIds),
      series("send_seconds_bucket", ',le="0.5"', sends - slow),
      series("send_seconds_bucket", ',le="+Inf"', sends),
      series("errors_total", ',name="unavailable"', unavailable),
      series("errors_total", ',name="bad_id"', badIds),
      series("frames_in_total", "", 2 * sends + unavailable + badIds),
      series("closes_total", ',code="1012"', 5),
      series("closes_total", ',code="1006"', crashes),
      series("closes_total", ',code="4500"', refusals),
      series("shed_total", ',work="connection"', shed),
      series("shed_total", ',work="read"', 5),
      series("tokens_total", ',outcome="ok"', tokens),
    ]),
    [`process_start_time_seconds{${labels}}`]: started,
    [`up{${labels}}`]: up,
    [`nodejs_eventloop_lag_p99_seconds{${labels}}`]: `${lag}x60`,
  };
}

/** What happens in a gateway of the canary → the verdict of each check that does not pass. */
const CASES: readonly {
  readonly what: string;
  readonly series: Series;
  readonly expected: Partial<Record<Check, Verdict>>;
}[] = [
  { what: "a good canary", series: gateway("canary"), expected: {} },
  {
    what: "a good canary beside a stable version, a room node and another release that fail",
    series: {
      ...gateway("canary"),
      ...gateway("stable", { slow: 10, unavailable: 5, refusals: 5 }),
      ...gateway("room", { slow: 10, started: "1700000000x50 1700000200x10" }),
      ...gateway("elsewhere", { slow: 10 }),
    },
    expected: {},
  },
  {
    what: "acks that take longer than 500 ms",
    series: { ...gateway("canary", { slow: 1 }), ...gateway("stable") },
    expected: { sends: "fails" },
  },
  {
    what: "an event loop that stalls, which the time from a send's admission to its ack hides",
    series: { ...gateway("canary", { lag: 0.7 }), ...gateway("stable") },
    expected: { lag: "fails" },
  },
  {
    what: "an event loop that stalls longer than a scrape may take, so that its metrics are good",
    series: gateway("canary", { up: "1 1 0 ".repeat(20).trim() }),
    expected: { scrapes: "fails" },
  },
  {
    what: "sends that are refused with unavailable",
    series: gateway("canary", { unavailable: 1 }),
    expected: { sends: "fails", errors: "fails" },
  },
  {
    what: "errors of the senders themselves",
    series: gateway("canary", { badIds: 3 }),
    expected: {},
  },
  {
    what: "tokens that are refused",
    series: gateway("canary", { refusals: 2 }),
    expected: { connections: "fails" },
  },
  {
    what: "connections that an overloaded gateway refuses, some of them",
    series: gateway("canary", { shed: 1 }),
    expected: { connections: "fails" },
  },
  {
    what: "an overloaded gateway that refuses every connection",
    series: gateway("canary", { shed: 5, tokens: 0, sends: 0, lag: 0.7 }),
    expected: { connections: "fails", sends: "no evidence", errors: "no evidence", lag: "fails" },
  },
  {
    what: "connections that end with an exception",
    series: gateway("canary", { crashes: 1 }),
    expected: { connections: "fails" },
  },
  {
    what: "a process that exits and starts again",
    series: gateway("canary", { started: "1700000000x50 1700000700x10" }),
    expected: { restarts: "fails" },
  },
  {
    what: "no traffic: connections exist, and nothing is sent",
    series: gateway("canary", { sends: 0 }),
    expected: { sends: "no evidence", errors: "no evidence" },
  },
  {
    what: "a canary that Prometheus does not read",
    series: gateway("stable"),
    expected: {
      sends: "no evidence",
      errors: "no evidence",
      lag: "no evidence",
      restarts: "no evidence",
      scrapes: "no evidence",
    },
  },
];

describe("The Helm chart's canary", function () {
  this.timeout(30 * 60_000);
  let helm = "";
  let objects: KubernetesObject[] = [];
  const spec = (kind: string, name: string): KubernetesObject["spec"] =>
    ofKind(objects, kind).find(({ metadata }) => metadata.name === name)?.spec;

  before(async function () {
    helm = await helmOrSkip(this);
    objects = await render(helm, VARIANTS["a canary"]!);
  });

  it("without it there is no object of Flagger, and the Service reaches every gateway", async () => {
    const off = await render(helm, JWKS);
    expect(ofKind(off, "Canary")).to.deep.equal([]);
    expect(ofKind(off, "MetricTemplate")).to.deep.equal([]);
    expect(ofKind(off, "HorizontalPodAutoscaler")).to.deep.equal([]);
  });

  it("the selector is the same with and without it, because a selector cannot change", async () => {
    const variants = ["auth=jwks", "a canary", "a canary with autoscaling"];
    const releases = await Promise.all(variants.map((name) => render(helm, VARIANTS[name]!)));
    const selectors = releases.map((release) => {
      const deployments = ofKind(release, "Deployment");
      const deployment = deployments.find(({ metadata }) => metadata.name === NAME);
      return deployment!.spec.selector.matchLabels as unknown;
    });
    for (const selector of selectors) {
      expect(selector).to.deep.equal(selectors[0]).and.to.include({ app: NAME });
    }
    // Flagger makes the pods of the stable version apart by `app` alone, and it looks for this
    // label first. Every other label of a pod stays, so policies, budget and metrics cover both.
    for (const { kind, spec: other, metadata } of objects) {
      if (!["NetworkPolicy", "PodDisruptionBudget", "Service"].includes(kind)) continue;
      const labels = other.selector?.matchLabels ?? other.selector ?? other.podSelector.matchLabels;
      expect(labels, `${kind} ${metadata.name}`).to.not.have.property("app");
    }
  });

  it("leaves `replicas` to an autoscaler, which without autoscaling allows one number", async () => {
    expect(spec("Deployment", NAME)).to.not.have.property("replicas");
    const fixed = spec("HorizontalPodAutoscaler", NAME);
    expect([fixed.minReplicas, fixed.maxReplicas]).to.deep.equal([2, 2]);
    expect(spec("Canary", NAME).autoscalerRef.name).to.equal(NAME);
    const [scaled] = ofKind(
      await render(helm, VARIANTS["a canary with autoscaling"]!),
      "HorizontalPodAutoscaler",
    );
    expect([scaled!.spec.minReplicas, scaled!.spec.maxReplicas]).to.deep.equal([2, 10]);
    expect(scaled!.spec.metrics).to.have.length(2);
  });

  it("gateway.imageTag changes the pods of gateways alone", async () => {
    const changed = await render(helm, { ...JWKS, canary: CANARY, gateway: { imageTag: "9.9.9" } });
    const images = podsOf(changed).flatMap(([component, pod]) =>
      containersOf(pod).map(({ image }) => [component, image.endsWith(":9.9.9")] as const),
    );
    const others = images.filter(([component]) => component !== "gateway");
    expect(images.filter(([, isNew]) => isNew).map(([component]) => component)).to.deep.equal([
      "gateway",
    ]);
    expect(others.length).to.be.greaterThan(3);
  });

  it("walks the weights at the Gateway that the values name", async () => {
    const { service, analysis, provider } = spec("Canary", NAME);
    expect(provider).to.equal("gatewayapi:v1");
    expect(service.gatewayRefs).to.deep.equal([{ name: "web", namespace: "edge" }]);
    expect(service.hosts).to.deep.equal(["chat.example"]);
    expect(analysis.stepWeights).to.deep.equal([10, 25, 50, 100]);
    expect([analysis.interval, analysis.threshold]).to.deep.equal(["5m", 3]);
    const own = await render(helm, { ...JWKS, canary: { ...CANARY, gateway: { name: "web" } } });
    const [canary] = ofKind(own, "Canary");
    expect(canary!.spec.service.gatewayRefs).to.deep.equal([{ name: "web", namespace: "chat" }]);
  });

  it("E8: its checks read metrics that gateways have, and count the sends that the SLO counts", () => {
    const code = ["services/gateway/adapters/gateway-metrics.ts", "shared/process/metrics.ts"];
    const text = code.map(read).join("\n");
    const queries = ofKind(objects, "MetricTemplate").map((object) => object.spec.query as string);
    const names = queries.flatMap((query) => query.match(/\bparley_\w+/g) ?? []);
    expect(new Set(names).size).to.equal(7);
    for (const name of names) expect(text).to.contain(`"${name.replace(/_bucket$/, "")}"`);
    const [excluded] = /outcome!~"[^"]+"/.exec(read("infra/prometheus/rules.yml"))!;
    expect(queries.filter((query) => query.includes(excluded))).to.have.length(1);
    expect(read("infra/prometheus/rules.yml")).to.contain('send_seconds_bucket{le="0.5"}');
    const { canary } = JSON.parse(read("infra/helm/parley/values.schema.json")).properties as {
      canary: { properties: { slowSeconds: { enum: number[] } } };
    };
    expect(LATENCY_SECONDS).to.include.members(canary.properties.slowSeconds.enum);
  });

  describe("judged by promtool", () => {
    /** Case → what promtool prints when a check has another verdict. */
    let complaints: ReadonlyMap<string, Promise<string>>;

    before(function () {
      const promtool = whichOn(process.env["PATH"] ?? "", "promtool");
      if (promtool === undefined) {
        skipTest(this, "promtool was not found (Debian: apt-get install prometheus)");
      }
      const { metrics } = spec("Canary", NAME).analysis;
      const rules = (metrics as { name: Check; thresholdRange: { max: number } }[]).map(
        ({ name, thresholdRange }) => {
          const { query } = spec("MetricTemplate", `${NAME}-${name}`);
          const filled = (query as string).replaceAll("{{ interval }}", "5m");
          return { record: `check:${name}`, expr: `(${filled}) > bool ${thresholdRange.max}` };
        },
      );
      expect(rules).to.have.length(CHECKS.length);
      complaints = new Map(
        CASES.map(({ what, series, expected }) => {
          const verdicts = Object.fromEntries(
            CHECKS.map((check) => [check, expected[check] ?? "passes"]),
          );
          return [what, complaintsOf(promtool, rules, series, verdicts)];
        }),
      );
    });

    for (const { what } of CASES) {
      it(`judges ${what}`, async () => {
        expect(await complaints.get(what)!).to.equal("");
      });
    }
  });
});

/** What promtool prints when a rule has another value than its verdict. */
async function complaintsOf(
  promtool: string,
  rules: readonly object[],
  series: Series,
  verdicts: Readonly<Record<string, Verdict>>,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "parley-promtool-"));
  const write = (name: string, content: object): void =>
    writeFileSync(join(folder, name), JSON.stringify(content));
  write("rules.yml", { groups: [{ name: "checks", rules }] });
  const samples = (check: string, verdict: Verdict): object[] =>
    verdict === "no evidence"
      ? []
      : [{ labels: `check:${check}`, value: verdict === "fails" ? 1 : 0 }];
  write("test.yml", {
    rule_files: ["rules.yml"],
    evaluation_interval: "15s",
    tests: [
      {
        interval: "15s",
        input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
        promql_expr_test: Object.entries(verdicts).map(([check, verdict]) => ({
          expr: `check:${check}`,
          eval_time: "15m",
          exp_samples: samples(check, verdict),
        })),
      },
    ],
  });
  try {
    const words = ["test", "rules", "test.yml"];
    const { status, stdout, stderr } = await runProgram(promtool, words, { cwd: folder });
    return status === 0 ? "" : `${stdout}${stderr}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
