// Errors: what the SDK throws and rejects with.
//
//   errors.1. Each error has a `code` of the table of errors, and `retry`: the same call can
//        succeed later. Compare the code, never the message.

import type { ErrorName } from "#shared/protocol/errors.ts";
import { IS_TEMPORARY } from "#shared/protocol/temporary-errors.ts";
import { CLOSED } from "./core/refusals.ts";

/** The base of all errors of the SDK. */
export class ParleyError extends Error {
  override readonly name: string = "ParleyError";
  /** A name of the table of errors, for example `forbidden`. */
  readonly code: ErrorName;

  constructor(code: ErrorName, message: string = code, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }

  /** True when the same call can succeed later. */
  get retry(): boolean {
    return IS_TEMPORARY[this.code];
  }
}

/** A failed `history` or `messages` call. */
export class HistoryFailed extends ParleyError {
  override readonly name = "HistoryFailed";
}

/** The connection was closed while a caller waited for it. */
export class ConnectionClosed extends ParleyError {
  override readonly name = "ConnectionClosed";

  constructor() {
    super(CLOSED.name, CLOSED.message);
  }
}
