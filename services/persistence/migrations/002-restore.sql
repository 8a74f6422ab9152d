-- What tells, when a log is lost, whether it held more than the archive has (docs/decisions/011-restore.md).
--
-- Nothing is lost where `released = seq and claimed <= seq`: the last owner had settled everything and
-- said goodbye, all of that is archived, and nobody has begun to serve since. Compared with `seq`, and
-- not kept as a flag, because an older version moves the watermark without touching these columns.
alter table watermarks
  add column released bigint not null default 0 check (released >= 0), -- the newest archived release
  add column claimed  bigint not null default 0 check (claimed >= 0);  -- the newest claim that was told the watermark

-- How many partitions there are, for ever (N3). NATS knows it as well, and may lose it.
create table cluster (
  one        boolean primary key default true check (one),
  partitions integer not null check (partitions between 1 and 1024)
);
