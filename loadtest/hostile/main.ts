// `make hostile`: measures the effect of one attacking user with 20 connections on the other users.
//
//   make hostile SECONDS=300
//
// Plays the same steady chat twice on one cluster with its limits on: without the attacker, then
// with it. The exit code is 0 when the p99 with the attacker is at most twice the p99 without, no
// process exceeds its bound or restarts, and no other user is refused or loses a connection.

import { fork } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { partitionOf } from "#shared/protocol/ids.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { mintDevToken, openDevSecret } from "#shared/adapters/dev-token.ts";
import { fillRooms } from "./fill.ts";
import { ChatLoad } from "./chat-load.ts";
import type { Times } from "./chat-load.ts";

const PARTITIONS = 16;
const USERS = 60;
const RATE = 60;
const DEEP_ROOMS = 100;
/** All attacked rooms belong to this partition, so that one owner answers. */
const DEEP_PARTITION = 3;
const RATIO_MAX = 2;
/** Memory of Node, its modules and free heap, which a process does not account for. */
const BASE_MIB = 256;
const MEMORY_MIB: Readonly<Record<string, number>> = { gateway: 256, room: 256, persistence: 128 };
const WARM_SECONDS = 5;
/** Counters that must be above 0, otherwise the run proves nothing. */
const PROOFS: Readonly<Record<string, string>> = {
  "frames beyond the rate": 'intake_waits_total{for="rate"}',
  "sockets that were not read": 'intake_waits_total{for="socket"}',
  "sends, joins, pages and refreshes beyond the rates": 'errors_total{name="rate_limited"}',
  "leaves of rooms that were not joined": 'errors_total{name="not_joined"}',
  "broken frames": 'errors_total{name="bad_frame"}',
  "connections that were closed": 'closes_total{code="1008"}',
  "ranges that no ring had": "fetches_total",
};
const TOKEN_SECONDS = 7_200;

const seconds = Number(process.env["SECONDS"] ?? "300");
const say = (line: string): void => console.log(line);

interface Process {
  readonly name: string;
  readonly pid: number;
}

function processes(cluster: Cluster): Process[] {
  const { gateways, rooms, persistence } = cluster.info();
  return [...gateways, ...rooms, ...persistence].map(({ name, pid }) => ({ name, pid }));
}

/** The peak resident size of a process, in MiB. */
function peakMiB(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? "NaN") / 1_024;
  } catch {
    return Number.NaN; // The process exited.
  }
}

function roomsOf(partition: number, count: number): RoomId[] {
  const rooms: RoomId[] = [];
  for (let n = 0; rooms.length < count; n++) {
    const room = `deep-${n}` as RoomId;
    if (partitionOf(room, PARTITIONS) === partition) rooms.push(room);
  }
  return rooms;
}

/** Counters of the first gateway that prove the attack, by name and labels. */
async function counters(cluster: Cluster): Promise<Map<string, number>> {
  const text = await (await fetch(cluster.info().gateways[0]?.metrics ?? "")).text();
  const counts = new Map<string, number>();
  for (const [, name = "", value] of text.matchAll(/^parley_gateway_(\S+?) (\S+)/gm)) {
    counts.set(name, Number(value));
  }
  return counts;
}

function line(what: string, { p50, p99, acked, trouble }: Times): string {
  const troubles = [...trouble].map(([name, count]) => `${name} ${count}`).join(", ");
  const times = `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${acked} acknowledged`;
  return `${what}: ${times}; ${troubles === "" ? "no trouble" : troubles}`;
}

async function play(cluster: Cluster, dataDir: string): Promise<boolean> {
  const secret = await openDevSecret(join(dataDir, "dev-secret"));
  const tokens = new Map<string, string>();
  const mint = async (user: string): Promise<void> => {
    tokens.set(user, await mintDevToken(secret, { user }, TOKEN_SECONDS));
  };
  for (let n = 0; n < USERS; n++) await mint(`user-${n}`);
  await mint("mallory");
  const tokenOf = (user: string): string => tokens.get(user) ?? "";
  const http = cluster.url.replace(/\/$/, "");
  const url = `${http.replace("http", "ws")}/v1/ws`;
  const others = Array.from({ length: 12 }, (_, n) => `chat-${n}`);
  const deep = roomsOf(DEEP_PARTITION, DEEP_ROOMS);
  say(`filling ${DEEP_ROOMS} rooms of partition ${DEEP_PARTITION} …`);
  await fillRooms({ url, tokenOf, rooms: deep, users: USERS });

  const chat = await ChatLoad.open({ url, tokenOf, rooms: others, users: USERS, rate: RATE });
  await chat.run(WARM_SECONDS, RATE);
  const without = await chat.run(seconds, RATE);
  say(line("without the attacker", without));
  const before = processes(cluster);
  const settings = join(dataDir, "attacker.json");
  writeFileSync(settings, JSON.stringify({ url, http, token: tokenOf("mallory"), deep, others }));
  const attacker = fork(join(import.meta.dirname, "attacker.ts"), [settings], { stdio: "inherit" });
  let isAttacking = true;
  attacker.once("exit", () => (isAttacking = false));
  await sleep(WARM_SECONDS * 1_000);
  const withIt = await chat.run(seconds, RATE);
  if (!isAttacking) throw new Error("the attacker exited during the run");
  const peaks = before.map(({ name, pid }) => ({ name, mib: peakMiB(pid) }));
  const after = processes(cluster);
  const counts = await counters(cluster);
  attacker.kill("SIGKILL");
  chat.close();
  say(line("with the attacker", withIt));

  const ratio = withIt.p99 / without.p99;
  const pids = new Map(after.map(({ name, pid }) => [name, pid]));
  const restarted = before
    .filter(({ name, pid }) => pids.get(name) !== pid)
    .map(({ name }) => name);
  let isGood = ratio <= RATIO_MAX && restarted.length === 0 && withIt.trouble.size === 0;
  say(`p99 ratio ${ratio.toFixed(2)} (at most ${RATIO_MAX})`);
  for (const { name, mib } of peaks) {
    const bound = BASE_MIB + (MEMORY_MIB[name.replace(/-\d+$/, "")] ?? 0);
    say(`${name}: ${Math.round(mib)} MiB resident at most, bound ${bound}`);
    if (!(mib <= bound)) isGood = false;
  }
  for (const [name, proof] of Object.entries(PROOFS)) {
    const count = counts.get(proof) ?? 0;
    say(`${name}: ${proof} ${count}`);
    if (count === 0) isGood = false;
  }
  say(`restarted: ${restarted.length === 0 ? "none" : restarted.join(", ")}`);
  return isGood;
}

const dataDir = mkdtempSync(join(tmpdir(), "parley-hostile-"));
const cluster = await startCluster({
  dataDir,
  port: 0,
  partitions: PARTITIONS,
  limits: "on",
  say: () => undefined,
});
const stopped = new Promise<boolean>((_, reject) => {
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => reject(new Error(`stopped by ${signal}`)));
  }
});
try {
  const isGood = await Promise.race([play(cluster, dataDir), stopped]);
  say(isGood ? "hostile: passed" : "hostile: FAILED");
  process.exitCode = isGood ? 0 : 1;
} catch (error: unknown) {
  say(`hostile: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
} finally {
  await cluster.stop();
  if (process.env["KEEP"] === undefined) rmSync(dataDir, { recursive: true, force: true });
  else say(dataDir);
}
// After a signal, `play` still waits for the cluster, which would keep the process running.
process.exit();
