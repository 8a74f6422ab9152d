// CpuOf: the CPU time of this process for one call, as the smallest of several rounds: other work
// on the machine makes a round dearer, and never cheaper.

const ROUNDS = 7;
const WARM_UP_ROUNDS = 2;

/** Microseconds of CPU for each of `count` equal pieces of work. */
export function cpuOf(count: number, work: () => void): number {
  let best = Infinity;
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    const began = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(began);
    if (round >= WARM_UP_ROUNDS) best = Math.min(best, (user + system) / count);
  }
  return best;
}
