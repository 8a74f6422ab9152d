// Roster: the users in a room and the users who type there.
//
// Owns: the names and counts of presence and typing frames, and when typing ends. These frames can
// be lost, so the state can be wrong; the next complete list corrects it.
//
//   roster.1. A complete list (`all`), and the first list after a join, replaces the known names.
//       The application gets only the difference.
//   roster.2. A count without names, above PRESENCE_NAMES_MAX users, removes all names: an outdated
//       list is worse than none.
//   roster.3. A typing user is removed after TYPING_SHOWN_MS, or when a message of that user
//       arrives.

import type { Millis } from "#shared/protocol/ids.ts";
import { PRESENCE_NAMES_MAX } from "#shared/protocol/limits.ts";
import { TYPING_MAX, TYPING_SHOWN_MS } from "./bounds.ts";
import { earliest } from "./earliest.ts";
import type { PresenceChange, TypingChange } from "./effects.ts";

export interface PresenceUpdate {
  readonly join?: readonly string[];
  readonly leave?: readonly string[];
  readonly here?: number;
  readonly all?: boolean;
}

export class Roster {
  #users: Set<string> = new Set();
  #here = 0;
  #isStale = false;
  readonly #typing: Map<string, Millis> = new Map();

  get users(): ReadonlySet<string> {
    return this.#users;
  }

  get here(): number {
    return this.#here;
  }

  /** When the next typing user is removed. */
  get wakeAt(): Millis | undefined {
    return earliest(this.#typing.values());
  }

  /** A join was answered: the next list replaces the known names. */
  begin(here: number): void {
    this.#here = here;
    this.#isStale = true; // roster.1
  }

  onPresence({ join, leave, here, all }: PresenceUpdate): PresenceChange | undefined {
    const before = this.#users;
    const hereBefore = this.#here;
    const isFull = join !== undefined && (this.#isStale || all === true);
    const users = new Set(isFull ? [] : before);
    for (const user of join ?? []) users.add(user);
    for (const user of leave ?? []) users.delete(user);
    if (isFull) this.#isStale = false;
    if (join === undefined && leave === undefined && (here ?? 0) > PRESENCE_NAMES_MAX) {
      users.clear(); // roster.2
    }
    this.#users = users;
    this.#here = here ?? Math.max(users.size, hereBefore + users.size - before.size);
    const joined = [...users].filter((user) => !before.has(user));
    const left = [...before].filter((user) => !users.has(user));
    if (joined.length + left.length === 0 && this.#here === hereBefore) return undefined;
    return { users, here: this.#here, joined, left };
  }

  onTyping(user: string, on: boolean, now: Millis): TypingChange | undefined {
    if (!on) return this.#endTyping(user);
    const isNew = !this.#typing.has(user);
    if (isNew && this.#typing.size >= TYPING_MAX) return undefined;
    this.#typing.set(user, now + TYPING_SHOWN_MS);
    return { user, on: true, users: new Set(this.#typing.keys()) };
  }

  /** A message ends the typing of its sender (roster.3). */
  onMessage(user: string): TypingChange | undefined {
    return this.#endTyping(user);
  }

  tick(now: Millis): readonly TypingChange[] {
    const over = [...this.#typing].filter(([, at]) => at <= now);
    return over.flatMap(([user]) => this.#endTyping(user) ?? []);
  }

  /** After a disconnect, no frame reports the end of typing. */
  stopTyping(): readonly TypingChange[] {
    return this.tick(Infinity);
  }

  #endTyping(user: string): TypingChange | undefined {
    if (!this.#typing.delete(user)) return undefined;
    return { user, on: false, users: new Set(this.#typing.keys()) };
  }
}
