// FirstPassage: when a noisy quantity that drifts reaches a limit for the first time.
//
// A Wiener process with drift reaches a fixed distance after a time that has the inverse Gaussian
// distribution (Schrödinger 1915; Folks and Chhikara 1978, "The inverse Gaussian distribution and
// its statistical application"). Its mean is distance / drift, its shape distance² / variance.
//
//   first-passage.1. The share is monotonic in time, 0 at 0, and approaches 1.
//   first-passage.2. `firstPassageTime` is the inverse of `firstPassageShare` to QUANTILE_ERROR.

export interface Passage {
  /** The way to the limit, in units of the quantity; above 0. */
  readonly distance: number;
  /** Units for each unit of time; above 0. */
  readonly drift: number;
  /** Units² for each unit of time; above 0. */
  readonly variance: number;
}

/** The relative error of a quantile. */
export const QUANTILE_ERROR = 1e-6;

/** The share of such processes that have reached the limit within `time`. */
export function firstPassageShare({ distance, drift, variance }: Passage, time: number): number {
  if (time <= 0) return 0;
  const scale = Math.sqrt(variance * time);
  const near = (drift * time - distance) / scale;
  const far = (drift * time + distance) / scale;
  // exp(2 distance drift / variance) × normal(-far), written so that neither factor overflows.
  const reflected = (scaledTail(far) / 2) * Math.exp(-(near * near) / 2);
  return Math.min(1, normalShare(near) + reflected);
}

/** The time within which `share` (above 0, below 1) of such processes have reached the limit. */
export function firstPassageTime(passage: Passage, share: number): number {
  let low = 0;
  let high = passage.distance / passage.drift;
  while (firstPassageShare(passage, high) < share) {
    low = high;
    high *= 2;
  }
  while (high - low > QUANTILE_ERROR * high) {
    const middle = (low + high) / 2;
    if (firstPassageShare(passage, middle) < share) low = middle;
    else high = middle;
  }
  return high;
}

/** The share of a standard normal distribution below `z`. */
function normalShare(z: number): number {
  const tail = (scaledTail(Math.abs(z)) / 2) * Math.exp(-(z * z) / 2);
  return z < 0 ? tail : 1 - tail;
}

/** erfc(z / √2) × exp(z² / 2) for z ≥ 0: Abramowitz and Stegun 7.1.26, error below 2e-7. */
function scaledTail(z: number): number {
  const t = 1 / (1 + 0.3275911 * (z / Math.SQRT2));
  const [a, b, c, d, e] = [0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429];
  return t * (a + t * (b + t * (c + t * (d + t * e))));
}
