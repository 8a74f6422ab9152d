// NameBook: the display names of the users that this page shows.
//
// Owns: which names are known, and when the server is asked. Does not own: where a name stands
// (ui/avatar.tsx). The id of a user stays the name in links, mentions and roles.
//
//   name-book.1. A user without a known name is shown by the id, and asked for. Requests are
//        collected for BATCH_MS, and name at most NAMES_MAX users each.
//   name-book.2. A name is asked for again after FRESH_MS, when it is shown again. After a failure
//        the next request waits RETRY_MS.
//   name-book.3. The newest KEPT_MAX names are kept.

import type { Clock, Timer } from "#shared/ports/clock.ts";
import { NAMES_MAX } from "#shared/protocol/limits.ts";
import type { ChatApi } from "./chat-api.ts";
import type { Unsubscribe } from "./client-port.ts";

const BATCH_MS = 50;
const FRESH_MS = 600_000;
const RETRY_MS = 30_000;
const KEPT_MAX = 2_000;

export interface NameBookOptions {
  readonly api: Pick<ChatApi, "names">;
  readonly clock: Pick<Clock, "after" | "now">;
}

interface Entry {
  /** Undefined: the user has none. */
  readonly name: string | undefined;
  readonly at: number;
}

export class NameBook {
  readonly #options: NameBookOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #wanted = new Set<string>();
  readonly #listeners = new Set<() => void>();
  #timer: Timer | undefined;

  constructor(options: NameBookOptions) {
    this.#options = options;
  }

  /** The display name of the user, else the id. */
  of(user: string): string {
    const entry = this.#entries.get(user);
    const isFresh = entry !== undefined && this.#options.clock.now() - entry.at < FRESH_MS;
    if (!isFresh) this.#want(user);
    return entry?.name ?? user;
  }

  subscribe(listener: () => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    this.#timer?.cancel();
    this.#listeners.clear();
  }

  #want(user: string): void {
    this.#wanted.add(user);
    this.#timer ??= this.#options.clock.after(BATCH_MS, () => void this.#ask());
  }

  async #ask(): Promise<void> {
    const { api, clock } = this.#options;
    const users = [...this.#wanted].slice(0, NAMES_MAX);
    const names = await api.names(users).catch(() => undefined);
    this.#timer = undefined;
    if (names !== undefined) {
      const found = new Map(names.map(({ user, name }) => [user, name]));
      for (const user of users) {
        this.#wanted.delete(user);
        this.#entries.delete(user); // The newest are the last.
        this.#entries.set(user, { name: found.get(user), at: clock.now() });
      }
      for (const user of this.#entries.keys()) {
        if (this.#entries.size <= KEPT_MAX) break;
        this.#entries.delete(user);
      }
      if (found.size > 0) for (const listener of this.#listeners) listener();
    }
    if (this.#wanted.size === 0) return;
    const waitMs = names === undefined ? RETRY_MS : BATCH_MS;
    this.#timer = clock.after(waitMs, () => void this.#ask());
  }
}
