// ClusterOverview: what `parley status` and the admin page show of a cluster: its processes, its
// partitions with their owners, and its problems.
//
// Pure: it combines the answers of the processes. A problem is something that an operator should
// check now; docs/operating/alerts.md describes how.

import type { LogStatus, ProcessStatus } from "../protocol/control.ts";

/** A log that is fuller, or an archive that is further behind, is a problem. */
const FILL_MAX = 0.7;
const LAG_SECONDS_MAX = 60;

export interface ClusterOverview {
  readonly processes: readonly ProcessStatus[];
  readonly partitions: readonly PartitionRow[];
  readonly problems: readonly string[];
}

export interface PartitionRow {
  readonly p: number;
  /** Each owner with its epoch: exactly one in a healthy cluster. */
  readonly owners: readonly (readonly [string, number])[];
  readonly log: LogStatus | undefined;
}

export function clusterOverview(processes: readonly ProcessStatus[]): ClusterOverview {
  const sorted = processes.toSorted((a, b) => a.id.localeCompare(b.id));
  const partitions = partitionRows(sorted);
  return { processes: sorted, partitions, problems: problemsOf(sorted, partitions) };
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
