// Attachments ports: the signatures by which a gateway recognises uploads of every gateway.

import type { Attachment, UploadedFile } from "#shared/protocol/attachments.ts";
import type { MessageId, Millis, RoomId, UserId } from "#shared/protocol/ids.ts";
import type { Grant } from "#shared/protocol/roles.ts";

/** Who uploaded a file, and where. */
export interface FileOwner {
  readonly room: RoomId;
  readonly user: UserId;
}

export interface FileProofs {
  /** The answer to an upload. A message may name the file until `until`. */
  sign(file: Attachment, owner: FileOwner, until: Millis): UploadedFile;
  /** Whether a gateway of this cluster gave it to this user for this room. */
  isValid(file: UploadedFile, owner: FileOwner): boolean;
}

/** What a link opens, and for whom. */
export interface FileLink {
  readonly id: MessageId;
  readonly room: RoomId;
  readonly user: UserId;
  readonly grant?: Grant | undefined;
  /** The `iat` of the token with which the link was made. */
  readonly issuedAt?: Millis | undefined;
  readonly isThumbnail: boolean;
  /** At the latest when that token ends. */
  readonly until: Millis;
}

export interface FileLinks {
  /** Safe in a path. */
  encode(link: FileLink): string;
  /** Undefined for a text that no gateway of this cluster made. It can have ended. */
  decode(text: string): FileLink | undefined;
}
