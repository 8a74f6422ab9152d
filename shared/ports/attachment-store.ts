// AttachmentStore port: where the bytes of attachments are.
//
// It knows names and bytes. Does not own: who may read an object, its type, when it is removed.
//
//   attachment-store.1. An object has its whole content or does not exist, whatever crashes.
//   attachment-store.2. An object never changes. A second `put` of a name answers `exists` and
//        changes nothing.
//   attachment-store.3. No object is in memory as a whole: content is read and written in parts.
//   attachment-store.4. To remove an object that does not exist succeeds.

/** A message id, or one with `.thumbnail`: safe in a path and in a URL. */
export type ObjectName = string & { readonly __object: true };

const NAME = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\.thumbnail)?$/;

/** Throws RangeError for another text: no path is made of it. */
export function objectName(text: string): ObjectName {
  if (!NAME.test(text)) throw new RangeError("not the name of an object");
  return text as ObjectName;
}

export interface StoredObject {
  /** Of the whole object. */
  readonly bytes: number;
  /** The content, or the part of it. Read it once. */
  readonly content: AsyncIterable<Uint8Array>;
  /** Frees what the reading holds. Call it always, also without having read. Never rejects. */
  close(): Promise<void>;
}

/** The first and the last byte of a part, from 0; both exist. */
export interface BytePart {
  readonly first: number;
  readonly last: number;
}

export interface AttachmentStore {
  /**
   * Resolves when the object is stored. Rejects when the content rejects or has another number of
   * bytes, and when the store does not answer; then the object may exist.
   */
  put(
    name: ObjectName,
    content: AsyncIterable<Uint8Array>,
    bytes: number,
  ): Promise<"stored" | "exists">;
  /** Undefined: there is no such object. Rejects when the store does not answer. */
  get(name: ObjectName, part?: BytePart): Promise<StoredObject | undefined>;
  /** Rejects when the store does not answer; then some may be removed. */
  remove(names: readonly ObjectName[]): Promise<void>;
}

/** The content has another number of bytes than was said. */
export class WrongLength extends Error {
  override readonly name = "WrongLength";
}

/** The same content; it ends with WrongLength when it has not exactly so many bytes. */
export async function* ofLength(
  content: AsyncIterable<Uint8Array>,
  bytes: number,
): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const chunk of content) {
    left -= chunk.byteLength;
    if (left < 0) break;
    yield chunk;
  }
  if (left !== 0) throw new WrongLength(`the content has not ${bytes} bytes`);
}
