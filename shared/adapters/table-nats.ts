// NatsTable: reads a whole table from a key-value bucket of JetStream, for the process that serves
// it.
//
// A read asks for the first message behind the known version, and seldom for the state of the
// stream, which costs the server an API call and an advisory. When there is one, it reads the
// messages of the stream in batches of direct reads. It creates no consumer: the creator of a
// consumer could make the NATS server publish to any subject (X5), so the process that serves a
// table has no right to create one (infra/nats/permissions.ts). A lagging replica answers with an
// older revision, which a later read corrects.
//
//   table-nats.1. A read is complete or `unavailable`: an incomplete batch is discarded.
//   table-nats.2. A read ends after BATCHES_MAX batches, each within TIMEOUT_MS.
//   table-nats.3. A stream that was created again is noticed at the latest by the STATE_READS-th
//        read.

import type { Msg } from "@nats-io/transport-node";
import { isCount, isObject, parseObject } from "../kit/json.ts";
import type { Bus } from "../ports/bus.ts";
import type { TableRead, TableSource, WholeTable } from "../ports/table-source.ts";
import { isTableKey, TABLE_ROWS_MAX, TABLE_TEXT_UNITS_MAX } from "../protocol/tables.ts";
import type { TableRow, TableVersion } from "../protocol/tables.ts";
import { readBatch } from "./nats-direct-reads.ts";
import type { ReplyHost } from "./nats-replies.ts";

const TIMEOUT_MS = 2_000;
/** A hundred thousand puts, including overwritten ones; a larger bucket is `unavailable`. */
const BATCHES_MAX = 200;
export const STATE_READS = 20;
const NOTHING_BEHIND = 404;
const DELETED: ReadonlySet<string> = new Set(["DEL", "PURGE"]);

export function openNatsTable(bus: ReplyHost & Pick<Bus, "request">, bucket: string): TableSource {
  const stream = `KV_${bucket}`;
  const prefix = `$KV.${bucket}.`;
  const isUpToDate = upToDateIn(bus, stream, `${prefix}>`);
  let reads = 0;
  return {
    async read(known): Promise<TableRead> {
      if (known !== undefined && ++reads % STATE_READS !== 0 && (await isUpToDate(known)))
        return { kind: "same" };
      const subject = `$JS.API.STREAM.INFO.${stream}`;
      const answer = await bus.request(subject, "", { timeoutMs: TIMEOUT_MS });
      const info = answer.kind === "ok" ? decodeInfo(answer.data) : undefined;
      if (info === undefined) return unavailable("the stream of the bucket does not answer");
      if (known?.born === info.born && known.revision >= info.revision) return { kind: "same" };
      const newest = new Map<string, TableRow>();
      for (let batch = 0, from = 1; batch < BATCHES_MAX; batch++) {
        const messages = await readBatch(bus, stream, { from, filter: `${prefix}>` });
        // table-nats.1
        if (messages === undefined) return unavailable("the bucket was not read completely");
        for (const row of messages.map((message) => toRow(message, prefix))) {
          newest.set(row.key, row);
          from = row.revision + 1;
        }
        if (messages.length === 0) return { kind: "ok", table: toTable(info.born, newest) };
      }
      return unavailable("the bucket holds too many messages"); // table-nats.2
    },
  };
}

/** Whether the stream certainly has no message behind `known`. */
function upToDateIn(
  bus: ReplyHost,
  stream: string,
  filter: string,
): (known: TableVersion) => Promise<boolean> {
  return async ({ revision }) => {
    const request = JSON.stringify({ seq: revision + 1, next_by_subj: filter });
    const subject = `$JS.API.DIRECT.GET.${stream}`;
    const answer = await bus.connection
      .request(subject, request, { timeout: TIMEOUT_MS })
      .catch(() => undefined);
    return answer?.headers?.code === NOTHING_BEHIND;
  };
}

function toTable(born: string, newest: ReadonlyMap<string, TableRow>): WholeTable {
  let revision = 0;
  const rows: TableRow[] = [];
  for (const row of newest.values()) {
    revision = Math.max(revision, row.revision);
    if (isTableKey(row.key) && (row.text?.length ?? 0) <= TABLE_TEXT_UNITS_MAX) rows.push(row);
  }
  const kept = rows.sort((a, b) => (a.key < b.key ? -1 : 1)).slice(0, TABLE_ROWS_MAX);
  return { born, revision, rows: kept, omitted: newest.size - kept.length };
}

function toRow({ headers, data }: Msg, prefix: string): TableRow {
  const key = headers?.get("Nats-Subject").slice(prefix.length) ?? "";
  const revision = Number(headers?.get("Nats-Sequence"));
  const isDeleted = DELETED.has(headers?.get("KV-Operation") ?? "");
  return { key, text: isDeleted ? undefined : new TextDecoder().decode(data), revision };
}

function decodeInfo(data: Uint8Array): TableVersion | undefined {
  const { created: born, state } = parseObject(new TextDecoder().decode(data)) ?? {};
  const revision = isObject(state) ? state["last_seq"] : undefined;
  return typeof born === "string" && isCount(revision) ? { born, revision } : undefined;
}

function unavailable(reason: string): TableRead {
  return { kind: "unavailable", reason };
}
