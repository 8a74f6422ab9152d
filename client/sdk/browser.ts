// Browser: the entry `./browser` of the package `@parley/client`.
//
// Owns: which names the entry exports.

/**
 * For pages: an outbox that survives a reload.
 *
 * @module browser
 */
export { indexedDbOutbox } from "./outbox/indexed-db.ts";
export { keepIn } from "./kept-sends.ts";
export type { Outbox, OutboxStore, StoredSend } from "./kept-sends.ts";
