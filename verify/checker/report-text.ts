// Report text: the report of a checked run as text for a terminal.

import type { Report } from "./check.ts";
import { percentile } from "./faults.ts";
import type { FaultReport } from "./faults.ts";

const SHOWN_MAX = 20;

export function reportText(report: Report): string {
  const { counts, ackMs, calmMs, faults, violations, sometimes, mibPeaks } = report;
  const peaks = Object.entries(mibPeaks).map(([name, mib]) => `${name} ${mib}`);
  const times = Object.entries(sometimes).map(([name, count]) => `${name} ${count}`);
  const lines = [
    `${counts.acked} of ${counts.sent} messages acknowledged in ${Math.round(report.seconds)} s, ` +
      `${counts.seen} received, ${counts.stored} stored, ${counts.retried} sent again, ` +
      `${counts.unknown} with uncertain outcome, ${counts.refused} refused`,
    `send to acknowledgement: p50 ${ackMs.p50} ms, p99 ${ackMs.p99} ms, max ${ackMs.max} ms; ` +
      `without faults p50 ${calmMs.p50} ms, p99 ${calmMs.p99} ms; ${counts.claims} claims, ${counts.voided} void commits`,
    ...faults.map(faultText),
    ...(peaks.length > 0 ? [`memory peaks (MiB): ${peaks.join(", ")}`] : []),
    `sometimes: ${times.join(", ")}`,
    ...violations.slice(0, SHOWN_MAX).map(({ invariant, detail }) => `  ${invariant}: ${detail}`),
    counts.violations === 0
      ? "no invariant broken"
      : `BROKEN: ${counts.violations} violations of ${report.broken.join(", ")}`,
  ];
  return lines.join("\n");
}

function faultText(fault: FaultReport): string {
  const { n, tookMs, never, backMs, since, drainMs, backlog, tenures, refusalMs, ackMs } = fault;
  const ms = (share: number): string => String(Math.round(percentile(tookMs, share)));
  const back = tookMs.length === 0 ? "no unit to wait for" : `p50 ${ms(0.5)} p99 ${ms(0.99)} ms`;
  const lost = never.length > 0 ? `, ${never.length} NEVER` : "";
  const drain =
    drainMs === undefined
      ? ""
      : `; archive behind by ${backlog}, drained in ${Math.round(drainMs)} ms`;
  const more = [
    `; acks meanwhile p50 ${ackMs.p50} p99 ${ackMs.p99} ms`,
    tenures === undefined ? "" : `; ${tenures} new tenures`,
    refusalMs === undefined ? "" : `; first error after ${Math.round(refusalMs)} ms`,
  ].join("");
  const head = `${String(n).padStart(3)} ${fault.fault.padEnd(5)} ${fault.target.padEnd(14)}`;
  const at = `at ${(fault.at / 1_000).toFixed(1)} s`.padEnd(12);
  return `${head} ${at} ${tookMs.length} back from ${since}: ${back} (allowed ${backMs})${lost}${drain}${more}`;
}
