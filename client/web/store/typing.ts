// Typing: sends the user's own typing signal, and keeps the names of the other typing users.
//
// Typing frames can be lost in both directions (A5). So the own signal is repeated while the user
// types, and a name without a repeat is removed.
//
//   typing.1. At most one `typing(true)` per REPEAT_MS, and one `typing(false)` after it.
//   typing.2. A name is shown for at most SHOWN_MS after its last frame.
//   typing.3. At most NAMES_MAX names are kept; the page shows more only as a count.

import type { Clock, Timer } from "#shared/ports/clock.ts";

const REPEAT_MS = 3_000;
/** Longer than two repeats: a name stays visible when one frame is lost. */
const SHOWN_MS = 7_000;
const NAMES_MAX = 20;

/** Sends the user's own typing signal at a bounded rate. */
export class TypingSignal {
  readonly #clock: Clock;
  readonly #send: (on: boolean) => void;
  #sentAt: number | undefined;

  constructor(clock: Clock, send: (on: boolean) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** Call it after every change of the draft. */
  onDraft(text: string): void {
    if (text.trim() === "") {
      this.stop();
      return;
    }
    const now = this.#clock.monotonic();
    if (this.#sentAt !== undefined && now - this.#sentAt < REPEAT_MS) return;
    this.#sentAt = now;
    this.#send(true);
  }

  stop(): void {
    if (this.#sentAt === undefined) return;
    this.#sentAt = undefined;
    this.#send(false);
  }
}

/** The users who type now. */
export class TypingNames {
  readonly #clock: Pick<Clock, "after">;
  readonly #changed: () => void;
  readonly #timers = new Map<string, Timer>();
  #names: readonly string[] = [];

  constructor(clock: Pick<Clock, "after">, changed: () => void) {
    this.#clock = clock;
    this.#changed = changed;
  }

  get names(): readonly string[] {
    return this.#names;
  }

  update(user: string, on: boolean): void {
    const isNew = !this.#timers.has(user);
    if (!on) {
      if (!isNew) this.#drop(user);
      return;
    }
    if (isNew && this.#timers.size >= NAMES_MAX) return; // typing.3
    this.#timers.get(user)?.cancel();
    this.#timers.set(
      user,
      this.#clock.after(SHOWN_MS, () => this.#drop(user)),
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
