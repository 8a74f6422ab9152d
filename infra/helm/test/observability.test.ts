// What the chart gives to Prometheus, Grafana and the autoscaler.

import { expect } from "chai";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { REPOSITORY } from "../../embedded/service-process.ts";
import { componentOf, helmOrSkip, ofKind, render, VARIANTS } from "./chart.ts";
import type { KubernetesObject } from "./chart.ts";

const read = (path: string): string => readFileSync(join(REPOSITORY, path), "utf8");
const METRICS_OF = {
  gateway: ["services/gateway/adapters/gateway-metrics.ts", "shared/process/metrics.ts"],
  room: ["services/room/adapters/room-metrics.ts", "shared/process/metrics.ts"],
} as const;

interface AdapterRule {
  readonly seriesQuery: string;
  readonly name?: { readonly matches: string; readonly as: string };
}

/** The series behind a custom metric, by the rules of the adapter. */
function seriesBehind(metric: string, rules: readonly AdapterRule[]): string | undefined {
  return rules
    .map(({ seriesQuery, name }) => {
      const series = seriesQuery.replace(/\{.*$/, "");
      if (name === undefined) return { series, served: series };
      const replacement = name.as.replaceAll(/\$\{(\d)\}/g, "$$$1");
      return { series, served: series.replace(new RegExp(name.matches), replacement) };
    })
    .find(({ served }) => served === metric)?.series;
}

/** The values of the label `job` that a Prometheus gives to what it scrapes. */
function jobsOf(objects: readonly KubernetesObject[]): (string | undefined)[] {
  const [monitor] = ofKind(objects, "ServiceMonitor");
  const { jobLabel, selector, endpoints } = monitor!.spec;
  expect(endpoints).to.deep.equal([{ port: "metrics", interval: "15s" }]);
  const scraped = ofKind(objects, "Service").filter(({ metadata }) =>
    Object.entries(selector.matchLabels as Record<string, string>).every(
      ([label, value]) => metadata.labels[label] === value,
    ),
  );
  for (const { spec } of scraped) expect(spec.ports[0].name).to.equal("metrics");
  return scraped.map(({ metadata }) => metadata.labels[jobLabel as string]);
}

describe("The Helm chart's monitoring and autoscaling", function () {
  this.timeout(30 * 60_000);
  let [on, off, region, hooked, paged]: KubernetesObject[][] = [[], [], [], [], []];

  before(async function () {
    const helm = await helmOrSkip(this);
    [on, off, region, hooked, paged] = await Promise.all([
      render(helm, VARIANTS["monitoring, tracing and autoscaling"]!),
      render(helm, VARIANTS["auth=jwks"]!),
      render(helm, { ...VARIANTS["one of two regions"]!, monitoring: { enabled: true } }),
      render(helm, VARIANTS["webhooks, with monitoring"]!),
      render(helm, VARIANTS["the admin page, with monitoring"]!),
    ]);
  });

  it("the autoscalers read metrics that their services have", () => {
    const values = parse(read("infra/helm/prometheus-adapter.yaml")) as {
      readonly rules: { readonly custom: readonly AdapterRule[] };
    };
    const scalers = ofKind(on!, "HorizontalPodAutoscaler");
    expect(scalers.map(componentOf)).to.have.members(["gateway", "room"]);
    for (const scaler of scalers) {
      const component = componentOf(scaler) as keyof typeof METRICS_OF;
      const code = METRICS_OF[component].map(read).join("\n");
      const metrics = scaler.spec.metrics as { pods: { metric: { name: string } } }[];
      expect(metrics).to.have.length(2);
      for (const { pods } of metrics) {
        const series = seriesBehind(pods.metric.name, values.rules.custom);
        expect(series, pods.metric.name).to.be.a("string");
        expect(code, pods.metric.name).to.contain(`"${series}"`);
      }
      expect(scaler.spec.scaleTargetRef.name).to.equal(`parley-${component}`);
      expect(scaler.spec.behavior.scaleDown.policies).to.deep.equal([
        { type: "Pods", value: 1, periodSeconds: 60 },
      ]);
    }
    const targets = scalers.map(({ spec }) => spec.metrics[1].pods.target.averageValue as string);
    expect(targets).to.deep.equal(["600m", "600m"]);
  });

  it("E8: the PrometheusRule holds the rules that promtool tests", () => {
    const [rule] = ofKind(on!, "PrometheusRule");
    expect(rule!.spec).to.deep.equal(parse(read("infra/prometheus/rules.yml")));
    expect(rule!.metadata.labels).to.include({ release: "prometheus" });
  });

  it("E8: scraped jobs have the names that the alerts select", () => {
    const services = ["gateway", "room", "persistence"];
    expect(jobsOf(on!)).to.have.members(services);
    expect(jobsOf(region!)).to.have.members([...services, "region"]);
    expect(jobsOf(hooked!)).to.have.members([...services, "webhooks"]);
    expect(jobsOf(paged!)).to.have.members([...services, "operator"]);
    const rules = read("infra/prometheus/rules.yml");
    expect(rules).to.contain('job=~"gateway|room|persistence|webhooks|operator"');
    expect(rules).to.contain('job="region"');
  });

  it("each dashboard is a ConfigMap, byte for byte", () => {
    const dashboards = ofKind(on!, "ConfigMap").filter(
      ({ metadata }) => metadata.labels["grafana_dashboard"] === "1",
    );
    expect(dashboards).to.have.length(4);
    for (const { data } of dashboards) {
      for (const [name, text] of Object.entries(data!)) {
        expect(text === read(`infra/grafana/dashboards/${name}`), name).to.equal(true);
      }
    }
  });

  it("without monitoring there is no object of the Prometheus Operator", () => {
    const kinds = new Set(off!.map(({ kind }) => kind));
    for (const kind of ["ServiceMonitor", "PrometheusRule", "HorizontalPodAutoscaler"]) {
      expect(kinds.has(kind), kind).to.equal(false);
    }
  });
});
