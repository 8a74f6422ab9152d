// PreviewBook: the previews that this page has asked for.
//
//   preview-book.1. A URL is asked for once. At most ANSWERS_MAX answers are kept; the oldest one
//        goes.
//   preview-book.2. At most ASKED_MAX requests are open. Further ones wait for their turn, in the
//        order in which their messages came into view; one whose message has gone is not sent.
//   preview-book.3. A failure is the same as no preview, and is asked again when the message is
//        shown again. When the cluster answers that it makes none, nothing more is asked.

import type { LinkPreview, PreviewAnswer } from "#shared/protocol/link-previews.ts";

const ANSWERS_MAX = 200;
const ASKED_MAX = 3;

export type AskPreview = (url: string) => Promise<PreviewAnswer>;

interface Entry {
  readonly answer: Promise<LinkPreview | undefined>;
  /** The messages with this URL that are shown. */
  shown: number;
}

export class PreviewBook {
  /** By URL, oldest first. */
  readonly #entries = new Map<string, Entry>();
  /** How each request begins that waits for its turn. */
  readonly #waiting: (() => void)[] = [];
  #asked = 0;
  #isOff = false;

  /** Resolves, never rejects. Undefined: there is none. `gone`: the message is no longer shown. */
  preview(url: string, ask: AskPreview, gone: AbortSignal): Promise<LinkPreview | undefined> {
    const entry = this.#entries.get(url) ?? this.#begin(url, ask);
    entry.shown++;
    gone.addEventListener("abort", () => entry.shown--, { once: true });
    return entry.answer;
  }

  #begin(url: string, ask: AskPreview): Entry {
    const { promise: answer, resolve } = Promise.withResolvers<LinkPreview | undefined>();
    const entry: Entry = { answer, shown: 0 };
    this.#entries.set(url, entry);
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined && this.#entries.size > ANSWERS_MAX) this.#entries.delete(oldest);
    void this.#turn()
      .then(() => this.#ask(url, entry, ask))
      .finally(() => this.#end())
      .then(resolve, () => {
        this.#forget(url, entry);
        resolve(undefined);
      });
    return entry;
  }

  async #ask(url: string, entry: Entry, ask: AskPreview): Promise<LinkPreview | undefined> {
    if (entry.shown === 0 || this.#isOff) return this.#forget(url, entry);
    const answer = await ask(url);
    if (answer.kind === "preview") return answer.preview;
    this.#isOff ||= answer.reason === "off";
    return answer.reason === "nothing" ? undefined : this.#forget(url, entry);
  }

  /** Resolves when a further request may be sent. */
  async #turn(): Promise<void> {
    if (this.#asked >= ASKED_MAX) await new Promise<void>((begin) => this.#waiting.push(begin));
    else this.#asked++;
    await Promise.resolve(); // The entry counts its first message before.
  }

  /** The next request takes the place of one that has ended. */
  #end(): void {
    const begin = this.#waiting.shift();
    if (begin === undefined) this.#asked--;
    else begin();
  }

  #forget(url: string, entry: Entry): undefined {
    if (this.#entries.get(url) === entry) this.#entries.delete(url);
  }
}
