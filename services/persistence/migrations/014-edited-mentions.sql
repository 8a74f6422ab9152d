-- Edits with mentions (docs/decisions/065-mentions-of-edits.md): whom a message mentions since its newest
-- edit that has mentions, as JSON. Null: as its line says.
--
-- Instant on a full archive: no table is rewritten.

alter table message_state add column mentions text;
