// Files: uploads, and the addresses of attachments.
//
//   files.1. An upload has one id for all its attempts, so a repeat is recognised (AT3). It is
//        repeated after temporary errors and lost connections, ATTEMPTS_MAX times in all.

import { fullJitter } from "#shared/kit/backoff.ts";
import { isObject, parseObject } from "#shared/kit/json.ts";
import { uuidv7 } from "#shared/kit/uuid.ts";
import { UPLOAD_REFUSALS } from "#shared/protocol/attachments.ts";
import type { Attachment, UploadedFile, UploadRefusal } from "#shared/protocol/attachments.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import { ParleyError } from "../errors.ts";
import { readProblem } from "../problem.ts";
import { webRandom } from "../web-clock.ts";
import { sendUpload } from "./upload-request.ts";

const ATTEMPTS_MAX = 5;
const RETRY = { baseMs: 500, capMs: 10_000 };

/** A file was not taken, or has no link. */
export class FileFailed extends ParleyError {
  override readonly name = "FileFailed";
  /**
   * Why an upload was refused: the cluster takes no files (`off`), the file is too large (`size`),
   * all files of the user are (`quota`), or its type is not accepted (`type`).
   */
  readonly reason: UploadRefusal | undefined;

  constructor(code: ErrorName, message?: string, reason?: UploadRefusal) {
    super(code, message);
    this.reason = reason;
  }
}

/** Where the gateways are, and who asks. */
export interface FilesOptions {
  /** The address of the gateways: `https://chat.example`. */
  readonly url: string;
  /** A token, or a function that returns one for each request. */
  readonly token: string | (() => string | Promise<string>);
  /** Default: the global one. With it, browsers report no progress. */
  readonly fetch?: typeof fetch;
}

/** How one file is uploaded. */
export interface UploadOptions {
  /** As readers see it; default: the name of the `File`, else `file`. */
  readonly name?: string;
  /** A UUIDv7, to repeat an upload of an earlier run; default: a new one. */
  readonly id?: string;
  readonly signal?: AbortSignal;
  /** The part that has left, 0 to 1. */
  readonly onProgress?: (part: number) => void;
}

/** A file with the addresses of its bytes, which need no token and end at `until`. */
export interface LinkedFile extends Attachment {
  readonly url: string;
  /** Of an image: a small WebP. */
  readonly thumbnail?: string;
  /** In ms since 1970. */
  readonly until: number;
}

/** Uploads files, and finds the addresses of those that messages name. */
export class Files {
  readonly #options: FilesOptions;

  constructor(options: FilesOptions) {
    this.#options = options;
  }

  /**
   * Uploads a file to a room. Pass the result in `attachments` of `RoomHandle.send` within a day.
   * Rejects with FileFailed, and with the reason of an aborted signal.
   */
  async upload(room: string, file: Blob, options: UploadOptions = {}): Promise<UploadedFile> {
    const { id = uuidv7(Date.now(), webRandom), signal, onProgress } = options;
    const given = "name" in file && typeof file.name === "string" ? file.name : "";
    const name = options.name ?? (given === "" ? "file" : given);
    const url = this.#urlOf(`/v1/rooms/${room}/attachments/${id}`);
    url.searchParams.set("name", name);
    for (let attempt = 1; ; attempt++) {
      const token = await this.#token();
      const answer = await sendUpload({
        url,
        token,
        file,
        signal,
        fetch: this.#options.fetch,
        onProgress: (bytes) => onProgress?.(file.size === 0 ? 1 : bytes / file.size),
      });
      const value = parseObject(answer.text);
      if (answer.status === 201 && value !== undefined) return value as unknown as UploadedFile;
      const failure = failureOf(value);
      if (!failure.retry || attempt === ATTEMPTS_MAX) throw failure;
      const afterMs = Number(value?.["afterMs"] ?? 0);
      await wait(afterMs + fullJitter(attempt - 1, RETRY, webRandom), signal); // files.1
    }
  }

  /** The addresses of an attachment. Rejects with FileFailed. */
  async link(
    room: string,
    id: string,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<LinkedFile> {
    const { fetch: send = fetch } = this.#options;
    const headers = { authorization: `Bearer ${await this.#token()}` };
    const url = this.#urlOf(`/v1/rooms/${room}/attachments/${id}`);
    const text = await send(url, { headers, signal: signal ?? null }).then(
      (response) => response.text(),
      () => signal?.throwIfAborted(),
    );
    const value = parseObject(text ?? "");
    if (typeof value?.["url"] !== "string") throw failureOf(value);
    const { url: path, thumbnail, ...file } = value as unknown as LinkedFile;
    const small = thumbnail !== undefined && { thumbnail: this.#urlOf(thumbnail).href };
    return { ...file, url: this.#urlOf(path).href, ...small };
  }

  #urlOf(path: string): URL {
    return new URL(path, this.#options.url);
  }

  async #token(): Promise<string> {
    const { token } = this.#options;
    return typeof token === "string" ? token : token();
  }
}

function failureOf(problem: unknown): FileFailed {
  const { reason } = isObject(problem) ? problem : {};
  const refusal = UPLOAD_REFUSALS.find((one) => one === reason);
  return new FileFailed(...readProblem(problem), refusal);
}

function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
