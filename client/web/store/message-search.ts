// MessageSearch: one search for messages, page by page.
//
//   message-search.1. An answer counts only for the newest search: a slow answer to an earlier one
//        is dropped.
//   message-search.2. At most FOUND_MAX messages are kept; a narrower search finds the others.
//   message-search.3. A found word is marked where the plain text shows it.

import type { ChatApi, FoundMessage, SearchQuery } from "./chat-api.ts";
import { nameOf } from "./chat-api.ts";
import { plainParts } from "./plain-text.ts";
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

type Range = readonly [begin: number, end: number];

/** The plain text of a found message, cut at its highlights; wrong ones are ignored. */
export function partsOf({ text, highlights, cut }: FoundMessage): readonly FoundPart[] {
  const known = highlights.filter(([begin, end]) => begin >= 0 && end <= text.length);
  const parts: FoundPart[] = [];
  for (const part of plainParts(text, cut)) {
    for (const piece of part.from === undefined ? [part] : pieces(part.text, part.from, known)) {
      add(parts, piece);
    }
  }
  if (cut === true) add(parts, { text: "…" });
  return parts;
}

/** Cuts the text that begins at this place. */
function* pieces(text: string, from: number, ranges: readonly Range[]): Generator<FoundPart> {
  let at = from;
  for (const [begin, end] of ranges) {
    const first = Math.max(at, begin);
    const last = Math.min(from + text.length, end);
    if (last <= first) continue;
    yield { text: text.slice(at - from, first - from) };
    yield { text: text.slice(first - from, last - from), isHit: true };
    at = last;
  }
  yield { text: text.slice(at - from) };
}

/** Neighbours of one kind are one part. */
function add(parts: FoundPart[], part: FoundPart): void {
  const last = parts.at(-1);
  if (part.text === "") return;
  if (last === undefined || last.isHit !== part.isHit) parts.push(part);
  else parts.splice(-1, 1, { ...last, text: last.text + part.text });
}
