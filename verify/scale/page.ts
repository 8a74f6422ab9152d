// Page: the generated parts of docs/scale.md, each between the lines `<!-- scale: NAME -->` and
// `<!-- end -->`.
//
//   page.1. docs/scale.md contains exactly what `render` makes of the constants, the model and the
//        published run. The test fails when they differ; write-page.ts writes them.

import { bottlenecksOf, clusterFor, idleRoomNodeUs, loadOf, PARTITIONS_MAX } from "./capacity.ts";
import type { Share } from "./capacity.ts";
import { percent, rowsOf } from "./compare.ts";
import type { Row } from "./compare.ts";
import { CONSTANTS, COSTS } from "./constants.ts";
import { CHAT, IDLE, LETTERS, LOSS, RESOURCES } from "./formulas.ts";
import type { Formula, Given } from "./formulas.ts";
import { idleFlows } from "./model.ts";
import type { Cluster } from "./model.ts";
import type { ScaleResult } from "./scale-run.ts";

/** `large-run.json`. */
export interface LargeRun extends ScaleResult {
  /** Real time and CPU time. */
  readonly seconds: number;
  readonly cpuSeconds: number;
}

export const USERS = [10_000, 100_000, 1_000_000, 10_000_000] as const;
/** The cluster in the column of values. */
const LARGE: Cluster = { gateways: 100, roomNodes: 50, persistence: 8, partitions: 1_024 };
const SIZES: readonly Cluster[] = [
  { gateways: 4, roomNodes: 4, persistence: 2, partitions: 16 },
  { gateways: 10, roomNodes: 10, persistence: 2, partitions: 64 },
  { gateways: 100, roomNodes: 50, persistence: 8, partitions: 1_024 },
  { gateways: 400, roomNodes: 200, persistence: 16, partitions: PARTITIONS_MAX },
];
const PART = /^(<!-- scale: ([a-z-]+) -->)\n[^]*?^(<!-- end -->)$/gm;

export function renderInto(text: string, run: LargeRun): string {
  const parts = render(run);
  return text.replaceAll(PART, (_, begin: string, name: string, end: string) => {
    const part = parts[name];
    if (part === undefined) throw new Error(`no part of docs/scale.md has the name ${name}`);
    return `${begin}\n\n${part}\n\n${end}`;
  });
}

export function render(run: LargeRun): Readonly<Record<string, string>> {
  const given: Given = { cluster: LARGE, load: loadOf(10_000_000), costs: COSTS };
  return {
    letters: Object.entries(LETTERS)
      .map(([letter, meaning]) => `**${letter}** ${meaning}`)
      .join("; "),
    idle: formulaTable(IDLE, given),
    chat: formulaTable(CHAT, given),
    loss: formulaTable(LOSS, given),
    resources: formulaTable(RESOURCES, given),
    constants: constantTable(),
    run: runText(run),
    simulation: simulationTable(rowsOf(run)),
    growth: growthTable(),
    users: userTable(),
    bottlenecks: bottleneckTable(),
  };
}

function formulaTable(formulas: readonly Formula[], given: Given): string {
  const rows = formulas.map(({ what, text, unit, value }) => [
    what,
    `\`${text}\``,
    `${number(value(given))} ${unit}`,
  ]);
  return table(["what", "formula", "at 100 × 50 × 1,024 with 10 million users"], rows);
}

function constantTable(): string {
  const rows = Object.entries(CONSTANTS).map(([name, { what, value, unit, command }]) => [
    `\`${name}\``,
    what,
    `${number(value)} ${unit}`,
    `\`${command}\``,
  ]);
  return table(["name", "one", "costs", "command"], rows);
}

function runText(run: LargeRun): string {
  const { size, users, sent, acked, delivered, virtualMs, loadedMs, lost, events } = run;
  const minutes = (ms: number): string => (ms / 60_000).toFixed(1);
  return (
    `${size.gateways} gateways, ${size.roomNodes} room nodes, ${size.persistence} persistence processes, ` +
    `${number(size.partitions)} partitions, ${number(users)} users in ${number(size.rooms)} rooms of ${size.members}, ` +
    `seed ${size.seed}: ${minutes(virtualMs)} virtual minutes, of which users sent for ${minutes(loadedMs)}. ` +
    `${number(sent)} messages were sent and ${number(acked)} acknowledged; members received ${number(delivered)} copies, ` +
    `all of them once and in order. The room node that was killed served ${lost.partitions} partitions with ${lost.rooms} rooms. ` +
    `${number(events)} events took ${number(run.cpuSeconds)} s of CPU and ${number(run.seconds)} s.`
  );
}

function simulationTable(rows: readonly Row[]): string {
  const shown = rows.filter(({ direction, computed }) => direction === "out" && computed >= 0.01);
  return table(
    ["", "messages out of NATS", "counted", "model", "difference"],
    shown.map(({ phase, kind, counted, computed }) => [
      phase,
      kind,
      number(counted),
      number(computed),
      percent(counted / computed - 1),
    ]),
  );
}

function growthTable(): string {
  const rows = SIZES.map((cluster) => {
    const { gateways, roomNodes, partitions } = cluster;
    const flows = idleFlows(cluster);
    const beats = flows["room beat"].out + flows["gateway beat"].out;
    return [
      `${gateways} × ${roomNodes} × ${number(partitions)}`,
      `${((100 * idleRoomNodeUs(cluster, COSTS)) / 1_000_000).toFixed(1)} %`,
      `${number(beats)} a second`,
      `${number(flows.watermark.out)} a second`,
      number(4 * partitions),
    ];
  });
  return table(
    [
      "gateways × room nodes × partitions",
      "one core of each room node, without chat",
      "beats out of NATS",
      "watermarks out of NATS",
      "messages to a gateway that starts",
    ],
    rows,
  );
}

function userTable(): string {
  const rows = USERS.map((users) => {
    const load = loadOf(users);
    const { gateways, roomNodes, persistence, partitions } = clusterFor(load, COSTS);
    return [
      number(users),
      number(load.connections),
      number(load.rooms),
      number(load.messagesPerSecond),
      number(load.deliveriesPerSecond),
      `${gateways} gateways, ${roomNodes} room nodes, ${persistence} persistence, ${partitions} partitions`,
    ];
  });
  const head = ["users", "connections", "rooms", "messages/s", "deliveries/s", "cluster"];
  return table(head, rows);
}

function bottleneckTable(): string {
  const rows = USERS.map((users) => {
    const load = loadOf(users);
    const shares = bottlenecksOf(clusterFor(load, COSTS), load, COSTS);
    return [number(users), ...shares.slice(0, 3).map(shareText)];
  });
  return table(["users", "first", "second", "third"], rows);
}

function shareText({ name, used, limit, unit }: Share): string {
  const share = `${((100 * used) / limit).toFixed(used / limit < 0.1 ? 1 : 0)} %`;
  return `${name}: ${share} (${number(used)} of ${number(limit)}${unit === "" ? "" : ` ${unit}`})`;
}

/** Three significant digits, and all digits of a whole number. */
function number(value: number): string {
  const rounded = Number.isInteger(value) ? value : Number(value.toPrecision(3));
  const [whole = "", fraction] = String(rounded).split(".");
  const grouped = whole.replace(/\B(?=(?:\d{3})+$)/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}
