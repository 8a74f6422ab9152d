// PageFiles: uploads and links by the SDK, with the token of the page.
//
//   page-files.1. A link is asked for once, and again shortly before it ends. At most LINKS_MAX are
//        kept.
//   page-files.2. A refused token is renewed once for each call.

import { FileFailed, Files } from "#client/sdk/files/files.ts";
import type { UploadedFile } from "#shared/protocol/attachments.ts";
import type { FileLink, FilePort, UploadWay } from "./file-port.ts";

const LINKS_MAX = 500;
/** What a browser needs to begin a download. */
const SPARE_MS = 60_000;
const IS_OF_TOKEN = new Set<string>(["unauthorized", "token_expired"]);

export interface PageFilesOptions {
  /** The address of the gateways. */
  readonly url: string;
  readonly token: () => Promise<string>;
  /** The server refused the token: `token` returns another one. */
  readonly renew: () => void;
  /** In ms since 1970. */
  readonly now: () => number;
  /** Default: the browser's requests. */
  readonly fetcher?: typeof fetch;
}

interface Kept {
  readonly link: Promise<FileLink>;
  until: number;
}

/** Of this page's gateway. */
export function openFiles(token: () => Promise<string>, renew: () => void): PageFiles {
  return new PageFiles({ url: location.origin, token, renew, now: () => Date.now() });
}

export class PageFiles implements FilePort {
  readonly #options: PageFilesOptions;
  readonly #files: Files;
  /** By id, oldest first. */
  readonly #links = new Map<string, Kept>();

  constructor(options: PageFilesOptions) {
    const { url, token, fetcher } = options;
    this.#options = options;
    this.#files = new Files({ url, token, ...(fetcher !== undefined && { fetch: fetcher }) });
  }

  upload(room: string, file: Blob, way: UploadWay): Promise<UploadedFile> {
    return this.#ask(() => this.#files.upload(room, file, way));
  }

  link(room: string, id: string, isFresh = false): Promise<FileLink> {
    const known = this.#links.get(id);
    const { now } = this.#options;
    if (known !== undefined && !isFresh && known.until - now() > SPARE_MS) return known.link;
    const link = this.#ask(() => this.#files.link(room, id));
    const kept: Kept = { link, until: Number.POSITIVE_INFINITY };
    this.#links.delete(id);
    this.#links.set(id, kept);
    link.then(
      ({ until }) => (kept.until = until),
      () => this.#links.get(id) === kept && this.#links.delete(id),
    );
    for (const oldest of this.#links.keys()) {
      if (this.#links.size <= LINKS_MAX) break; // page-files.1
      this.#links.delete(oldest);
    }
    return link;
  }

  /** page-files.2. */
  async #ask<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof FileFailed) || !IS_OF_TOKEN.has(error.code)) throw error;
      this.#options.renew();
      return request();
    }
  }
}
