// RegionMetrics: the Prometheus names and help texts of a region agent. Where both regions serve,
// each sample has the label `home`.

import type { Metrics } from "#shared/process/metrics.ts";
import type { OpenedAgent } from "../runtime/open-agents.ts";

type Labels = Readonly<Record<string, string>>;

export function registerRegion(metrics: Metrics, agents: readonly OpenedAgent[]): void {
  const gauge = (name: string, help: string, valueOf: (of: OpenedAgent) => number): void =>
    metrics.gauge(name, help, () => agents.map((of) => [labelsOf(of), valueOf(of)] as const));
  metrics.gauge("parley_region_state", "1 for the present state of the region agent", () =>
    agents.map((of) => [{ ...labelsOf(of), state: of.agent.state }, 1] as const),
  );
  gauge("parley_region_term", "Number of the term that this agent has seen", ({ agent }) => {
    return agent.term.record?.term ?? 0;
  });
  gauge("parley_region_serves", "1 while the processes of this region may serve", ({ agent }) =>
    agent.right().for === "everything" ? 1 : 0,
  );
  gauge("parley_region_lease_seconds", "Time that is left of this region's lease", ({ agent }) =>
    Math.max(0, (agent.term.leaseUntil - agent.now) / 1_000),
  );
  gauge("parley_region_follower", "1 while another region may take over from this one", (of) => {
    const { agent } = of;
    const hasFollower = (agent.term.record?.follower ?? null) !== null;
    return agent.state === "serving" && hasFollower ? 1 : 0;
  });
  metrics.gauge(
    "parley_region_mirror_lag_entries",
    "Log entries that the mirror of the other region lacks, by partition",
    () =>
      agents.flatMap((of) =>
        [...of.watch.lags].map(
          ([p, lag]) => [{ ...labelsOf(of), partition: String(p) }, lag] as const,
        ),
      ),
  );
}

function labelsOf({ home }: OpenedAgent): Labels {
  return home === undefined ? {} : { home };
}
