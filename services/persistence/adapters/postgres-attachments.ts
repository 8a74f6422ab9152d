// PostgresAttachments: the records of attachments, and their part of a batch.
//
//   postgres-attachments.1. The uploads of one user begin one after the other, so that two at once
//        cannot both take the rest of the quota.
//   postgres-attachments.2. The archive stores which message names which file in the transaction of
//        the message, and erases the file in the transaction of the deletion, when no other message
//        names it. A line has all fields of a record, so an archive that is filled again from the
//        logs has the records again.
//   postgres-attachments.3. A message of another room or sender changes no record: an imported line
//        may name any id.

import type { Pool, PoolClient } from "pg";
import type { Erased } from "#shared/kit/message-fold.ts";
import type { ArchiveEvent } from "#shared/ports/archive.ts";
import type {
  FinishedUpload,
  NewUpload,
  RecordOutcome,
  RecordRefusal,
} from "#shared/ports/attachment-records.ts";
import { isAttachmentsOrNot } from "#shared/protocol/attachments.ts";
import type { Attachment } from "#shared/protocol/attachments.ts";
import { readEvent } from "#shared/protocol/events.ts";
import type { MessageId, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { int8Array, textArray } from "./pg-arrays.ts";

interface RecordRow {
  readonly id: MessageId;
  readonly room: RoomId;
  readonly sender: UserId;
  readonly name: string;
  readonly type: string;
  readonly bytes: number;
  readonly width: number | null;
  readonly height: number | null;
  readonly erased: boolean;
}

const FIELDS = "id, room, sender, name, type, bytes, width, height, erased";
const FIND = {
  name: "attachment",
  text: `select ${FIELDS} from attachments where id = $1::uuid`,
};
/** postgres-attachments.1. The first key only keeps it apart from other locks. */
const LOCK = {
  name: "attachments-of-user",
  text: "select pg_advisory_xact_lock(54, hashtext($1))",
};
const BEGIN = {
  name: "begin-attachment",
  text: `insert into attachments (id, room, sender, name, bytes)
    select $1::uuid, $2, $3, $4, $5::bigint
    where $5::bigint + (select coalesce(sum(bytes), 0) from attachments
      where sender = $3 and not erased) <= $6::bigint
    on conflict do nothing returning id`,
};
const FINISH = {
  name: "finish-attachment",
  text: `update attachments set type = $4, width = $5, height = $6
    where id = $1::uuid and room = $2 and sender = $3 and type = '' and not erased`,
};

/** Rejects when PostgreSQL does. */
export async function beginUpload(pool: Pool, upload: NewUpload): Promise<RecordOutcome> {
  const { id, room, user, name, bytes, quota } = upload;
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    await client.query("begin");
    await client.query({ ...LOCK, values: [user] });
    const { rows: before } = await client.query<RecordRow>({ ...FIND, values: [id] });
    const values = [id, room, user, name, bytes, quota];
    const isNew = before[0] === undefined;
    const begun = isNew ? await client.query({ ...BEGIN, values }) : undefined;
    await client.query("commit");
    if (begun?.rowCount === 1) return { kind: "begun" };
    if (isNew) return refused("full");
    return againOf(before[0], upload);
  } catch (error: unknown) {
    failure = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    client.release(failure);
  }
}

function againOf(
  row: RecordRow | undefined,
  { room, user, name, bytes }: NewUpload,
): RecordOutcome {
  if (row === undefined || row.room !== room || row.sender !== user) return refused("conflict");
  if (row.name !== name || row.bytes !== bytes || row.erased) return refused("conflict");
  return row.type === "" ? { kind: "begun" } : { kind: "file", file: fileOf(row) };
}

/** Rejects when PostgreSQL does. */
export async function finishUpload(pool: Pool, upload: FinishedUpload): Promise<RecordOutcome> {
  const { id, room, user, type, width, height } = upload;
  await pool.query({ ...FINISH, values: [id, room, user, type, width, height] });
  const { rows } = await pool.query<RecordRow>({ ...FIND, values: [id] });
  const [row] = rows;
  return row?.sender === user ? foundIn(row, room) : refused("missing");
}

/** Rejects when PostgreSQL does. */
export async function findAttachment(
  pool: Pool,
  { id, room }: { readonly id: MessageId; readonly room: RoomId },
): Promise<RecordOutcome> {
  const { rows } = await pool.query<RecordRow>({ ...FIND, values: [id] });
  return foundIn(rows[0], room);
}

function foundIn(row: RecordRow | undefined, room: RoomId): RecordOutcome {
  if (row === undefined || row.room !== room || row.erased || row.type === "") {
    return refused("missing");
  }
  return { kind: "file", file: fileOf(row) };
}

function fileOf({ id, name, type, bytes, width, height }: RecordRow): Attachment {
  const size = width !== null && height !== null && { width, height };
  return { id, name, type, bytes, ...size };
}

function refused(error: RecordRefusal): RecordOutcome {
  return { kind: "refused", error };
}

/** A message of a batch that names a file. */
interface Use {
  readonly room: RoomId;
  readonly seq: Seq;
  readonly sender: UserId;
  readonly file: Attachment;
}

/** Undefined when no message of the batch names a file. */
export function attachmentUsesIn(events: readonly ArchiveEvent[]): readonly Use[] | undefined {
  let found: Use[] | undefined;
  for (const { kind, room, seq, sender, line } of events) {
    // Only a message with files has the key; a body can have it, too, and is then read in vain.
    if (kind !== "msg" || !line.includes('"attachments":')) continue;
    const event = readEvent(line);
    if (event?.t !== "msg" || !isAttachmentsOrNot(event.attachments)) continue;
    for (const file of event.attachments ?? []) (found ??= []).push({ room, seq, sender, file });
  }
  return found;
}

/** postgres-attachments.2 and .3. */
const LINK = {
  name: "link-attachments",
  text: `with named as (
      select distinct on (id) * from unnest($1::text[], $2::bigint[], $3::text[], $4::text[],
        $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[])
        as n (room, seq, sender, id, name, type, bytes, width, height)
      order by id, seq
    ), known as (
      insert into attachments as a (id, room, sender, name, type, bytes, width, height, sent)
      select id::uuid, room, sender, name, type, bytes, nullif(width, 0), nullif(height, 0), true
      from named
      on conflict (id) do update set sent = true
        where a.room = excluded.room and a.sender = excluded.sender and not a.erased
      returning id, room, sender
    )
    insert into attachment_uses (room, seq, attachment)
    select n.room, n.seq, n.id::uuid
    from unnest($1::text[], $2::bigint[], $3::text[], $4::text[]) as n (room, seq, sender, id)
    join known k on k.id = n.id::uuid and k.room = n.room and k.sender = n.sender
    on conflict do nothing`,
};

/** Rejects when PostgreSQL does. */
export async function linkAttachments(client: PoolClient, uses: readonly Use[]): Promise<void> {
  const values = [
    textArray(uses.map(({ room }) => room)),
    int8Array(uses.map(({ seq }) => seq)),
    textArray(uses.map(({ sender }) => sender)),
    textArray(uses.map(({ file }) => file.id)),
    textArray(uses.map(({ file }) => file.name)),
    textArray(uses.map(({ file }) => file.type)),
    int8Array(uses.map(({ file }) => file.bytes)),
    int8Array(uses.map(({ file }) => file.width ?? 0)),
    int8Array(uses.map(({ file }) => file.height ?? 0)),
  ];
  await client.query({ ...LINK, values });
}

/** The statement sees the uses as they were before it. */
const ERASE = {
  name: "erase-attachments",
  text: `with wanted as (select * from unnest($1::text[], $2::bigint[]) as w (room, seq)),
    gone as (
      delete from attachment_uses u using wanted w where u.room = w.room and u.seq = w.seq
      returning u.attachment
    )
    update attachments a set erased = true where a.id in (select attachment from gone)
      and not exists (
        select from attachment_uses u where u.attachment = a.id
          and not exists (select from wanted w where w.room = u.room and w.seq = u.seq)
      )`,
};

/** Rejects when PostgreSQL does. */
export async function eraseAttachments(
  client: PoolClient,
  erased: readonly Pick<Erased, "room" | "seq">[],
): Promise<void> {
  const values = [
    textArray(erased.map(({ room }) => room)),
    int8Array(erased.map(({ seq }) => seq)),
  ];
  await client.query({ ...ERASE, values });
}

/** A file to remove. `isErased`: at once; else it was never sent. */
export interface Sweepable {
  readonly id: MessageId;
  readonly room: RoomId;
  readonly isErased: boolean;
  readonly bytes: number;
}

const SWEEPABLE = {
  name: "attachments-to-sweep",
  text: `select id, room, erased, bytes from attachments
    where (erased or not sent) and id > $1::uuid
      and (erased or (type = '' and begun < now() - $2::double precision * interval '1 ms')
        or begun < now() - $3::double precision * interval '1 ms')
    order by id limit $4`,
};
const FORGET = {
  name: "forget-attachments",
  text: `delete from attachments where id = any($1::text[]::uuid[]) and (erased or not sent)`,
};

/** Those behind an id, in the order of their ids. Rejects when PostgreSQL does. */
export async function sweepable(
  pool: Pool,
  query: {
    readonly after: string;
    readonly unfinishedMs: number;
    readonly unsentMs: number;
    readonly most: number;
  },
): Promise<readonly Sweepable[]> {
  const { after, unfinishedMs, unsentMs, most } = query;
  const values = [after, unfinishedMs, unsentMs, most];
  type Row = Pick<RecordRow, "id" | "room" | "erased" | "bytes">;
  const { rows } = await pool.query<Row>({ ...SWEEPABLE, values });
  return rows.map(({ id, room, erased, bytes }) => ({ id, room, isErased: erased, bytes }));
}

/** Rejects when PostgreSQL does. */
export async function forgetAttachments(pool: Pool, ids: readonly MessageId[]): Promise<void> {
  await pool.query({ ...FORGET, values: [textArray(ids)] });
}
