// AttachmentStats: the plain numbers of uploads and downloads of one gateway.
//
// Owns: how many run at a time, their outcomes, their bytes. Does not own: their names for
// Prometheus (attachment-metrics.ts), the times and failures of the store
// (shared/process/observed-store.ts).
//
//   attachment-stats.1. An upload or download holds one part in memory. The memory account of the
//        gateway gets PART_BYTES for each.

import { Counts } from "#shared/kit/counts.ts";
import { UPLOAD_REFUSALS } from "#shared/protocol/attachments.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import {
  DOWNLOADS_MAX,
  DOWNLOADS_PER_USER_MAX,
  UPLOADS_MAX,
  UPLOADS_PER_USER_MAX,
} from "../core/bounds.ts";
import { InProgress } from "./in-progress.ts";
import type { InProgressBounds } from "./in-progress.ts";

/** The part of a file or a body that a stream holds. */
export const PART_BYTES = 64 * 1024;

/** `again`: the first answer to a repeated upload. `aborted`: the client left. */
const UPLOAD_OUTCOMES = [
  "stored",
  "again",
  "aborted",
  ...UPLOAD_REFUSALS,
  "bad_frame",
  "forbidden",
  "conflict",
  "busy",
  "unavailable",
];
/** `sent`: the answer with the bytes began. */
const DOWNLOAD_OUTCOMES = [
  "sent",
  "not_modified",
  "bad_frame",
  "forbidden",
  "not_found",
  "busy",
  "unavailable",
];

/** Uploads, or downloads. */
class Transfers {
  readonly outcomes: Counts;
  /** Of the files that were stored, or of the content that was sent. */
  bytes = 0;
  readonly bounds: InProgressBounds;
  readonly #inProgress: InProgress;
  readonly #account: (bytes: number) => void;

  constructor(
    outcomes: readonly string[],
    bounds: InProgressBounds,
    account: (bytes: number) => void,
  ) {
    this.outcomes = new Counts(outcomes);
    this.bounds = bounds;
    this.#inProgress = new InProgress(bounds);
    this.#account = account;
  }

  get count(): number {
    return this.#inProgress.count;
  }

  /** False: as many run as may. Otherwise call `end` once. */
  begin(user: UserId): boolean {
    const isBegun = this.#inProgress.begin(user);
    if (isBegun) this.#account(PART_BYTES);
    return isBegun;
  }

  end(user: UserId): void {
    this.#inProgress.end(user);
    this.#account(-PART_BYTES);
  }
}

export class AttachmentStats {
  readonly uploads: Transfers;
  readonly downloads: Transfers;
  /** attachment-stats.1. */
  bytesHeld = 0;

  /** `account`: takes each change of the bytes held. */
  constructor(account: (bytes: number) => void = () => undefined) {
    const hold = (bytes: number): void => {
      this.bytesHeld += bytes;
      account(bytes);
    };
    const uploads = { perUserMax: UPLOADS_PER_USER_MAX, max: UPLOADS_MAX };
    const downloads = { perUserMax: DOWNLOADS_PER_USER_MAX, max: DOWNLOADS_MAX };
    this.uploads = new Transfers(UPLOAD_OUTCOMES, uploads, hold);
    this.downloads = new Transfers(DOWNLOAD_OUTCOMES, downloads, hold);
  }
}
