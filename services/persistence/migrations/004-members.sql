-- Rooms with members: the state that decides who may read and write, as of the watermark.
--
-- Both are folds of the archived lines (shared/kit/state-changes.ts), written in the
-- transaction of their batch. The number of the line that set a value decides which of two is newer,
-- so a batch that is written twice changes nothing.

-- `kind`, `title` and `settings` of a room come from its newest `room` line.
alter table rooms add column settings_seq bigint not null default 0 check (settings_seq >= 0);

-- A user who is no longer stored keeps a row: the serving role may not delete one.
create table members (
  room        text collate "C" not null,
  member      text collate "C" not null,
  role        text collate "C" not null,
  muted_until bigint not null default 0, -- 0: not muted
  banned      boolean not null default false,
  seq         bigint not null check (seq between 1 and 9007199254740991),
  primary key (room, member)
);
-- The stored members of a room in order, without the users who are no longer stored.
create index members_stored on members (room, member)
  where role <> 'none' or banned or muted_until > 0;
