-- Webhooks: subscriptions of back ends, and what they still have to receive (docs/decisions/046-webhooks.md).
--
-- The archive writes `webhook_feed` in the transaction of its batch, and only while a subscription exists.
-- services/webhooks does everything else. Instant on a full archive: no table is rewritten.

create table webhooks (
  webhook uuid primary key,
  url     text not null,
  secret  text not null,
  kinds   text[] not null,
  rooms   text[] not null default '{}', -- empty: all
  author  text not null,
  created timestamptz not null default now()
);

-- One row for each batch: the numbers that it adds to each of its rooms. `log_seq` is the watermark behind
-- the batch, so the rows of a partition are in the order of its log, and nothing is missing between two.
create table webhook_feed (
  partition integer not null,
  log_seq   bigint not null,
  at        timestamptz not null default now(),
  rooms     text[] collate "C" not null,
  firsts    bigint[] not null,
  lasts     bigint[] not null,
  primary key (partition, log_seq)
);

-- Up to where a subscription has everything: a row of the feed and `skip` events behind it, or a place in the
-- stream of sessions, whose name is `ident`.
create table webhook_cursors (
  webhook  uuid not null references webhooks on delete cascade,
  source   text collate "C" not null, -- "3": a partition; "sessions"
  position bigint not null,
  skip     integer not null default 0,
  ident    text not null default '',
  primary key (webhook, source)
);

-- Events behind the cursor that the receiver does not have: they are tried again, or they are dead letters.
-- A room event has no payload here: it is read from `events`, where it may have become a tombstone.
create table webhook_left (
  n         bigint generated always as identity primary key,
  webhook   uuid not null references webhooks on delete cascade,
  lane      text collate "C" not null, -- whose events are in order: a room, or a user of sessions
  id        text collate "C" not null, -- webhook-id
  kind      text not null,
  at        timestamptz not null, -- when the archive or the stream got it
  room      text collate "C",
  seq       bigint,
  payload   text,
  attempts  integer not null default 0,
  next_at   timestamptz not null default now(),
  dead      boolean not null default false,
  reason    text not null default '',
  unique (webhook, id)
);
create index webhook_left_waiting on webhook_left (webhook, lane, n) where not dead;
create index webhook_left_dead on webhook_left (webhook, n) where dead;
