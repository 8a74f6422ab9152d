// Server: the entry `./server` of the package `@parley/client`, for back ends.
//
// Owns: which names the entry exports.

/**
 * For back ends: tokens, and typed calls of the HTTP API.
 *
 * @module server
 */

export { createServerClient, HttpFailed, serviceClient } from "./server-client.ts";
export type { Problem, ServerClient, ServerClientOptions, ServiceClient } from "./server-client.ts";
export { TokenSigner } from "./token-signer.ts";
export type { SigningKey, TokenClaims, TokenSignerOptions } from "./token-signer.ts";
