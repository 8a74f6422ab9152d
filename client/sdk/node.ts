// Node: the entry `./node` of the package `@parley/client`.
//
// Owns: which names the entry exports.

/**
 * For programs in Node: an outbox that survives a crash.
 *
 * @module node
 */
export { fileOutbox, OutboxInUse } from "./outbox/file.ts";
export { keepIn } from "./kept-sends.ts";
export type { Outbox, OutboxStore, StoredSend } from "./kept-sends.ts";
