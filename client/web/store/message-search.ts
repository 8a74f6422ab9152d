// MessageSearch: one search for messages, page by page.
//
//   message-search.1. An answer counts only for the newest search: a slow answer to an earlier one
//        is dropped.
//   message-search.2. At most FOUND_MAX messages are kept; a narrower search finds the others.

import type { ChatApi, FoundMessage, SearchQuery } from "./chat-api.ts";
import { nameOf } from "./chat-api.ts";
import { failureWords } from "./words.ts";

const FOUND_MAX = 200;

export type SearchState = "none" | "loading" | "found";

export class MessageSearch {
  readonly #api: Pick<ChatApi, "search">;
  readonly #changed: () => void;
  #query: SearchQuery | undefined;
  #found: readonly FoundMessage[] = [];
  #next: string | undefined;
  #state: SearchState = "none";
  #problem: string | undefined;

  constructor(api: Pick<ChatApi, "search">, changed: () => void) {
    this.#api = api;
    this.#changed = changed;
  }

  get state(): SearchState {
    return this.#state;
  }
  get found(): readonly FoundMessage[] {
    return this.#found;
  }
  get hasMore(): boolean {
    return this.#next !== undefined && this.#found.length < FOUND_MAX;
  }
  /** Why the last request failed, as a sentence. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Begins a search. An empty text ends it. */
  async begin(query: SearchQuery): Promise<void> {
    this.#found = [];
    this.#next = undefined;
    this.#query = query.text.trim() === "" ? undefined : query;
    this.#state = "none";
    this.#problem = undefined;
    if (this.#query === undefined) this.#changed();
    else await this.#load(this.#query);
  }

  async more(): Promise<void> {
    const query = this.#query;
    if (query === undefined || !this.hasMore || this.#state === "loading") return;
    await this.#load(query, this.#next);
  }

  async #load(query: SearchQuery, cursor?: string): Promise<void> {
    this.#state = "loading";
    this.#changed();
    const page = await this.#api.search({ ...query, cursor }).catch((error: unknown) => {
      return { problem: failureWords(nameOf(error)) };
    });
    if (query !== this.#query) return; // message-search.1
    this.#state = "found";
    this.#problem = "problem" in page ? page.problem : undefined;
    if ("messages" in page) {
      this.#found = [...this.#found, ...page.messages].slice(0, FOUND_MAX);
      this.#next = page.next;
    }
    this.#changed();
  }
}

/** A part of a found text; `isHit`: the search asked for it. */
export interface FoundPart {
  readonly text: string;
  readonly isHit?: boolean;
}

/** Cuts the text at its highlights; wrong ones are ignored. The texts of all parts are the text. */
export function partsOf({ text, highlights, cut }: FoundMessage): readonly FoundPart[] {
  const parts: FoundPart[] = [];
  let end = 0;
  for (const [from, to] of highlights) {
    if (from < end || to <= from || to > text.length) continue;
    if (from > end) parts.push({ text: text.slice(end, from) });
    parts.push({ text: text.slice(from, to), isHit: true });
    end = to;
  }
  if (end < text.length || parts.length === 0) parts.push({ text: text.slice(end) });
  return cut === true ? [...parts, { text: "…" }] : parts;
}
