-- The archive: every committed line, where the archive stands, and what could not be stored.
--
-- Text that is compared is `collate "C"`: bytes, not a language, so an index means the same on every
-- machine and comparing is cheap. Numbers of rooms and logs are below 2^53 (they live in JavaScript).

-- Up to which entry of a partition's log everything is archived. It moves in the transaction that
-- stores the events, so "archived" and "below the watermark" are one and the same.
create table watermarks (
  partition integer primary key check (partition >= 0),
  seq       bigint not null check (seq between 0 and 9007199254740991),
  epoch     bigint not null check (epoch >= 0)
);

-- `line` is the text that members saw; the other columns are the keys that were read from it.
create table events (
  room   text collate "C" not null,
  seq    bigint not null,
  kind   text collate "C" not null,
  id     uuid not null,
  sender text collate "C" not null,
  at     bigint not null,
  line   text collate "C" not null,
  primary key (room, seq),
  -- In this order, so that one room's ids from a time on are one range: UUIDv7 sorts by time.
  unique (room, id, sender),
  check (seq between 1 and 9007199254740991)
) partition by hash (room);

-- Sixteen tables keep each index small, and vacuum and repair in pieces. It has nothing to do with
-- the partitions of the log.
do $$
begin
  for n in 0..15 loop
    execute format(
      'create table events_%s partition of events for values with (modulus 16, remainder %s)', n, n);
  end loop;
end $$;

-- `head` counts what stands in quarantine too: a number that was given is never given again.
create table rooms (
  room     text collate "C" primary key,
  born     text collate "C" not null default '', -- the id of event 1, unless a restore sets it
  head     bigint not null check (head >= 0),
  kind     text collate "C" not null default 'open',
  title    text not null default '',
  settings jsonb not null default '{}',
  last_at  bigint not null
);

-- What could not be stored or not be read, whole. A row with a room and a number is one event and is
-- still served as history; one without is an entry (or its header) that nobody could read.
create table quarantine (
  n         bigint generated always as identity primary key,
  partition integer not null,
  log_seq   bigint not null, -- the entry; for a single event the last entry of its batch
  room      text collate "C",
  seq       bigint,
  line      text not null,
  reason    text not null,
  at        timestamptz not null default now()
);
create index quarantine_room_seq on quarantine (room, seq) where room is not null;
