// Peers: the systems that a shape is run against, started and pinned by us.

import { fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startCluster } from "#infra/cluster.ts";
import type { ClusterOptions } from "#infra/cluster-options.ts";
import type { Peer } from "./run.ts";

export interface RunningPeer extends Peer, AsyncDisposable {}

const SERVER_CORE = "0";
const GENERATOR_CORE = "1";

/** Servers on one core and the generator on the other, so that they do not disturb each other. */
export function pin(pids: Iterable<number>, core: string): void {
  for (const pid of pids) spawnSync("taskset", ["-acp", core, String(pid)], { stdio: "ignore" });
}

export function pinGenerator(): void {
  pin([process.pid], GENERATOR_CORE);
}

export async function startRaw(): Promise<RunningPeer> {
  const child = fork(fileURLToPath(new URL("raw-server.ts", import.meta.url)));
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  pin([child.pid ?? 0], SERVER_CORE);
  return {
    name: "raw ws, one shared buffer",
    port,
    pids: new Map([["raw", child.pid ?? 0]]),
    path: (room) => `/${room}`,
    enter: () => Promise.resolve({ say: [], until: "" }),
    message: (room, id, text) => JSON.stringify({ t: "msg", room, id, body: { text } }),
    acks: false,
    async [Symbol.asyncDispose]() {
      child.disconnect();
      await once(child, "exit");
    },
  };
}

export async function startParley(options: Partial<ClusterOptions> = {}): Promise<RunningPeer> {
  const dataDir = mkdtempSync(join(tmpdir(), "parley-bench-"));
  const say = (): void => undefined;
  const base = { dataDir, port: 0, limits: "off", restart: false, say } as const;
  const cluster = await startCluster({ ...base, ...options });
  const info = cluster.info();
  const pids = new Map<string, number>();
  for (const group of [info.gateways, info.rooms, info.persistence, info.nats]) {
    for (const { name, pid } of group) if (pid !== undefined) pids.set(name, pid);
  }
  if (info.postgres?.pid !== undefined) pids.set("postgres", info.postgres.pid);
  pin(pids.values(), SERVER_CORE);
  const baseUrl = info.gateways[0]?.url ?? "";
  let users = 0;
  return {
    name: "Parley",
    port: Number(new URL(baseUrl).port),
    pids,
    protocol: "parley.v1",
    path: () => "/v1/ws",
    async enter(room) {
      const token = await devToken(baseUrl, `bench-${++users}`);
      const hello = JSON.stringify({ t: "hello", token, client: "bench/1" });
      const join = JSON.stringify({ t: "join", ref: 1, room, tail: 0 });
      return { say: [`${hello}\n${join}`], until: `"t":"caught-up"` };
    },
    message: (room, id, text) => JSON.stringify({ t: "send", room, id, body: { text } }),
    acks: true,
    async [Symbol.asyncDispose]() {
      await cluster.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function devToken(url: string, user: string): Promise<string> {
  const response = await fetch(`${url}/v1/dev/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user }),
  });
  const { token } = (await response.json()) as { token: string };
  return token;
}
