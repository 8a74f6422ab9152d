// DeviceList: the devices of the user, as the dialog shows them, and their sign-out.
//
// Owns: the order and the names of the list, the sentence of a failure. Does not own: the requests
// (client/sdk/sessions).
//
//   device-list.1. The own session is first and has no sign-out here; it is judged by its present
//        id, which a reconnect changes.
//   device-list.2. While the list is shown it is read again every REFRESH_MS. A read that fails
//        leaves what was read before.

import type { Clock, Timer } from "#shared/ports/clock.ts";
import { failureWords } from "./words.ts";

const REFRESH_MS = 5_000;

/** One session, as the server lists it. */
export interface ListedSession {
  readonly session: string;
  readonly since: number;
  readonly client?: string;
  readonly device?: string;
  readonly address?: string;
}

/** The part of client/sdk/sessions that the store uses. A refusal has a `code`. */
export interface SessionsPort {
  list(): Promise<{ readonly sessions: readonly ListedSession[]; readonly more: number }>;
  end(session: string): Promise<void>;
  endOthers(own: Own): Promise<number>;
}

interface Own {
  readonly sessionId: string | undefined;
}

export interface Device {
  readonly session: string;
  readonly since: number;
  /** Undefined: it has no name. */
  readonly name: string | undefined;
  readonly address: string | undefined;
  readonly isOwn: boolean;
}

export interface DeviceListOptions {
  readonly sessions: () => Promise<SessionsPort>;
  readonly own: Own;
  readonly clock: Pick<Clock, "every">;
  readonly changed: () => void;
}

export class DeviceList {
  readonly #options: DeviceListOptions;
  readonly #refresh: Timer;
  #port: SessionsPort | undefined;
  #listed: Awaited<ReturnType<SessionsPort["list"]>> | undefined;
  #problem: string | undefined;
  #isClosed = false;

  constructor(options: DeviceListOptions) {
    this.#options = options;
    this.#refresh = options.clock.every(REFRESH_MS, () => void this.load());
  }

  /** Undefined before the first list. */
  get devices(): readonly Device[] | undefined {
    const { sessionId } = this.#options.own;
    return this.#listed?.sessions
      .map(({ session, since, device, client, address }): Device => {
        const isOwn = session === sessionId; // device-list.1
        return { session, since, name: device ?? client, address, isOwn };
      })
      .sort((a, b) => Number(b.isOwn) - Number(a.isOwn) || b.since - a.since);
  }

  /** How many the list leaves out. */
  get more(): number {
    return this.#listed?.more ?? 0;
  }

  /** Why the devices are not known. */
  get problem(): string | undefined {
    return this.#problem;
  }

  async load(): Promise<void> {
    const failure = await this.#ask(async (port) => {
      this.#listed = await port.list();
    });
    if (this.#isClosed) return;
    this.#problem = this.#listed === undefined ? failure : undefined; // device-list.2
    this.#options.changed();
  }

  /** Resolves with a sentence when it was refused. */
  signOut(session: string): Promise<string | undefined> {
    return this.#change((port) => port.end(session));
  }

  /** Every device but this one. */
  signOutOthers(): Promise<string | undefined> {
    return this.#change((port) => port.endOthers(this.#options.own));
  }

  close(): void {
    this.#isClosed = true;
    this.#refresh.cancel();
  }

  async #change(act: (port: SessionsPort) => Promise<unknown>): Promise<string | undefined> {
    const failure = await this.#ask(act);
    await this.load();
    return failure;
  }

  async #ask(act: (port: SessionsPort) => Promise<unknown>): Promise<string | undefined> {
    try {
      this.#port ??= await this.#options.sessions();
      await act(this.#port);
      return undefined;
    } catch (error) {
      const { code } = error as { readonly code?: unknown };
      return failureWords(typeof code === "string" ? code : "unavailable");
    }
  }
}
