// Node probe: what the Node processes of a peer saw from inside during one period.
//
// The other end is in-process.ts, which every process of the peer has loaded.

import { existsSync, readFileSync, rmSync } from "node:fs";
import { until } from "#shared/testing/wait.ts";
import type { Peer } from "../peer.ts";

export interface NodeProbe {
  readonly period: number;
  readonly gc: {
    /** Collections of the young generation. */
    readonly young: number;
    readonly other: number;
    /** Wall time, as all of `gc`: on a core that is shared a pause holds the turns of others, too. */
    readonly pauseMs: number;
    readonly longestMs: number;
  };
  /** Of the time that the main thread had something to do: the share in which it had the core. */
  readonly runShare: number;
  /** 0 = idle, 1 = never idle. */
  readonly loopUtilization: number;
  readonly heapBytes: number;
  readonly externalBytes: number;
}

const IN_PROCESS = new URL("in-process.ts", import.meta.url).href;
const NATIVE = /^(?:nats|postgres|redis)/;
/** A saturated process answers when its turn comes. */
const ANSWER_MS = 20_000;

/** What to add to the environment of a process so that it can be asked. */
export function probeEnv(dir: string, profile: boolean): NodeJS.ProcessEnv {
  return {
    NODE_OPTIONS: `--import=${IN_PROCESS}`,
    PARLEY_PROBE_DIR: dir,
    ...(profile && { PARLEY_PROBE_PROFILE: "1" }),
  };
}

/** Ends the period that began with the last call. By process name; empty for peers without one. */
export async function probeNodes(peer: Peer): Promise<Map<string, NodeProbe>> {
  const probes = new Map<string, NodeProbe>();
  const { probeDir } = peer;
  if (probeDir === undefined) return probes;
  for (const [name, pid] of peer.pids) {
    if (NATIVE.test(name)) continue;
    const path = `${probeDir}/${pid}.json`;
    rmSync(path, { force: true });
    process.kill(pid, "SIGUSR2");
    await until(() => existsSync(path), { withinMs: ANSWER_MS, what: `the probe of ${name}` });
    probes.set(name, JSON.parse(readFileSync(path, "utf8")) as NodeProbe);
  }
  return probes;
}
