// Problem: an error in HTTP form (RFC 9457), from the same table as the errors of the WebSocket.
//
//   protocol/problem.1. A problem holds only texts of this project: those of the table, or a
//        `detail`. Texts of libraries and stacks go only to the log.

import type { UploadRefusal } from "./attachments.ts";
import { ERRORS, retryAfterMs } from "./errors.ts";
import type { ErrorName } from "./errors.ts";

export interface ProblemDetail {
  /** The status when HTTP has a more exact one than the table: 405, 408, 417 or 426. */
  readonly status?: number | undefined;
  readonly afterMs?: number | undefined;
  /** A text of this service, never of a library's error. */
  readonly detail?: string | undefined;
  /** The message id for a retry, when the gateway created it. */
  readonly id?: string | undefined;
  /** Why an upload is refused, where the name has several meanings. */
  readonly reason?: UploadRefusal | undefined;
}

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly name: ErrorName;
  /** Whether the same request may succeed later. */
  readonly retry: boolean;
  readonly detail?: string;
  readonly afterMs?: number;
  readonly id?: string;
  readonly reason?: UploadRefusal;
}

export const PROBLEM_TYPE = "application/problem+json; charset=utf-8";

export function problem(name: ErrorName, more: ProblemDetail = {}): Problem {
  const row = ERRORS[name];
  const { afterMs = retryAfterMs(name) } = more;
  return {
    type: `urn:parley:error:${name}`,
    title: row.message,
    status: more.status ?? row.code,
    name,
    retry: row.retry,
    ...(more.detail !== undefined && { detail: more.detail }),
    ...(afterMs !== undefined && { afterMs }),
    ...(more.id !== undefined && { id: more.id }),
    ...(more.reason !== undefined && { reason: more.reason }),
  };
}
