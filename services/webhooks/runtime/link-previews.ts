// LinkPreviews: the previews that this process makes and keeps.
//
// Owns: how many pages are fetched at a time, the answers that are kept. Does not own: the fetch
// (page-fetcher.ts), what a page says (page-reader.ts).
//
//   link-previews.1. Requests for one URL at the same time cause one fetch.
//   link-previews.2. At most FETCHES_MAX pages are fetched at a time, HOST_FETCHES_MAX of one host.
//        Beyond it a request gets `unavailable` at once: nothing waits in a queue, and a slow host
//        takes no more than its share.
//   link-previews.3. An answer is kept for PREVIEW_KEPT_MS, and for NO_PREVIEW_KEPT_MS when there
//        is no preview: the site may recover. The bounds are PREVIEWS_MAX and PREVIEWS_BYTES_MAX.

import { LRUCache } from "lru-cache";
import { Counts } from "#shared/kit/counts.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { Millis } from "#shared/protocol/ids.ts";
import type { LinkPreview, PreviewAnswer } from "#shared/protocol/link-previews.ts";
import {
  FETCHES_MAX,
  HOST_FETCHES_MAX,
  NO_PREVIEW_KEPT_MS,
  PREVIEW_KEPT_MS,
  PREVIEWS_BYTES_MAX,
  PREVIEWS_MAX,
} from "../core/bounds.ts";
import { FETCH_FAILURES } from "../core/ports.ts";
import type { Fetcher } from "../core/ports.ts";

export interface LinkPreviewsParts {
  readonly fetcher: Fetcher;
  /** What a page says; undefined: it has no title. */
  readonly read: (bytes: Uint8Array, charset: string | undefined) => LinkPreview | undefined;
  readonly clock: Pick<Clock, "monotonic">;
}

interface Kept {
  readonly answer: PreviewAnswer;
  readonly until: Millis;
}

const NOTHING: PreviewAnswer = { kind: "none", reason: "nothing" };
const BUSY: PreviewAnswer = { kind: "none", reason: "unavailable" };
/** Of an entry, beside its texts. */
const ENTRY_BYTES = 128;

export class LinkPreviews {
  readonly #parts: LinkPreviewsParts;
  readonly #kept = new LRUCache<string, Kept>({
    max: PREVIEWS_MAX,
    maxSize: PREVIEWS_BYTES_MAX,
    sizeCalculation: (kept, url) =>
      ENTRY_BYTES + 2 * (url.length + JSON.stringify(kept.answer).length),
  });
  readonly #fetching = new Map<string, Promise<PreviewAnswer>>();
  readonly #hosts = new Map<string, number>();
  readonly outcomes = new Counts(["preview", "nothing", "kept", "busy", ...FETCH_FAILURES]);

  constructor(parts: LinkPreviewsParts) {
    this.#parts = parts;
  }

  /** Resolves, never rejects. `url`: http or https, that `URL` can read. */
  preview(text: string): Promise<PreviewAnswer> {
    const url = URL.parse(text);
    if (url === null) return Promise.resolve(NOTHING);
    const kept = this.#kept.get(url.href);
    if (kept !== undefined && this.#parts.clock.monotonic() < kept.until) {
      this.outcomes.add("kept");
      return Promise.resolve(kept.answer);
    }
    const fetching = this.#fetching.get(url.href);
    if (fetching !== undefined) return fetching; // link-previews.1
    const ofHost = this.#hosts.get(url.hostname) ?? 0;
    if (this.#fetching.size >= FETCHES_MAX || ofHost >= HOST_FETCHES_MAX) {
      this.outcomes.add("busy"); // link-previews.2
      return Promise.resolve(BUSY);
    }
    this.#hosts.set(url.hostname, ofHost + 1);
    const answer = this.#fetch(url.href).finally(() => this.#end(url));
    this.#fetching.set(url.href, answer);
    return answer;
  }

  async #fetch(url: string): Promise<PreviewAnswer> {
    const page = await this.#parts.fetcher.fetch(url);
    const preview = page.kind === "page" ? this.#parts.read(page.bytes, page.charset) : undefined;
    const found = preview === undefined ? "nothing" : "preview";
    this.outcomes.add(page.kind === "failed" ? page.reason : found);
    const answer: PreviewAnswer = preview === undefined ? NOTHING : { kind: "preview", preview };
    const keptMs = preview === undefined ? NO_PREVIEW_KEPT_MS : PREVIEW_KEPT_MS;
    this.#kept.set(url, { answer, until: this.#parts.clock.monotonic() + keptMs });
    return answer;
  }

  #end({ href, hostname }: URL): void {
    this.#fetching.delete(href);
    const left = (this.#hosts.get(hostname) ?? 1) - 1;
    if (left === 0) this.#hosts.delete(hostname);
    else this.#hosts.set(hostname, left);
  }
}
