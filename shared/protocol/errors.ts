// Errors: the table of all errors that a client can receive.
//
// `code` is the HTTP status of the same error. `retry` is true for the four temporary errors: the
// same request can succeed later. A message never contains a stack, SQL or a file name.

export const ERRORS = {
  bad_frame: { code: 400, retry: false, message: "The frame is not valid." },
  unknown_type: { code: 400, retry: false, message: "The frame has a type this server lacks." },
  too_large: { code: 413, retry: false, message: "The body is larger than allowed." },
  unauthorized: { code: 401, retry: false, message: "The token is not valid." },
  token_expired: { code: 401, retry: false, message: "The token has expired; send refresh." },
  forbidden: { code: 403, retry: false, message: "This user may not do that here." },
  not_found: { code: 404, retry: false, message: "There is no such thing." },
  not_joined: { code: 409, retry: false, message: "Join the room first." },
  conflict: { code: 409, retry: false, message: "It was changed meanwhile." },
  bad_id: { code: 422, retry: false, message: "The message id is not a UUIDv7 of a sane time." },
  reused_id: { code: 422, retry: false, message: "This id names another message." },
  rate_limited: { code: 429, retry: true, message: "Too many requests; wait." },
  busy: { code: 503, retry: true, message: "The server is full; the request was not stored." },
  unavailable: { code: 503, retry: true, message: "No answer in time; retry with the same id." },
  internal: { code: 500, retry: true, message: "The server made a mistake." },
} as const;

export type ErrorName = keyof typeof ERRORS;

/**
 * The default wait of a temporary refusal. A client without a backoff then retries once a second,
 * so it does not overload a service that recovers.
 */
export const RETRY_AFTER_MS = 1_000;

/** Undefined for an error that does not ask for a wait. */
export function retryAfterMs(name: ErrorName): number | undefined {
  return name === "busy" || name === "unavailable" ? RETRY_AFTER_MS : undefined;
}

/** The other fields of an error frame. `ref` or `id` identifies the request. */
export interface ErrorDetail {
  readonly ref?: number | undefined;
  readonly id?: string | undefined;
  readonly room?: string | undefined;
  readonly afterMs?: number | undefined;
  /** Replaces the message of the table. Never the text of a library's error. */
  readonly message?: string | undefined;
}

export interface ErrorFrame extends ErrorDetail {
  readonly t: "error";
  readonly code: number;
  readonly name: ErrorName;
  readonly retry: boolean;
  readonly message: string;
}

export function errorFrame(name: ErrorName, detail: ErrorDetail = {}): ErrorFrame {
  const row = ERRORS[name];
  const { message = row.message, afterMs = retryAfterMs(name), ...named } = detail;
  const wait = afterMs !== undefined && { afterMs };
  return { t: "error", code: row.code, name, retry: row.retry, message, ...named, ...wait };
}
