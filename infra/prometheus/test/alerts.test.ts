// Alerts: each has a section of the runbook and uses metrics that exist.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { GatewayStats } from "../../../services/gateway/runtime/gateway-stats.ts";
import { FOLLOW_LAG_MAX } from "../../../services/region/runtime/follower-watch.ts";
import { AGENT_STATES } from "../../../shared/protocol/regions.ts";
import { DASHBOARDS, textOf } from "../../grafana/dashboards.ts";
import { REPOSITORY } from "../../embedded/service-process.ts";

const read = (path: string): string => readFileSync(join(REPOSITORY, path), "utf8");
const rules = read("infra/prometheus/rules.yml");
const runbook = read("docs/operating/alerts.md");
const cases = read("infra/prometheus/rules.test.yml");
const code = [
  "services/gateway/adapters/gateway-metrics.ts",
  "services/gateway/adapters/attachment-metrics.ts",
  "services/room/adapters/room-metrics.ts",
  "services/persistence/adapters/persistence-metrics.ts",
  "services/region/adapters/region-metrics.ts",
  "services/webhooks/adapters/webhooks-metrics.ts",
  "shared/process/metrics.ts",
  "shared/process/breaker.ts",
  "shared/process/observed-store.ts",
  "shared/process/operations.ts",
  "shared/process/forecast.ts",
]
  .map(read)
  .join("\n");

/** Whether some code registers a metric with this name. */
function exists(name: string): boolean {
  // The four counters of ownership conflicts are registered in a loop, from their names.
  const short = name.replace(/^parley_room_(\w+)_total$/, '["$1"');
  return code.includes(`"${name}"`) || code.includes(short);
}

const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map((match) => match[1]!);
const withoutSuffix = (name: string): string => name.replace(/_(bucket|sum|count)$/, "");

describe("Alerts", () => {
  it("E8: each alert has a section in the runbook that its link leads to, and a test", () => {
    expect(alerts.length).to.be.greaterThan(10);
    for (const alert of alerts) {
      expect(runbook, alert).to.contain(`### ${alert}\n`);
      expect(rules, alert).to.contain(`docs/operating/alerts.md#${alert.toLowerCase()}\n`);
      expect(cases, `${alert} silent`).to.match(new RegExp(`eval_time: 8h, alertname: ${alert} `));
      expect(cases, `${alert} firing`).to.match(new RegExp(`alertname: ${alert}\\n\\s+exp_alerts`));
    }
  });

  it("E8: every metric that an alert reads exists", () => {
    const names = new Set(
      [...rules.matchAll(/\bparley_\w+/g)].map(([name]) => withoutSuffix(name)),
    );
    expect(names.size).to.be.greaterThan(10);
    for (const name of names) expect(exists(name), name).to.equal(true);
  });

  it("E8: label values that alerts count exist from the start, so that no first burst is lost", () => {
    const { readersClosed, tokens } = new GatewayStats();
    expect([...readersClosed]).to.have.length(2); // Read as a whole.
    const shown = new Set([...tokens].map(([name]) => name));
    const read = [...rules.matchAll(/parley_gateway_tokens_total\{\w+=~?"([^"]+)"\}/g)];
    expect(read.length).to.be.greaterThan(1);
    for (const name of read.flatMap(([, names = ""]) => names.split("|"))) {
      expect(shown.has(name), name).to.equal(true);
    }
  });

  it("E8: the alerts of regions read states that an agent has, and the bound of a follower's lag", () => {
    const [, names = ""] = /parley_region_state\{state=~"([^"]+)"\}/.exec(rules) ?? [];
    expect(AGENT_STATES).to.include.members(names.split("|"));
    expect(rules).to.contain(`sum(parley_region_mirror_lag_entries) > ${FOLLOW_LAG_MAX}\n`);
  });

  it("E8: dashboards use metrics that exist, and their files match the table", () => {
    for (const dashboard of DASHBOARDS) {
      const text = read(`infra/grafana/dashboards/${dashboard.uid}.json`);
      expect(JSON.parse(text)).to.deep.equal(JSON.parse(textOf(dashboard)));
      const names = [...text.matchAll(/\bparley_\w+/g)].map(([name]) => withoutSuffix(name));
      for (const name of names) expect(exists(name), name).to.equal(true);
      for (const [, rule] of text.matchAll(/\b(parley:[\w:]+)/g)) {
        expect(rules, rule).to.contain(`record: ${rule}\n`);
      }
    }
  });
});
