// S3Store: attachments as objects of an S3 bucket.
//
//   attachment-s3.1. A `put` is one request with `If-None-Match: *`, which the server refuses when
//        the name is taken (attachment-store.2). A server without this condition replaces the
//        object by one of the same upload.
//   attachment-s3.2. An answer that does not begin within ANSWER_MS, and a body of which nothing
//        arrives for so long, ends the call.

import { ReadableStream as WebStream } from "node:stream/web";
import { S3mini } from "s3mini";
import { ofLength } from "../ports/attachment-store.ts";
import type {
  AttachmentStore,
  BytePart,
  ObjectName,
  StoredObject,
} from "../ports/attachment-store.ts";

export interface S3Config {
  /** With the bucket: `https://s3.eu-central-1.amazonaws.com/bucket`. */
  readonly url: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

const ANSWER_MS = 30_000;
const BUCKET_MISSING = "the bucket does not exist, or the keys do not open it";

/** The store did not do what was asked. The text names no key. */
export class S3Failure extends Error {
  override readonly name = "S3Failure";
}

export class S3Store implements AttachmentStore {
  readonly #config: S3Config;

  constructor(config: S3Config) {
    this.#config = config;
  }

  /** Rejects with S3Failure when the bucket cannot be used. */
  async check(): Promise<void> {
    const exists = await this.#client().bucketExists();
    if (!exists) throw new S3Failure(BUCKET_MISSING);
  }

  async put(
    name: ObjectName,
    content: AsyncIterable<Uint8Array>,
    bytes: number,
  ): Promise<"stored" | "exists"> {
    const source = ofLength(content, bytes);
    const body = WebStream.from(source) as unknown as ReadableStream;
    // attachment-s3.1. An empty object has no body: no server takes a stream of no length.
    const data = bytes === 0 ? "" : body;
    const condition = { "if-none-match": "*" } as Record<string, string>;
    try {
      await this.#client().putObject(name, data, undefined, undefined, condition, bytes);
      return "stored";
    } catch (error: unknown) {
      if (statusOf(error) === 412) return "exists";
      throw error;
    } finally {
      void source.return(undefined).catch(() => undefined); // It may have ended early.
    }
  }

  async get(name: ObjectName, part?: BytePart): Promise<StoredObject | undefined> {
    const abort = new AbortController();
    const client = this.#client(abort.signal);
    try {
      const response =
        part === undefined
          ? await client.getObjectRaw(name)
          : await client.getObjectRaw(name, false, part.first, part.last + 1);
      const { body } = response;
      const bytes = bytesOf(response);
      if (body === null || bytes === undefined) throw new S3Failure("the answer has no content");
      const close = (): Promise<void> => Promise.resolve(abort.abort());
      return { bytes, content: body, close };
    } catch (error: unknown) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  async remove(names: readonly ObjectName[]): Promise<void> {
    const client = this.#client();
    for (const name of names) await client.deleteObject(name);
  }

  /** One for each call, because the client takes the end of a request in its constructor. */
  #client(signal?: AbortSignal): S3mini {
    const { url, region, accessKey, secretKey } = this.#config;
    return new S3mini({
      endpoint: url,
      region,
      accessKeyId: accessKey,
      secretAccessKey: secretKey,
      fetch: (input, init) => answerOf(input, init, signal),
    });
  }
}

/** attachment-s3.2: only the wait for the begin of the answer has a time of its own. */
async function answerOf(
  input: Parameters<typeof fetch>[0],
  init: RequestInit | undefined,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const late = new AbortController();
  const isStream = init?.body instanceof ReadableStream;
  const timer = setTimeout(() => late.abort(), ANSWER_MS);
  if (isStream) clearTimeout(timer); // The content decides how long it takes.
  const signals = signal === undefined ? [late.signal] : [late.signal, signal];
  try {
    const duplex = isStream && { duplex: "half" as const };
    return await fetch(input, { ...init, ...duplex, signal: AbortSignal.any(signals) });
  } finally {
    clearTimeout(timer);
  }
}

/** Of the whole object, also in the answer with a part of it. */
function bytesOf({ headers }: Response): number | undefined {
  const range = /^bytes \d+-\d+\/(\d+)$/.exec(headers.get("content-range") ?? "");
  const text = range?.[1] ?? headers.get("content-length");
  return text === null || text === undefined ? undefined : Number(text);
}

function statusOf(error: unknown): unknown {
  return (error as { readonly status?: unknown } | undefined)?.status;
}
