-- Attachments: what is known of each uploaded file, and which messages name it (docs/decisions/054-attachments.md).
--
-- Instant on a full archive: no table is rewritten.

create table attachments (
  id     uuid primary key,
  room   text collate "C" not null,
  sender text collate "C" not null,
  name   text not null,
  type   text not null default '', -- '' while the upload is not finished
  bytes  bigint not null,
  width  integer,
  height integer,
  begun  timestamptz not null default now(),
  sent   boolean not null default false, -- a message has named it
  erased boolean not null default false  -- every message that named it was deleted
);
create index attachments_of on attachments (sender) include (bytes) where not erased;
create index attachments_to_sweep on attachments (id) where erased or not sent;

-- One row for each message and file that it names, in the transaction of the message.
create table attachment_uses (
  room       text collate "C" not null,
  seq        bigint not null,
  attachment uuid not null,
  primary key (room, seq, attachment)
);
create index attachment_uses_of on attachment_uses (attachment);
