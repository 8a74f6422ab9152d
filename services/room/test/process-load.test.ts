// Process load: the CPU time of this process, and the quotas of made-up control groups.

import { expect } from "chai";
import { coresOf, openProcessLoad } from "../adapters/process-load.ts";

const V1 = "/sys/fs/cgroup/cpu";

function coresWith(files: Readonly<Record<string, string>>): number {
  return coresOf((path) => files[path]);
}

describe("Process load", () => {
  it("process-load.1: the limit is the smallest quota of the group and its parents, at most one core", () => {
    const v2 = { "/proc/self/cgroup": "0::/pod/room\n" };
    const cases: [Readonly<Record<string, string>>, number][] = [
      [{}, 1], // Not Linux.
      [v2, 1],
      [{ ...v2, "/sys/fs/cgroup/pod/room/cpu.max": "max 100000\n" }, 1],
      [{ ...v2, "/sys/fs/cgroup/pod/room/cpu.max": "50000 100000\n" }, 0.5],
      [{ ...v2, "/sys/fs/cgroup/pod/room/cpu.max": "400000 100000\n" }, 1],
      [{ ...v2, "/sys/fs/cgroup/pod/cpu.max": "2500 10000\n" }, 0.25],
      [{ "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "50000 100000\n" }, 0.5],
      [{ ...v2, "/sys/fs/cgroup/pod/room/cpu.max": "0 100000\n" }, 1],
      [{ ...v2, "/sys/fs/cgroup/pod/room/cpu.max": "nonsense" }, 1],
    ];
    for (const [files, cores] of cases) {
      expect(coresWith(files), JSON.stringify(files)).to.equal(cores);
    }
  });

  it("process-load.1: reads the quota of version 1 of control groups", () => {
    const group = "12:pids:/a\n4:cpu,cpuacct:/drill\n0::/b\n";
    const quota = (quotaUs: string): number =>
      coresWith({
        "/proc/self/cgroup": group,
        [`${V1}/drill/cpu.cfs_quota_us`]: quotaUs,
        [`${V1}/drill/cpu.cfs_period_us`]: "10000\n",
        [`${V1}/a/cpu.cfs_quota_us`]: "100",
        [`${V1}/a/cpu.cfs_period_us`]: "10000",
      });
    expect(quota("3000\n")).to.equal(0.3);
    expect(quota("-1\n")).to.equal(1);
  });

  it("process-load.2: totals grow with the work, and the limit is read again after a time", () => {
    let reads = 0;
    const read = openProcessLoad(() => {
      reads++;
      return 0.5;
    });
    const before = read();
    const until = performance.now() + 30;
    while (performance.now() < until);
    const after = read();
    expect(after.at - before.at).to.be.at.least(29);
    expect(after.cpuMs).to.be.above(before.cpuMs);
    expect(after.loopCpuMs).to.be.above(before.loopCpuMs);
    expect(after.limit).to.equal(0.5);
    expect(reads).to.equal(1);
  });
});
