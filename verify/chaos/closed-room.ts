// ClosedRoom: a room with members in a chaos run. Its manager removes, bans and invites guests,
// makes and revokes invites, sets the slow mode, and changes own messages, while another member
// sends.
//
// Owns: which change comes next, and the guests outside. Does not own: the clients (load.ts), the
// answers to a change (open-write.ts), the judgement (verify/checker).
//
//   chaos/closed-room.1. One change of the manager is open at a time, and one entry of each guest.
//   chaos/closed-room.2. A guest joins again when its invitation or its entry is acknowledged.
//   chaos/closed-room.3. Guests also try invites that have ended, were revoked, or are used up.
//   chaos/closed-room.4. A room may refuse an invite. After a clock that was hours ahead (F16), the
//       time of its rooms does not rise for hours (O13). No invite ends meanwhile, and a room has
//       at most INVITES_MAX of them.

import { below } from "#shared/kit/random.ts";
import type { Random } from "#shared/ports/clock.ts";
import type { MessageId, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { WireClientHooks } from "../wire-client/wire-client-options.ts";
import type { WireClient } from "../wire-client/wire-client.ts";
import { OpenWrite } from "./open-write.ts";

const TICK_MS = 20;
const CHANGE_EVERY_MS = 500;
/** One in this many removals is a ban. */
const BAN_EVERY = 3;
/** The seconds of an invite that ends before its guests try it, and of one that does not. */
const SHORT_TTL_S = 1;
const LONG_TTL_S = 600;
/** After the end of a short invite. */
const LATE_MS = 2_000;
/** The seconds of the slow mode, in turns; 0: none. */
const SLOW_MODES = [1, 2, 0, 1];

interface Guest {
  readonly client: WireClient;
  readonly entry: OpenWrite;
}

interface Token {
  readonly invite: MessageId;
  readonly secret: string;
}

export class ClosedRoom {
  readonly room: RoomId;
  /** The room has a slow mode from time to time. */
  readonly isSlow: boolean;
  readonly #random: Random;
  readonly #change: OpenWrite;
  readonly #entries = new Map<UserId, OpenWrite>();
  readonly #guests = new Map<UserId, Guest>();
  readonly #members = new Set<UserId>();
  #manager: WireClient | undefined;
  #nextAt = Infinity;
  #isCreated = false;
  #removals = 0;
  #turn = 0;
  #invites = 0;
  #paces = 0;
  /** A token that the guests outside try at `at`. */
  #token: { readonly token: Token; readonly at: number } | undefined;
  /** The manager's message that changes next, and the number of its changes so far. */
  #message: { readonly target: Seq; changes: number } | undefined;
  /** The newest message of the manager that has a thread. */
  #thread: Seq | undefined;
  readonly #timer: NodeJS.Timeout;

  constructor(room: RoomId, random: Random, { isSlow }: { readonly isSlow: boolean }) {
    this.room = room;
    this.isSlow = isSlow;
    this.#random = random;
    this.#change = new OpenWrite(room);
    this.#timer = setInterval(() => this.#tick(performance.now()), TICK_MS);
  }

  /** For the client of the manager. */
  get hooks(): WireClientHooks {
    return this.#change.hooks;
  }

  /** For the client of a guest. */
  hooksOf(user: UserId): WireClientHooks {
    const entry = new OpenWrite(this.room);
    this.#entries.set(user, entry);
    return entry.hooks;
  }

  get thread(): Seq | undefined {
    return this.#thread;
  }

  get isCreated(): boolean {
    return this.#isCreated;
  }

  /** Changes and entries without a final answer. */
  get pending(): number {
    return [this.#change, ...this.#entries.values()].filter(({ isOpen }) => isOpen).length;
  }

  create(manager: WireClient, users: readonly UserId[]): void {
    this.#manager = manager;
    const members = users.map((user) => ({ user }));
    const onAcked = (): void => void (this.#isCreated = true);
    this.#change.begin(
      { t: "create", kind: "closed", members },
      { onAcked, more: 1 + members.length },
    );
  }

  /** A member that the manager removes and invites. */
  addGuest(client: WireClient): void {
    const entry = this.#entries.get(client.user);
    if (entry === undefined) throw new Error(`${client.user} has no hooks of ${this.room}`);
    this.#guests.set(client.user, { client, entry });
    this.#members.add(client.user);
  }

  start(): void {
    this.#nextAt = performance.now();
  }

  /** Begins no new change. */
  finish(): void {
    this.#nextAt = Infinity;
    this.#token = undefined;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #tick(now: number): void {
    if (!this.#change.isOpen && now >= this.#nextAt) {
      this.#nextAt = now + CHANGE_EVERY_MS;
      this.#begin(++this.#turn);
    }
    if (this.#token !== undefined && now >= this.#token.at) this.#enter(this.#token.token);
    if (this.#manager !== undefined) this.#change.pump(this.#manager, now);
    for (const { client, entry } of this.#guests.values()) entry.pump(client, now);
  }

  #begin(turn: number): void {
    if (turn % 2 === 1) return this.#changeMessage();
    if (this.isSlow && turn % 8 === 0) return this.#setPace();
    if (turn % 4 === 0) return this.#changeOne();
    this.#makeInvite();
  }

  #changeOne(): void {
    const users = [...this.#guests.keys()];
    const user = users[below(this.#random, users.length)];
    if (user === undefined) return;
    if (this.#members.has(user)) {
      const banned = ++this.#removals % BAN_EVERY === 0;
      const frame = { t: "member", user, role: "none", ...(banned && { banned }) };
      this.#change.begin(frame, { onAcked: () => this.#members.delete(user) });
      return;
    }
    const onAcked = (): void => this.#onMember(user);
    this.#change.begin({ t: "member", user, role: "reader" }, { onAcked });
  }

  /** Of four invites one ends before it is tried, and one is revoked before it. */
  #makeInvite(): void {
    if (this.#members.size === this.#guests.size) return this.#changeOne();
    const n = ++this.#invites;
    const [isShort, isRevoked] = [n % 4 === 1, n % 4 === 3];
    const secret = `secret-${n}-of-the-room-${this.room}`;
    const [ttl, uses] = [isShort ? SHORT_TTL_S : LONG_TTL_S, 1 + below(this.#random, 2)];
    const invite = this.#change.begin(
      { t: "invite", secret, role: "reader", ttl, uses },
      {
        mayBeRefused: true, // chaos/closed-room.4
        onAcked: () => {
          const tryIt = (): void => {
            const at = performance.now() + (isShort ? LATE_MS : 0);
            this.#token = { token: { invite, secret }, at };
          };
          if (isRevoked) this.#change.begin({ t: "revoke", invite }, { onAcked: tryIt });
          else tryIt();
        },
      },
    );
  }

  /** chaos/closed-room.3. */
  #enter({ invite, secret }: Token): void {
    this.#token = undefined;
    for (const [user, { entry }] of this.#guests) {
      if (this.#members.has(user) || entry.isOpen) continue;
      const onAcked = (): void => this.#onMember(user);
      entry.begin({ t: "enter", invite, secret }, { onAcked, mayBeRefused: true });
    }
  }

  /** chaos/closed-room.2. */
  #onMember(user: UserId): void {
    this.#members.add(user);
    this.#guests.get(user)?.client.rejoin(this.room);
  }

  #setPace(): void {
    const slowMode = SLOW_MODES[this.#paces++ % SLOW_MODES.length];
    this.#change.begin({ t: "update", slowMode });
  }

  /** A message of the manager, then each kind of change of it, then the next message. */
  #changeMessage(): void {
    const message = this.#message;
    const body = { text: `a message that changes ${this.#turn}` };
    if (message === undefined) {
      const onAcked = (target: Seq): void => void (this.#message = { target, changes: 0 });
      this.#change.begin({ t: "send", body }, { onAcked });
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
    if (frame !== undefined) this.#change.begin(frame);
  }
}
