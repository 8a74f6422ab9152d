-- Room lists: an index of the deleted messages, which a list subtracts (docs/decisions/040-unread.md).
--
-- No table is rewritten. The index reads `message_state` once, and its writes wait meanwhile: some seconds for
-- each million changed messages. Few of them are deleted, so it stays small.

create index message_state_deleted on message_state (room, seq) where deleted_seq > 0;
