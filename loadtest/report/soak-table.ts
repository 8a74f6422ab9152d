// Soak table: the memory of each process during a soak of almost one hour.
//
// The live heap after a forced collection counts. The resident size depends on the time of the last
// collection and varies by tens of MiB. The slope is that of a least-squares line after the
// warm-up.

import type { StoredLoad } from "../k6/main.ts";

/**
 * Until memory is filled: the last 64 lines of each room, complete after its second visit of 60
 * messages (twice 8.3 minutes, soak.js), and the ids of ten minutes.
 */
const WARM_UP_S = 1_200;
const SECONDS_PER_HOUR = 3_600;

type Samples = StoredLoad["memory"];

export function soakTable({ live = [], memory, metrics, command }: StoredLoad): string[] {
  const names = Object.keys(live[0]?.mb ?? {});
  if (names.length === 0) return [];
  const minutes = (sample: Samples[number] | undefined): string =>
    ((sample?.at ?? 0) / 60).toFixed(0);
  const acks = metrics["parley_ack_ms"] ?? {};
  const after = live.filter(({ at }) => at >= WARM_UP_S);
  const rows = names.map((name) => {
    const mib = (sample: Samples[number] | undefined): string =>
      sample?.mb[name] === undefined ? "–" : `${sample.mb[name].toFixed(1)} MiB`;
    const slope = slopePerHour(after, name);
    const slopeText = Number.isFinite(slope) ? `${slope.toFixed(1)} MiB/h` : "–";
    const resident = `${mib(memory[0])} → ${mib(memory.at(-1))}`;
    return `| ${name} | ${mib(live[0])} | ${mib(after[0])} | ${mib(after.at(-1))} | ${slopeText} | ${resident} |`;
  });
  return [
    `280 messages a second over 2,000 rooms: 24 million a day. Send → ack med ${acks["med"]?.toFixed(1)} ms, p99`,
    `${acks["p(99)"]?.toFixed(0)} ms. Live heap after a forced collection: \`${command}\``,
    "",
    `| process | live after ${minutes(live[0])} min | after ${WARM_UP_S / 60} min | at the end | slope after the warm-up (≤ 1) | resident, first → last |`,
    "|---|---|---|---|---|---|",
    ...rows,
    "",
  ];
}

export function slopePerHour(samples: Samples, name: string): number {
  const points = samples.map(({ at, mb }) => [at / SECONDS_PER_HOUR, mb[name] ?? NaN] as const);
  const mean = (pick: 0 | 1): number =>
    points.reduce((sum, point) => sum + point[pick], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const spread = points.reduce((sum, [at]) => sum + (at - x) ** 2, 0);
  return points.reduce((sum, [at, mb]) => sum + (at - x) * (mb - y), 0) / spread;
}
