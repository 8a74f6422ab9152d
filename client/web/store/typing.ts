// Typing: what we tell the room about our own writing, and whom we believe to be writing.
//
// Typing frames may be lost both ways (A5), so both halves age: ours is repeated while we write,
// theirs is forgotten when it is not.
//
//   typing.1. At most one `typing(true)` per REPEAT_MS, and one `typing(false)` after it.
//   typing.2. A name is shown for at most HEARD_MS after its last frame.
//   typing.3. At most NAMES_MAX names are kept; more are not told apart on the screen anyway.

import type { Clock, Timer } from "#shared/ports/clock.ts";

const REPEAT_MS = 3_000;
/** Longer than two repeats: one lost frame does not make a name flicker. */
const HEARD_MS = 7_000;
const NAMES_MAX = 20;

/** Tells the room that we write, sparingly. */
export class TypingSignal {
  readonly #clock: Clock;
  readonly #tell: (on: boolean) => void;
  #toldAt: number | undefined;

  constructor(clock: Clock, tell: (on: boolean) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** After every change of the draft. */
  onDraft(text: string): void {
    if (text.trim() === "") {
      this.stop();
      return;
    }
    const now = this.#clock.monotonic();
    if (this.#toldAt !== undefined && now - this.#toldAt < REPEAT_MS) return;
    this.#toldAt = now;
    this.#tell(true);
  }

  stop(): void {
    if (this.#toldAt === undefined) return;
    this.#toldAt = undefined;
    this.#tell(false);
  }
}

/** Who is writing now. */
export class TypingNames {
  readonly #clock: Clock;
  readonly #changed: () => void;
  readonly #timers = new Map<string, Timer>();
  #names: readonly string[] = [];

  constructor(clock: Clock, changed: () => void) {
    this.#clock = clock;
    this.#changed = changed;
  }

  get names(): readonly string[] {
    return this.#names;
  }

  hear(user: string, on: boolean): void {
    const isNew = !this.#timers.has(user);
    if (!on) {
      if (!isNew) this.#drop(user);
      return;
    }
    if (isNew && this.#timers.size >= NAMES_MAX) return; // typing.3
    this.#timers.get(user)?.cancel();
    this.#timers.set(
      user,
      this.#clock.after(HEARD_MS, () => this.#drop(user)),
    );
    if (isNew) this.#publish();
  }

  clear(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    this.#names = [];
  }

  #drop(user: string): void {
    this.#timers.get(user)?.cancel();
    this.#timers.delete(user);
    this.#publish();
  }

  #publish(): void {
    this.#names = [...this.#timers.keys()];
    this.#changed();
  }
}
