// Dumps: what a live cluster holds, read past its services where possible, for check.ts.

import { jetstreamManager } from "@nats-io/jetstream";
import type { JetStreamManager } from "@nats-io/jetstream";
import { Client } from "pg";
import { connectNats } from "#shared/adapters/nats-connect.ts";
import { isObject, parseObject } from "#shared/kit/json.ts";
import { decodeEntry } from "#shared/protocol/entry.ts";
import type { Epoch, LogSeq, RoomId } from "#shared/protocol/ids.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { storeOf } from "./stores.ts";
import type { Store } from "./stores.ts";

const PAGE = 200;
const REQUEST_TIMEOUT_MS = 10_000;

export interface LogDump {
  readonly store: Store;
  readonly isTrimmed: boolean;
  /** The last entry of each partition. */
  readonly lasts: readonly LogSeq[];
  /** Commits that a stale owner got past the fence (P15); their lines are not in the store. */
  readonly voided: number;
}

/** Every entry of every partition, one by one, by its number. */
export async function dumpLog(natsUrl: string, partitions: number): Promise<LogDump> {
  const connection = await connectNats({ url: natsUrl, name: "dump", inboxPrefix: "_INBOX_admin" });
  try {
    const manager = await jetstreamManager(connection);
    const dumped: DumpedPartition[] = [];
    for (let p = 0; p < partitions; p++) dumped.push(await dumpPartition(manager, p));
    return {
      store: storeOf(dumped.flatMap(({ lines }) => lines)),
      isTrimmed: dumped.some(({ first }) => first > 1),
      lasts: dumped.map(({ last }) => last),
      voided: dumped.reduce((sum, { voided }) => sum + voided, 0),
    };
  } finally {
    await connection.close();
  }
}

interface DumpedPartition {
  readonly first: LogSeq;
  readonly last: LogSeq;
  readonly lines: readonly string[];
  readonly voided: number;
}

async function dumpPartition(manager: JetStreamManager, p: number): Promise<DumpedPartition> {
  const stream = subjects.stream(p);
  const { first_seq: first, last_seq: last } = (await manager.streams.info(stream)).state;
  const lines: string[] = [];
  let voided = 0;
  // The rule of P15, written down a second time on purpose: a checker shares no code with what it
  // checks. Before the first claim that is still there, nothing can be said, so all counts.
  let epoch: Epoch | undefined;
  for (let seq = first; seq <= last; seq++) {
    const message = await manager.direct.getMessage(stream, { seq });
    const entry = decodeEntry(message?.string() ?? "");
    if (entry.kind === "unreadable") throw new Error(`entry ${p}/${seq}: ${entry.reason}`);
    if (entry.kind === "own") epoch = seq;
    if (entry.kind !== "commit") continue;
    if (epoch === undefined || entry.epoch === epoch) {
      lines.push(...entry.groups.flatMap((group) => group.lines));
    } else voided++;
  }
  return { first, last, lines, voided };
}

/** Straight from the tables. */
export async function dumpArchive(databaseUrl: string): Promise<Store> {
  const rows = await query<{ line: string }>(
    databaseUrl,
    "select line from events order by room, seq",
  );
  return storeOf(rows.map(({ line }) => line));
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
export async function dumpHistory(
  gateway: string,
  token: string,
  rooms: Iterable<RoomId>,
): Promise<Store> {
  const lines: string[] = [];
  for (const room of rooms) {
    for (let after = 0, more = true; more;) {
      const page = await fetchPage(gateway, token, room, after);
      more = page.more && page.events.length > 0;
      // Lines are JSON as JSON.stringify makes it, so this gives back the very same text.
      for (const event of page.events) lines.push(JSON.stringify(event));
      after = page.events.at(-1)?.seq ?? after;
    }
  }
  return storeOf(lines);
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

async function query<Row extends object>(databaseUrl: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: databaseUrl });
  client.on("error", () => undefined); // The query below tells of a server that goes away.
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}
