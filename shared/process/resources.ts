// Resources: what this process uses of memory, open files and time of its event loop.
//
//   resources.1. Memory outside of the V8 heap is compared with what the control group leaves for
//        it. The heap has a limit and a forecast of its own; V8 also lets it grow with garbage.
//   resources.2. A value that this machine does not know is absent.
//   resources.3. One system call counts the open files, where the kernel can do that (Linux 6.2). A
//        list of 10,000 files stops the process for 30 ms.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { performance } from "node:perf_hooks";
import type { Resource, Usage } from "../kit/foresight.ts";

/** Above this share of a core, users wait; also the threshold of ParleyEventLoopSlow. */
const LOOP_SHARE_MAX = 0.85;

const FILES = "/proc/self/fd";

export type Usages = Iterable<readonly [Resource, Usage]>;

/** Reads all resources of the process; the event loop since the previous call. */
export function openResources(): () => Usages {
  const memoryMax = controlGroupMemory();
  const filesMax = openFilesMax();
  let before = performance.eventLoopUtilization();
  return function* () {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    yield ["event-loop", { value: utilization, limit: LOOP_SHARE_MAX }];
    if (memoryMax !== undefined) {
      const { rss, heapTotal } = process.memoryUsage();
      const value = Math.max(0, rss - heapTotal);
      yield ["rss", { value, limit: Math.max(1, memoryMax - heapTotal) }]; // resources.1
    }
    const files = openFiles();
    if (files !== undefined && filesMax !== undefined) {
      yield ["files", { value: files, limit: filesMax }];
    }
  };
}

/** The memory limit of the control group in bytes; undefined without one. */
function controlGroupMemory(): number | undefined {
  const limit = process.constrainedMemory();
  // Without a limit the kernel reports a number near 2^63.
  return limit > 0 && limit < 2 ** 50 ? limit : undefined;
}

/** resources.3. `counted` is 0 on an older kernel. */
export function openFiles(counted = () => statSync(FILES).size): number | undefined {
  try {
    const count = counted();
    return count > 0 ? count : readdirSync(FILES).length - 1; // Without that of the list itself.
  } catch {
    return undefined; // Not Linux.
  }
}

function openFilesMax(): number | undefined {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined; // Not Linux.
  }
}
