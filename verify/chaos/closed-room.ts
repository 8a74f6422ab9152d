// ClosedRoom: a room with members in a chaos run. Its manager removes, bans and invites guests, and
// changes own messages, while another member sends.
//
// Owns: the changes of the members, and sending each until it is acknowledged. Does not own: the
// clients (load.ts), the judgement (verify/checker/members.ts).
//
//   chaos/closed-room.1. One change is open at a time. It keeps its id until it is acknowledged.
//   chaos/closed-room.2. A guest joins again when its invitation is acknowledged.

import { systemRandom } from "#shared/adapters/clock-system.ts";
import { below } from "#shared/kit/random.ts";
import { uuidv7 } from "#shared/kit/uuid.ts";
import type { Random } from "#shared/ports/clock.ts";
import type { MessageId, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { WireClient, WireClientHooks } from "../wire-client/wire-client.ts";

const TICK_MS = 20;
const CHANGE_EVERY_MS = 500;
/** One in this many removals is a ban. */
const BAN_EVERY = 3;

interface Change {
  readonly frame: object;
  readonly id: MessageId;
  readonly more?: number;
  readonly onAcked: (seq: Seq) => void;
  isInFlight: boolean;
  notBefore: number;
}

export class ClosedRoom {
  readonly room: RoomId;
  readonly #random: Random;
  readonly #guests = new Map<UserId, WireClient>();
  readonly #members = new Set<UserId>();
  #manager: WireClient | undefined;
  #change: Change | undefined;
  #nextAt = Infinity;
  #isCreated = false;
  #removals = 0;
  #turn = 0;
  /** The manager's message that changes next, and the number of its changes so far. */
  #message: { readonly target: Seq; changes: number } | undefined;
  /** The newest message of the manager that has a thread. */
  #thread: Seq | undefined;
  readonly #timer: NodeJS.Timeout;

  constructor(room: RoomId, random: Random) {
    this.room = room;
    this.#random = random;
    this.#timer = setInterval(() => this.#tick(performance.now()), TICK_MS);
  }

  /** For the client of the manager. */
  get hooks(): Pick<WireClientHooks, "onAck" | "onRefused" | "onLost"> {
    return {
      onAck: (_, id, seq) => this.#onAck(id, seq),
      onRefused: ({ id, afterMs }) => this.#again(id, performance.now() + afterMs),
      onLost: (ids) => ids.forEach((id) => this.#again(id, 0)),
    };
  }

  get thread(): Seq | undefined {
    return this.#thread;
  }

  get isCreated(): boolean {
    return this.#isCreated;
  }

  /** Changes without an acknowledgement. */
  get pending(): number {
    return this.#change === undefined ? 0 : 1;
  }

  create(manager: WireClient, users: readonly UserId[]): void {
    this.#manager = manager;
    const members = users.map((user) => ({ user }));
    const frame = { t: "create", kind: "closed", members };
    this.#begin(frame, () => (this.#isCreated = true), 1 + members.length);
  }

  /** A member that the manager removes and invites. */
  addGuest(guest: WireClient): void {
    this.#guests.set(guest.user, guest);
    this.#members.add(guest.user);
  }

  start(): void {
    this.#nextAt = performance.now();
  }

  /** Begins no new change. */
  finish(): void {
    this.#nextAt = Infinity;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #tick(now: number): void {
    if (this.#change === undefined && now >= this.#nextAt) {
      this.#nextAt = now + CHANGE_EVERY_MS;
      if (++this.#turn % 2 === 0) this.#changeOne();
      else this.#changeMessage();
    }
    const change = this.#change;
    if (change === undefined || change.isInFlight || change.notBefore > now) return;
    if (this.#manager?.isWelcome !== true) return;
    change.isInFlight = true;
    const { frame, id, more } = change;
    this.#manager.change({ ...frame, room: this.room, id, ...(more !== undefined && { more }) });
  }

  #changeOne(): void {
    const users = [...this.#guests.keys()];
    const user = users[below(this.#random, users.length)];
    if (user === undefined) return;
    if (this.#members.has(user)) {
      const banned = ++this.#removals % BAN_EVERY === 0;
      const frame = { t: "member", user, role: "none", ...(banned && { banned }) };
      this.#begin(frame, () => this.#members.delete(user));
      return;
    }
    this.#begin({ t: "member", user, role: "reader" }, () => {
      this.#members.add(user);
      this.#guests.get(user)?.rejoin(this.room); // chaos/closed-room.2
    });
  }

  /** A message of the manager, then each kind of change of it, then the next message. */
  #changeMessage(): void {
    const message = this.#message;
    const body = { text: `a message that changes ${this.#turn}` };
    if (message === undefined) {
      this.#begin({ t: "send", body }, (target) => (this.#message = { target, changes: 0 }));
      return;
    }
    const { target } = message;
    this.#thread = target;
    const frames = [
      { t: "react", target, emoji: "👍", on: true },
      { t: "edit", target, body },
      { t: "pin", target, on: true },
      { t: "send", body, thread: target },
      { t: "delete", target },
    ];
    const frame = frames[message.changes++];
    if (message.changes === frames.length) this.#message = undefined;
    if (frame !== undefined) this.#begin(frame, () => undefined);
  }

  #begin(frame: object, onAcked: (seq: Seq) => void, more?: number): void {
    const id = uuidv7(Date.now(), systemRandom);
    const further = more !== undefined && { more };
    this.#change = { frame, id, ...further, onAcked, isInFlight: false, notBefore: 0 };
  }

  #onAck(id: MessageId, seq: Seq): void {
    const change = this.#change;
    if (change?.id !== id) return;
    this.#change = undefined;
    change.onAcked(seq);
  }

  #again(id: MessageId, notBefore: number): void {
    if (this.#change?.id !== id) return;
    this.#change.isInFlight = false;
    this.#change.notBefore = notBefore;
  }
}
