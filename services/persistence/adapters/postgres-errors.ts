// PostgreSQL errors: which of them are about the data itself, and which about the moment.

import { DatabaseError } from "pg";

/**
 * SQLSTATE classes of data that is refused for what it is, now and at every later try: 22 data
 * exception, 23 integrity constraint, 54 program limit (a key too large for an index).
 */
const ABOUT_DATA = new Set(["22", "23", "54"]);
const UNIQUE_VIOLATION = "23505";

/** Why PostgreSQL refuses this data for ever; undefined for any other error. */
export function whyRefused(error: unknown): string | undefined {
  if (!(error instanceof DatabaseError) || error.code === undefined) return undefined;
  return ABOUT_DATA.has(error.code.slice(0, 2)) ? `${error.code}: ${error.message}` : undefined;
}

export function isDuplicate(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === UNIQUE_VIOLATION;
}

/** One line for a log: what went wrong, without a stack. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join("; ");
  return error instanceof Error ? error.message : String(error);
}
