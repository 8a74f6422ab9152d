// Status: `parley status` shows the cluster on one screen and lists its problems.
//
// Pure: it writes the overview (shared/kit/cluster-overview.ts) as lines for a terminal.

import { clusterOverview } from "#shared/kit/cluster-overview.ts";
import type { ClusterOverview, PartitionRow } from "#shared/kit/cluster-overview.ts";
import type { LoadStatus, ProcessStatus } from "#shared/protocol/control.ts";
import { neutral } from "./print.ts";

const KINDS = ["gateway", "room", "persistence", "webhooks", "operator"] as const;

export interface Overview extends ClusterOverview {
  readonly lines: readonly string[];
}

export function overviewOf(processes: readonly ProcessStatus[]): Overview {
  const overview = clusterOverview(processes);
  const lines = [
    ...KINDS.flatMap((kind) =>
      overview.processes.filter((one) => one.kind === kind).map(processLine),
    ),
    "",
    "partition  epoch     owner               lag entries   lag s   log fill",
    ...overview.partitions.map(rowLine),
  ];
  return { ...overview, lines: lines.map(neutral), problems: overview.problems.map(neutral) };
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

function age(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800
    ? `${Math.round(seconds / 3_600)} h`
    : `${Math.round(seconds / 86_400)} d`;
}
