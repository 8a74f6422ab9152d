// Dumps: what a live cluster holds, read past its services where possible, for check.ts.
//
// Everything is handed on as it comes, so that a dump of any size costs the memory of one page.

import { jetstreamManager } from "@nats-io/jetstream";
import type { JetStreamManager, StreamState } from "@nats-io/jetstream";
import { Client } from "pg";
import { connectNats } from "#shared/adapters/nats-connect.ts";
import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import { isObject, parseObject } from "#shared/kit/json.ts";
import type { LogSeq, RoomId } from "#shared/protocol/ids.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { until } from "#shared/testing/wait.ts";
import type { LoggedEntry } from "../checker/tenures.ts";

const PAGE = 200;
const ROWS = 5_000;
const ENTRIES = 256;
const REQUEST_TIMEOUT_MS = 10_000;
const STATE_WITHIN_MS = 60_000;
/** A replica that lags behind the leader gives nothing for a moment. */
const EMPTY_BATCHES_MAX = 50;
const EMPTY_WAIT_MS = 100;

/** Every entry of every partition, as it stands. Resolves with the last one of each. */
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
      throw new Error(`log ${p} gives nothing at ${next} of ${last}`);
    await new Promise((resolve) => setTimeout(resolve, EMPTY_WAIT_MS));
  }
  return last;
}

/** Servers that were all killed a moment ago may answer nothing for a while (an election). */
async function stateOf(manager: JetStreamManager, stream: string): Promise<StreamState> {
  let state: StreamState | undefined;
  const isKnown = async (): Promise<boolean> => {
    const info = await manager.streams.info(stream).catch(() => undefined); // Asked again.
    state = info?.state;
    return state !== undefined;
  };
  await until(isKnown, { withinMs: STATE_WITHIN_MS, what: `the state of ${stream}` });
  if (state === undefined) throw new Error(`${stream} has no state`);
  return state;
}

/** Every line, by room and number, straight from the tables. */
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

/** What the product's own pages say, from the first message on. */
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
      // Lines are JSON as JSON.stringify makes it, so this gives back the very same text.
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

/** A token of AUTH=dev. */
export async function devToken(gateway: string, user: string): Promise<string> {
  const response = await fetch(new URL("/v1/dev/token", gateway), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user }),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  const value: unknown = await response.json();
  if (!isObject(value) || typeof value["token"] !== "string") {
    throw new Error(`no dev token: ${response.status} ${JSON.stringify(value)}`);
  }
  return value["token"];
}

async function query<Row extends object>(
  databaseUrl: string,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const client = new Client({ connectionString: databaseUrl });
  client.on("error", () => undefined); // The query below tells of a server that goes away.
  await client.connect();
  try {
    return (await client.query<Row>(sql, [...values])).rows;
  } finally {
    await client.end();
  }
}
