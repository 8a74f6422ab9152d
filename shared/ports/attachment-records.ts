// AttachmentRecords port: what the cluster knows of each attachment, beside its bytes.
//
//   attachment-records.1. `begin` counts the file against the quota of its user before a byte is
//        stored. A file that is erased, or was never finished and is swept, counts no more.
//   attachment-records.2. Every call may be repeated: it gets the same answer and changes nothing.
//   attachment-records.3. An id belongs to its first user and room. Another one gets `conflict`.

import type { Attachment } from "../protocol/attachments.ts";
import type { MessageId, RoomId, UserId } from "../protocol/ids.ts";

/** An upload that begins. */
export interface NewUpload {
  readonly id: MessageId;
  readonly room: RoomId;
  readonly user: UserId;
  readonly name: string;
  readonly bytes: number;
  /** The most bytes of all files of the user. */
  readonly quota: number;
}

/** What the content of an upload is. */
export interface FinishedUpload {
  readonly id: MessageId;
  readonly room: RoomId;
  readonly user: UserId;
  readonly type: string;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
}

/** `full`: the quota; `missing`: not begun, swept or erased. */
export type RecordRefusal = "conflict" | "full" | "missing" | "busy" | "unavailable";

export type RecordOutcome =
  /** The upload may go on. */
  | { readonly kind: "begun" }
  | { readonly kind: "file"; readonly file: Attachment }
  | { readonly kind: "refused"; readonly error: RecordRefusal };

/** All resolve, never reject. */
export interface AttachmentRecords {
  /** `file`: it is finished already. `conflict`: the id is another file. */
  begin(upload: NewUpload): Promise<RecordOutcome>;
  /** `file`: the record as it is now. */
  finish(upload: FinishedUpload): Promise<RecordOutcome>;
  /** A finished file of the room. */
  find(file: { readonly id: MessageId; readonly room: RoomId }): Promise<RecordOutcome>;
}
