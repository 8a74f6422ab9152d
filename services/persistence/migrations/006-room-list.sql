-- Room lists: read positions, mentions, and the indexes of the lists (docs/decisions/040-unread.md).
--
-- Instant on a full archive: no table is rewritten. The two indexes read `members` and `rooms` once.

-- `since_seq`: the line since which the user is a member without a break. 0: from a version that did not
-- store it; the newest line of the user counts instead. `read_seq` grows only.
alter table members
  add column since_seq bigint not null default 0,
  add column read_seq  bigint not null default 0 check (read_seq >= 0);
create index members_of on members (member, room) where role <> 'none' and not banned;

-- One row for each message and mentioned user; '' is everyone in the room.
create table mentions (
  member text collate "C" not null,
  room   text collate "C" not null,
  seq    bigint not null,
  primary key (member, room, seq)
);

-- The rooms that a search can find: open ones with a `room` line.
create index rooms_open on rooms (room) where kind = 'open' and settings_seq > 0;
