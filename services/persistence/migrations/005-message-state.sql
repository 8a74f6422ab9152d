-- Messages that change: their present state beside the events (docs/decisions/039-messages-that-change.md).
--
-- Written in the transaction of the batch, by one fold (shared/kit/message-fold.ts). A message without a
-- change, without replies and outside of threads has no row. Instant on a full archive: no table is rewritten.

create table message_state (
  room        text collate "C" not null,
  seq         bigint not null check (seq between 1 and 9007199254740991),
  thread      bigint not null default 0,  -- the root of the thread that it is in; 0: the main line
  edited_seq  bigint not null default 0,  -- the newest edit
  edited_at   bigint not null default 0,
  body        text,                       -- of the newest edit
  edits       jsonb not null default '[]', -- the numbers of all edits, for the erasure
  deleted_seq bigint not null default 0,
  deleted_by  text collate "C" not null default '',
  deleted_at  bigint not null default 0,
  replies     bigint not null default 0,  -- not deleted ones of its thread
  last_reply  bigint not null default 0,
  pinned_seq  bigint not null default 0,  -- the newest `pinned` line
  pinned      boolean not null default false,
  primary key (room, seq)
);
create index message_state_thread on message_state (room, thread, seq) where thread > 0;
create index message_state_pinned on message_state (room, seq) where pinned and deleted_seq = 0;

-- One row for each user, message and emoji, from its newest `reacted` line. A reaction that was taken back
-- keeps its row: the serving role may not delete one.
create table reactions (
  room   text collate "C" not null,
  target bigint not null,
  emoji  text collate "C" not null,
  member text collate "C" not null,
  seq    bigint not null,
  is_on  boolean not null,
  primary key (room, target, emoji, member)
);

-- A serving process may erase a line and nothing else: the new line is a tombstone. Only a rare statement
-- fires it, and no insert.
create function only_tombstones() returns trigger language plpgsql as $$
begin
  if (new.line::jsonb -> 'deleted') is null or (new.line::jsonb -> 'body') is distinct from '{}'::jsonb then
    raise exception 'a line can only become a tombstone' using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create trigger only_tombstones before update on events for each row execute function only_tombstones();
create trigger only_tombstones before update on quarantine for each row execute function only_tombstones();
