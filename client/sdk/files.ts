// Files: the entry `./files` of the package `@parley/client`.
//
// Owns: which names the entry exports.

/**
 * Files of messages: uploads, and the addresses of attachments.
 *
 * @module files
 */
export { FileFailed, Files } from "./files/files.ts";
export type { FilesOptions, LinkedFile, UploadOptions } from "./files/files.ts";
export type { Attachment, UploadedFile, UploadRefusal } from "#shared/protocol/attachments.ts";
