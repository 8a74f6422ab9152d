-- Invites of closed rooms: their present state beside the events (docs/decisions/040-invites.md).
--
-- Written in the transaction of the batch. A row is never removed: the serving role may not delete one. Those in force
-- have an index of their own. Instant on a full archive: no table is rewritten.

create table invites (
  room       text collate "C" not null,
  invite     uuid not null,
  hash       text not null,
  role       text not null,
  until      bigint not null,
  uses       bigint not null,
  used       bigint not null default 0,
  revoked    boolean not null default false,
  primary key (room, invite)
);
create index invites_in_force on invites (room, invite) where not revoked and used < uses;
