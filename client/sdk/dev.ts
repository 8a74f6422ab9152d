// Dev: the entry `./dev` of the package `@parley/client`.
//
// Owns: which names the entry exports.

/**
 * For development: tokens of a cluster with AUTH=dev.
 *
 * @module dev
 */
export { devToken, DevTokenError } from "./dev-token.ts";
export type { DevTokenOptions } from "./dev-token.ts";
