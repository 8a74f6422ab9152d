// CpuQuota: limits some processes and their children together to a share of one core.
//
// For drills whose load runs on the same machine: the cluster is then the slower part, and its
// share does not depend on other programs. Owns: one cgroup (v1 or v2). Needs root; without it,
// `open` returns the reason.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

const V1 = "/sys/fs/cgroup/cpu";
const V2 = "/sys/fs/cgroup";
/** Short, so that a process without quota waits for milliseconds only. */
const PERIOD_US = 10_000;
/** The largest weight. Every other process counts as 1,024, so they hardly reduce the quota. */
const SHARES_V1 = 262_144;
const WEIGHT_V2 = 10_000;

export class CpuQuota implements Disposable {
  readonly #folder: string;
  readonly #isV1: boolean;
  readonly #periodUs: number;

  private constructor(folder: string, isV1: boolean, periodUs: number) {
    this.#folder = folder;
    this.#isV1 = isV1;
    this.#periodUs = periodUs;
  }

  /** Changes the quota: 0.5 is half a core. Throws when the kernel refuses it. */
  set cores(cores: number) {
    const quota = Math.round(this.#periodUs * cores);
    if (this.#isV1) writeFileSync(join(this.#folder, "cpu.cfs_quota_us"), String(quota));
    else writeFileSync(join(this.#folder, "cpu.max"), `${quota} ${this.#periodUs}`);
  }

  /**
   * `name` distinguishes the quotas of one drill. `cores`: 0.5 is half a core. The kernel accepts
   * no quota below 1 ms in a period. Returns the reason when a quota is not possible.
   */
  static open(
    name: string,
    pids: readonly number[],
    cores: number,
    periodUs: number = PERIOD_US,
  ): CpuQuota | string {
    const isV1 = existsSync(join(V1, "cpu.cfs_quota_us"));
    const folder = join(isV1 ? V1 : V2, `parley-${name}-${process.pid}`);
    const quota = String(Math.round(periodUs * cores));
    try {
      mkdirSync(folder);
      const set = (file: string, value: string): void => writeFileSync(join(folder, file), value);
      if (isV1) {
        set("cpu.cfs_period_us", String(periodUs));
        set("cpu.cfs_quota_us", quota);
        set("cpu.shares", String(SHARES_V1));
      } else {
        set("cpu.max", `${quota} ${periodUs}`);
        set("cpu.weight", String(WEIGHT_V2));
      }
      for (const pid of pids.flatMap(withChildren)) set("cgroup.procs", String(pid));
      return new CpuQuota(folder, isV1, periodUs);
    } catch (error: unknown) {
      return `no cgroup with a CPU quota: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  /** Call it when the processes have exited. */
  [Symbol.dispose](): void {
    try {
      rmdirSync(this.#folder);
    } catch {
      // A process that exits late keeps it. An empty cgroup has no cost.
    }
  }
}

function withChildren(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean),
  );
  return [pid, ...children.map(Number).flatMap(withChildren)];
}
