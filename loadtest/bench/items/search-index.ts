// Search index item, INDEX: what the indexer of the search costs the archive, and how far it is
// behind it. The drain of B7 with the indexer and without it, in turn; then 2,000 messages a
// second, while both the archive's heads and the indexed numbers are read four times a second.

import { Client } from "pg";
import type { Leg } from "../figures.ts";
import { median } from "../figures.ts";
import { started } from "../alternate.ts";
import { allDelivered, atMost, punctual } from "../item.ts";
import type { Item, ItemResult } from "../item.ts";
import { PARLEY, startParley } from "../peers/parley.ts";
import { run } from "../run.ts";
import { drainOnce, LARGE_LOG } from "./backlog.ts";

const LAG_TARGET_S = 5;
const SHARE_TARGET = 0.95;
const LAG_SECONDS = 30;
const SAMPLE_MS = 250;
const LIVE = { rooms: 200, members: 2, perSecond: 2_000 };

export const INDEX: Item = {
  id: "INDEX",
  title: "search index: the archive with and without the indexer, and its lag at 2,000/s",
  async play({ rounds, seconds, say, sayLeg }): Promise<ItemResult> {
    const shares: number[] = [];
    const legs: Leg[] = [];
    for (let round = 0; round < rounds; round++) {
      const rate = { on: 0, off: 0 };
      for (const which of round % 2 === 0 ? (["on", "off"] as const) : (["off", "on"] as const)) {
        const drain = await drainOnce(seconds ?? 8, () =>
          startParley({ ...LARGE_LOG, env: { SEARCH_INDEX: which } }),
        );
        rate[which] = drain.eventsPerSecond;
        legs.push(drain.quiet, drain.busy);
        say(
          `  indexer ${which}: drained ${Math.round(drain.eventsPerSecond).toLocaleString("en")}/s`,
        );
      }
      shares.push(rate.on / rate.off);
    }
    const { leg, lagS } = await lagOf(seconds ?? LAG_SECONDS);
    sayLeg(leg);
    legs.push(leg);
    const share = median(shares);
    const range = `${Math.min(...shares).toFixed(2)} … ${Math.max(...shares).toFixed(2)}`;
    return {
      legs,
      verdicts: [
        {
          what: "drain of B7 with the indexer to without",
          target: `≥ ${SHARE_TARGET} ×`,
          measured: `${share.toFixed(2)} × (${range})`,
          ok: share >= SHARE_TARGET,
        },
        atMost("largest lag of the index behind the archive at 2,000/s", lagS, LAG_TARGET_S, "s"),
        allDelivered(legs, PARLEY),
        punctual(legs),
      ],
    };
  },
};

interface Sample {
  readonly ms: number;
  readonly archived: number;
  readonly indexed: number;
}

async function lagOf(seconds: number): Promise<{ leg: Leg; lagS: number }> {
  await using parley = await started(() => startParley());
  const client = new Client({ connectionString: parley.cluster.databaseUrl });
  await client.connect();
  const samples: Sample[] = [];
  const state = { isOver: false };
  const sampling = (async () => {
    while (!state.isOver) {
      samples.push(await sample(client));
      await new Promise((resume) => setTimeout(resume, SAMPLE_MS));
    }
  })();
  try {
    const leg = await run(parley, { ...LIVE, name: "2,000/s, indexed", seconds });
    return { leg, lagS: lagIn(samples) / 1_000 };
  } finally {
    state.isOver = true;
    await sampling;
    await client.end();
  }
}

async function sample(client: Client): Promise<Sample> {
  const { rows } = await client.query<{ archived: string; indexed: string }>(
    `select (select coalesce(sum(head), 0) from rooms) as archived,
      (select coalesce(sum(seq), 0) from search_rooms) as indexed`,
  );
  const { archived = "0", indexed = "0" } = rows[0] ?? {};
  return { ms: performance.now(), archived: Number(archived), indexed: Number(indexed) };
}

/** The longest time from a count of the archive to the first sample in which the index has it. */
function lagIn(samples: readonly Sample[]): number {
  const last = samples.at(-1)?.ms ?? 0;
  const lags = samples.map(({ ms, archived }) => {
    const reached = samples.find(({ indexed }) => indexed >= archived);
    return Math.max(0, (reached?.ms ?? last) - ms);
  });
  return Math.max(0, ...lags);
}
