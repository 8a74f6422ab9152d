// Run clock: milliseconds that all processes of a run read alike, whatever a fault does to wall
// clocks.

/** The kernel's monotonic clock, to a tenth of a millisecond. */
export function runNow(): number {
  return Number(process.hrtime.bigint() / 100_000n) / 10;
}
