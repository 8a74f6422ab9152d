// Plan: the faults of a run, their order and their pauses, from its seed alone.
//
//   plan.1. The same seed, time and faults give the same plan.
//   plan.2. Every chosen fault comes once before any comes twice.
//   plan.3. Between two faults there is a rest, so that the checker can judge each alone.

import { below, seededRandom } from "#shared/kit/random.ts";
import type { Random } from "#shared/ports/clock.ts";

export interface Row {
  /** In the fault table: "F4-stop" is a variant of row F4. */
  readonly name: string;
  readonly what: string;
  /** Deadline of the first acknowledgement of a message that was sent after … */
  readonly backMs: number;
  /** … the begin of the fault, or its heal. */
  readonly since: "start" | "heal";
  /** From the strike to the heal, at least. */
  readonly holdMs: number;
  /** An estimate of the whole fault with its recovery. Only the plan uses it. */
  readonly costMs: number;
  readonly needs?: "nats-3" | "network" | "clock" | "webhooks";
  /** Deadline of the archive's catch-up after the heal. */
  readonly drainMs?: number;
  /** No client may get an error while the fault lasts. */
  readonly isSilent?: true;
  /** Deadline of the first refusal of a send. */
  readonly refusalMs?: number;
  /** No partition may change its owner while the fault lasts. */
  readonly isSteady?: true;
}

export interface Step {
  readonly n: number;
  readonly row: Row;
  /** Chooses the target: the fault takes it modulo the number of targets. */
  readonly pick: number;
  readonly restMs: number;
}

const S = 1_000;

/**
 * The deadlines are those of the guarantees, except for F5. Each hold is as short as it can be and
 * still have an effect.
 */
export const ROWS: readonly Row[] = [
  row("F1", "kill -9 a gateway", { backMs: 5 * S, costMs: 4 * S }),
  row("F2", "kill -9 a room node under load", { backMs: 1 * S, costMs: 4 * S }),
  row("F3", "SIGSTOP a room node 15 s", { backMs: 8 * S, holdMs: 15 * S, costMs: 18 * S }),
  row("F4-kill", "kill -9 persistence", { backMs: 2 * S, costMs: 6 * S, drainMs: 30 * S }),
  row("F4-stop", "SIGSTOP persistence 8 s", {
    backMs: 2 * S,
    holdMs: 8 * S,
    costMs: 12 * S,
    drainMs: 30 * S,
  }),
  row("F5", "kill -9 the NATS server that leads most", {
    backMs: 9.5 * S, // An election alone takes up to 9 s: docs/decisions/014.
    costMs: 12 * S,
    needs: "nats-3",
  }),
  row("F6", "SIGSTOP that server 10 s", {
    backMs: 10 * S,
    holdMs: 10 * S,
    costMs: 16 * S,
    needs: "nats-3",
  }),
  row("F7", "kill -9 all NATS servers", { backMs: 10 * S, since: "heal", costMs: 14 * S }),
  row("F9", "a room node cut from NATS, half-open, 12 s", {
    backMs: 10 * S,
    holdMs: 12 * S,
    costMs: 16 * S,
    needs: "network",
  }),
  row("F10", "the log is full for 6 s", {
    backMs: 5 * S,
    since: "heal",
    holdMs: 6 * S,
    costMs: 10 * S,
    refusalMs: 5 * S,
  }),
  row("F12-kill", "kill -9 PostgreSQL", { backMs: 2 * S, costMs: 8 * S, drainMs: 10 * S }),
  row("F12-stop", "SIGSTOP PostgreSQL 60 s", {
    backMs: 2 * S,
    holdMs: 60 * S,
    costMs: 68 * S,
    drainMs: 10 * S,
  }),
  row("F12-slow", "PostgreSQL with 500 ms latency for 15 s", {
    backMs: 2 * S,
    holdMs: 15 * S,
    costMs: 18 * S,
    drainMs: 10 * S,
    needs: "network",
  }),
  row("F15-5", "5 % loss, 100 ± 50 ms, all to NATS, 12 s", {
    backMs: 5 * S,
    holdMs: 12 * S,
    costMs: 15 * S,
    needs: "network",
    isSteady: true,
  }),
  row("F15-20", "20 % loss, 100 ± 50 ms, all to NATS, 12 s", {
    backMs: 10 * S,
    holdMs: 12 * S,
    costMs: 18 * S,
    needs: "network",
  }),
  row("F16", "a room node's clock 3 h off", {
    backMs: 2 * S,
    since: "heal",
    holdMs: 10 * S,
    costMs: 18 * S,
    needs: "clock",
  }),
  row("F18", "paused readers", { backMs: 2 * S, holdMs: 10 * S, costMs: 20 * S }),
  row("F25-still", "log readers of all services paused for 10 s", {
    backMs: 2 * S,
    holdMs: 10 * S,
    costMs: 14 * S,
    isSilent: true,
  }),
  row("F25-gone", "log readers of all services closed; every service restarted in turn 5 s later", {
    backMs: 5 * S,
    holdMs: 5 * S,
    costMs: 35 * S,
    isSilent: true,
  }),
  row("F26", "the partitions are doubled", { backMs: 2 * S, costMs: 20 * S, isSilent: true }),
  row("F27", "kill -9 a process that sends webhooks", {
    backMs: 2 * S,
    costMs: 8 * S,
    needs: "webhooks",
  }),
  row("F28", "the receiver of webhooks is down for 60 s", {
    backMs: 2 * S,
    holdMs: 60 * S,
    costMs: 64 * S,
    isSilent: true,
    needs: "webhooks",
  }),
  row("F22", "every service restarted in turn", { backMs: 5 * S, costMs: 30 * S, isSilent: true }),
];

function row(
  name: string,
  what: string,
  { since = "start", holdMs = 0, ...rest }: Partial<Row> & Pick<Row, "backMs" | "costMs">,
): Row {
  return { name, what, since, holdMs, ...rest };
}

const REST_MIN_MS = 2 * S;
const REST_SPREAD_MS = 2 * S;

/** The rows with these names. "F4" stands for all its variants. Throws for an unknown name. */
export function rowsNamed(names: readonly string[]): Row[] {
  return names.flatMap((name) => {
    const found = ROWS.filter((one) => one.name === name || one.name.startsWith(`${name}-`));
    if (found.length === 0) {
      throw new Error(`unknown fault ${name}; known: ${ROWS.map((one) => one.name).join(", ")}`);
    }
    return found;
  });
}

export function makePlan(options: {
  readonly seed: number;
  readonly seconds: number;
  readonly rows: readonly Row[];
}): Step[] {
  const random = seededRandom(options.seed);
  const steps: Step[] = [];
  let left = options.seconds * S;
  for (let round: Row[] = []; options.rows.length > 0;) {
    if (round.length === 0) round = shuffle(options.rows, random); // plan.2
    const row = round.pop();
    const restMs = REST_MIN_MS + below(random, REST_SPREAD_MS); // plan.3
    if (row === undefined || row.costMs + restMs > left) break;
    left -= row.costMs + restMs;
    steps.push({ n: steps.length + 1, row, pick: below(random, 1_000), restMs });
  }
  return steps;
}

function shuffle<T>(from: readonly T[], random: Random): T[] {
  const to = [...from];
  for (let i = to.length - 1; i > 0; i--) {
    const j = below(random, i + 1);
    [to[i], to[j]] = [to[j] as T, to[i] as T];
  }
  return to;
}
