// Warm item, WARM (S15 of the source article: hot reads 8 × faster, 65 % fewer database reads): the
// newest pages of the 1,000 most used rooms after a restart of persistence, with pages that are
// read ahead and without (WARM_ROOMS=0), in turn on one embedded cluster.
//
// A pass reads the page of each room once, in a random order: `GET …/messages?view=messages`, as a
// client that opens a room. So no read of a pass is answered from the memory of an earlier one.
// Reads of the archive count from the start of the process, those ahead included. Two more figures
// leave parts of the way out, which both kinds of reads have in common: a request to persistence
// over the bus (without HTTP, gateway and owner), and the read itself, in the process of the bench
// with the adapters of persistence. CPU time is that of the pass, without the reads ahead; it holds
// on a busy machine.

import { randomInt } from "node:crypto";
import { Agent, request } from "node:http";
import { Client } from "pg";
import { systemClock } from "#shared/adapters/clock-system.ts";
import { openArchiveReader } from "#shared/adapters/archive-over-bus.ts";
import { openNatsBus } from "#shared/adapters/bus-nats.ts";
import type { ArchiveReader } from "#shared/ports/archive.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { createLogger } from "#shared/process/logger.ts";
import { PartitionMap } from "#shared/protocol/partition-map.ts";
import { until } from "#shared/testing/wait.ts";
import { PostgresArchive } from "../../../services/persistence/adapters/archive-postgres.ts";
import { NewestPages } from "../../../services/persistence/adapters/newest-pages.ts";
import { PageWarmer } from "../../../services/persistence/runtime/page-warmer.ts";
import { started, stopRunning } from "../alternate.ts";
import { median } from "../figures.ts";
import type { Item, ItemResult, Verdict } from "../item.ts";
import { cpuOf, cpuSince, total } from "../cpu.ts";
import { pinServers } from "../peer.ts";
import { pidsOf, startParley } from "../peers/parley.ts";
import type { ParleyPeer } from "../peers/parley.ts";

const USED = 1_000;
/** Rooms in the archive, of which USED are read. */
const ROOMS = 4_000;
const EVENTS = 100;
const PARTITIONS = 4;
const PAGE = 50;
/** Requests in flight: a few readers at once. */
const AT_ONCE = 4;
const FASTER = 8;
const FEWER_PERCENT = 65;
const READY_WITHIN_MS = 120_000;

interface Pass {
  readonly http: Times;
  readonly bus: Times;
  readonly read: Times;
  readonly reads: number;
  /** Microseconds for each GET: of PostgreSQL, and of all servers. */
  readonly cpu: { readonly postgres: number; readonly all: number };
}

interface Times {
  readonly p50: number;
  readonly p99: number;
}

export const WARM: Item = {
  id: "WARM",
  title: `newest pages of the ${USED.toLocaleString("en")} most used rooms after a restart of persistence`,
  async play({ rounds, scale, say }): Promise<ItemResult> {
    const count = Math.round(USED * scale);
    await using parley = await started(() =>
      startParley({ partitions: PARTITIONS, restart: true, persistence: 1 }),
    );
    try {
      await fill(parley.cluster.databaseUrl, Math.round(ROOMS * scale));
      const rooms = Array.from({ length: count }, (_, r) => `room-${r * 4}` as RoomId);
      const token = await parley.token("reader");
      const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
      const get = (room: RoomId): Promise<void> => getPage(agent, parley.url, token, room);
      const logger = createLogger({ name: "bench", level: "silent" });
      const access = { ...parley.cluster.natsAccess, name: "bench", inboxPrefix: "_INBOX_ctl" };
      const bus = await openNatsBus({ ...access, logger });
      const archive = openArchiveReader(bus, systemClock);
      // The owners load the rooms, all code is compiled, and the reads are counted.
      for (let n = 0; n < 3; n++) await timed(rooms, get);
      const passes: Record<"cold" | "warm", Pass[]> = { cold: [], warm: [] };
      for (let round = 0; round < rounds; round++) {
        const order = round % 2 === 0 ? (["cold", "warm"] as const) : (["warm", "cold"] as const);
        for (const kind of order) {
          const first = (): Promise<boolean> => isAnswered(archive);
          await restart(parley, kind === "warm" ? count : 0, first);
          const before = cpuOf(pidsOf(parley.cluster));
          const http = await timed(rooms, get);
          const used = cpuSince(before, cpuOf(pidsOf(parley.cluster)));
          const cpu = {
            postgres: (used.get("postgres") ?? 0) / rooms.length,
            all: total(used) / rooms.length,
          };
          const reads = await metric(parley, "parley_archive_reads_total");
          await restart(parley, kind === "warm" ? count : 0, first);
          const direct = await timed(rooms, (room) => askArchive(archive, room));
          const read = await readDirectly(parley.cluster.databaseUrl, rooms, kind);
          passes[kind].push({ http, bus: direct, read, reads, cpu });
          say(
            `  ${kind}: GET ${textOf(http)}; over the bus ${textOf(direct)}; ` +
              `the read ${textOf(read)}; ${reads} reads; ` +
              `CPU of a GET ${cpu.all.toFixed(0)} µs, PostgreSQL ${cpu.postgres.toFixed(0)} µs`,
          );
        }
      }
      agent.destroy();
      await bus.close();
      return { legs: [], verdicts: judge(passes.cold, passes.warm) };
    } finally {
      await stopRunning();
    }
  },
};

function judge(cold: readonly Pass[], warm: readonly Pass[]): Verdict[] {
  const of = (passes: readonly Pass[], pick: (pass: Pass) => number): number =>
    median(passes.map(pick));
  const fewer = 100 * (1 - of(warm, ({ reads }) => reads) / of(cold, ({ reads }) => reads));
  const faster = (what: string, pick: (pass: Pass) => number, isTarget: boolean): Verdict => {
    const [slow, fast] = [of(cold, pick), of(warm, pick)];
    const times = slow / fast;
    return {
      what: `${what}, cold to warm`,
      target: isTarget ? `≥ ${FASTER} ×` : "for information",
      measured: `${times.toFixed(1)} × (${slow.toFixed(2)} → ${fast.toFixed(3)} ms)`,
      ok: isTarget ? times >= FASTER : undefined,
    };
  };
  const cpu = (what: string, pick: (pass: Pass) => number): Verdict => {
    const [before, after] = [of(cold, pick), of(warm, pick)];
    const measured = `${before.toFixed(0)} → ${after.toFixed(0)} µs`;
    return { what, target: "for information", measured, ok: undefined };
  };
  return [
    {
      what: "reads of the database, those ahead included",
      target: `≥ ${FEWER_PERCENT} % fewer`,
      measured: `${fewer.toFixed(0)} % fewer (${of(cold, ({ reads }) => reads)} → ${of(warm, ({ reads }) => reads)})`,
      ok: fewer >= FEWER_PERCENT,
    },
    cpu("CPU of PostgreSQL for each GET", ({ cpu }) => cpu.postgres),
    cpu("CPU of all servers for each GET", ({ cpu }) => cpu.all),
    faster("the read of a page in persistence, median", ({ read }) => read.p50, true),
    faster("GET …/messages, median", ({ http }) => http.p50, true),
    faster("GET …/messages, p99", ({ http }) => http.p99, false),
    faster("a page from persistence over the bus, median", ({ bus }) => bus.p50, false),
    faster("a page from persistence over the bus, p99", ({ bus }) => bus.p99, false),
  ];
}

function textOf({ p50, p99 }: Times): string {
  return `p50 ${p50.toFixed(3)} ms, p99 ${p99.toFixed(2)} ms`;
}

/** In order, as a deploy does. Resolves when it serves, and has read ahead what it will. */
async function restart(
  { cluster }: ParleyPeer,
  warmRooms: number,
  isAnswered: () => Promise<boolean>,
): Promise<void> {
  const name = "persistence-1";
  const old = cluster.pid(name);
  cluster.setEnv(name, { WARM_ROOMS: String(warmRooms) });
  await cluster.terminate(name);
  const what = "persistence to serve again";
  await until(
    async () => {
      const pid = cluster.pid(name);
      if (pid === undefined || pid === old) return false;
      const url = cluster.info().persistence[0]?.metrics;
      if (url === undefined || url === "") return false;
      const text = await (await fetch(url)).text();
      return valueIn(text, "parley_newest_pages_warmed_total") >= warmRooms;
    },
    { withinMs: READY_WITHIN_MS, what },
  );
  pinServers([cluster.pid(name) ?? 0]);
  await until(isAnswered, { withinMs: READY_WITHIN_MS, what });
}

/** Opens the connections to PostgreSQL: the page of a room that no pass reads. */
async function isAnswered(archive: ArchiveReader): Promise<boolean> {
  const room = "room-1" as RoomId;
  const p = new PartitionMap(PARTITIONS).partitionOf(room);
  const reads = Array.from({ length: AT_ONCE }, () => archive.messages(p, room, { limit: 1 }));
  return (await Promise.all(reads)).every(({ kind }) => kind === "ok");
}

async function metric({ cluster }: ParleyPeer, name: string): Promise<number> {
  const text = await (await fetch(cluster.info().persistence[0]?.metrics ?? "")).text();
  return valueIn(text, name);
}

/** The sum over all labels. */
function valueIn(text: string, name: string): number {
  const lines = text.split("\n").filter((line) => line.startsWith(name));
  return lines.reduce((sum, line) => sum + Number(line.split(" ")[1]), 0);
}

/** Calls `read` for each room once, AT_ONCE at a time. */
async function timed(
  rooms: readonly RoomId[],
  read: (room: RoomId) => Promise<void>,
): Promise<Times> {
  const left = [...rooms];
  const times: number[] = [];
  const reader = async (): Promise<void> => {
    while (left.length > 0) {
      const [room] = left.splice(randomInt(left.length), 1);
      const began = performance.now();
      if (room !== undefined) await read(room);
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, reader));
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * sorted.length)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

/** The adapters of persistence in this process. A first read opens the connections. */
async function readDirectly(
  url: string,
  rooms: readonly RoomId[],
  kind: "cold" | "warm",
): Promise<Times> {
  const store = new PostgresArchive({ url });
  const pages = new NewestPages(store);
  const warmer = new PageWarmer({
    store,
    pages,
    clock: systemClock,
    rooms: kind === "warm" ? rooms.length : 0,
    serves: () => true,
    onReport: () => undefined,
  });
  try {
    await timed(rooms.slice(0, AT_ONCE), async (room) => {
      await store.messages(room, { limit: PAGE });
    });
    await warmer.start();
    return await timed(rooms, async (room) => {
      const read = await warmer.messages(room, { limit: PAGE, atLeast: EVENTS });
      if (read.kind !== "ok") throw new Error(read.reason);
      check(read.value.lines.length);
    });
  } finally {
    await warmer.stop();
    await store.close();
  }
}

async function askArchive(archive: ArchiveReader, room: RoomId): Promise<void> {
  const p = new PartitionMap(PARTITIONS).partitionOf(room);
  const read = await archive.messages(p, room, { limit: PAGE, atLeast: EVENTS });
  if (read.kind !== "ok") throw new Error(read.reason);
  check(read.value.lines.length);
}

function getPage(agent: Agent, url: string, token: string, room: RoomId): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const target = `${url}/v1/rooms/${room}/messages?view=messages`;
  const headers = { authorization: `Bearer ${token}` };
  const sent = request(target, { agent, headers }, (answer) => {
    let text = "";
    answer.setEncoding("utf8");
    answer.on("data", (part: string) => (text += part));
    answer.on("end", () => {
      try {
        check((JSON.parse(text) as { events: unknown[] }).events.length);
        resolve();
      } catch (error: unknown) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
  sent.on("error", reject);
  sent.end();
  return promise;
}

function check(messages: number): void {
  if (messages !== PAGE) throw new Error(`a page has ${messages} messages`);
}

/**
 * Fills the tables as persistence would, by statements of the server. By time and not by room, so
 * that the rows of a room lie apart, as they do in use. Some messages have edits and reactions.
 */
async function fill(url: string, rooms: number): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`insert into rooms (room, born, head, last_at)
      select 'room-' || r, '', ${EVENTS}, 1795500000000 + ${EVENTS} from generate_series(0, ${rooms - 1}) r`);
    await client.query(`insert into events (room, seq, kind, id, sender, at, line)
      select room, seq, 'msg', uuidv7(), sender, 1795500000000 + seq,
        json_build_object('t', 'msg', 'room', room, 'seq', seq, 'id', uuidv7(), 'from', sender,
          'at', 1795500000000 + seq, 'body', json_build_object('text', repeat('hello ', 20)))::text
      from (
        select 'room-' || r as room, seq, 'member-' || (r + seq) % 10 as sender
        from generate_series(0, ${rooms - 1}) r, generate_series(1, ${EVENTS}) seq
      ) as e order by seq, room`);
    await client.query(`insert into message_state (room, seq, edited_seq, edited_at, body)
      select 'room-' || r, seq, seq, 1795500000000, '{"text":"edited"}'
      from generate_series(0, ${rooms - 1}) r, generate_series(3, ${EVENTS}, 10) seq`);
    await client.query(`insert into reactions (room, target, emoji, member, seq, is_on)
      select 'room-' || r, seq, ':ok:', 'member-' || m, ${EVENTS}, true
      from generate_series(0, ${rooms - 1}) r, generate_series(3, ${EVENTS}, 10) seq, generate_series(0, 2) m`);
    await client.query("vacuum analyze");
  } finally {
    await client.end();
  }
}
