// Node probe: reads the inside measurements of all Node processes of a peer for one period.
//
// Every process of the peer has loaded the other end, in-process.ts.

import { existsSync, readFileSync, rmSync } from "node:fs";
import { until } from "#shared/testing/wait.ts";
import type { Peer } from "../peer.ts";

export interface NodeProbe {
  readonly period: number;
  readonly gc: {
    /** Collections of the young generation. */
    readonly young: number;
    readonly other: number;
    /** Wall time, as all of `gc`: on a shared core a pause includes the time of other processes. */
    readonly pauseMs: number;
    readonly longestMs: number;
  };
  /** The share of its runnable time in which the main thread had a core. */
  readonly runShare: number;
  /** 0 = idle, 1 = never idle. */
  readonly loopUtilization: number;
  readonly heapBytes: number;
  readonly externalBytes: number;
}

const IN_PROCESS = new URL("in-process.ts", import.meta.url).href;
const NATIVE = /^(?:nats|postgres|redis)/;
/** Its functions have names and frames for perf (profile/perf.ts). */
const PERF_FLAGS = "--perf-basic-prof --interpreted-frames-native-stack";
/** A saturated process answers late. */
const ANSWER_MS = 20_000;

/** What measures the CPU time of functions: V8's profiler in the process, or perf beside it. */
export type Profile = "v8" | "perf";

/** The environment variables of a process with a probe. */
export function probeEnv(dir: string, profile?: Profile): NodeJS.ProcessEnv {
  const flags = profile === "perf" ? ` ${PERF_FLAGS}` : "";
  return {
    NODE_OPTIONS: `--import=${IN_PROCESS}${flags}`,
    PARLEY_PROBE_DIR: dir,
    ...(profile === "v8" && { PARLEY_PROBE_PROFILE: "1" }),
  };
}

/**
 * Ends the period that began with the last call. By process name; empty for peers without a probe.
 */
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
