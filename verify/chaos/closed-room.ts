// ClosedRoom: a room with members in a chaos run. Its manager removes, bans and invites guests
// while another member sends.
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
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import type { WireClient, WireClientHooks } from "../wire-client/wire-client.ts";

const TICK_MS = 20;
const CHANGE_EVERY_MS = 500;
/** One in this many removals is a ban. */
const BAN_EVERY = 3;

interface Change {
  readonly frame: object;
  readonly id: MessageId;
  readonly more?: number;
  readonly onAcked: () => void;
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
  readonly #timer: NodeJS.Timeout;

  constructor(room: RoomId, random: Random) {
    this.room = room;
    this.#random = random;
    this.#timer = setInterval(() => this.#tick(performance.now()), TICK_MS);
  }

  /** For the client of the manager. */
  get hooks(): Pick<WireClientHooks, "onAck" | "onRefused" | "onLost"> {
    return {
      onAck: (_, id) => this.#onAck(id),
      onRefused: ({ id, afterMs }) => this.#again(id, performance.now() + afterMs),
      onLost: (ids) => ids.forEach((id) => this.#again(id, 0)),
    };
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
      this.#changeOne();
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

  #begin(frame: object, onAcked: () => void, more?: number): void {
    const id = uuidv7(Date.now(), systemRandom);
    const further = more !== undefined && { more };
    this.#change = { frame, id, ...further, onAcked, isInFlight: false, notBefore: 0 };
  }

  #onAck(id: MessageId): void {
    const change = this.#change;
    if (change?.id !== id) return;
    this.#change = undefined;
    change.onAcked();
  }

  #again(id: MessageId, notBefore: number): void {
    if (this.#change?.id !== id) return;
    this.#change.isInFlight = false;
    this.#change.notBefore = notBefore;
  }
}
