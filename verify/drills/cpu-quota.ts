// CPU quota: some processes and their children may use a share of one core, all together.
//
// For drills whose load comes from the same machine: what they drive is then the slower part, and
// its share does not depend on what else runs. Owns: one cgroup (v1 or v2). Needs root; gives up
// with a reason.

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
/** Short, so that a process that has used its quota stands still for milliseconds only. */
const PERIOD_US = 10_000;
/** Beside the 1,024 of others: they do not take of the quota. */
const SHARES_V1 = 16_384;
const WEIGHT_V2 = 10_000;

export class CpuQuota implements Disposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** `cores`: of one core, 0.5 is a half. A string says why there is none. */
  static open(pids: readonly number[], cores: number): CpuQuota | string {
    const isV1 = existsSync(join(V1, "cpu.cfs_quota_us"));
    const folder = join(isV1 ? V1 : V2, `parley-drill-${process.pid}`);
    const quota = String(Math.round(PERIOD_US * cores));
    try {
      mkdirSync(folder);
      const set = (file: string, value: string): void => writeFileSync(join(folder, file), value);
      if (isV1) {
        set("cpu.cfs_period_us", String(PERIOD_US));
        set("cpu.cfs_quota_us", quota);
        set("cpu.shares", String(SHARES_V1));
      } else {
        set("cpu.max", `${quota} ${PERIOD_US}`);
        set("cpu.weight", String(WEIGHT_V2));
      }
      for (const pid of pids.flatMap(withChildren)) set("cgroup.procs", String(pid));
      return new CpuQuota(folder);
    } catch (error: unknown) {
      return `no cgroup with a CPU quota: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  /** When its processes are gone. */
  [Symbol.dispose](): void {
    try {
      rmdirSync(this.#folder);
    } catch {
      // A process that ends late keeps it; an empty group costs nothing.
    }
  }
}

function withChildren(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean),
  );
  return [pid, ...children.map(Number).flatMap(withChildren)];
}
