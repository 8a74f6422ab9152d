// PostgreSQL errors: distinguishes errors of the data from temporary errors.

import { DatabaseError } from "pg";

/**
 * SQLSTATE classes of data that is refused because of its content, also on every retry: 22 data
 * exception, 23 integrity constraint, 54 program limit (a key too large for an index).
 */
const ABOUT_DATA = new Set(["22", "23", "54"]);
const UNIQUE_VIOLATION = "23505";

/** Why PostgreSQL will always refuse this data; undefined for any other error. */
export function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof DatabaseError) || error.code === undefined) return undefined;
  return ABOUT_DATA.has(error.code.slice(0, 2)) ? `${error.code}: ${error.message}` : undefined;
}

export function isDuplicate(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === UNIQUE_VIOLATION;
}

/**
 * SQLSTATE classes of a server that cannot serve now: 08 connection, 53 resources (too many
 * connections), 57 operator intervention (starting, stopping, the statement timeout).
 */
const ABOUT_SERVER = new Set(["08", "53", "57"]);
/** Texts of `pg` for its own timeouts and for broken connections; they have no code. */
const ABOUT_CONNECTION = /timeout|connection/i;

/**
 * Whether the error shows that PostgreSQL cannot be reached or does not answer in time. An error
 * of a statement, or of this program, does not.
 */
export function isAway(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isAway);
  if (error instanceof DatabaseError) return ABOUT_SERVER.has(error.code?.slice(0, 2) ?? "");
  if (!(error instanceof Error)) return false;
  return "syscall" in error || ABOUT_CONNECTION.test(error.message);
}

/** The text of `pg` when an answer did not arrive within `query_timeout`. */
const NO_ANSWER = "Query read timeout";

/** Whether the server did not even report its own timeout: it is frozen, or the network is cut. */
export function isSilent(error: unknown): boolean {
  return error instanceof Error && error.message === NO_ANSWER;
}

/** One line for a log: the error without its stack. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join("; ");
  return error instanceof Error ? error.message : String(error);
}
