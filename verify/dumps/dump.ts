// Dump: reads what a live cluster stores, for the checker: logs from NATS, events from PostgreSQL,
// pages of history from a gateway.
//
// Each function passes its lines on as they arrive, so a dump of any size needs the memory of one
// page.

import { jetstreamManager } from "@nats-io/jetstream";
import type { JetStreamManager, StreamState } from "@nats-io/jetstream";
import { Client } from "pg";
import { connectNats } from "#shared/adapters/nats-connect.ts";
import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import { parseObject } from "#shared/kit/json.ts";
import type { LogSeq, RoomId } from "#shared/protocol/ids.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { until } from "#shared/testing/wait.ts";
import type { LoggedEntry } from "../checker/tenures.ts";

const PAGE = 200;
const ROWS = 5_000;
const ENTRIES = 256;
const REQUEST_TIMEOUT_MS = 10_000;
const STATE_WITHIN_MS = 60_000;
/** A replica that is behind the leader returns an empty batch for a moment. */
const EMPTY_BATCHES_MAX = 50;
const EMPTY_WAIT_MS = 100;

/** Reads every entry of every partition log. Resolves with the last log sequence of each. */
export async function dumpLog(
  nats: NatsAccess,
  partitions: number,
  take: (entry: LoggedEntry) => void,
): Promise<LogSeq[]> {
  const connection = await connectNats({ ...nats, name: "dump", inboxPrefix: "_INBOX_admin" });
  try {
    const manager = await jetstreamManager(connection, {
      checkAPI: false,
      timeout: REQUEST_TIMEOUT_MS,
    });
    const lasts: LogSeq[] = [];
    for (let p = 0; p < partitions; p++) lasts.push(await dumpPartition(manager, p, take));
    return lasts;
  } finally {
    await connection.close();
  }
}

async function dumpPartition(
  manager: JetStreamManager,
  p: number,
  take: (entry: LoggedEntry) => void,
): Promise<LogSeq> {
  const stream = subjects.stream(p);
  const { first_seq: first, last_seq: last } = await stateOf(manager, stream);
  let empty = 0;
  for (let next = first; next <= last;) {
    const before = next;
    try {
      for await (const message of await manager.direct.getBatch(stream, {
        seq: next,
        batch: Math.min(ENTRIES, last - next + 1),
      })) {
        take({ p, seq: message.seq, text: message.string() });
        next = message.seq + 1;
      }
    } catch (error: unknown) {
      if (empty >= EMPTY_BATCHES_MAX) throw error;
    }
    if (next > before) continue;
    if (++empty > EMPTY_BATCHES_MAX)
      throw new Error(`log ${p} returns no entry at ${next} of ${last}`);
    await new Promise((resolve) => setTimeout(resolve, EMPTY_WAIT_MS));
  }
  return last;
}

/** After a kill of all NATS servers a stream has no leader until an election ends. */
async function stateOf(manager: JetStreamManager, stream: string): Promise<StreamState> {
  let state: StreamState | undefined;
  const isKnown = async (): Promise<boolean> => {
    const info = await manager.streams.info(stream).catch(() => undefined); // `until` asks again.
    state = info?.state;
    return state !== undefined;
  };
  await until(isKnown, { withinMs: STATE_WITHIN_MS, what: `the state of ${stream}` });
  if (state === undefined) throw new Error(`${stream} has no state`);
  return state;
}

/**
 * Reads every line from the tables, by room and sequence number. Resolves with the head of each
 * room.
 */
export async function dumpArchive(
  databaseUrl: string,
  take: (line: string) => void,
): Promise<ReadonlyMap<RoomId, number>> {
  const heads = new Map<RoomId, number>();
  let after = { room: "" as RoomId, seq: 0 };
  for (;;) {
    const rows = await query<{ room: RoomId; seq: string; line: string }>(
      databaseUrl,
      `select room, seq, line from events where (room, seq) > ($1, $2) order by room, seq limit ${ROWS}`,
      [after.room, after.seq],
    );
    for (const { room, seq, line } of rows) {
      take(line);
      after = { room, seq: Number(seq) };
      heads.set(room, after.seq);
    }
    if (rows.length < ROWS) return heads;
  }
}

/** The archive's watermark of each partition. */
export async function archivedThrough(databaseUrl: string): Promise<ReadonlyMap<number, LogSeq>> {
  const rows = await query<{ partition: number; seq: string }>(
    databaseUrl,
    "select partition, seq from watermarks",
  );
  return new Map(rows.map(({ partition, seq }) => [partition, Number(seq)]));
}

/** Reads the history of the rooms page by page over HTTP, from the first event on. */
export async function dumpPages(
  gateway: string,
  token: string,
  rooms: Iterable<RoomId>,
  take: (line: string) => void,
): Promise<void> {
  for (const room of rooms) {
    for (let after = 0, more = true; more;) {
      const page = await fetchPage(gateway, token, room, after);
      more = page.more && page.events.length > 0;
      // JSON.stringify made the line, so this returns the same text.
      for (const event of page.events) take(JSON.stringify(event));
      after = page.events.at(-1)?.seq ?? after;
    }
  }
}

interface Page {
  readonly events: readonly { readonly seq: number }[];
  readonly more: boolean;
}

async function fetchPage(
  gateway: string,
  token: string,
  room: RoomId,
  after: number,
): Promise<Page> {
  const url = new URL(`/v1/rooms/${room}/messages?after=${after}&limit=${PAGE}`, gateway);
  const response = await fetch(url, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  const value = parseObject(await response.text());
  if (!response.ok || value === undefined || !Array.isArray(value["events"])) {
    throw new Error(`${url.pathname}: ${response.status} ${JSON.stringify(value)}`);
  }
  return value as unknown as Page;
}

async function query<Row extends object>(
  databaseUrl: string,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const client = new Client({ connectionString: databaseUrl });
  client.on("error", () => undefined); // The query below reports a lost server.
  await client.connect();
  try {
    return (await client.query<Row>(sql, [...values])).rows;
  } finally {
    await client.end();
  }
}
