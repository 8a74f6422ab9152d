// `make scale-model`: measures the constants of the model of scale, and prints what it computes
// from them: the load, the cluster and the first bottleneck for a number of users.
//
//   node --expose-gc verify/scale/scale-model.ts USERS=1000000
//
// ONLY=compute measures nothing and uses the published constants. PUBLISH=1 writes measured.json
// and the tables of docs/scale.md.

import { writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { join } from "node:path";
import { bottlenecksOf, clusterFor, loadOf } from "./capacity.ts";
import { CONSTANTS, COSTS } from "./constants.ts";
import { measureGateway } from "./measure/gateway.ts";
import { measureNats } from "./measure/nats.ts";
import { measureRoomNode } from "./measure/room-node.ts";
import { MEASURED, publishPage } from "./page-file.ts";

const asked = new Map(process.argv.slice(2).map((text) => text.split("=") as [string, string]));
const read = (name: string): string => asked.get(name) ?? process.env[name] ?? "";

if (read("ONLY") !== "compute") await measure();
if (read("USERS") !== "") compute(Number(read("USERS")));
else if (read("ONLY") === "compute") list();

async function measure(): Promise<void> {
  const roomNode = measureRoomNode();
  console.log("room node", roomNode);
  const gateway = await measureGateway();
  console.log("gateway", gateway);
  const nats = await measureNats();
  console.log("NATS", nats);
  if (read("PUBLISH") !== "1") return;
  const model = cpus()[0]?.model ?? "unknown CPU";
  const machine = `${cpus().length} × ${model}, Linux ${release()}, Node ${process.version}`;
  const measured = { machine, roomNode, gateway, nats };
  const rounded = (_: string, value: unknown): unknown =>
    typeof value === "number" ? Number(value.toPrecision(3)) : value;
  const text = JSON.stringify(measured, rounded, 2);
  writeFileSync(join(import.meta.dirname, MEASURED), `${text}\n`);
  publishPage();
}

function list(): void {
  for (const { what, value, unit, command } of Object.values(CONSTANTS)) {
    console.log(`${String(value).padStart(8)} ${unit.padEnd(20)} ${what}   (${command})`);
  }
}

function compute(users: number): void {
  const load = loadOf(users);
  const cluster = clusterFor(load, COSTS);
  console.log(`${users} users:`, load, cluster);
  for (const { name, used, limit, unit } of bottlenecksOf(cluster, load, COSTS)) {
    const share = `${((100 * used) / limit).toFixed(1)} %`.padStart(8);
    console.log(`${share}  ${name}: ${used.toFixed(2)} of ${limit.toFixed(2)} ${unit}`);
  }
}
