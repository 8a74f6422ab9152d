-- How often the pages of each room are read (docs/decisions/055-warm-pages-and-replicas.md).
--
-- A process reads the pages of the rooms with the highest scores ahead when it starts. A score is the
-- logarithm (base 2) of a sum in which a read at the time t counts 2^(t / one hour). A hint: the table
-- may be emptied at any time. Bounded by the processes (postgres-newest.ts).

create table room_uses (
  room  text collate "C" primary key,
  score double precision not null
) with (fillfactor = 70);
