// Tables: small sets of named values that every process follows, carried on core NATS subjects.
//
// A table is stored in a JetStream bucket that its server alone reads. The others have no right to
// JetStream for it: a JetStream request names the subject of its answer, and the NATS server does not
// check that subject against the permissions of the asker (X5). Today's table: `settings`.
//
//   tables.1. A version is (born, revision). `born` changes when the bucket was made anew; within one
//         `born` a higher revision is newer.
//   tables.2. A row without text was taken back. A page holds whole rows, in the order of their keys.
//   tables.3. Both halves of each codec are here. A decoder returns undefined for what is not exactly the
//         shape, is of another version (N5), or exceeds a bound below.

import { isCount, parseObject } from "../kit/json.ts";
import type { JsonObject } from "../kit/json.ts";

export const TABLES = ["settings"] as const;
export type TableName = (typeof TABLES)[number];

export const TABLE_VERSION = 1;
/** Keys of a bucket, as @nats-io/kv allows them; longer ones are left out by the server. */
export const TABLE_KEY_UNITS_MAX = 256;
export const TABLE_TEXT_UNITS_MAX = 4_096;
/** Beyond it a server leaves rows out, in the order of keys, and counts them. */
export const TABLE_ROWS_MAX = 10_000;
/** Rows of one message: 32 of the longest rows, escaped as JSON, stay below a `max_payload` of 1 MB. */
export const TABLE_PAGE_ROWS_MAX = 32;
/** Every server says this often which version it has. */
export const TABLE_BEAT_MS = 1_000;

export interface TableVersion {
  readonly born: string;
  readonly revision: number;
}

export interface TableRow {
  readonly key: string;
  /** Undefined: it was taken back. */
  readonly text: string | undefined;
  readonly revision: number;
}

/** follower → server, on `table.get.<name>`: the rows behind a key; without it, the first ones. */
export interface TableRequest {
  readonly behind?: string | undefined;
}

/** server → follower, the answer. */
export interface TablePage extends TableVersion {
  readonly rows: readonly TableRow[];
  /** There are rows behind the last one. */
  readonly more: boolean;
}

/** server → followers, on `table.changed.<name>`: what came after `previous`; often nothing. */
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
    if (!Array.isArray(item) || item.length !== 3) return undefined;
    const [key, text, revision] = item as readonly unknown[];
    if (!isTableKey(key) || !isCount(revision)) return undefined;
    if (text === null) rows.push({ key, text: undefined, revision });
    else if (typeof text === "string" && text.length <= TABLE_TEXT_UNITS_MAX) {
      rows.push({ key, text, revision });
    } else return undefined;
  }
  return rows;
}

/** Of what a server may put into a row. */
export function isTableKey(key: unknown): key is string {
  return typeof key === "string" && key !== "" && key.length <= TABLE_KEY_UNITS_MAX;
}
