// Sessions: the entry `./sessions` of the package `@parley/client`.
//
// Owns: which names the entry exports.

/**
 * The sessions of a user, for a list of devices: list them, end one, end all others.
 *
 * @module sessions
 */
export { Sessions, SessionsFailed } from "./sessions/sessions.ts";
export type {
  OwnSession,
  SessionsOptions,
  UserSession,
  UserSessions,
} from "./sessions/sessions.ts";
