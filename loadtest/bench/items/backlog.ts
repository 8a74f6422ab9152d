// Backlog item, B7: how fast the archive drains 200,000 events while 2,000 a second arrive, beside
// the bare limit of the same PostgreSQL: the same columns, in `unnest` batches of the same size, on
// one connection without other work. It also measures the effect on members: the tail of the
// latency.

import { Client } from "pg";
import { systemRandom } from "#shared/adapters/clock-system.ts";
import { until } from "#shared/testing/wait.ts";
import { uuidv7 } from "#shared/kit/uuid.ts";
import { started } from "../alternate.ts";
import type { Leg } from "../figures.ts";
import { median } from "../figures.ts";
import { allDelivered, atMost, punctual } from "../item.ts";
import type { Item, ItemResult, Verdict } from "../item.ts";
import { PARLEY } from "../peers/parley.ts";
import type { ParleyPeer } from "../peers/parley.ts";
import { run } from "../run.ts";
import { isOwn, versions, versus } from "../versions.ts";

const BACKLOG = 200_000;
const FILL_PER_SECOND = 10_000;
const LIVE_PER_SECOND = 2_000;
const BATCH = 2_000;
const DRAIN_WITHIN_MS = 120_000;
const LIVE = { rooms: 200, members: 2, perSecond: LIVE_PER_SECOND };
/** The backlog fits into it. */
export const LARGE_LOG = { logBytesMax: 1024 * 1024 * 1024 };
const FILL = { rooms: 64, members: 1, perSecond: FILL_PER_SECOND, warmPerSecond: 1_000 };

export interface Drain {
  readonly eventsPerSecond: number;
  readonly limitPerSecond: number;
  readonly quiet: Leg;
  readonly busy: Leg;
}

export const B7: Item = {
  id: "B7",
  title: "archive: 200,000 events of backlog while 2,000/s come in",
  async play(options): Promise<ItemResult> {
    const drains: Drain[] = [];
    for (let round = 0; round < options.rounds; round++) {
      for (const start of versions(options, round, LARGE_LOG)) {
        const drain = await drainOnce(options.seconds ?? 8, start);
        const { eventsPerSecond, limitPerSecond, quiet, busy } = drain;
        drains.push(drain);
        options.sayLeg(quiet);
        options.sayLeg(busy);
        options.say(`  drained ${whole(eventsPerSecond)}/s, bare limit ${whole(limitPerSecond)}/s`);
      }
    }
    const legs = drains.flatMap(({ quiet, busy }) => [quiet, busy]);
    const isOurs = ({ quiet }: Drain): boolean => isOwn(quiet);
    const verdicts = [
      ...judge(drains.filter(isOurs)),
      allDelivered(legs, PARLEY),
      punctual(legs),
      ...toBase(
        drains.filter(isOurs),
        drains.filter((drain) => !isOurs(drain)),
      ),
    ];
    return { legs, verdicts };
  },
};

function toBase(ours: readonly Drain[], theirs: readonly Drain[]): readonly Verdict[] {
  const each = (what: string, of: (drain: Drain) => number): readonly Verdict[] =>
    versus(what, ours.map(of), theirs.map(of));
  return [
    ...each("CPU per delivery, no backlog", ({ quiet }) => quiet.cpuUs),
    ...each("CPU per delivery, draining", ({ busy }) => busy.cpuUs),
    ...each("time of the drain", ({ eventsPerSecond }) => 1 / eventsPerSecond),
  ];
}

function judge(drains: readonly Drain[]): Verdict[] {
  const rate = median(drains.map(({ eventsPerSecond }) => eventsPerSecond));
  const share = median(drains.map((drain) => drain.eventsPerSecond / drain.limitPerSecond));
  const tail = median(drains.map(({ busy, quiet }) => p99(busy) / p99(quiet)));
  return [
    {
      what: "drain of the backlog, one persistence process",
      target: "≥ 30000 events/s",
      measured: `${whole(rate)} events/s`,
      ok: rate >= 30_000,
    },
    {
      what: "drain to the bare limit of `unnest` in the same run",
      target: "≥ 0.5 ×",
      measured: `${share.toFixed(2)} ×`,
      ok: share >= 0.5,
    },
    atMost("p99 of acks with a backlog to without", tail, 1.2, "×"),
  ];
}

/** `start`: with LARGE_LOG. */
export async function drainOnce(seconds: number, start: () => Promise<ParleyPeer>): Promise<Drain> {
  await using parley = await started(start);
  const client = new Client({ connectionString: parley.cluster.databaseUrl });
  await client.connect();
  try {
    const limitPerSecond = await bareLimit(client);
    const quiet = await run(parley, { ...LIVE, name: "2,000/s, no backlog", seconds });
    await isArchived(client, parley);
    const fill = { ...FILL, name: "fill", seconds: BACKLOG / FILL_PER_SECOND };
    // From the beginning: a newly opened room needs the archive.
    const { probeDir: _paused, ...unprobed } = parley; // A paused process answers no probe.
    await run(unprobed, fill, { begin: () => parley.cluster.pause("persistence-1") });
    const before = await archived(client);
    let drained: { events: number; ms: number } | undefined;
    // Before the live clients join, because their rooms need the archive to open. The drain
    // overlaps with their joins and warm-up, whose latencies do not count.
    const began = performance.now();
    parley.cluster.resume("persistence-1");
    void drainOf(client, before + BACKLOG).then((events) => {
      drained = { events: events - before, ms: performance.now() - began };
    });
    const busy = await run(parley, { ...LIVE, name: "2,000/s, draining", seconds });
    await until(() => drained !== undefined, { withinMs: DRAIN_WITHIN_MS, what: "the drain" });
    const { events, ms } = drained ?? { events: 0, ms: 1 };
    return { eventsPerSecond: (events / ms) * 1_000, limitPerSecond, quiet, busy };
  } finally {
    await client.end();
  }
}

async function archived(client: Client): Promise<number> {
  const { rows } = await client.query<{ n: string }>(
    "select coalesce(sum(head), 0) as n from rooms",
  );
  return Number(rows[0]?.n);
}

/** Resolves with the number of events when `goal` is reached. Adding the heads is cheap. */
async function drainOf(client: Client, goal: number): Promise<number> {
  let count = 0;
  const isThere = async (): Promise<boolean> => (count = await archived(client)) >= goal;
  await until(isThere, { withinMs: DRAIN_WITHIN_MS, what: "the backlog in the archive" });
  return count;
}

/** Two equal counts one second apart: no event is in transit. */
async function isArchived(client: Client, parley: ParleyPeer): Promise<void> {
  let last = -1;
  let since = performance.now();
  const isStill = async (): Promise<boolean> => {
    const count = await archived(client);
    if (count !== last) {
      last = count;
      since = performance.now();
    }
    return performance.now() - since > 1_000;
  };
  await until(isStill, { withinMs: DRAIN_WITHIN_MS, what: `${parley.name} to be archived` });
}

/** Inserts per second of one connection into a table like `events`, in the same batches. */
async function bareLimit(client: Client): Promise<number> {
  await client.query("create table bare (like events including all) partition by hash (room)");
  for (let n = 0; n < 16; n++) {
    const part = `for values with (modulus 16, remainder ${n})`;
    await client.query(`create table bare_${n} partition of bare ${part}`);
  }
  const batches = Array.from({ length: 20 }, (_, i) => bareColumns(i));
  const began = performance.now();
  for (const columns of batches) {
    await client.query(
      "insert into bare select * from unnest($1::text[], $2::bigint[], $3::text[], $4::uuid[]," +
        " $5::text[], $6::bigint[], $7::text[]) on conflict do nothing",
      columns,
    );
  }
  const perSecond = ((batches.length * BATCH) / (performance.now() - began)) * 1_000;
  await client.query("drop table bare");
  return perSecond;
}

function bareColumns(batch: number): unknown[][] {
  const at = Date.now();
  const rows = Array.from({ length: BATCH }, (_, i) => {
    const id = uuidv7(at, systemRandom);
    const room = `room-${i % 64}`;
    const seq = batch * BATCH + i + 1;
    const line = JSON.stringify({
      t: "msg",
      room,
      seq,
      id,
      from: "bench",
      at,
      body: { text: TEXT },
    });
    return [room, seq, "msg", id, "bench", at, line];
  });
  return Array.from({ length: 7 }, (_, column) => rows.map((row) => row[column]));
}

const TEXT = "x".repeat(120);

function p99({ ackMs }: Leg): number {
  return ackMs?.p99 ?? Number.NaN;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}
