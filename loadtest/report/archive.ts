// Archive scenarios: writing in batches of several sizes, and reading history with a cold and a
// warm cache, with the archive adapter of persistence on a real PostgreSQL with durable settings.

import { uuidv7 } from "#shared/kit/uuid.ts";
import { systemRandom } from "#shared/adapters/clock-system.ts";
import type { ArchiveEvent } from "#shared/ports/archive.ts";
import { encodeEvent } from "#shared/protocol/events.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import { systemClock } from "#shared/adapters/clock-system.ts";
import { PostgresArchive } from "../../services/persistence/adapters/archive-postgres.ts";
import { migrate } from "../../services/persistence/adapters/migrate.ts";
import { PageCache } from "../../services/persistence/adapters/page-cache.ts";
import type { Row, Scenario } from "./scenario.ts";
import { whole } from "./scenario.ts";

const SIZES = [1, 50, 200, 500, 1_000, 2_000] as const;
const SOURCE: Readonly<Record<number, string>> = {
  50: "8,200/s",
  200: "15,600/s",
  500: "18,100/s",
};
/** Long enough that a checkpoint or other load is only a part of it. */
const WRITE_FOR_MS = 4_000;
const WRITE_ROOMS = 50;
const READ_ROOMS = 500;
const READ_EVENTS = 64;
const READS = 5_000;

export const BATCHES: Scenario = {
  id: "batches",
  title: "Batch writes (S12)",
  method:
    "Events a second into PostgreSQL with one batch in flight. Each batch is one transaction that also moves " +
    "the watermark and is on disk before the next batch (`synchronous_commit` and fsync on).",
  async play() {
    await using server = await launchPostgres();
    await migrate({ url: server.url });
    const store = new PostgresArchive({ url: server.url });
    try {
      const rows: Row[] = [];
      for (const [p, size] of SIZES.entries()) {
        const perSecond = await write(store, p, size);
        const source = SOURCE[size] ?? "–";
        rows.push({ what: `batches of ${whole(size)}`, source, ours: `${whole(perSecond)}/s` });
      }
      return rows;
    } finally {
      await store.close();
    }
  },
};

export const HISTORY: Scenario = {
  id: "history",
  title: "History, warmed against cold (S15)",
  method:
    `${whole(READS)} reads of the newest page of ${READ_ROOMS} rooms through the page cache: first with an empty ` +
    "cache before every read, then with the cache that these reads filled.",
  async play() {
    await using server = await launchPostgres();
    await migrate({ url: server.url });
    const store = new PostgresArchive({ url: server.url });
    try {
      for (let r = 0; r < READ_ROOMS; r++) await fill(store, r);
      const cold = await read(() => new PageCache(store, systemClock));
      const shared = new PageCache(store, systemClock);
      const warm = await read(() => shared);
      const asked = (shared.misses / READS) * 100;
      return [
        { what: "cold read", source: "–", ours: `${cold.toFixed(0)} µs` },
        {
          what: "warmed read",
          source: "8 × faster",
          ours: `${warm.toFixed(0)} µs, ${(cold / warm).toFixed(0)} × faster`,
        },
        {
          what: "reads that reach the database",
          source: "65 % fewer",
          ours: `${(100 - asked).toFixed(0)} % fewer`,
        },
      ];
    } finally {
      await store.close();
    }
  },
};

async function write(store: PostgresArchive, p: number, size: number): Promise<number> {
  const heads = new Map<RoomId, number>();
  let to = 0;
  let written = 0;
  const began = performance.now();
  while (performance.now() - began < WRITE_FOR_MS) {
    const events = Array.from({ length: size }, (_, i) => {
      const room = `batch-${p}-${(written + i) % WRITE_ROOMS}` as RoomId;
      const seq = (heads.get(room) ?? 0) + 1;
      heads.set(room, seq);
      return event(room, seq);
    });
    const outcome = await store.write({ p, from: to, to: ++to, epoch: 1, events });
    if (outcome.kind !== "ok") throw new Error(`the archive returned ${outcome.kind}`);
    written += size;
  }
  return (written / (performance.now() - began)) * 1_000;
}

async function fill(store: PostgresArchive, r: number): Promise<void> {
  const events = Array.from({ length: READ_EVENTS }, (_, i) => event(roomOf(r), i + 1));
  const outcome = await store.write({ p: r, from: 0, to: 1, epoch: 1, events });
  if (outcome.kind !== "ok") throw new Error(`the archive returned ${outcome.kind}`);
}

async function read(cache: () => PageCache): Promise<number> {
  const began = performance.now();
  for (let i = 0; i < READS; i++) {
    const answer = await cache().range(roomOf(i % READ_ROOMS), 1, READ_EVENTS);
    if (answer.kind !== "ok" || answer.value.lines.length !== READ_EVENTS) {
      throw new Error("a page is incomplete");
    }
  }
  return ((performance.now() - began) * 1_000) / READS;
}

function roomOf(r: number): RoomId {
  return `page-${r}` as RoomId;
}

function event(room: RoomId, seq: number): ArchiveEvent {
  const at = Date.now();
  const id = uuidv7(at, systemRandom);
  const sender = "ada" as UserId;
  const body = { text: "x".repeat(112) };
  const line = encodeEvent({ t: "msg", room, seq, id, from: sender, at, body });
  return { room, seq, kind: "msg", id, sender, at, line };
}
