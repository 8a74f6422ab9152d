// Roster: who is in a room, and who is typing there.
//
// Owns: the names and counts that presence and typing frames told, and when typing is over.
// Such frames may be lost, so nothing here is certain; the next full list corrects it.
//
//   roster.1. Names that are all there are (`all`), and the first ones after a (re)join, replace what was
//       known; they are compared with it, so the application hears only what changed.
//   roster.2. A count without names, beyond what is announced by name, empties the names: stale names
//       are worse than none.
//   roster.3. Who typed is forgotten after TYPING_SHOWN_MS, or at once when their message comes.

import type { Millis } from "#shared/protocol/ids.ts";
import { PRESENCE_NAMES_MAX } from "#shared/protocol/limits.ts";
import { TYPING_MAX, TYPING_SHOWN_MS } from "./bounds.ts";
import type { PresenceChange, TypingChange } from "./effects.ts";

export interface PresenceNews {
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

  /** When the next typing entry ends. */
  get wakeAt(): Millis | undefined {
    let earliest: Millis | undefined;
    for (const at of this.#typing.values()) {
      if (earliest === undefined || at < earliest) earliest = at;
    }
    return earliest;
  }

  /** A join was answered: what comes now describes the room anew. */
  begin(here: number): void {
    this.#here = here;
    this.#isStale = true; // roster.1
  }

  onPresence({ join, leave, here, all }: PresenceNews): PresenceChange | undefined {
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

  /** A message ends its sender's typing (roster.3). */
  onMessage(user: string): TypingChange | undefined {
    return this.#endTyping(user);
  }

  tick(now: Millis): readonly TypingChange[] {
    const over = [...this.#typing].filter(([, at]) => at <= now);
    return over.flatMap(([user]) => this.#endTyping(user) ?? []);
  }

  /** The connection is gone: nobody will tell us who stopped. */
  stopTyping(): readonly TypingChange[] {
    return this.tick(Infinity);
  }

  #endTyping(user: string): TypingChange | undefined {
    if (!this.#typing.delete(user)) return undefined;
    return { user, on: false, users: new Set(this.#typing.keys()) };
  }
}
