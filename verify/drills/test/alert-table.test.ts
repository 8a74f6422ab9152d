import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { REPOSITORY } from "#infra/embedded/service-process.ts";
import { ALERT_FAULTS, REGION_ALERTS, WEBHOOK_ALERTS } from "../alert-faults.ts";
import { alertsOf } from "../alert-rules.ts";
import { alertTable, realLengthMs } from "../alert-table.ts";
import type { AlertRow } from "../alert-table.ts";

const ROW: AlertRow = {
  rule: { name: "ParleyBurns", severity: "page", forMs: 60_000 },
  what: "a slow route",
  fillsWindow: true,
  quietMs: 180_000,
  noticedMs: 700,
  fired: { conditionMs: 3_000, firedMs: 6_500 },
  resolvedMs: 20_000,
  others: ["ParleyOther"],
};

describe("Alert table", () => {
  it("alert-table.1: a row shows when users noticed, when the alert fired, and when it was resolved", () => {
    expect(alertTable([ROW], 20).split("\n").at(-1)).to.equal(
      "| Burns | a slow route | 3 min 0 s | 0.7 s | 3.0 s | 6.5 s | 2 min 0 s | 20 s | Other |",
    );
    const silent = { ...ROW, fired: undefined, noticedMs: undefined, resolvedMs: undefined };
    expect(alertTable([silent], 20).split("\n").at(-1)).to.equal(
      "| Burns | a slow route | 3 min 0 s | no user noticed | never | never | never | – | Other |",
    );
  });

  it("alert-table.2: at real length only a condition that fills a window comes later; `for` keeps its length", () => {
    expect(realLengthMs(ROW, 20)).to.equal(3_000 * 20 + 60_000);
    expect(realLengthMs({ ...ROW, fillsWindow: false }, 20)).to.equal(3_000 + 60_000);
    expect(realLengthMs(ROW, 1)).to.equal(6_500);
    expect(realLengthMs({ ...ROW, fired: undefined }, 20)).to.equal(undefined);
  });

  it("alert-faults.1: every alert of the rules has one fault, or is about two regions or webhooks", () => {
    const rules = readFileSync(join(REPOSITORY, "infra/prometheus/rules.yml"), "utf8");
    const faults = ALERT_FAULTS.flatMap(({ alerts }) => alerts.map(({ name }) => name));
    expect([...faults, ...REGION_ALERTS, ...WEBHOOK_ALERTS].toSorted()).to.deep.equal(
      alertsOf(rules)
        .map(({ name }) => name)
        .toSorted(),
    );
  });
});
