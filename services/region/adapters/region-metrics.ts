// RegionMetrics: the Prometheus names and help texts of a region agent.

import type { Metrics } from "#shared/process/metrics.ts";
import type { FollowerWatch } from "../runtime/follower-watch.ts";
import type { RegionAgent } from "../runtime/region-agent.ts";

export function registerRegion(metrics: Metrics, agent: RegionAgent, watch: FollowerWatch): void {
  metrics.gauge("parley_region_state", "1 for the present state of the region agent", () => [
    [{ state: agent.state }, 1],
  ]);
  metrics.gauge("parley_region_term", "Number of the term that this agent has seen", () => {
    return agent.term.record?.term ?? 0;
  });
  metrics.gauge("parley_region_serves", "1 while the processes of this region may serve", () =>
    agent.grant(0).for === "everything" ? 1 : 0,
  );
  metrics.gauge("parley_region_lease_seconds", "Time that is left of this region's lease", () =>
    Math.max(0, (agent.term.leaseUntil - agent.now) / 1_000),
  );
  metrics.gauge(
    "parley_region_follower",
    "1 while another region may take over from this one",
    () => (agent.state === "serving" && (agent.term.record?.follower ?? null) !== null ? 1 : 0),
  );
  metrics.gauge(
    "parley_region_mirror_lag_entries",
    "Log entries that the mirror of the other region lacks, by partition",
    () => watch.lags.map((lag, partition) => [{ partition: String(partition) }, lag] as const),
  );
}
