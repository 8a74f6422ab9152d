// TemporaryErrors: the part of the table of errors that a client needs, without codes and texts.

import type { ErrorName, ERRORS } from "./errors.ts";

/** The `retry` of every error. A value that differs from the table does not compile. */
export const IS_TEMPORARY: { readonly [N in ErrorName]: (typeof ERRORS)[N]["retry"] } = {
  bad_frame: false,
  unknown_type: false,
  too_large: false,
  unauthorized: false,
  token_expired: false,
  forbidden: false,
  not_found: false,
  not_joined: false,
  conflict: false,
  bad_id: false,
  reused_id: false,
  rate_limited: true,
  busy: true,
  unavailable: true,
  internal: true,
};
