// SessionRegister: what the store does not have yet of the sessions of this gateway.
//
// Owns: what is due to be written, in which order, and the bound on ended sessions. Does not own:
// the live sessions (a connection has the entry of its own), the requests, their pace, the lease
// (runtime/session-register-runner.ts).
//
//   session-register.1. A session is written once at its start and once at its end. An end waits
//        for the start. One batch is in flight at a time.
//   session-register.2. A write without a revision is due again. It may have been stored; the store
//        recognises it.
//   session-register.3. A session that `keep` announces is written once more, if the store has it.
//   session-register.4. At most SESSION_ENDS_MAX ended sessions wait. Beyond it an end is dropped
//        and counted: a session whose start is stored stays in the list until the lease of this
//        gateway ends.
//   session-register.5. Of a session that the store has, nothing is kept here.

import type { ClientFrameOf } from "#shared/protocol/client-frames.ts";
import { isMessageId, isStorable, messageTime } from "#shared/protocol/ids.ts";
import type { Millis, ProcessId, UserId } from "#shared/protocol/ids.ts";
import { addressPrefix, SESSION_TEXT_LENGTH_MAX } from "#shared/protocol/session-records.ts";
import type {
  EndReason,
  SessionEvent,
  SessionId,
  SessionRecord,
} from "#shared/protocol/session-records.ts";
import { SESSION_WRITES_MAX } from "#shared/protocol/session-requests.ts";
import type { SessionWrite } from "#shared/protocol/session-requests.ts";
import { SESSION_ENDS_MAX } from "./bounds.ts";

/** What a `hello` says of its session. */
export type SessionNames = Pick<SessionRecord, "client" | "device" | "from">;
export type OpenedSession = Omit<SessionRecord, "gateway">;

/** Each connection has one, so it is small. */
export interface SessionEntry {
  /** Of the newest event in the store; 0: it has none. */
  revision: number;
  /** Undefined when `hello` says nothing. */
  readonly names: SessionNames | undefined;
}

interface Due {
  readonly opened: OpenedSession;
  readonly end?: { readonly at: Millis; readonly reason: EndReason };
}

export class SessionRegister {
  /** Ends that were dropped (session-register.4). */
  dropped = 0;
  readonly #gateway: ProcessId;
  readonly #due = new Map<SessionEntry, Due>();
  #inFlight: readonly (readonly [SessionEntry, Due, SessionWrite])[] = [];
  #ends = 0;

  constructor(gateway: ProcessId) {
    this.#gateway = gateway;
  }

  get hasDue(): boolean {
    return this.#due.size > 0;
  }

  /** Whether the store has everything. */
  get isSettled(): boolean {
    return this.#due.size === 0 && this.#inFlight.length === 0;
  }

  /** Events that the store does not have yet. */
  get waiting(): number {
    return this.#due.size + this.#inFlight.length;
  }

  open(entry: SessionEntry, opened: OpenedSession): void {
    this.#due.set(entry, { opened });
  }

  /** session-register.3. */
  keep(entry: SessionEntry, opened: OpenedSession): void {
    if (entry.revision > 0 && !this.#due.has(entry)) this.#due.set(entry, { opened });
  }

  /** Once for each entry. */
  end(entry: SessionEntry, opened: OpenedSession, end: NonNullable<Due["end"]>): void {
    if (this.#ends >= SESSION_ENDS_MAX) {
      this.dropped++; // session-register.4
      this.#due.delete(entry);
      return;
    }
    this.#ends++;
    this.#due.set(entry, { opened, end });
  }

  /** The next batch; undefined while one is in flight, and when nothing is due. */
  take(): readonly SessionWrite[] | undefined {
    if (this.#inFlight.length > 0 || this.#due.size === 0) return undefined;
    const batch: (readonly [SessionEntry, Due, SessionWrite])[] = [];
    for (const [entry, due] of this.#due) {
      if (batch.length === SESSION_WRITES_MAX) break;
      this.#due.delete(entry);
      batch.push([entry, due, [entry.revision, this.#eventOf(entry, due)]]);
    }
    this.#inFlight = batch;
    return batch.map(([, , write]) => write);
  }

  /** The answer to the batch of `take`; undefined: none came. */
  settle(revisions: readonly number[] | undefined): void {
    const batch = this.#inFlight;
    this.#inFlight = [];
    for (const [n, [entry, due, [, event]]] of batch.entries()) {
      const revision = revisions?.[n] ?? 0;
      if (event.t === "ended" && revision > 0) {
        this.#ends--;
        continue;
      }
      if (revision > 0) entry.revision = revision;
      // session-register.1 and session-register.2; an end that came meanwhile is newer.
      const isDone = revision > 0 && due.end === undefined;
      if (!isDone && !this.#due.has(entry)) this.#due.set(entry, due);
    }
  }

  #eventOf({ revision }: SessionEntry, { opened, end }: Due): SessionEvent {
    const record = { ...opened, gateway: this.#gateway };
    if (revision === 0) return { t: "started", ...record };
    return end === undefined ? { t: "kept", ...record } : { t: "ended", ...record, ...end };
  }
}

/** A text that a store cannot keep, and a `session` that is no id of one, are ignored. */
export function namesOf({
  client,
  device,
  session: from,
}: ClientFrameOf<"hello">): SessionNames | undefined {
  const names = {
    ...(isText(client) && { client }),
    ...(isText(device) && { device }),
    ...(isMessageId(from) && { from }),
  };
  return Object.keys(names).length > 0 ? names : undefined;
}

/** A session has begun when its connection was accepted: its id has that time. */
export function openedSession(
  session: SessionId,
  {
    user,
    address,
    names,
  }: {
    readonly user: UserId;
    readonly address: string;
    readonly names: SessionNames | undefined;
  },
): OpenedSession {
  const since = messageTime(session);
  return { user, session, since, address: addressPrefix(address), ...names };
}

function isText(text: string | undefined): text is string {
  return text !== undefined && text.length <= SESSION_TEXT_LENGTH_MAX && isStorable(text);
}
