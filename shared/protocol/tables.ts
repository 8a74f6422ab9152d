// Tables: both halves of the messages about tables, small sets of named values that every process
// follows.
//
// A table is stored in a JetStream bucket that only its server (persistence) reads. Other processes
// have no right to JetStream: a JetStream request names the subject of its answer, and NATS does
// not check this subject against the permissions of the requester (X5). The only table is
// `settings`.
//
//   tables.1. A version is (born, revision). A recreated bucket has another `born`. Within one
//        `born` a higher revision is newer.
//   tables.2. A row without text is a tombstone. A page has whole rows, in the order of their
//        keys.
//   tables.3. A decoder returns undefined for another shape, another version (N5), or a value
//        above a bound of this file.

import { isCount, parseObject } from "../kit/json.ts";
import type { JsonObject } from "../kit/json.ts";

export const TABLES = ["settings"] as const;
export type TableName = (typeof TABLES)[number];

export const TABLE_VERSION = 1;
/** The length of a key that @nats-io/kv allows. The server omits a longer key. */
export const TABLE_KEY_UNITS_MAX = 256;
export const TABLE_TEXT_UNITS_MAX = 4_096;
/** Above it a server omits rows, in the order of keys, and counts them. */
export const TABLE_ROWS_MAX = 10_000;
/** The rows of one message. 32 of the longest rows, as JSON, stay below a `max_payload` of 1 MB. */
export const TABLE_PAGE_ROWS_MAX = 32;
/** The interval at which a server publishes the version of its table. */
export const TABLE_BEAT_MS = 1_000;

export interface TableVersion {
  readonly born: string;
  readonly revision: number;
}

export interface TableRow {
  readonly key: string;
  /** Undefined: a tombstone. */
  readonly text: string | undefined;
  readonly revision: number;
}

/** follower → server, on `table.get.<name>`: the rows after a key, or the first rows. */
export interface TableRequest {
  readonly behind?: string | undefined;
}

/** server → follower: the answer to a TableRequest. */
export interface TablePage extends TableVersion {
  readonly rows: readonly TableRow[];
  /** There are rows after the last one. */
  readonly more: boolean;
}

/** server → followers, on `table.changed.<name>`: the changes after `previous`, often none. */
export interface TableChange extends TableVersion {
  readonly previous: number;
  readonly rows: readonly TableRow[];
}

export function isTableName(name: string): name is TableName {
  return (TABLES as readonly string[]).includes(name);
}

export function encodeTableRequest({ behind }: TableRequest): string {
  return JSON.stringify({ v: TABLE_VERSION, ...(behind !== undefined && { behind }) });
}

export function decodeTableRequest(text: string): TableRequest | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== TABLE_VERSION) return undefined;
  const { behind } = value;
  if (behind === undefined) return {};
  return isTableKey(behind) ? { behind } : undefined;
}

export function encodeTablePage({ rows, ...page }: TablePage): string {
  return JSON.stringify({ v: TABLE_VERSION, ...page, rows: rows.map(encodeRow) });
}

export function decodeTablePage(text: string): TablePage | undefined {
  const value = parseObject(text);
  const [version, rows] = [readVersion(value), readRows(value?.["rows"])];
  const more = value?.["more"];
  if (version === undefined || rows === undefined || typeof more !== "boolean") return undefined;
  return more && rows.length === 0 ? undefined : { ...version, rows, more };
}

export function encodeTableChange({ rows, ...change }: TableChange): string {
  return JSON.stringify({ v: TABLE_VERSION, ...change, rows: rows.map(encodeRow) });
}

export function decodeTableChange(text: string): TableChange | undefined {
  const value = parseObject(text);
  const [version, rows] = [readVersion(value), readRows(value?.["rows"])];
  const previous = value?.["previous"];
  if (version === undefined || rows === undefined || !isCount(previous)) return undefined;
  return previous > version.revision ? undefined : { ...version, previous, rows };
}

function encodeRow({ key, text, revision }: TableRow): readonly unknown[] {
  return [key, text ?? null, revision];
}

function readVersion(value: JsonObject | undefined): TableVersion | undefined {
  if (value?.["v"] !== TABLE_VERSION) return undefined;
  const { born, revision } = value;
  if (typeof born !== "string" || born.length > TABLE_KEY_UNITS_MAX || !isCount(revision)) {
    return undefined;
  }
  return { born, revision };
}

function readRows(value: unknown): readonly TableRow[] | undefined {
  if (!Array.isArray(value) || value.length > TABLE_PAGE_ROWS_MAX) return undefined;
  const rows: TableRow[] = [];
  for (const item of value as readonly unknown[]) {
    if (!Array.isArray(item)) return undefined;
    const [key, text, revision] = item as readonly unknown[];
    if (!isTableKey(key) || !isCount(revision)) return undefined;
    if (text === null) rows.push({ key, text: undefined, revision });
    else if (typeof text === "string" && text.length <= TABLE_TEXT_UNITS_MAX) {
      rows.push({ key, text, revision });
    } else return undefined;
  }
  return rows;
}

/** Whether a server can have this key in a row. */
export function isTableKey(key: unknown): key is string {
  return typeof key === "string" && key !== "" && key.length <= TABLE_KEY_UNITS_MAX;
}
