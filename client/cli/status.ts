// Status: `parley status` shows the cluster on one screen and lists its problems.
//
// Pure: it turns the answers of the processes into lines and problems. A problem is something that
// an operator should check now; docs/operating/alerts.md describes how.

import type { LoadStatus, LogStatus, ProcessStatus } from "#shared/protocol/control.ts";
import { neutral } from "./print.ts";

/** A log that is fuller, or an archive that is further behind, is a problem. */
const FILL_MAX = 0.7;
const LAG_SECONDS_MAX = 60;

export interface Overview {
  readonly processes: readonly ProcessStatus[];
  readonly partitions: readonly PartitionRow[];
  readonly lines: readonly string[];
  readonly problems: readonly string[];
}

export interface PartitionRow {
  readonly p: number;
  readonly owners: readonly (readonly [string, number])[];
  readonly log: LogStatus | undefined;
}

export function overviewOf(processes: readonly ProcessStatus[]): Overview {
  const sorted = processes.toSorted((a, b) => a.id.localeCompare(b.id));
  const rows = partitionRows(sorted);
  const lines = [
    ...(["gateway", "room", "persistence"] as const).flatMap((kind) =>
      sorted.filter((one) => one.kind === kind).map(processLine),
    ),
    "",
    "partition  epoch     owner               lag entries   lag s   log fill",
    ...rows.map(rowLine),
  ];
  const problems = problemsOf(sorted, rows).map(neutral);
  return { processes: sorted, partitions: rows, lines: lines.map(neutral), problems };
}

function partitionRows(processes: readonly ProcessStatus[]): PartitionRow[] {
  const count = Math.max(0, ...processes.map(({ partitions = 0 }) => partitions));
  const logs = new Map(processes.flatMap(({ logs = [] }) => logs).map((log) => [log.p, log]));
  return Array.from({ length: count }, (_, p) => ({
    p,
    owners: processes.flatMap(({ id, owns }) => {
      const epoch = owns?.[String(p)];
      return epoch === undefined ? [] : [[id, epoch] as const];
    }),
    log: logs.get(p),
  }));
}

function processLine(one: ProcessStatus): string {
  const { id, kind, version, host, pid, upSeconds } = one;
  const facts = [
    one.connections !== undefined && `${one.connections} sockets`,
    one.owns !== undefined && `${Object.keys(one.owns).length} partitions`,
    one.load !== undefined && loadFact(one.load),
    one.logs !== undefined && `${one.logs.length} logs`,
    one.rooms !== undefined && `${one.rooms} rooms`,
    one.unanswered !== undefined && `${one.unanswered} unanswered`,
  ].filter((fact) => fact !== false);
  const where = `${host}/${pid}`.padEnd(20);
  const up = `up ${age(upSeconds)}`.padEnd(10);
  return `${kind.padEnd(12)} ${id.padEnd(19)} ${where} ${up} ${version}  ${facts.join(", ")}`;
}

function loadFact({ busy, capacity, weight }: LoadStatus): string {
  const percent = Math.round((busy / capacity) * 100);
  return `${percent} % of ${capacity.toFixed(2)} cores, weight ${weight.toFixed(2)}`;
}

function rowLine({ p, owners, log }: PartitionRow): string {
  const [id, epoch] = owners[0] ?? ["none", ""];
  const lag = String(log?.lagEntries ?? "?").padStart(11);
  const seconds = String(log?.lagSeconds ?? "?").padStart(7);
  const fill = log?.fill === undefined ? "?" : `${(log.fill * 100).toFixed(1)} %`;
  return `${String(p).padStart(9)}  ${String(epoch).padEnd(9)} ${id.padEnd(19)} ${lag} ${seconds} ${fill.padStart(10)}`;
}

function problemsOf(processes: readonly ProcessStatus[], rows: readonly PartitionRow[]): string[] {
  const missing = (["gateway", "room", "persistence"] as const)
    .filter((kind) => !processes.some((one) => one.kind === kind))
    .map((kind) => `no ${kind} process answers`);
  const versions = new Set(processes.map(({ version }) => version));
  const mixed = versions.size > 1 ? [`versions differ: ${[...versions].join(", ")}`] : [];
  const hot = processes.flatMap(({ id, load }) =>
    (load?.hot ?? []).map(
      (p) => `partition ${p} is hot: it alone takes half of ${id} or more, so no move helps`,
    ),
  );
  return [...missing, ...mixed, ...hot, ...rows.flatMap(rowProblems)];
}

function rowProblems({ p, owners, log }: PartitionRow): string[] {
  const problems: string[] = [];
  if (owners.length === 0) problems.push(`partition ${p} has no owner`);
  if (owners.length > 1)
    problems.push(`partition ${p} has several owners: ${owners.map(([id]) => id).join(", ")}`);
  if (log === undefined) return [...problems, `no persistence process archives partition ${p}`];
  if (!log.isReachable) problems.push(`the log of partition ${p} does not answer`);
  if ((log.missing ?? 0) > 0)
    problems.push(
      `the log of partition ${p} lacks ${log.missing} archived entries: it was lost, see parley restore logs`,
    );
  if (log.lagSeconds > LAG_SECONDS_MAX)
    problems.push(`the archive is ${log.lagSeconds} s behind the log of partition ${p}`);
  if ((log.fill ?? 0) > FILL_MAX)
    problems.push(`the log of partition ${p} is ${Math.round((log.fill ?? 0) * 100)} % full`);
  return problems;
}

function age(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800
    ? `${Math.round(seconds / 3_600)} h`
    : `${Math.round(seconds / 86_400)} d`;
}
