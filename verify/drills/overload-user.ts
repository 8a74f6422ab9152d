// OverloadUser: one client of the overload drill. It writes every due message at once and sends
// each refused one again.
//
// Owns: its pending messages. Does not own: the wire (wire-client), the schedule (offered-load.ts).
//
//   overload-user.1. The user writes a due message at once, also while the server refuses earlier
//        ones: it is a client without an outbox. When `pendingMax` messages are pending, it creates
//        no new message: a real user stops too.
//   overload-user.2. The user sends a refused message again, with its id, at the time that the
//        refusal names.
//   overload-user.3. The user does not reconnect. A lost connection is a surprise.

import { systemClock, systemRandom } from "#shared/adapters/clock-system.ts";
import { uuidv7 } from "#shared/kit/uuid.ts";
import type { MessageId, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { ClientRecord } from "../checker/record.ts";
import { sumOf } from "../checker/sum.ts";
import { WireClient } from "../wire-client/wire-client.ts";
import type { Refusal } from "../wire-client/wire-client-options.ts";

/** The refusals that an overloaded server may send. */
const ALLOWED_REFUSALS: ReadonlySet<string> = new Set(["busy", "rate_limited", "unavailable"]);
/** Under overload a welcome may be late. */
const WELCOME_WITHIN_MS = 120_000;

export interface PendingMessage {
  readonly user: OverloadUser;
  readonly id: MessageId;
  readonly dueAt: number;
  readonly body: object;
  readonly sum: number;
}

export interface UserOptions {
  readonly url: string;
  readonly user: UserId;
  readonly room: RoomId;
  readonly token: string;
  readonly localAddress: string;
  readonly pendingMax: number;
  readonly now: () => number;
  readonly record: (record: ClientRecord) => void;
  readonly onAck: (message: PendingMessage) => void;
  /** The caller sends the message again after `afterMs`. */
  readonly onRefused: (message: PendingMessage, name: string, afterMs: number) => void;
  /** Something that a client which follows the protocol must never get. */
  readonly onSurprise: (what: string) => void;
}

export class OverloadUser {
  readonly room: RoomId;
  readonly #options: UserOptions;
  readonly #client: WireClient;
  readonly #pending = new Map<MessageId, PendingMessage>();
  #isClosed = false;

  constructor(options: UserOptions) {
    const { url, user, token, room, localAddress, now, record, onSurprise } = options;
    this.#options = options;
    this.room = room;
    this.#client = new WireClient({
      user,
      token,
      endpoint: () => ({ name: "gateway-1", url }),
      rooms: [{ room }],
      reconnects: false, // overload-user.3
      welcomeWithinMs: WELCOME_WITHIN_MS,
      localAddress,
      now,
      hooks: {
        onRecord: record,
        onAck: (_, id) => this.#onAck(id),
        onRefused: (refusal) => this.#onRefused(refusal),
        onReconnect: () => onSurprise("the gateway asked for a reconnect"),
        onClosed: (code, reason = "") => {
          if (!this.#isClosed) onSurprise(`closed with ${code} ${reason}`);
        },
        onSurprise,
      },
    });
    this.#client.connect();
  }

  get isJoined(): boolean {
    return this.#client.isJoined;
  }

  get seen(): Seq {
    return this.#client.seen(this.room);
  }

  get pending(): number {
    return this.#pending.size;
  }

  /** Creates and writes a message; undefined when too many are pending (overload-user.1). */
  sendNew(dueAt: number): PendingMessage | undefined {
    if (this.#pending.size >= this.#options.pendingMax) return undefined;
    const id = uuidv7(systemClock.now(), systemRandom);
    const body = { text: `${this.#options.user} at ${Math.round(dueAt)}` };
    const message = { user: this, id, dueAt, body, sum: sumOf(body) };
    this.#pending.set(id, message);
    this.write(message);
    return message;
  }

  write({ id, body, sum }: PendingMessage): void {
    this.#client.send(this.room, id, body, sum);
  }

  close(): void {
    this.#isClosed = true;
    this.#client.close();
  }

  #onAck(id: MessageId): void {
    const message = this.#pending.get(id);
    if (message === undefined) return;
    this.#pending.delete(id);
    this.#options.onAck(message);
  }

  #onRefused({ id, error, afterMs }: Refusal): void {
    const message = this.#pending.get(id);
    const { onRefused, onSurprise } = this.#options;
    if (message === undefined || !ALLOWED_REFUSALS.has(error)) {
      onSurprise(`${error} for ${id}`);
      return;
    }
    onRefused(message, error, afterMs); // overload-user.2
  }
}
