// Bench (`make bench`, `make bench ONLY=B1,B3`): rows B1 … B13 against their peers in the same run.
// `make bench ONLY=TRACE` runs only when named: the cost of traces (items/tracing.ts). So do IDLE,
// the cost of a cluster without users (items/idle.ts), and MANY, that of 100,000 idle members
// (items/many-members.ts).
//
// Everything is on: fsync for each commit, archive, authentication. Only rate limits are off,
// because one generator is one address. Environment: ONLY (rows), SECONDS (of each leg), ROUNDS
// (alternations, 3), SCALE (the part of the members and rooms of B5, B11 to B13 and MANY; 1),
// PEERS (raw,each,socket.io; none), BASE (another checkout of this repository, as one more peer, to
// measure a change). Writes .parley/bench/<row>.json, table.md and cost.svg.
// Fails when Parley lost, duplicated or reordered a message. A missed target is printed and is no
// failure.
//
// Not measured: TLS, deflate, networks, several machines, several processes of one kind.

import { cpus, release } from "node:os";
import { spawnSync } from "node:child_process";
import { ToolMissing } from "#tools/programs/programs.ts";
import { stopRunning } from "./alternate.ts";
import type { Leg } from "./figures.ts";
import { isVoid } from "./figures.ts";
import { PEER_NAMES } from "./item.ts";
import type { Item, ItemOptions, PeerName, Verdict } from "./item.ts";
import { B7 } from "./items/backlog.ts";
import { B13 } from "./items/closed-takeover.ts";
import { B12 } from "./items/joining.ts";
import { B11 } from "./items/reactions.ts";
import { MANY } from "./items/many-members.ts";
import { B1, B10, B2, B3, B4, B9 } from "./items/broadcast.ts";
import { B5, B8 } from "./items/sockets.ts";
import { B6 } from "./items/storm.ts";
import { IDLE } from "./items/idle.ts";
import { ROOM_LIST } from "./items/room-list.ts";
import { EXPORT } from "./items/export.ts";
import { INDEX } from "./items/search-index.ts";
import { SEARCH } from "./items/search.ts";
import { TRACE } from "./items/tracing.ts";
import { WARM } from "./items/warm.ts";
import { pinGenerator } from "./peer.ts";
import { whereIsRedis } from "./peers/socket-io.ts";
import { renderAll, writeResult } from "./results.ts";

const ITEMS: readonly Item[] = [B1, B2, B3, B4, B5, B6, B7, B8, B9, B10, B11, B12, B13];
const ONLY_BY_NAME: readonly Item[] = [TRACE, IDLE, ROOM_LIST, SEARCH, INDEX, EXPORT, WARM, MANY];
const ROUNDS = 3;

function chosen(): readonly Item[] {
  const only = list("ONLY");
  if (only.length === 0) return ITEMS;
  const all = [...ITEMS, ...ONLY_BY_NAME];
  const unknown = only.filter((id) => !all.some((item) => item.id === id));
  if (unknown.length > 0) throw new Error(`ONLY: unknown row ${unknown.join(", ")}`);
  return all.filter(({ id }) => only.includes(id));
}

function options(items: readonly Item[]): ItemOptions {
  const named = list("PEERS");
  const hasBase = (process.env["BASE"] ?? "") !== "";
  const isChosen = (name: PeerName): boolean =>
    name === "base" ? hasBase : named.length === 0 || named.includes(name);
  const peers = new Set(PEER_NAMES.filter(isChosen));
  if (peers.has("socket.io") && items.some((item) => !ONLY_BY_NAME.includes(item))) whereIsRedis();
  const seconds = Number(process.env["SECONDS"] ?? "");
  return {
    ...(seconds > 0 && { seconds }),
    rounds: Number(process.env["ROUNDS"] ?? ROUNDS),
    scale: Number(process.env["SCALE"] ?? 1),
    peers,
    say: (line) => console.log(line),
    sayLeg: (leg) => console.log(legLine(leg)),
  };
}

/** The command that repeats this row. */
function commandFor({ id }: Item, { rounds }: ItemOptions): string {
  const variables = ["SECONDS", "SCALE", "PEERS", "BASE"].flatMap((name) => {
    const value = process.env[name] ?? "";
    return value === "" ? [] : [` ${name}=${name === "BASE" ? "…" : value}`];
  });
  return `make bench ONLY=${id} ROUNDS=${rounds}${variables.join("")}`;
}

function list(name: string): string[] {
  return (process.env[name] ?? "").split(",").filter((item) => item !== "");
}

function legLine(leg: Leg): string {
  const { peer, delivered, expected, cpuUs, ackMs, deliveryMs, slipMs } = leg;
  const ms = (value: number | undefined): string => value?.toFixed(1) ?? "–";
  const share = delivered === expected ? "all" : `${((100 * delivered) / expected).toFixed(1)} %`;
  const by = Object.entries(leg.cpuUsBy).map(([name, us]) => `${name} ${us.toFixed(1)}`);
  const wrong = Object.keys(leg.complaints).length > 0 ? ` ${JSON.stringify(leg.complaints)}` : "";
  return (
    `  ${peer.padEnd(26)} ${share.padStart(6)} of ${String(expected).padStart(8)}` +
    ` ${cpuUs.toFixed(2).padStart(6)} µs  ack ${ms(ackMs?.p50)}/${ms(ackMs?.p99)}` +
    `  delivery ${ms(deliveryMs?.p50)}/${ms(deliveryMs?.p99)} ms` +
    `  slip ${ms(slipMs.p99)}/${ms(slipMs.worst)} ms  generator ${(leg.generatorCpu * 100).toFixed(0)} %` +
    `  (${by.join(", ")})${isVoid(leg) ? "  VOID: the generator was late" : ""}${wrong}`
  );
}

function verdictLine({ what, target, measured, ok }: Verdict): string {
  const mark = ok === undefined ? "–" : ok ? "✓" : "✗";
  return `  ${mark} ${what}: ${measured} (${target})`;
}

function machine(): string {
  const model = cpus()[0]?.model ?? "unknown CPU";
  return `${cpus().length} × ${model}, Linux ${release()}, Node ${process.version}`;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    // Errors of the leg are ignored: its cluster is stopping.
    process.on("uncaughtException", () => undefined);
    // Without the exit, the next leg would begin.
    void stopRunning().then(() => process.exit(130));
  });
}

try {
  const items = chosen();
  const play = options(items);
  pinGenerator();
  const { stdout } = spawnSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" });
  for (const item of items) {
    console.log(`${item.id}: ${item.title}`);
    const result = await item.play(play);
    for (const verdict of result.verdicts) console.log(verdictLine(verdict));
    writeResult({
      id: item.id,
      title: item.title,
      command: commandFor(item, play),
      at: new Date().toISOString(),
      commit: stdout.trim(),
      machine: machine(),
      ...result,
    });
    const isWrong = ({ what, ok }: Verdict): boolean =>
      ok === false && what.includes("exactly once");
    if (result.verdicts.some(isWrong)) process.exitCode = 1;
  }
  renderAll();
} catch (error: unknown) {
  if (!(error instanceof ToolMissing)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
