import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { REPOSITORY } from "#infra/embedded/service-process.ts";
import { alertsOf, compressRules, FACTOR_MAX } from "../alert-rules.ts";

const RULES = readFileSync(join(REPOSITORY, "infra/prometheus/rules.yml"), "utf8");
const SAMPLE = `
  - name: a group
    interval: 15s
    rules:
      - record: parley:sends:rate5m
        expr: sum(rate(sends_total[5m]))
      - alert: Fills
        expr: >-
          max(fill > 0.3 and predict_linear(fill[30m], 4 * 3600) > 1)
          and lag_seconds > 120
        for: 2m
        labels: { severity: page }
      - alert: Lost
        expr: sum(increase(lost_total[1h])) > 5
        labels: { severity: ticket }
`;

describe("Alert rules", () => {
  it("alert-rules.1: divides windows, waits, intervals and the look-ahead, but no thresholds", () => {
    expect(compressRules(SAMPLE, 20)).to.equal(`
  - name: a group
    interval: 750ms
    rules:
      - record: parley:sends:rate5m
        expr: sum(rate(sends_total[15000ms]))
      - alert: Fills
        expr: >-
          max(fill > 0.3 and predict_linear(fill[90000ms], 4 * 3600 / 20) > 1)
          and lag_seconds > 120
        for: 6000ms
        labels: { severity: page }
      - alert: Lost
        expr: sum(increase(lost_total[180000ms])) > 5
        labels: { severity: ticket }
`);
  });

  it("alert-rules.1: divides every length of time in the repository's rules", () => {
    const compressed = compressRules(RULES, 20);
    const units = [...compressed.matchAll(/(?:\[|for: |interval: )\d+([a-z]+)/g)];
    expect(units.length).to.be.greaterThan(30);
    for (const [text, unit] of units) expect(unit, text).to.equal("ms");
    const ahead = [...compressed.matchAll(/predict_linear\(/g)].length;
    expect([...compressed.matchAll(/\* 3600 \/ 20\)/g)]).to.have.length(ahead);
    expect(alertsOf(compressed).map(({ name }) => name)).to.deep.equal(
      alertsOf(RULES).map(({ name }) => name),
    );
  });

  it("alert-rules.2: factor one changes no alert", () => {
    expect(alertsOf(compressRules(RULES, 1))).to.deep.equal(alertsOf(RULES));
    for (const wrong of [0, 0.5, FACTOR_MAX + 1, NaN]) {
      expect(() => compressRules(RULES, wrong)).to.throw(RangeError);
    }
  });

  it("alert-rules.1: reads the name, severity and wait of an alert, also without `for`", () => {
    expect(alertsOf(SAMPLE)).to.deep.equal([
      { name: "Fills", severity: "page", forMs: 120_000 },
      { name: "Lost", severity: "ticket", forMs: 0 },
    ]);
  });
});
