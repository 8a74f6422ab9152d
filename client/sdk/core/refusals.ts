// Refusals: why the client itself refuses a send or a page.

import type { ErrorName } from "#shared/protocol/errors.ts";

/** A refusal, of the server or of the client. */
export interface Cause {
  readonly name: ErrorName;
  readonly message: string;
}

export const FULL: Cause = { name: "busy", message: "Too many requests wait for an answer." };
export const NO_ANSWER: Cause = {
  name: "unavailable",
  message: "No answer in time; retry with the same id.",
};
export const CLOSED: Cause = { name: "unavailable", message: "The connection is closed." };
export const NOT_JOINED: Cause = { name: "not_joined", message: "Join the room first." };
export const LEFT: Cause = { name: "not_joined", message: "The room was left." };
export const REMOVED: Cause = {
  name: "forbidden",
  message: "The user lost the right to read the room.",
};
