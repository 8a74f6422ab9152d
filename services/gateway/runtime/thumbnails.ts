// Thumbnails: makes the thumbnails of uploaded images, in a thread of its own.
//
// A thumbnail is a service to readers: without one a message has its file all the same. Owns: the
// thread, and how many images wait. Does not own: decoding (adapters/thumbnail-worker.ts).
//
//   thumbnails.1. One image is decoded at a time, and at most WAITING_MAX wait. One more gets none.
//   thumbnails.2. A thread that does not answer within ANSWER_MS, or ends, is replaced. Its image
//        gets none.
//   thumbnails.3. A thread without work ends after IDLE_MS, so a cluster without images has none.
//   thumbnails.4. A gateway holds the bytes of at most one image that it decodes. Its memory
//        account gets them.

import { Counts } from "#shared/kit/counts.ts";
import { Histogram, LATENCY_SECONDS } from "#shared/kit/histogram.ts";
import type { StoredObject } from "#shared/ports/attachment-store.ts";
import type { Clock, Timer } from "#shared/ports/clock.ts";

/** The size of the image as it is shown, and its thumbnail in WebP. */
export interface Thumbnail {
  readonly width: number;
  readonly height: number;
  readonly content: Uint8Array;
}

/** A thread with one image at a time. */
export interface ThumbnailThread {
  post(image: Uint8Array): void;
  end(): void;
}

/** `onAnswer`: for each image. `onEnd`: the thread ended by itself. */
export type StartThread = (on: {
  readonly answer: (thumbnail: Thumbnail | undefined) => void;
  readonly end: () => void;
}) => ThumbnailThread;

export const WAITING_MAX = 16;
/** Above the bound of a decoding, on a busy machine. */
const ANSWER_MS = 20_000;
const IDLE_MS = 60_000;
/** A larger image is shown without a thumbnail. */
const IMAGE_BYTES_MAX = 32 * 1024 * 1024;
const TYPES: ReadonlySet<string> = new Set(["image/jpeg", "image/png", "image/webp", "image/gif"]);

export const THUMBNAIL_OUTCOMES = ["made", "none", "full"] as const;

interface Waiting {
  readonly bytes: number;
  readonly read: () => Promise<StoredObject | undefined>;
  readonly resolve: (thumbnail: Thumbnail | undefined) => void;
}

export class Thumbnails {
  readonly outcomes = new Counts(THUMBNAIL_OUTCOMES);
  /** Of the thread, for each image. */
  readonly seconds = new Histogram(LATENCY_SECONDS);
  readonly #clock: Pick<Clock, "after" | "monotonic">;
  readonly #startThread: StartThread;
  readonly #account: (bytes: number) => void;
  readonly #waiting: Waiting[] = [];
  #thread: ThumbnailThread | undefined;
  #answer: ((thumbnail: Thumbnail | undefined) => void) | undefined;
  #isWorking = false;
  #idle: Timer | undefined;

  /** `account`: takes each change of the bytes held (thumbnails.4). */
  constructor(
    clock: Pick<Clock, "after" | "monotonic">,
    startThread: StartThread,
    account: (bytes: number) => void = () => undefined,
  ) {
    this.#clock = clock;
    this.#startThread = startThread;
    this.#account = account;
  }

  /**
   * Undefined: the file has none. `read` opens the file when its turn comes. Resolves, never
   * rejects.
   */
  async of(
    { type, bytes }: { readonly type: string; readonly bytes: number },
    read: () => Promise<StoredObject | undefined>,
  ): Promise<Thumbnail | undefined> {
    if (!TYPES.has(type) || bytes > IMAGE_BYTES_MAX) return undefined;
    if (this.#waiting.length >= WAITING_MAX) {
      this.outcomes.add("full"); // thumbnails.1
      return undefined;
    }
    const thumbnail = await new Promise<Thumbnail | undefined>((resolve) => {
      this.#waiting.push({ bytes, read, resolve });
      void this.#work();
    });
    this.outcomes.add(thumbnail === undefined ? "none" : "made");
    return thumbnail;
  }

  stop(): void {
    this.#idle?.cancel();
    this.#endThread();
  }

  async #work(): Promise<void> {
    if (this.#isWorking) return;
    this.#isWorking = true;
    this.#idle?.cancel();
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#account(next.bytes);
      const thumbnail = await this.#make(next.read);
      this.#account(-next.bytes);
      next.resolve(thumbnail);
    }
    this.#isWorking = false;
    this.#idle = this.#clock.after(IDLE_MS, () => this.#endThread()); // thumbnails.3
  }

  async #make(read: Waiting["read"]): Promise<Thumbnail | undefined> {
    const image = await bytesOf(read).catch(() => undefined);
    if (image === undefined) return undefined;
    const began = this.#clock.monotonic();
    const thumbnail = await this.#ask(image);
    this.seconds.observe((this.#clock.monotonic() - began) / 1_000);
    return thumbnail;
  }

  #ask(image: Uint8Array): Promise<Thumbnail | undefined> {
    return new Promise((resolve) => {
      const late = this.#clock.after(ANSWER_MS, () => this.#endThread()); // thumbnails.2
      this.#answer = (thumbnail) => {
        late.cancel();
        this.#answer = undefined;
        resolve(thumbnail);
      };
      this.#thread ??= this.#startThread({
        answer: (thumbnail) => this.#answer?.(thumbnail),
        end: () => this.#endThread(),
      });
      this.#thread.post(image);
    });
  }

  #endThread(): void {
    const thread = this.#thread;
    this.#thread = undefined;
    thread?.end();
    this.#answer?.(undefined);
  }
}

/** thumbnails.4. */
async function bytesOf(read: Waiting["read"]): Promise<Uint8Array | undefined> {
  const object = await read();
  if (object === undefined) return undefined;
  try {
    const image = new Uint8Array(object.bytes);
    let at = 0;
    for await (const chunk of object.content) {
      image.set(chunk, at);
      at += chunk.byteLength;
    }
    return image;
  } finally {
    await object.close();
  }
}
