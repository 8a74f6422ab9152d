-- Names: the display name of each user whose token had one (docs/decisions/058-display-names.md). Instant
-- on a full archive: no table is rewritten.

create table user_names (
  member text collate "C" primary key,
  name   text not null, -- empty: it was removed
  at     bigint not null -- when the token was issued, in ms since 1970
) with (fillfactor = 70);
