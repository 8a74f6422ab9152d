// Parley as a peer: the embedded cluster with everything on except the rate limits (LIMITS=off).
//
// fsync for each commit, archive and authentication are on in every row. The bench signs tokens
// with the dev secret of the cluster, because signing is not measured.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import * as own from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import type { ClusterOptions } from "#infra/embedded/cluster-options.ts";
import { parseObject } from "#shared/kit/json.ts";
import { mintDevToken, openDevSecret } from "#shared/adapters/dev-token.ts";
import { pinServers } from "../peer.ts";
import type { Received, RunningPeer } from "../peer.ts";
import { probeEnv } from "../inside/node-probe.ts";
import type { Profile } from "../inside/node-probe.ts";

export const PARLEY = "Parley";
export const PARLEY_BASE = "Parley (base)";
/** The published figures have it where a row names no other number. */
const PARTITIONS = 16;
const TOKEN_TTL_S = 4 * 3_600;

export interface ParleyOptions extends Partial<ClusterOptions> {
  /** `v8`: every service writes a CPU profile of the measured time; `perf`: it can be recorded. */
  readonly profile?: Profile;
  /** Another checkout of this repository, to measure a change. */
  readonly checkout?: string;
  /** A name that distinguishes it from other clusters of the same run. */
  readonly label?: string;
}

export interface ParleyPeer extends RunningPeer {
  readonly cluster: Cluster;
  readonly url: string;
  token(user: string): Promise<string>;
}

export async function startParley(options: ParleyOptions = {}): Promise<ParleyPeer> {
  const { profile, checkout, env, label, ...more } = options;
  const { startCluster } = checkout === undefined ? own : await clusterOf(checkout);
  const dataDir = mkdtempSync(join(tmpdir(), "parley-bench-"));
  const probeDir = mkdtempSync(join(tmpdir(), "parley-probe-"));
  const cluster = await startCluster({
    dataDir,
    port: 0,
    partitions: PARTITIONS,
    limits: "off",
    restart: false,
    say: () => undefined,
    bundled: profile === undefined, // A profile names the files of the sources.
    env: { ...probeEnv(probeDir, profile), ...env },
    ...more,
  });
  const pids = pidsOf(cluster);
  pinServers(pids.values());
  const { url } = cluster;
  const secret = await openDevSecret(join(dataDir, "dev-secret"));
  const token = (user: string): Promise<string> => mintDevToken(secret, { user }, TOKEN_TTL_S);
  let users = 0;
  return {
    name: label ?? (checkout === undefined ? PARLEY : PARLEY_BASE),
    cluster,
    url,
    token,
    port: Number(new URL(url).port),
    pids,
    probeDir,
    protocol: "parley.v1",
    path: () => "/v1/ws",
    async enter(room) {
      const hello = { t: "hello", token: await token(`bench-${++users}`), client: "bench/1" };
      const join = { t: "join", ref: 1, room, tail: 0 };
      const say = `${JSON.stringify(hello)}\n${JSON.stringify(join)}`;
      return [{ say, until: `"t":"caught-up"` }];
    },
    message: (room, id, text) => JSON.stringify({ t: "send", room, id, body: { text } }),
    joinsLines: true,
    ackMark: `"t":"ack"`,
    read: (frame) => frame.split("\n").flatMap(readLine),
    async [Symbol.asyncDispose]() {
      await cluster.stop();
      for (const dir of [dataDir, probeDir]) rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A checkout starts its own services, because all paths are relative to its files. */
async function clusterOf(checkout: string): Promise<typeof own> {
  const root = resolve(checkout);
  const current = `${root}/infra/embedded/cluster.ts`;
  // Checkouts from before 2026-11-29 have it one folder up.
  const path = existsSync(current) ? current : `${root}/infra/cluster.ts`;
  return (await import(pathToFileURL(path).href)) as typeof own;
}

/** Every process of the cluster by its name; processes of external servers are unknown. */
export function pidsOf(cluster: Cluster): Map<string, number> {
  const info = cluster.info();
  const pids = new Map<string, number>();
  for (const group of [info.gateways, info.rooms, info.persistence, info.nats]) {
    for (const { name, pid } of group) if (pid !== undefined) pids.set(name, pid);
  }
  if (info.postgres.pid !== undefined) pids.set("postgres", info.postgres.pid);
  return pids;
}

function readLine(line: string): Received[] {
  const frame = parseObject(line);
  switch (frame?.["t"]) {
    case "msg": {
      const { text } = frame["body"] as { text: string };
      return [{ kind: "event", text, seq: Number(frame["seq"]) }];
    }
    case "ack":
      return [{ kind: "ack", id: String(frame["id"]) }];
    case "error":
      return [{ kind: "error", name: String(frame["name"]) }];
    default:
      return []; // Presence and other frames that the bench does not count.
  }
}
