// FilePort: what the page needs for files: uploads, and links to the bytes of attachments.
//
// `PageFiles` implements it; tests use a fake. It is loaded when the first file is chosen or shown.

import type { UploadedFile } from "#shared/protocol/attachments.ts";

export interface FileLink {
  /** The address of the bytes, which needs no token. */
  readonly url: string;
  /** Of an image: a small one. */
  readonly thumbnail?: string;
  /** In ms since 1970. */
  readonly until: number;
}

export interface UploadWay {
  readonly name: string;
  readonly signal: AbortSignal;
  /** The part that has left, 0 to 1. */
  readonly onProgress: (part: number) => void;
}

export interface FilePort {
  /** Rejects with FileFailed, and with the reason of an aborted signal. */
  upload(room: string, file: Blob, way: UploadWay): Promise<UploadedFile>;
  /** Rejects with FileFailed. `isFresh`: the link that is known did not work. */
  link(room: string, id: string, isFresh?: boolean): Promise<FileLink>;
}
