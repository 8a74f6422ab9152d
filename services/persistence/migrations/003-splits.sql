-- A split of a partition, stored in the transaction that moves the watermark over its entry
-- (docs/decisions/035-doubling-partitions.md). Null: the partition never split. Otherwise it has the
-- rooms with fnv1a32(room) mod split_of = partition. The row of its upper half begins with seq 1.
alter table watermarks add column split_of integer check (split_of between 2 and 1024);
