// PageFetcher: fetches the page behind a link, for a preview.
//
// Owns: the requests, the redirects, the bounds of time and bytes, which answers are pages. Does
// not own: which addresses pass (addresses.ts), what a page says (page-reader.ts), how many pages
// are fetched at a time (link-previews.ts).
//
//   page-fetcher.1. Each URL, that of the link and that of each redirect, is judged: http or https
//        without a user, and a public address or one that LINK_PREVIEWS_ALLOW names. Another port
//        than 80 and 443 is reached in a named network only: any user can ask for any URL, and a
//        public address may trust the address of this process.
//   page-fetcher.2. The request has no cookie, no credential, no referrer and no language.
//   page-fetcher.3. Compressed answers are no pages. They are not asked for, and so no answer is
//        larger in memory than on the wire.

import type { IncomingMessage } from "node:http";
import { PAGE_BYTES_MAX, PAGE_TIMEOUT_MS, REDIRECTS_MAX } from "../core/bounds.ts";
import type { Fetched, FetchFailure, Fetcher } from "../core/ports.ts";
import { AddressRefused, isAllowed, isNamed } from "./addresses.ts";
import type { AllowedNetworks, Judge, LookUp } from "./addresses.ts";
import { checkedRequest } from "./checked-request.ts";
import { lookUpName } from "./name-resolver.ts";

const HEADERS = {
  accept: "text/html",
  "accept-encoding": "identity",
  "user-agent": "Parley-Link-Preview/1",
};
const REDIRECTS: ReadonlySet<number | undefined> = new Set([301, 302, 303, 307, 308]);
const HTML = /^\s*text\/html\s*(?:;|$)/i;
const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]+)/i;

export interface PageFetcherOptions {
  readonly allowed: AllowedNetworks;
  readonly lookUp?: LookUp;
  readonly timeoutMs?: number;
}

export class PageFetcher implements Fetcher {
  readonly #options: PageFetcherOptions;

  constructor(options: PageFetcherOptions) {
    this.#options = options;
  }

  /** Resolves, never rejects. */
  async fetch(url: string): Promise<Fetched> {
    const deadline = AbortSignal.timeout(this.#options.timeoutMs ?? PAGE_TIMEOUT_MS);
    try {
      return await this.#follow(url, deadline);
    } catch (error: unknown) {
      if (error instanceof AddressRefused) return failed("address");
      return failed(deadline.aborted ? "time" : "connection");
    }
  }

  async #follow(first: string, signal: AbortSignal): Promise<Fetched> {
    let url = URL.parse(first);
    for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
      if (url === null) return failed("status");
      const response = await this.#request(url, signal);
      const { statusCode, headers } = response;
      if (!REDIRECTS.has(statusCode)) return pageOf(response);
      response.destroy();
      const { location } = headers;
      url = location === undefined ? null : URL.parse(location, url);
    }
    return failed("redirects");
  }

  /** page-fetcher.1. */
  #request(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
    const { allowed, lookUp = lookUpName } = this.#options;
    const isWeb = url.protocol === "http:" || url.protocol === "https:";
    if (!isWeb || url.username !== "" || url.password !== "") throw new AddressRefused();
    const hasUsualPort = ["", "80", "443"].includes(url.port);
    const passes: Judge = (address) =>
      hasUsualPort ? isAllowed(address, allowed) : isNamed(address, allowed);
    return checkedRequest(url, { method: "GET", headers: HEADERS, passes, lookUp, signal });
  }
}

async function pageOf(response: IncomingMessage): Promise<Fetched> {
  const { statusCode, headers } = response;
  const { "content-type": type = "", "content-encoding": encoding = "identity" } = headers;
  const failure = statusCode !== 200 ? "status" : HTML.test(type) ? undefined : "type";
  if (failure !== undefined || encoding.toLowerCase() !== "identity") {
    response.destroy();
    return failed(failure ?? "type"); // page-fetcher.3
  }
  return { kind: "page", bytes: await bytesOf(response), charset: CHARSET.exec(type)?.[1] };
}

/** At most PAGE_BYTES_MAX: leaving the loop ends the connection. */
async function bytesOf(response: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response) {
    parts.push(part as Buffer);
    bytes += (part as Buffer).length;
    if (bytes >= PAGE_BYTES_MAX) break;
  }
  return Buffer.concat(parts).subarray(0, PAGE_BYTES_MAX);
}

function failed(reason: FetchFailure): Fetched {
  return { kind: "failed", reason };
}
