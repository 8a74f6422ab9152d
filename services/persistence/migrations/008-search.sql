-- Search: the words of messages, in an index beside the events (docs/decisions/045-search.md).
--
-- An indexer fills both tables behind the archive, so no batch writes to them. All of it can be made
-- again from the events: `delete from search_rooms` does that. Instant on a full archive.

-- One row for each message that is not deleted. `tsv` has its words, and what the message is found by
-- beside them: `in:<room>`, `from:<base64url of the user>`, `has:link`, `has:mention`.
create table search (
  room text collate "C" not null,
  seq  bigint not null,
  at   bigint not null,
  tsv  tsvector not null,
  primary key (room, seq)
);
create index search_newest on search (at, room, seq);
create index search_words on search using gin (tsv) with (gin_pending_list_limit = 1024);

-- How far each room is indexed, and by which rules (`made`). A row of other rules counts as 0.
create table search_rooms (
  room text collate "C" primary key,
  seq  bigint not null default 0 check (seq >= 0),
  made text collate "C" not null default ''
) with (fillfactor = 70);
